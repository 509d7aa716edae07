"""How fast a student learns: steps on random tokens, by the student's shape alone."""

from __future__ import annotations

from typing import Any

from idist.config import TrainConfig
from idist.planning import depth
from idist.planning.bench import Bench
from idist.planning.rates import Rate
from idist.planning.shapes import Shape, shape_of, writes

FEW_PAIRS = 4  # in a step, where a large model is measured on a CPU


def training(bench: Bench, stage: str, model: str, settings: TrainConfig, budget: float) -> Rate:
    """Seconds a pair: forward, backward and its share of the optimizer's step."""
    shape = shape_of(model)
    few = bench.device == "cpu" and not depth.measured_whole(shape)
    pairs = min(settings.batch_size, FEW_PAIRS) if few else settings.batch_size
    share = budget / len(depth.depths(shape))
    seconds = depth.timed(
        shape, bench.device, "float32", lambda student: _step(bench, student, settings, pairs, share, shape)
    )
    return Rate(f"{stage}/training", [model], "pair", seconds, depth.said_of(shape))


def _step(bench: Bench, student: Any, settings: TrainConfig, pairs: int, budget: float, shape: Shape) -> float:
    """Seconds of a step on a whole batch, a pair."""
    from idist.stages._trainer import optimizer_of

    student.train()
    chosen = optimizer_of(settings)
    weights = [weight for weight in student.parameters() if weight.requires_grad]
    optimizer = chosen[0](weights, **chosen[1]) if chosen else _adamw(weights, settings)
    batch = _batch(bench, student, settings, pairs, writes(shape.config) == "seq2seq")

    def learn() -> None:
        _loss(bench, student, batch).backward()

    learn()  # gradients are there from now on
    update = bench.clock.least(optimizer.step, budget / 4)
    learned = bench.clock.least(learn, budget / 2)
    return learned / pairs + update / settings.batch_size


def _adamw(weights: list[Any], settings: TrainConfig) -> Any:
    import torch

    return torch.optim.AdamW(weights, lr=settings.learning_rate)


def _batch(bench: Bench, student: Any, settings: TrainConfig, pairs: int, seq2seq: bool) -> dict[str, Any]:
    """Sources and targets of a sentence each; a decoder-only student reads both in one line."""
    import torch

    generator = torch.Generator().manual_seed(0)
    source, target = (
        min(limit, bench.tokens + 1) for limit in (settings.max_source_tokens, settings.max_target_tokens)
    )

    def ids(length: int) -> Any:
        return torch.randint(10, student.config.vocab_size, (pairs, length), generator=generator).to(student.device)

    if seq2seq:
        return {"input_ids": ids(source), "labels": ids(target)}
    read = ids(source + target)
    return {"input_ids": read, "labels": read}


def _loss(bench: Bench, student: Any, batch: dict[str, Any]) -> Any:
    """In bfloat16 products on a GPU, as the stage computes it."""
    import torch

    half = bench.device == "cuda" and bench.config.dtype in ("auto", "bfloat16")
    with torch.autocast(bench.device, torch.bfloat16, enabled=half):
        return student(**batch).loss
