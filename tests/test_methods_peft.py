"""The formulas that the methods over PEFT declare, computed again by hand in float64 from what a layer receives."""

import copy
import math

import pytest
import torch
from torch.nn.functional import normalize
from tuned import close, seen, shaken, weights

from harness.attach import set_precision
from methods.peft_backend import NAME

QUERY = "bert.encoder.layer.1.attention.self.query"


class Layer:
    """A layer's trained and frozen values by their PEFT name, in float64."""

    def __init__(self, model, site):
        self.module = model.get_submodule(site)
        self.state = {k: v.double() if v.is_floating_point() else v for k, v in self.module.state_dict().items()}

    def __getitem__(self, name):
        """A value by its PEFT name, or by the plain name of one of our own layers."""
        return next(v for k, v in self.state.items() if k in {f"{name}.{NAME}", f"{name}.{NAME}.weight", name})


def eye(n):
    return torch.eye(n, dtype=torch.float64)


def hra(at, w, config):
    for u in normalize(at["u"], dim=1):
        w = w @ (eye(32) - 2 * torch.outer(u, u))
    return w


def hira(at, w, config):
    return w + w * (at["hira_B"] @ at["hira_A"])


def pvera(at, w, config):
    d = at["pvera_lambda_d"][: config.r]
    return w + at["pvera_lambda_b"][:, None] * (at["pvera_B"] @ (d[:, None] * at["pvera_A"][: config.r]))


def randlora(at, w, config):
    inner, scale = at["randlora_lambda"], at["randlora_gamma"]
    a, b = at["randlora_A"][:, 0], at["randlora_B"]
    terms = (b[:, i] @ torch.diag(inner[:, i]) @ a @ torch.diag(scale[i]) for i in range(inner.shape[1]))
    return w + config.alpha / config.r * sum(terms)


def unilora(at, w, config):
    theta = at.module.unilora_theta_d[NAME].detach().double()
    a, b = (theta[at[f"unilora_indices_{m}"]] * at[f"unilora_scales_{m}"] for m in "AB")
    return w + b @ a


def tinylora(at, w, config):
    u, s, vh = torch.linalg.svd(w)
    v = at.module.tinylora_v[NAME][at.module._tinylora_v_key[NAME]].detach().double()
    close(at["tinylora_B"] @ at["tinylora_A"], u[:, : config.r] @ torch.diag(s[: config.r]) @ vh[: config.r])
    return w + at["tinylora_B"] @ torch.einsum("j,jkl->kl", v, at["tinylora_P"]) @ at["tinylora_A"]


def fourierft(at, w, config):
    spectrum = torch.zeros_like(w, dtype=torch.complex128)
    rows, columns = at.module.indices[NAME]
    spectrum[rows, columns] = at["fourierft_spectrum"].to(torch.complex128)
    return w + config.scaling * torch.fft.ifft2(spectrum).real


def gralora(at, w, config):
    k, rank = config.k, config.r // config.k
    a, b = at["gralora_A"], at["gralora_B"]
    rows = []
    for i in range(k):
        # Block (i, j): A of input j, its i-th group of rank r / k; B of output i, its j-th.
        pick = lambda t, at_, of: t[at_][:, of * rank : (of + 1) * rank]  # noqa: E731
        blocks = [(pick(a, j, i) @ b[i][j * rank : (j + 1) * rank]).T for j in range(k)]
        rows.append(torch.cat(blocks, dim=1))
    return w + config.alpha / config.r * torch.cat(rows)


