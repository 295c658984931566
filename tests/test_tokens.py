"""Token ids from the disk are what the tokenizer gives; anything that decides them has a file of its own."""

import multiprocessing
import os
from dataclasses import replace

import numpy as np
import pytest
import tiny
from safetensors.numpy import load_file, save_file
from test_cli import WORDS

from harness import tokens
from harness.data import encode
from harness.model import load_tokenizer, resolve
from harness.text import encode_choices, encode_questions, encode_training
from harness.tokens import CachedTokenizer, Tokens
from tasks import get

PAIRS = replace(get("rte"), fields=("first", "second"))
GENERATE = replace(get("gsm8k"), prompt="{q}: ", target="{answer}", eval_prompt="")
ROWS = [
    {"first": " ".join(WORDS[: 2 + at % 9]), "second": WORDS[at % 16], "label": at % 2, "q": WORDS[at % 7], "answer": "a"}
    for at in range(40)
]  # fmt: skip
CHOICES = [{**row, "options": ["cat", "the dog"], "contexts": [row["first"]] * 2} for row in ROWS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokens") / "model"
    tiny.saved_model(folder, WORDS)
    return folder


@pytest.fixture
def plain(folder):
    return load_tokenizer(resolve(str(folder)))


@pytest.fixture
def asked(plain, folder, tmp_path, monkeypatch):
    """A cached tokenizer for short texts too, and the list of calls that came through to the tokenizer."""
    monkeypatch.setattr(tokens, "SMALL", 1)
    seen = Seen(plain)
    cached = CachedTokenizer(plain, folder, tmp_path)
    cached._tokenizer = seen
    return cached, seen.calls


class Seen:
    """Counts what comes through."""

    def __init__(self, inner):
        self.__dict__.update(vars(inner))
        self.inner, self.calls = inner, []

    def __getattr__(self, name):
        return getattr(self.__dict__["inner"], name)

    def __len__(self):
        return len(self.inner)

    def __call__(self, *texts, **options):
        self.calls.append(texts)
        return self.inner(*texts, **options)


def equal(one, other):
    names = vars(one).keys()
    assert names == vars(other).keys()
    for name in names:
        a, b = getattr(one, name), getattr(other, name)
        if hasattr(a, "prompts"):
            equal(a, b)
        else:
            assert np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b, name


ENCODED = {
    "pairs": lambda tokenizer: encode(PAIRS, ROWS, tokenizer, 6),
    "values": lambda tokenizer: encode(replace(PAIRS, kind="regress"), ROWS, tokenizer, 64),
    "training": lambda tokenizer: encode_training(GENERATE, ROWS, tokenizer, 4, True),
    "questions": lambda tokenizer: encode_questions(GENERATE, ROWS, tokenizer, 3),
    "choices": lambda tokenizer: encode_choices(replace(GENERATE, kind="choice"), CHOICES, tokenizer, 5),
}


@pytest.mark.parametrize("name", ENCODED)
def test_a_second_look_asks_no_tokenizer_and_gives_the_same(asked, plain, name):
    cached, calls = asked
    expected = ENCODED[name](plain)
    equal(ENCODED[name](cached), expected)
    assert calls
    calls.clear()
    equal(ENCODED[name](cached), expected)
    assert not calls
    assert expected.truncated > 0 or name == "values"


def test_what_decides_the_ids_decides_the_file(plain, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(tokens, "SMALL", 1)
    texts = ["the cat sat here", "a dog"]

    def files(tokenizer=plain, texts=texts, **options):
        CachedTokenizer(tokenizer, folder, tmp_path)(texts, **options)
        return len(list((tmp_path / "tokens").iterdir()))

    assert files() == files() == 1
    assert files(texts=["the cat sat", "here a dog"]) == 2
    assert files(texts=texts[::-1]) == 3
    assert files(truncation=True, max_length=3) == 4
    assert files(truncation=True, max_length=4) == 5
    assert files(add_special_tokens=False) == 6
    other = load_tokenizer(resolve(str(folder)))
    other.truncation_side = "left"
    assert files(other, truncation=True, max_length=3) == 7
    other = load_tokenizer(resolve(str(folder)))
    other.add_tokens(["zebra"])
    assert files(other) == 8
    text = (folder / "tokenizer.json").read_text()
    try:
        (folder / "tokenizer.json").write_text(text.replace('"lowercase": true', '"lowercase": false') + "\n")
        assert files() == 9
    finally:
        (folder / "tokenizer.json").write_text(text)
    assert files() == 9


@pytest.mark.parametrize("harm", ["half", "empty", "bit", "other", "words"])
def test_a_damaged_file_is_made_again(asked, plain, tmp_path, harm):
    cached, calls = asked
    texts = [row["first"] for row in ROWS]
    cached(texts)
    (path,) = (tmp_path / "tokens").iterdir()
    whole = path.read_bytes()
    if harm == "half":
        path.write_bytes(whole[: len(whole) // 2])
    elif harm == "empty":
        path.write_bytes(b"")
    elif harm == "bit":
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    elif harm == "other":
        save_file(load_file(path), path, {"columns": '["input_ids"]', "truncated": "0", "digest": "0"})
    else:
        path.write_bytes(b"no such file " * 9)
    assert tokens.read(path) is None
    calls.clear()
    assert dict(cached(texts)) == dict(plain(texts)) and len(calls) == 1
    assert dict(tokens.read(path)) == dict(plain(texts))
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_short_lists_single_texts_and_tensors_go_past_the_disk(plain, folder, tmp_path):
    cached = CachedTokenizer(plain, folder, tmp_path)
    assert cached("the cat")["input_ids"] == plain("the cat")["input_ids"]
    assert cached(["the cat"])["input_ids"] == plain(["the cat"])["input_ids"]
    long = ["the cat"] * (tokens.SMALL // 7 + 1)
    assert cached(long, return_tensors="np")["input_ids"].shape == (len(long), 4)
    assert not (tmp_path / "tokens").exists()
    assert cached.pad_token_id == plain.pad_token_id and cached.batch_decode([[4, 5]]) == plain.batch_decode([[4, 5]])


@pytest.mark.skipif(os.name != "posix", reason="directories are made unwritable")
def test_a_cache_that_cannot_be_written_is_none(plain, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(tokens, "SMALL", 1)
    (tmp_path / "tokens").write_text("a file where a folder should be")
    texts = ["the cat sat", "a dog"]
    assert dict(CachedTokenizer(plain, folder, tmp_path)(texts)) == dict(plain(texts))


def test_what_was_not_used_for_longest_makes_room(tmp_path, monkeypatch):
    made = Tokens({"input_ids": [[1, 2, 3]] * 50}, 0)
    paths = [tmp_path / f"{at}.safetensors" for at in range(4)]
    for at, path in enumerate(paths[:3]):
        tokens.write(path, made)
        os.utime(path, (at, at))
    assert tokens.read(paths[0]) == made
    monkeypatch.setattr(tokens, "MOST_BYTES", 3 * paths[0].stat().st_size)
    tokens.write(paths[3], made)
    assert [path.exists() for path in paths] == [True, False, True, True]


def test_numbers_of_every_size_and_empty_rows_come_back(tmp_path):
    rows = [[], [0, 255, 256, 65536, 2**31], [], [-1]]
    made = Tokens({"input_ids": rows, "attention_mask": [[1] * len(row) for row in rows]}, 3)
    path = tmp_path / "x.safetensors"
    tokens.write(path, made)
    found = tokens.read(path)
    assert found == made and found.truncated == 3 and list(found) == list(made)
    tokens.write(tmp_path / "y.safetensors", Tokens({"a": [[1]], "b": [[1, 2]]}, 0))
    assert not (tmp_path / "y.safetensors").exists()


def write_and_read(path, number):
    made = Tokens({"input_ids": [[number % 2] * 40] * 400}, number % 2)
    for _ in range(30):
        tokens.write(path, made)
        found = tokens.read(path)
        if found is None or found["input_ids"][0][0] != found.truncated:
            return False
    return True


def test_processes_that_write_the_same_file_never_read_a_mixed_one(tmp_path):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        path = tmp_path / "x.safetensors"
        assert all(pool.starmap(write_and_read, [(path, 0), (path, 1)], chunksize=1))
    assert [file.name for file in tmp_path.iterdir()] == ["x.safetensors"]
