"""Pairs -> tokenized rows: read, split by context, encode for a student of either kind."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist.config import TrainConfig
from idist.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase

COLUMNS = ["id", "context_id", "x", "y"]
TAUGHT = {"x": "input", "y": "target"}  # of the table `control`: what is trained on in the place of x and y
SLICE = 10_000  # rows in Python at a time


def read_pairs(pairs: pa.Table | Sequence[Path]) -> pa.Table:
    """The four columns that training reads, sorted by id: the order of files and shards does not matter.

    Args:
        pairs: a table of `idist.rows`' ``pairs`` (score columns are ignored) or ``control`` (its ``input`` and
            ``target``; a pair without codes is left out), or parquet files of it.

    Raises:
        UserError: a file that is missing or no parquet, a column that is not there, a null.
    """
    import pyarrow as pa

    if isinstance(pairs, pa.Table):
        table = _columns(pairs, "The table of pairs")
    else:
        if not pairs:
            raise UserError("No parquet file of pairs was given, expected one or more.")
        table = pa.concat_tables([_read(Path(path)) for path in pairs])
    for column in COLUMNS:
        if table[column].null_count:
            row = next(index for index, value in enumerate(table[column]) if not value.is_valid)
            raise UserError(f"Pairs: row {row} has no {column}, expected text.")
    return table.sort_by([(column, "ascending") for column in COLUMNS])


def digest_pairs(table: pa.Table) -> str:
    """16 hexadecimal digits over all rows of `read_pairs`' table."""
    digest = hashlib.sha256()
    for batch in table.to_batches(SLICE):
        for values in zip(*(batch[column].to_pylist() for column in COLUMNS), strict=True):
            digest.update("\0".join((*values, "\n")).encode())
    return digest.hexdigest()[:16]


def split_by_context(table: pa.Table, share: float, seed: int) -> tuple[pa.Table, pa.Table]:
    """(training pairs, held-out pairs): all pairs of one context lie on one side.

    A context is held out if its hash with the seed falls below ``share``, so it stays on its side when other contexts
    come or go; where chance holds none out, the one with the lowest hash is. ``share`` 0: nothing is held out.

    Raises:
        UserError: no pairs, or something is to be held out of fewer than two contexts.
    """
    import pyarrow as pa

    ids = table["context_id"].to_pylist()
    draws = {context: _fraction(f"{seed}:{context}:held_out") for context in set(ids)}
    if not ids:
        raise UserError("There are no pairs to train on: the stage before kept none; its funnel says which critic did.")
    if share and len(draws) < 2:
        raise UserError(
            f"{len(ids)} pairs of {len(draws)} contexts are too few to train on: train.held_out = {share:g} needs two "
            "contexts or more; make more pairs, or set train.held_out to 0."
        )
    ordered = sorted(draws, key=lambda context: (draws[context], context))
    below = sum(draws[context] < share for context in ordered)
    held = set(ordered[: min(max(below, 1), len(ordered) - 1)]) if share else set()
    mask = pa.array([context in held for context in ids], pa.bool_())
    return table.filter(pa.compute.invert(mask)), table.filter(mask)


def encode_sources(
    tokenizer: PreTrainedTokenizerBase, sources: Sequence[str], config: TrainConfig, seq2seq: bool
) -> list[list[int]]:
    """Token ids of sources as the student sees them, in training and afterwards: prompt, source, and for a
    decoder-only student a line break (`TrainConfig.template`).

    At most ``max_source_tokens`` ids each; what is cut is the source's end, never the end mark or line break.
    """
    template = config.template(seq2seq)
    texts = [template.replace("{source}", source) for source in sources]
    if seq2seq:
        return list(tokenizer(texts, truncation=True, max_length=config.max_source_tokens).input_ids)
    rows = tokenizer(texts).input_ids
    limit = config.max_source_tokens
    return [ids if len(ids) <= limit else ids[: limit - 1] + ids[-1:] for ids in rows]


def encode_pairs(tokenizer: PreTrainedTokenizerBase, table: pa.Table, config: TrainConfig, seq2seq: bool) -> Dataset:
    """Rows of ``input_ids``, ``labels`` and ``length`` (tokens in both), all int32.

    Encoder-decoder: ``input_ids`` is the source, ``labels`` the target. Decoder-only: ``input_ids`` is source and
    target in one line, ``labels`` the same with -100 over the source, so that only the target is learned. A target
    ends with the end-of-text token, also where it was cut to ``max_target_tokens``.
    """
    import pyarrow as pa
    from datasets import Dataset

    tokens = pa.list_(pa.int32())
    schema = pa.schema({"input_ids": tokens, "labels": tokens, "length": pa.int32()})
    batches = []
    for batch in table.to_batches(SLICE):
        sources = encode_sources(tokenizer, batch["x"].to_pylist(), config, seq2seq)
        targets = tokenizer(
            text_target=batch["y"].to_pylist(),
            add_special_tokens=False,
            truncation=True,
            max_length=config.max_target_tokens - 1,
        ).input_ids
        targets = [[*ids, tokenizer.eos_token_id] for ids in targets]
        batches.append(pa.RecordBatch.from_pydict(_columns_of(sources, targets, seq2seq), schema=schema))
    return Dataset(pa.Table.from_batches(batches, schema=schema))


def shortest_first(rows: Dataset) -> Dataset:
    """`encode_pairs`' rows in the order of ``length``: held-out batches then hold little padding."""
    import numpy as np

    return rows.select(np.argsort(rows["length"][:], kind="stable"))  # Dataset.sort warns under pyarrow 25 and later


def _columns_of(sources: list[list[int]], targets: list[list[int]], seq2seq: bool) -> dict[str, list[Any]]:
    both = list(zip(sources, targets, strict=True))
    lengths = [len(source) + len(target) for source, target in both]
    if seq2seq:
        return {"input_ids": sources, "labels": targets, "length": lengths}
    return {
        "input_ids": [source + target for source, target in both],
        "labels": [[-100] * len(source) + target for source, target in both],
        "length": lengths,
    }


def _read(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return _columns(pq.read_table(path), str(path))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist, expected a parquet file of pairs.") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{path} cannot be read as parquet: {str(error).splitlines()[0]}") from None


def _columns(table: pa.Table, where: str) -> pa.Table:
    missing = [column for column in COLUMNS if column not in table.column_names]
    if missing:
        raise UserError(f"{where} has no column {missing[0]!r}, expected {', '.join(COLUMNS)}.")
    return (_as_taught(table) if "input" in table.column_names else table).select(COLUMNS)


def _as_taught(table: pa.Table) -> pa.Table:
    """A table of ``control`` with what is read and written in the place of x and y, without pairs that lack codes."""
    coded = table.filter(table["input"].is_valid())
    for column, taught in TAUGHT.items():
        coded = coded.set_column(coded.column_names.index(column), column, coded[taught])
    return coded


def _fraction(text: str) -> float:
    """A text's hash as a number in [0, 1)."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48
