"""Memory and disk of each stage: from shapes and rows, not measured."""

from __future__ import annotations

from pathlib import Path

from idist.config import RunConfig, TrainConfig
from idist.errors import UserError
from idist.models import resolve
from idist.planning.shapes import Shape, shape_of
from idist.planning.work import StageWork
from idist.planning.writing import ROWS
from idist.planning.yields import Yields
from idist.stages.rounds import base

GIB = 2**30
PROCESS = 0.45 * GIB  # Python with torch and transformers loaded, before any model
PARSER = 0.3 * GIB  # one of Stanza's, with its tagger
NUMBER = {"float32": 4, "float16": 2, "bfloat16": 2}  # bytes
ACTIVATIONS = 34  # numbers that a layer keeps for each token and unit of width until the backward pass
HUB_BYTES = 4  # of a weight, as most repositories keep them

# Bytes of a row in the parquet files of a run of `mini`, whose sentences have WORDS words; longer ones take more.
WORDS = 10.4
TEXT_ROWS = {"contexts": 69.5, "sentences": 20.5, "drawn": 21.6, "sources": 22.4, "selected": 180.0}
PLAIN_ROWS = {"candidates": 9.0}


def memory(config: RunConfig, work: StageWork, yields: Yields, device: str, dtype: str) -> float:
    """Bytes of one process of a stage at its peak; on a GPU the GPU's."""
    kind = base(work.stage)
    here = 0.0 if device == "cuda" else PROCESS
    models = list(dict.fromkeys(name for part in work.parts for name in part.models))
    if work.sequential:
        settings: TrainConfig = getattr(config, kind)
        return here + sum(_training(shape_of(name), settings, yields) for name in models)
    total = here + sum(_weights(name, NUMBER[dtype]) for name in models)
    writers = [part for part in work.parts if part.name in ("samples", "sentences", "rewriting")]
    caches = [_decoding(config, kind, part.models[0], part.name, yields, NUMBER[dtype]) for part in writers]
    return total + max(caches, default=0.0)


def _weights(name: str, number: int) -> float:
    if name.startswith("stanza:"):
        return PARSER
    try:
        return shape_of(name).parameters * number
    except UserError:  # a parser's folder, a package
        return sum(file.stat().st_size for file in Path(resolve(name)[0]).rglob("*") if file.is_file())


def _decoding(config: RunConfig, stage: str, model: str, what: str, yields: Yields, number: int) -> float:
    """The cache of a full batch, and its logits in three copies."""
    rows = {
        "samples": ROWS,
        "sentences": max(1, ROWS // config.pairs.k) * config.pairs.k,
        "rewriting": ROWS,
    }[what]
    if stage == "contexts":
        rows = min(ROWS, config.engine.shard_size)
    shape, sentence = shape_of(model), yields.get("pairs.words") * yields.get("tokens")
    sentences = (config.contexts.min_sentences + config.contexts.max_sentences) / 2
    length = {
        "samples": config.contexts.max_new_tokens,
        "sentences": sentence * (sentences + 1) + 1,
        "rewriting": 2 * sentence,
    }[what]
    cache = rows * length * 2 * shape.layers * _cached_width(shape) * number
    if shape.config.is_encoder_decoder:
        cache *= 2  # the source's keys and values, too
    return cache + rows * shape.config.vocab_size * 4 * 3


def _cached_width(shape: Shape) -> float:
    """Numbers in a key: less than the width where heads share keys."""
    heads = shape.config.num_attention_heads
    return shape.width * (getattr(shape.config, "num_key_value_heads", None) or heads) / heads


def _training(shape: Shape, settings: TrainConfig, yields: Yields) -> float:
    """Weights, gradients, the optimizer's state, and what a batch of sentences twice the usual length leaves."""
    longest = 2 * yields.get("pairs.words") * yields.get("tokens")
    source, target = (min(longest, limit) for limit in (settings.max_source_tokens, settings.max_target_tokens))
    state = 8 if settings.optimizer == "adamw" else 0.1
    kept = settings.batch_size * (source + target) * shape.width * shape.layers * ACTIVATIONS * 4
    logits = settings.batch_size * target * shape.config.vocab_size * 4 * 3
    return shape.parameters * (8 + state) + kept + logits


def disk(work: StageWork, yields: Yields) -> float:
    """Bytes that a stage leaves."""
    longer = yields.get("pairs.words") / WORDS
    each = {table: bytes * longer for table, bytes in TEXT_ROWS.items()} | PLAIN_ROWS
    rows = sum(count * each[table] for table, count in work.rows.items())
    return rows + (shape_of(work.parts[0].models[0]).parameters * 4 if work.sequential else 0.0)


def checkpoints(config: RunConfig, work: StageWork) -> float:
    """Bytes on disk while a training runs, besides what it leaves: its last checkpoint and its best one."""
    settings: TrainConfig = getattr(config, base(work.stage))
    parameters = shape_of(work.parts[0].models[0]).parameters
    return 2 * parameters * (4 + (8 if settings.optimizer == "adamw" else 0.1))


def downloads(works: list[StageWork]) -> float:
    """Bytes of the models that come from the Hub."""
    names = {name for work in works for part in work.parts for name in part.models}
    hub = [name for name in names if not name.startswith("stanza:") and not Path(resolve(name)[0]).is_dir()]
    return sum(shape_of(name).parameters * HUB_BYTES for name in hub)


def size(count: float) -> str:
    """Bytes for people: ``41.7 kB``, ``3.1 GB`` (powers of 1,000, as disks are sold)."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB"
