"""SPT: only the values with the largest s = g^2 train, g the gradient of the loss: one by one, W' = W + S, or, in a matrix that
holds many of them, through a LoRA, W' = W + B A.

He et al. 2023, https://arxiv.org/abs/2303.08566: s is what the loss loses to first order if a value follows its gradient, summed
over some batches. A matrix gets a LoRA once the sensitive values in it are more than a tenth (1 / `ease`) of the LoRA's own;
of biases and norms single values train (the authors' code trains one whole if a fifth of it is sensitive). The authors look
for the number of sensitive values that meets a budget of parameters; here the budget is met exactly, by the largest number
that stays within it and then the next single values in line. It is a share of the matrices', biases' and norms' values:
0.005 is 0.43 M for ViT-B/16, within the paper's 0.2 to 1.0 M. The class token, which their code trains too, stays. Until the
data speak, half of the budget is LoRAs'.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn
from torch.nn.utils import parametrize

from methods.layers import freeze, is_norm, replace
from methods.linear import adapted, as_lora_draws, matrix, transposed
from methods.selective._single import Added, Layer, Pool, Tensor
from methods.spec import Method, Paper, Shape, Site

FIRST = 16


@dataclass(frozen=True)
class Config:
    share: float = 0.005
    """of the values of target matrices, their biases and the norms: how many train"""
    r: int = 8
    """of a LoRA"""
    ease: float = 10.0
    """a LoRA's parameters over the sensitive values that earn it"""
    rows: int = 512
    """training rows of which the gradient is taken"""
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


def tensors_of(sites: Sequence[Site], norms: Sequence[tuple[int, bool]], config: Config) -> list[Tensor]:
    """The matrices, then their biases, then the norms' weights and biases; norms: (values of the weight, has a bias)."""
    sizes = [(site.d_in * site.d_out, config.r * (site.d_in + site.d_out)) for site in sites]
    sizes += [(site.d_out, 0) for site in sites if site.bias]
    sizes += [(size, 0) for size, bias in norms for _ in range(1 + bias)]
    found, before = [], 0
    for size, lora in sizes:
        found.append(Tensor(before, size, lora))
        before += size
    return found


def budget(tensors: Sequence[Tensor], config: Config) -> int:
    """Raises ValueError if so many could not train."""
    n = max(1, round(config.share * sum(tensor.size for tensor in tensors)))
    most = sum(tensor.lora or tensor.size for tensor in tensors)
    if n > most:
        raise ValueError(f"SPT's share={config.share} is {n} values, and LoRAs on all matrices are {most}; lower share")
    return n


