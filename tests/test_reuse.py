"""A living worker's runs are those of a fresh process, bit by bit; what a run changes or leaves behind is noticed."""

import math
import multiprocessing
import random
from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch
from safetensors.torch import load_file, save_file
from test_cli import WORDS, write_rte
from torch import nn

from harness import adapter, leftovers, reuse
from harness import run as running
from harness.execute.job import Job
from harness.kept import KeptModel, differences, digest
from harness.model import load_classifier, load_image_classifier, load_language_model, load_tokenizer, resolve
from harness.pack.run import execute_packed
from harness.plan import Request
from harness.sweep import prepare

METHODS = (
    "lora", "dora", "full-ft", "bitfit", "ia3", "galore", "lisa", "qlora", "prefix-tuning", "adapter-houlsby", "paca", "lst",
)  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("reuse")
    for kind in ("encoder", "decoder", "vision"):
        # Without a head, which is then drawn.
        tiny.model(kind).base_model.save_pretrained(root / kind)
    for kind in ("encoder", "decoder"):
        tiny.tokenizer(WORDS).save_pretrained(root / kind)
    tiny.model("causal").save_pretrained(root / "causal")
    tiny.tokenizer(WORDS).save_pretrained(root / "causal")
    write_rte(root / "data")
    return root


@pytest.fixture
def pool():
    with reuse.kept() as pool:
        yield pool


@pytest.fixture(scope="module")
def jobs(world):
    settings = {f"{name}.{key}": v for name in METHODS for key, v in tiny.NARROW.get(name, {}).items()}
    recipe = {"batch_size": 8, "max_steps": 5, "dropout": 0.1}
    request = Request(METHODS, ("rte",), "quick", seeds=(3,), settings=settings, recipe=recipe)
    sweep = prepare(request, str(world / "encoder"), world / "data", False, lambda text: None)
    source = resolve(str(world / "encoder"))
    return {item.spec.method: Job(item.spec, source, world / "data", None) for item in sweep.planned if not item.skip}


def made(job):
    """What a run gives: status and reason, scores, curve without times, digest of every trained tensor."""
    kept = {}
    report = running.report

    def reported(s, *rest):
        kept.update({name: digest(value) for name, value in adapter.state(s.model, s.method).items()})
        report(s, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "report", reported)
        record = running.execute(job)
    return (record.status, record.reason), record.scores, points(record), kept


def points(record):
    return [{name: x for name, x in point.items() if name != "train_seconds"} for point in record.curve]


def test_twelve_methods_in_any_order_are_as_in_a_process_of_their_own(jobs, pool):
    assert set(jobs) == set(METHODS)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["harness.execute.preload"])
    with context.Pool(1, maxtasksperchild=1) as fresh:
        alone = {name: fresh.apply(made, (job,)) for name, job in jobs.items()}
    assert all(status == ("done", "") and trained for status, _, _, trained in alone.values())
    order = [*METHODS, *METHODS]
    random.Random(7).shuffle(order)
    said = []
    for name in order:
        with pool.run() as told:
            assert made(jobs[name]) == alone[name], name
        assert pool.leftovers() is None, name
        said.append(told)
    assert said == [{"base_model": "loaded"}] + [{"base_model": "reused"}] * (len(order) - 1)


@pytest.mark.parametrize("name", ["lora", "bitfit"])
def test_packs_and_single_runs_take_turns_in_a_worker(jobs, pool, name):
    """What a pack trains in place is trained by each of its runs alone."""
    job = jobs[name]
    pack = [replace(job, spec=replace(job.spec, seed=seed)) for seed in (3, 4, 5)]

    def told(records):
        return [(record.reason, record.scores, points(record)) for record in records]

    alone, packed = told(map(running.execute, pack)), told(execute_packed(pack))
    for _ in range(3):
        with pool.run():
            assert told(execute_packed(pack)) == packed
        with pool.run():
            assert told(map(running.execute, pack)) == alone
    assert not any(reason for reason, *_ in alone + packed)


def test_a_class_first_seen_with_foreign_code_is_named(pool, monkeypatch):
    with pool.run():
        made = type("Made", (nn.Module,), {"forward": patched, "__module__": "torch.nn"})
        monkeypatch.setattr(nn, "Made", made, raising=False)
    assert "torch.nn.Made.forward" in pool.leftovers()


