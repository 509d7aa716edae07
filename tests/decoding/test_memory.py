"""Rows are as many as memory holds, a batch that does not fit is halved, and the texts are the same whatever it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import psutil
import pytest
import torch

from idist.decoding import Decoder, Sampling
from idist.decoding import memory as memory_module
from idist.decoding.memory import Part, RowLimit, RowSize, free_bytes, next_batch
from idist.errors import UserError

from .conftest import Loaded

CONTEXTS = ["A man in a blue shirt is riding a bike down the street.", "Dogs run.", "A woman is cooking dinner."]
IDS = ["a", "b", "c"]
SAMPLING = Sampling(temperature=0.9, max_new_tokens=8)


class Full:
    """A limit on a model's memory: rows times tokens that it may read at once, cache included."""

    def __init__(self, model: Any, limit: int):
        self.model, self.limit, self.refused = model, limit, 0
        self.hook = model.register_forward_pre_hook(self._look, with_kwargs=True)

    def _look(self, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        ids = kwargs["input_ids"]
        cache = kwargs.get("past_key_values")
        length = ids.shape[1] + (cache.get_seq_length() if cache is not None else 0)
        if len(ids) * length > self.limit:
            self.refused += 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


def test_a_batch_that_does_not_fit_is_halved(small: Callable[[str], Loaded]) -> None:
    expected = Decoder(*small("gpt2"), SAMPLING).continuations(CONTEXTS, IDS, 9, seed=0)
    model, tokenizer = small("gpt2")
    full = Full(model, 3 * 24)
    decoder = Decoder(model, tokenizer, SAMPLING)
    assert decoder.continuations(CONTEXTS, IDS, 9, seed=0) == expected
    assert full.refused > 1 and decoder.max_rows < 9  # even one prompt's samples had to be cut
    refused = full.refused
    assert decoder.continuations(CONTEXTS, IDS, 9, seed=0) == expected
    assert full.refused == refused  # it was remembered


def test_one_row_that_does_not_fit(small: Callable[[str], Loaded]) -> None:
    model, tokenizer = small("gpt2")
    Full(model, 9)  # enough for the eight tokens on which a row is weighed
    with pytest.raises(UserError, match=r"One text after \d+ tokens does not fit in the memory of cpu"):
        Decoder(model, tokenizer, SAMPLING).continuations(CONTEXTS, IDS, 4, seed=0)


def test_other_errors_are_not_taken_for_it(small: Callable[[str], Loaded]) -> None:
    model, tokenizer = small("gpt2")

    def fail(*given: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    model.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="mat1"):
        Decoder(model, tokenizer, SAMPLING, max_rows=8).continuations(CONTEXTS, IDS, 4, seed=0)


@pytest.mark.parametrize("name", ["gpt2", "llama", "lfm2"])
def test_a_row_is_weighed(name: str, small: Callable[[str], Loaded]) -> None:
    model, tokenizer = small(name)
    size = Decoder(model, tokenizer, SAMPLING)._row_size()
    config = model.config
    shared = {"gpt2": 1, "llama": 2, "lfm2": 2}[name]  # heads that have keys in common
    attending = {"gpt2": 2, "llama": 2, "lfm2": 1}[name]  # layers
    states = 0 if name != "lfm2" else config.hidden_size * config.conv_L_cache * 4 / memory_module.PROBE
    assert size.read == size.written == attending * 2 * 32 // shared * 4 + states
    assert size.logits >= len(tokenizer) * 4


def test_a_student_is_weighed(student: Loaded) -> None:
    model = student[0]
    size = Decoder(*student, SAMPLING)._row_size()
    token = model.config.num_decoder_layers * 2 * model.config.num_heads * model.config.d_kv * 4
    assert (size.read, size.written) == (token, token)


def test_rows_follow_length_and_memory() -> None:
    rows = RowLimit(torch.device("cpu"), None, lambda: RowSize(read=100.0, written=100.0, logits=1000.0))
    short, long = rows.fitting(20, 48, 500_000), rows.fitting(200, 48, 500_000)
    assert (short, long) == (int(400_000 / (100 * 100 + 1000)), int(400_000 / (280 * 100 + 1000)))
    assert rows.fitting(20, 48, 1e12) == memory_module.MOST_ROWS["cpu"] == 256
    assert rows.fitting(20, 48, 0) == 1
    rows.halve(100, 20)
    assert rows.fitting(20, 48, 1e12) == 50
    # a number given by hand stands
    assert RowLimit(torch.device("cpu"), 700, lambda: RowSize(1.0, 1.0, 1.0)).fitting(20, 48, 0) == 700
    assert RowLimit(torch.device("cuda"), None, lambda: RowSize(1.0, 1.0, 1.0)).most == 2048


def test_little_memory_gives_the_same_texts(small: Callable[[str], Loaded], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Decoder(*small("gpt2"), SAMPLING).continuations(CONTEXTS, IDS, 9, seed=0)
    decoder = Decoder(*small("gpt2"), SAMPLING)
    monkeypatch.setattr(memory_module, "free_bytes", lambda device: 4 * decoder._row_size().row(20, 8))
    full = Full(decoder.model, 4 * 24)
    assert decoder.continuations(CONTEXTS, IDS, 9, seed=0) == expected
    assert full.refused == 0  # it was foreseen


def test_memory_is_divided_as_cores_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    for cores in (1, 4):
        monkeypatch.setattr(os, "sched_getaffinity", lambda process, cores=cores: set(range(cores)), raising=False)
        assert free_bytes(torch.device("cpu")) == pytest.approx(psutil.virtual_memory().available / cores, rel=0.2)


def test_batches() -> None:
    todo = [Part(n, 0, 10) for n in range(5)]
    seen = []
    while todo:
        batch, todo = next_batch(todo, 25)
        seen.append([part.prompt for part in batch])
    assert seen == [[0, 1], [2, 3], [4]]
    todo, cut = [Part(3, 0, 10), Part(1, 0, 10)], []
    while todo:
        batch, todo = next_batch(todo, 4)
        cut.append([(part.prompt, part.first, part.last) for part in batch])
    # a prompt with more samples than fit has its batches to itself, the last one too
    assert cut == [[(3, 0, 4)], [(3, 4, 8)], [(3, 8, 10)], [(1, 0, 4)], [(1, 4, 8)], [(1, 8, 10)]]


def test_finished_prompts_are_told(small: Callable[[str], Loaded]) -> None:
    for most, expected in ((256, [3]), (9, [1, 1, 1]), (4, [0, 0, 1] * 3)):
        told: list[int] = []
        Decoder(*small("gpt2"), SAMPLING, max_rows=most).rewrite(CONTEXTS, IDS, 9, 0, done=told.append)
        assert told == expected
