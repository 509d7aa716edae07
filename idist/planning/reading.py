"""What a token costs that a critic's model reads, by the model's shape alone."""

from __future__ import annotations

from typing import Any

from idist.planning import depth
from idist.planning.bench import Bench
from idist.planning.shapes import Shape

FEW_TOKENS = 512  # in a batch, where a large model is measured on a CPU

_known: dict[tuple[str, int, str], float] = {}  # models of several critics are measured once a plan


def token_seconds(bench: Bench, shape: Shape, length: int, budget: float) -> float:
    """Seconds a token of inputs of ``length`` tokens, in batches as the critics' (`batch_tokens`)."""
    key = (shape.name, -(-length // 16), f"{bench.device} {bench.dtype} {id(bench)}")
    if key not in _known:
        _known[key] = _measure(bench, shape, length, budget)
    return _known[key]


def _measure(bench: Bench, shape: Shape, length: int, budget: float) -> float:
    import torch

    from idist.critics.batching import batch_tokens

    few = bench.device == "cpu" and not depth.measured_whole(shape)
    rows = max(1, (FEW_TOKENS if few else batch_tokens(bench.device)) // length)
    share = budget / len(depth.depths(shape))

    def read(model: Any) -> float:
        ids = torch.randint(10, model.config.vocab_size, (rows, length), generator=torch.Generator().manual_seed(0))
        ids = ids.to(model.device)
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        with torch.inference_mode():
            return bench.clock.least(lambda: model(**inputs), share)

    return depth.timed(shape, bench.device, bench.dtype, read) / (rows * length)