def load(kind, source, seed, outputs=3):
    if kind == "vision":
        return load_image_classifier(source, outputs, seed, 16)
    return load_classifier(source, outputs, seed, 0)


@pytest.mark.parametrize("kind", ["encoder", "decoder", "vision"])
def test_a_reused_model_is_a_fresh_one_with_the_head_of_its_own_seed(world, kind):
    source = resolve(str(world / kind))
    fresh = {seed: load(kind, source, seed) for seed in (0, 1, 2)}
    assert differences(fresh[0], fresh[1])
    with reuse.kept() as pool:
        for seed in (0, 1, 2, 0):
            state = torch.get_rng_state()
            with pool.run() as told:
                got = load(kind, source, seed)
            assert differences(got, fresh[seed]) == []
            assert torch.equal(state, torch.get_rng_state())
        assert told == {"base_model": "reused"}
        with pool.run() as told:
            assert load(kind, source, 0, outputs=5).config.num_labels == 5
        assert told == {"base_model": "loaded"}
    assert differences(load(kind, source, 1), fresh[1]) == []


def test_a_language_model_has_nothing_to_draw(world, pool):
    source = resolve(str(world / "causal"))
    fresh = load_language_model(source)
    for _ in range(3):
        with pool.run() as told:
            model = load_language_model(source)
            assert differences(model, fresh) == [] and not model.config.use_cache
            ids = torch.tensor([[5, 9, 7]])
            assert torch.equal(model.eval()(ids).logits, fresh.eval()(ids).logits)
    assert told == {"base_model": "reused"}


def test_what_a_run_does_to_its_model_ends_with_it(world, pool):
    source = resolve(str(world / "encoder"))
    fresh = load("encoder", source, 4)
    for _ in range(3):
        with pool.run():
            model = load("encoder", source, 4)
            assert differences(model, fresh) == []
            assert not any(m._forward_hooks for m in model.modules())
            layer = model.bert.encoder.layer[0]
            layer.register_forward_hook(lambda *args: None)
            layer.output.dense = nn.Identity()
            layer.forward = lambda *args, **kwargs: None
            model.config.hidden_size = 1
            model.requires_grad_(False)
            model.half()
            with torch.no_grad():
                model.bert.pooler.dense.bias.add_(1)


def test_weights_trained_in_place_come_from_their_file_again(world, pool):
    source = resolve(str(world / "encoder"))
    fresh = load("encoder", source, 4)
    for _ in range(4):
        with pool.run() as told:
            model = load("encoder", source, 4)
            assert differences(model, fresh) == []
            with torch.no_grad():
                for number, parameter in enumerate(model.parameters()):
                    parameter.fill_(number)
                assert [p.flatten()[0] for p in model.parameters()] == list(range(number + 1))
    assert told == {"base_model": "reused"}


def test_two_models_of_one_run_share_no_weight(world, pool):
    source = resolve(str(world / "encoder"))
    for _ in range(3):
        with pool.run():
            one, other = load("encoder", source, 4), load("encoder", source, 4)
            with torch.no_grad():
                for parameter in one.parameters():
                    parameter.fill_(math.pi)
            assert differences(other, load_fresh(source)) == []
            assert not {p.data_ptr() for p in one.parameters()} & {p.data_ptr() for p in other.parameters()}


def load_fresh(source):
    return load_classifier.__wrapped__(source, 3, 4, 0)


def test_the_base_of_a_probe_is_clean_though_the_run_trained_converted_weights(world, tmp_path, pool):
    load("encoder", resolve(str(world / "encoder")), 0).half().save_pretrained(tmp_path)
    tiny.tokenizer(WORDS).save_pretrained(tmp_path)
    source = resolve(str(tmp_path))
    for _ in range(3):
        with pool.run() as told:
            with torch.no_grad():
                load("encoder", source, 4).bert.pooler.dense.weight.zero_()
            assert differences(load("encoder", source, 4), load_fresh(source)) == []
        assert told["base_model"] == "loaded"


