"""On a GPU the host waits for the device once a token, and no more: operations that would wait are counted here."""

from __future__ import annotations

import traceback
from collections import Counter
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from idist.decoding import Decoder, Sampling

from .conftest import Loaded

# They need a value, or the size of their result, from the device.
WAITING = {"aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select", "aten::equal", "aten::is_nonzero"}
CONTEXTS, IDS = ["A man in a blue shirt is riding a bike.", "Dogs are running."], ["a", "b"]


class Waits(TorchDispatchMode):
    """Counts operations that make the host wait, by line, of the code in a folder: what transformers does within a
    forward pass is not ours to change."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.folder = f"/{folder}/"
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = function.name().split(".")[0]
        by_mask = name in ("aten::index", "aten::index_put_") and any(
            part is not None and part.dtype == torch.bool for part in args[1]
        )
        if name in WAITING or by_mask:
            frames = [frame for frame in traceback.extract_stack()[:-1] if "/torch/" not in frame.filename]
            if self.folder in frames[-1].filename:
                self.found[f"{name}: {frames[-1].line}"] += 1
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("kind", ["teacher", "student"])
def test_no_step_waits_in_our_code(kind: str, teacher: Loaded, student: Loaded) -> None:
    sampling = Sampling(temperature=2.0, no_repeat_ngram_size=2, banned_tokens=("red",), max_new_tokens=6)
    decoder = Decoder(*(teacher if kind == "teacher" else student), sampling, max_rows=16)
    write = decoder.continuations if kind == "teacher" else decoder.rewrite
    with Waits("idist") as waits:
        texts = write(CONTEXTS, IDS, 8, 0)
    assert len({text for row in texts for text in row}) > 8  # rows forked
    assert not waits.found


def test_the_count_sees_them() -> None:
    values = torch.ones(3)
    with Waits("tests") as waits:
        values[values > 0] = 0.0
        assert not values.any()
        torch.nonzero(values)
    assert sum(waits.found.values()) == 3