def miss(at, w, config):
    return w + at["miss_block"].T.repeat(1, 32 // config.r)


def c3a(at, w, config):
    kernels, b = at["c3a_kernel"], config.block
    # Each row of a block is the one above it, moved one to the right; PEFT divides by d_in.
    shift = (torch.arange(b)[None, :] - torch.arange(b)[:, None]) % b
    return w + torch.cat([torch.cat([kernel[shift] for kernel in row], 1) for row in kernels / 32])


def delora(at, w, config):
    a, b = at["delora_A"], at["delora_B"]
    middle = torch.diag(at["delora_lambda"] / config.r / (a.norm(dim=1) * b.norm(dim=0)))
    return w + b @ middle @ a * w.norm(dim=0)


def psoft(at, w, config):
    u, s, vh = torch.linalg.svd(w)
    r = config.r
    a, b = at["_psoft_A_cache"], at["_psoft_B_cache"]
    close(b @ a, u[:, :r] @ torch.diag(s[:r]) @ vh[:r])
    q = torch.zeros(r, r, dtype=torch.float64)
    q[tuple(torch.triu_indices(r, r, 1))] = at[f"psoft_R.{NAME}.weight"]
    q = q - q.T
    turn = (eye(r) + q) @ torch.linalg.inv(eye(r) - q)
    outer, inner = at[f"psoft_R.{NAME}.vector_b"], at[f"psoft_R.{NAME}.vector_a"]
    return w - b @ a + b @ torch.diag(outer) @ turn @ torch.diag(inner) @ a


def peanut(at, w, config):
    return w + at["peanut_B"] @ torch.relu(at["peanut_A"] @ w)


def deft(at, w, config):
    p = at["deft_P"]
    return (eye(32) - p @ torch.relu(p).T) @ w + p @ at["deft_R"]


def osf(at, w, config):
    u, s, vh = torch.linalg.svd(w)
    kept = int(32 * config.kept)
    high = u[:, :kept] @ torch.diag(s[:kept]) @ vh[:kept]
    low = {k: at[f"osf_svd_params.{NAME}.{k}"] for k in ("U_low", "S_low", "V_low")}
    return high + low["U_low"] @ torch.diag(low["S_low"]) @ low["V_low"]


def supertuning(at, w, config):
    flat = torch.zeros_like(w).flatten()
    flat[at["supertuning_indices"].long()] = at["supertuning_values"]
    largest = w.abs().flatten().topk(len(at["supertuning_values"])).indices
    assert set(largest.tolist()) == set(at["supertuning_indices"].tolist())
    return w + flat.view_as(w)


def kasa(at, w, config):
    u, s, vh = torch.linalg.svd(w)
    kept = 32 - config.r
    base = u[:, :kept] @ torch.diag(s[:kept]) @ vh[:kept]
    return base + config.alpha / config.r * at["lora_B"] @ torch.diag(at["lora_diag"]) @ at["lora_A"]


def product(at, w, config):
    a, b = (at[name] for name in (("A", "B") if "A" in at.state else ("lora_A", "lora_B")))
    return w + config.alpha / config.r * b @ a


def loha(at, w, config):
    return w + config.alpha / config.r * (at["B1"] @ at["A1"]) * (at["B2"] @ at["A2"])


def lokr(at, w, config):
    return w + config.alpha / config.r * torch.kron(at["C"], at["D"])


def vblora(at, w, config):
    bank = at["bank"]

    def piece(logits):
        best, index = logits.topk(config.chosen)
        return (best.softmax(-1)[:, None] * bank[index]).sum(0)

    a, b = (torch.stack([torch.cat([piece(p) for p in row]) for row in at[name]]) for name in ("logits_a", "logits_b"))
    return w + b.T @ a


def shira(at, w, config):
    flat = w.flatten().clone()
    assert len(set(at["places"].tolist())) == config.r * 64
    flat[at["places"]] += at["values"]
    return flat.view_as(w)


def waveft(at, w, config):
    """Column k of Haar's matrix is a sum of two neighbours over the root of 2, column 16 + k their difference."""
    haar = torch.zeros(32, 32, dtype=torch.float64)
    for k in range(16):
        haar[2 * k, [k, 16 + k]] = 1 / math.sqrt(2)
        haar[2 * k + 1, k], haar[2 * k + 1, 16 + k] = 1 / math.sqrt(2), -1 / math.sqrt(2)
    spectrum = torch.zeros(32 * 32, dtype=torch.float64)
    spectrum[at["places"]] = at["values"]
    close(haar @ haar.T, eye(32))
    return w + config.scaling * haar @ spectrum.view(32, 32) @ haar.T


def poly(at, w, config):
    share = torch.sigmoid(at["logits"][0])
    share = share / share.sum()
    a, b = (torch.einsum("k,krd->rd", share, at[name][0]) for name in "AB")
    return w + b.T @ a / config.r


CASES = {
    "hra": hra,
    "loha": loha,
    "lokr": lokr,
    "hira": hira,
    "pvera": pvera,
    "randlora": randlora,
    "vblora": vblora,
    "unilora": unilora,
    "fourierft": fourierft,
    "tinylora": tinylora,
    "waveft": waveft,
    "gralora": gralora,
    "miss": miss,
    "shira": shira,
    "c3a": c3a,
    "delora": delora,
    "psoft": psoft,
    "peanut": peanut,
    "deft": deft,
    "osf": osf,
    "supertuning": supertuning,
    "kasa": kasa,
    "velora": product,
    "monteclora": product,
    "mica": product,
    "lora-orthogonal": product,
    "riemannian-lora": product,
    "poly": poly,
}


@pytest.mark.parametrize("name", CASES)
def test_the_layer_computes_its_formula(name):
    _, config, model = shaken(name)
    x, y = seen(model, QUERY)
    w, b = weights(QUERY)
    close(y, x @ CASES[name](Layer(model, QUERY), w, config).T + b)


@pytest.mark.parametrize("name", ["road", "flora-tucker", "increlora"])
def test_a_merge_into_bf16_rounds_once(name):
    method, _, model = shaken(name)
    set_precision(model, "bf16")
    exact = copy.deepcopy(model)
    for parameter in exact.parameters():
        parameter.data = parameter.data.float()
    merged, exact = (method.merge(each).state_dict() for each in (model, exact))
    kinds = set()
    for name, value in merged.items():
        kinds.add(value.dtype)
        assert torch.equal(value, exact[name].to(value.dtype)), name
    assert kinds >= {torch.bfloat16, torch.float32}