def test_converted_weights_are_kept_and_loaded_again_once_changed(world, tmp_path, pool):
    folder = tmp_path / "half"
    load("encoder", resolve(str(world / "encoder")), 0).half().save_pretrained(folder)
    tiny.tokenizer(WORDS).save_pretrained(folder)
    source = resolve(str(folder))
    said = []
    for change in (False, False, True, False, False):
        with pool.run() as told:
            model = load("encoder", source, 4)
            assert differences(model, load_fresh(source)) == []
            if change:
                with torch.no_grad():
                    model.bert.pooler.dense.weight.zero_()
        said.append(told)
    assert [told["base_model"] for told in said] == ["loaded", "reused", "reused", "loaded", "reused"]
    assert "bert.pooler.dense.weight" in said[3]["reload_reason"]


def test_another_file_in_the_same_place_is_another_model(world, tmp_path, pool):
    folder = tmp_path / "model"
    tiny.saved_model(folder, WORDS)
    source = resolve(str(folder))
    with pool.run():
        load("encoder", source, 0, outputs=2)
    weights = {name: value + 1 for name, value in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pool.run() as told:
        model = load("encoder", source, 0, outputs=2)
    assert told == {"base_model": "loaded"}
    assert torch.equal(model.bert.pooler.dense.bias, weights["bert.pooler.dense.bias"])


def test_a_model_that_copies_otherwise_than_it_loads_is_never_kept(world, pool, monkeypatch):
    source = resolve(str(world / "encoder"))
    monkeypatch.setattr("harness.kept.draw", lambda model, names, seed: None)
    said = []
    for seed in (1, 2, 3):
        with pool.run() as told:
            assert differences(load("encoder", source, seed), load_classifier.__wrapped__(source, 3, seed, 0)) == []
        said.append(told)
    assert said[0] == {"base_model": "loaded"} and said[1] == said[2]
    assert said[1]["base_model"] == "loaded" and "classifier.weight" in said[1]["reload_reason"]


def test_models_with_hooks_or_unseeded_draws_are_refused(world):
    model = load("encoder", resolve(str(world / "encoder")), 0)
    with pytest.raises(Exception, match="no seed decides"):
        KeptModel(model, None, world / "encoder")
    model.register_forward_hook(lambda *args: None)
    with pytest.raises(Exception, match="hooks in it"):
        KeptModel(model, 0, world / "encoder")


def test_a_tokenizer_carries_nothing_from_task_to_task(world, pool):
    source = resolve(str(world / "encoder"))
    fresh = load_tokenizer(source)
    texts, long = ["the cat sat", "a dog ran here now"], ["the cat sat " * 9]
    for _ in range(3):
        with pool.run():
            tokenizer = load_tokenizer(source)
            assert tokenizer.padding_side == "right" and tokenizer.pad_token == fresh.pad_token
            assert tokenizer.backend_tokenizer.truncation is None and tokenizer.backend_tokenizer.padding is None
            assert tokenizer(texts)["input_ids"] == fresh(texts)["input_ids"]
            assert tokenizer(long)["input_ids"] == fresh(long)["input_ids"]
            tokenizer(long, truncation=True, max_length=4, padding="max_length")
            tokenizer.padding_side, tokenizer.truncation_side = "left", "left"
            tokenizer.pad_token = "cat"
            tokenizer.init_kwargs["x"] = 1
    assert len(pool.tokenizers) == 1


def test_truncation_and_padding_that_come_with_a_tokenizer_stay(tmp_path, pool):
    tokenizer = tiny.tokenizer(WORDS)
    tokenizer.backend_tokenizer.enable_truncation(5)
    tokenizer.backend_tokenizer.enable_padding(length=7)
    tiny.model("encoder").save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    source = resolve(str(tmp_path))

    def state(tokenizer):
        inner = tokenizer.backend_tokenizer
        return inner.truncation, inner.padding, inner.encode("the cat sat on a dog").ids

    fresh = state(load_tokenizer(source))
    assert fresh[0] is not None and fresh[1] is not None
    for _ in range(3):
        with pool.run():
            tokenizer = load_tokenizer(source)
            assert state(tokenizer) == fresh
            tokenizer(["the cat"], truncation=True, max_length=3)


def test_a_tokenizer_with_a_word_more_is_loaded_again(world, pool):
    source = resolve(str(world / "encoder"))
    with pool.run():
        known = len(load_tokenizer(source))
    with pool.run():
        load_tokenizer(source).add_tokens(["zebra"])
    with pool.run() as told:
        assert len(load_tokenizer(source)) == known
    assert "tokenizer" in told["reload_reason"]


def test_generators_go_back_to_where_they_were(pool):
    with pool.run():
        first = torch.rand(2), np.random.rand(2), random.random()
    with pool.run():
        again = torch.rand(2), np.random.rand(2), random.random()
    assert torch.equal(first[0], again[0]) and (first[1] == again[1]).all() and first[2] == again[2]
    assert pool.leftovers() is None


def hook(*args):
    return None


def patched(self, x):
    return x


def set_forward():
    own = nn.Linear.forward
    nn.Linear.forward = patched
    return lambda: setattr(nn.Linear, "forward", own)


def set_function():
    from transformers.models.bert import modeling_bert

    own = modeling_bert.BertSelfOutput
    modeling_bert.BertSelfOutput = nn.Identity
    return lambda: setattr(modeling_bert, "BertSelfOutput", own)


def set_dtype():
    torch.set_default_dtype(torch.float64)
    return lambda: torch.set_default_dtype(torch.float32)


def set_grad():
    torch.set_grad_enabled(False)
    return lambda: torch.set_grad_enabled(True)


def set_threads():
    own = torch.get_num_threads()
    torch.set_num_threads(own + 1)
    return lambda: torch.set_num_threads(own)


def set_deterministic():
    torch.use_deterministic_algorithms(True)
    return lambda: torch.use_deterministic_algorithms(False)


def set_autocast():
    block = torch.autocast("cpu", dtype=torch.bfloat16)
    block.__enter__()
    return lambda: block.__exit__(None, None, None)


LEFT = {
    "global_forward_hooks": lambda: nn.modules.module.register_module_forward_hook(hook).remove,
    "torch.nn.modules.linear.Linear.forward": set_forward,
    "BertSelfOutput": set_function,
    "default dtype": set_dtype,
    "gradient mode": set_grad,
    "number of threads": set_threads,
    "deterministic": set_deterministic,
    "autocast on cpu": set_autocast,
}


@pytest.mark.parametrize("words", LEFT)
def test_what_a_run_leaves_behind_is_named(world, pool, words):
    source = resolve(str(world / "encoder"))
    with pool.run():
        load("encoder", source, 0)
    with pool.run():
        undo = LEFT[words]()
    undo()
    assert words in pool.leftovers()
    with pool.run():
        pass
    assert pool.leftovers() is None


def test_the_next_worker_says_why_it_loads(world):
    source = resolve(str(world / "encoder"))
    with reuse.kept("the run before left behind: its hat") as pool:
        with pool.run() as told:
            load("encoder", source, 0)
        assert told == {"base_model": "loaded", "reload_reason": "the run before left behind: its hat"}
        with pool.run() as told:
            load("encoder", source, 1)
        assert told == {"base_model": "reused"}


def test_nothing_is_kept_but_in_a_run_and_nothing_beyond_the_block(world):
    source = resolve(str(world / "encoder"))
    with reuse.kept() as pool:
        load("encoder", source, 0)
        load_tokenizer(source)
        assert not pool.models and not pool.tokenizers
        with pool.run():
            load("encoder", source, 0)
            load_tokenizer(source)
        assert len(pool.models) == len(pool.tokenizers) == 1
    assert not pool.models and not pool.tokenizers


def test_the_digest_tells_type_shape_and_bytes():
    values = torch.arange(4.0)
    assert digest(values) == digest(values.clone()) == digest(torch.arange(8.0)[:4])
    others = (values.view(2, 2), values.double(), values + 1e-7, -values, values.view(torch.int32))
    assert len({digest(values), *map(digest, others)}) == 1 + len(others)


def test_a_package_of_a_like_name_is_none_of_the_libraries():
    assert leftovers.within("peft.tuners.lora", leftovers.PATCHED) and leftovers.within("peft", leftovers.PATCHED)
    assert not leftovers.within("peftbench_file_mine_0123", leftovers.PATCHED)