def first_layout(pool: Pool) -> tuple[list[bool], list[int]]:
    """(whether a tensor has a LoRA, its number of single values): half for LoRAs, the rest spread evenly."""
    n, has, used = len(pool.values), [], 0
    for tensor in pool.tensors:
        has.append(0 < tensor.lora <= n // 2 - used)
        used += tensor.lora if has[-1] else 0
    free = [0 if lora else tensor.size for tensor, lora in zip(pool.tensors, has, strict=True)]
    return has, parts(n - used, free)


def parts(n: int, rooms: Sequence[int]) -> list[int]:
    """n dealt out in proportion to the rooms"""
    found, before, total = [], 0, max(1, sum(rooms))
    for room in rooms:
        found.append(round(n * (before + room) / total) - round(n * before / total))
        before += room
    return found


def arrange(model: nn.Module, config: Config, rising: bool, single: bool) -> None:
    """Where there are only shapes: a choice that data may make. `rising`: small LoRAs come first, so that there are more of
    them; `single`: only so many LoRAs that single values, too few in a matrix to earn it one, meet the budget."""
    pool = model.spt
    has = [False] * len(pool.tensors)
    # What a tensor holds before it earns a LoRA.
    most = [math.ceil(tensor.lora / config.ease) - 1 if tensor.lora else tensor.size for tensor in pool.tensors]
    left = len(pool.values)
    matrices = [at for at, tensor in enumerate(pool.tensors) if tensor.lora]
    for at in sorted(matrices, key=lambda at: pool.tensors[at].lora, reverse=not rising):
        if pool.tensors[at].lora <= left and not (single and left <= sum(most)):
            has[at], most[at], left = True, 0, left - pool.tensors[at].lora
    counts = [0] * len(most)
    # Vectors, the last ones, take part anyway: the cheapest choice fills them before it touches another matrix.
    for at in reversed(range(len(most))) if not (rising or single) else ():
        counts[at] = min(left, most[at])
        left, most[at] = left - counts[at], most[at] - counts[at]
    free = [0 if lora else tensor.size - count for tensor, lora, count in zip(pool.tensors, has, counts, strict=True)]
    more = parts(left, most if left <= sum(most) else free)
    pool.lay(has, [count + part for count, part in zip(counts, more, strict=True)])


@torch.no_grad()
def settle(model: nn.Module, has_lora: Sequence[bool], single: torch.Tensor) -> None:
    """Every LoRA drawn, every single value at zero; single: places, in order."""
    pool = model.spt
    pool.has_lora.copy_(torch.tensor(has_lora))
    pool.places.fill_(-1)
    pool.places[len(pool.places) - len(single) :] = single.to(pool.places.device)
    pool.values.zero_()
    pool.look()
    for _, layer in adapted(model, Layer):
        found = layer.lora()
        if found is not None:
            found[0].copy_(as_lora_draws(torch.empty_like(found[0])))


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises ValueError if the budget is more than could train."""
    norms = [module for module in model.modules() if is_norm(module)]
    vectors = [(norm.weight.numel(), getattr(norm, "bias", None) is not None) for norm in norms]
    tensors = tensors_of(sites, vectors, config)
    freeze(model)
    pool = Pool(budget(tensors, config), tensors, model.get_submodule(sites[0].name).weight.device)
    following = iter(range(len(sites), len(tensors)))
    biases = [next(following) if site.bias else None for site in sites]
    for at, (site, bias) in enumerate(zip(sites, biases, strict=True)):
        replace(model, site.name, Layer(model.get_submodule(site.name), config.r, pool, at, bias))
    for norm, (_, bias) in zip(norms, vectors, strict=True):
        for name in ("weight", "bias") if bias else ("weight",):
            parametrize.register_parametrization(norm, name, Added(pool, next(following)), unsafe=True)
    model.spt = pool
    has, counts = first_layout(pool)
    pool.lay(has, counts)
    if pool.values.device.type != "meta":
        spaced = [t.before + torch.arange(c) * t.size // max(c, 1) for t, c in zip(tensors, counts, strict=True)]
        settle(model, has, torch.cat(spaced))
    return model


def count(shape: Shape, config: Config) -> int:
    """share of the values of target matrices, their biases and all norms. Raises ValueError if so many could not train."""
    norms = [(norm.size, norm.bias) for norm in shape.norms]
    return budget(tensors_of(shape.select(config.targets), norms, config), config)


def own_tensors(model: nn.Module) -> list[tuple[nn.Parameter, bool]]:
    """(the model's own value, whether it lies transposed) of each tensor"""
    layers = [layer.base for _, layer in sorted(adapted(model, Layer), key=lambda item: item[1].numbers[0])]
    found = [(layer.weight, transposed(layer)) for layer in layers]
    found += [(layer.bias, False) for layer in layers if layer.bias is not None]
    for norm in (module for module in model.modules() if is_norm(module)):
        for name in ("weight", "bias"):
            if parametrize.is_parametrized(norm, name):
                found.append((getattr(norm.parametrizations, name).original, False))
    return found


def sensitivity(model: nn.Module, batches: Iterable[Mapping[str, torch.Tensor]], rows: int) -> torch.Tensor:
    """Sum over batches of g^2 of each value that may train, all tensors end to end."""
    free = [parameter for parameter in model.parameters() if parameter.requires_grad]
    freeze(model)
    own = own_tensors(model)
    totals = [torch.zeros_like(tensor.T if flipped else tensor, dtype=torch.float32) for tensor, flipped in own]
    for tensor, _ in own:
        tensor.requires_grad_(True)
    for batch in batches:
        part = {name: value[:rows] for name, value in batch.items()}
        rows -= len(part["labels"])
        model(**part).loss.backward()
        for (tensor, flipped), total in zip(own, totals, strict=True):
            total += (tensor.grad.T if flipped else tensor.grad).float().square()
            tensor.grad = None
        if rows <= 0:
            break
    freeze(model)
    for parameter in free:
        parameter.requires_grad_(True)
    return torch.cat([total.flatten() for total in totals])


def chosen(scores: torch.Tensor, tensors: Sequence[Tensor], n: int, ease: float) -> tuple[list[bool], torch.Tensor]:
    """(whether a tensor gets a LoRA, the places of single values, in order): n parameters together."""
    ends = torch.tensor([tensor.before + tensor.size for tensor in tensors])
    lora = torch.tensor([tensor.lora for tensor in tensors])

    def earned(counts: torch.Tensor) -> torch.Tensor:
        return (lora > 0) & (counts * ease >= lora)

    # Most often the first few are enough; to sort all of a large model takes long.
    for reach in (min(FIRST * n, len(scores)), len(scores)):
        order = scores.topk(reach).indices.cpu()
        tensor_of = torch.searchsorted(ends, order, right=True)
        low, high = 0, reach
        while low < high:
            middle = (low + high + 1) // 2
            counts = torch.bincount(tensor_of[:middle], minlength=len(tensors))
            fits = int(torch.where(earned(counts), lora, counts).sum()) <= n
            low, high = (middle, high) if fits else (low, middle - 1)
        has = earned(torch.bincount(tensor_of[:low], minlength=len(tensors)))
        left = n - int(lora[has].sum())
        single = order[~has[tensor_of]][:left]
        if low < reach and len(single) == left:
            break
    return has.tolist(), single.sort().values


def calibrate(model: nn.Module, batches: Iterable[Mapping[str, torch.Tensor]], config: Config) -> None:
    scores = sensitivity(model, batches, config.rows)
    settle(model, *chosen(scores, model.spt.tensors, len(model.spt.values), config.ease))


@torch.no_grad()
def merge(model: nn.Module) -> nn.Module:
    for name, layer in list(adapted(model, Layer)):
        matrix(layer.base).add_(layer.delta().to(layer.base.weight.dtype))
        if layer.base.bias is not None:
            layer.base.bias.add_(layer.bias_delta().to(layer.base.bias.dtype))
        replace(model, name, layer.base)
    for norm in [module for module in model.modules() if is_norm(module)]:
        for name in ("weight", "bias"):
            if parametrize.is_parametrized(norm, name):
                parametrize.remove_parametrizations(norm, name, leave_parametrized=True)
    del model.spt
    return model


def extra_state(model: nn.Module) -> Mapping[str, torch.Tensor]:
    return {"spt.has_lora": model.spt.has_lora, "spt.places": model.spt.places}


METHOD = Method(
    name="spt",
    family="selective",
    paper=Paper(
        "Sensitivity-Aware Visual Parameter-Efficient Fine-Tuning",
        "He, Cai, Zhang, Tao, Zhuang",
        2023,
        "https://arxiv.org/abs/2303.08566",
    ),
    formula="the values with the largest sum of g^2 train, singly or, where a matrix holds many, as a LoRA",
    backend="native",
    learning_rate=1e-3,
    aliases=("spt-lora",),
    config=Config,
    attach=attach,
    count=count,
    calibrate=calibrate,
    merge=merge,
    extra_state=extra_state,
    assumes="what trains is chosen by the data; here half of it is LoRAs' and half is spread evenly over the layers as single values",
    layouts={
        "LoRAs in few matrices and little else": partial(arrange, rising=False, single=False),
        "LoRAs in many matrices": partial(arrange, rising=True, single=False),
        "single values in nearly all": partial(arrange, rising=False, single=True),
    },
    search_space={"learning_rate": (3e-4, 1e-3, 3e-3, 1e-2), "share": (0.0025, 0.005, 0.01)},
)
