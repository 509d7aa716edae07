"""From the tables of a run to what is published: joined with their texts, one row a sentence, null for a missing score.

Each function takes the folder of a stage, a job, some of its shards, and the public name of what the contexts came from
(in place of a path of this machine). It gives tables in the order of the run's rows, a piece at a time, and at least
one, which may be empty. How rows were cut into shards does not show in what they give, once it is put together.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist.release.shards import read_pieces, shard_pieces

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Pieces = Iterator["pa.Table"]


def context_rows(folder: Path, job: str, ranks: range, source: str) -> Pieces:
    """Rows of `contexts`."""
    import pyarrow as pa

    for piece in read_pieces(folder, job, "contexts", ranks):
        names = pa.array([source] * piece.num_rows, pa.string())
        yield piece.set_column(piece.schema.get_field_index("source"), "source", names)


def kept_pairs(folder: Path, job: str, ranks: range, source: str) -> Pieces:
    """Rows of `pairs` with their scores."""
    for piece in read_pieces(folder, job, "selected", ranks):
        yield without_nan(piece)


def coded_pairs(folder: Path, job: str, ranks: range, source: str) -> Pieces:
    """Rows of `control`: pairs with their scores, the values of the controls and the codes."""
    for piece in read_pieces(folder, job, "control", ranks):
        yield without_nan(piece)


def sentence_rows(folder: Path, job: str, ranks: range, source: str) -> Pieces:
    """One row a distinct sentence: ``context_id``, ``i``, ``sentence``, ``count``, and ``failure`` (null: none)."""
    import pyarrow as pa

    columns = ["context_id", "sentences", "counts", "failures"]
    kinds = {"context_id": pa.string(), "i": pa.int32(), "sentence": pa.string(), "count": pa.int32()}
    kinds["failure"] = pa.string()
    for piece in read_pieces(folder, job, "sentences", ranks, columns):
        found: dict[str, list[Any]] = {name: [] for name in kinds}
        for row in piece.to_pylist():
            reasons = dict(failure.partition(": ")[::2] for failure in row["failures"])
            for index, (sentence, count) in enumerate(zip(row["sentences"], row["counts"], strict=True)):
                values = (row["context_id"], index, sentence, count, reasons.get(str(index)))
                for name, value in zip(kinds, values, strict=True):
                    found[name].append(value)
        yield pa.table(found, schema=pa.schema(kinds))


def candidate_rows(folder: Path, job: str, ranks: range, source: str) -> Pieces:
    """Candidate pairs with the texts of their two sentences: ``context_id``, ``i``, ``j``, ``x``, ``y``, the scores,
    ``removed_by``."""
    for rank in ranks:
        texts = _Texts(shard_pieces(folder, job, "sentences", rank, ["context_id", "sentences"]))
        for piece in shard_pieces(folder, job, "candidates", rank):
            context = texts.contexts(piece["context_id"])
            joined = without_nan(piece)
            for place, (name, index) in enumerate((("x", "i"), ("y", "j"))):
                joined = joined.add_column(3 + place, name, texts.take(context, piece[index].to_numpy()))
            removed = joined.schema.get_field_index("removed_by")
            yield joined.remove_column(removed).append_column("removed_by", piece["removed_by"])


class _Texts:
    """The sentences of one shard in one column, and where each context's begin in it."""

    def __init__(self, pieces: Pieces) -> None:
        import numpy as np
        import pyarrow as pa

        whole = pa.concat_tables(pieces)
        lists = whole["sentences"].combine_chunks()
        self._ids = whole["context_id"].combine_chunks()
        self._texts = lists.flatten()
        lengths = lists.value_lengths().to_numpy()
        self._starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)

    def contexts(self, ids: pa.ChunkedArray) -> np.ndarray:
        """(P,) row of each id's context."""
        import pyarrow.compute as pc

        return pc.index_in(ids.combine_chunks(), value_set=self._ids).to_numpy()

    def take(self, context: np.ndarray, index: np.ndarray) -> pa.Array:
        """(P,) sentence ``index`` of each ``context``."""
        import pyarrow as pa

        return self._texts.take(pa.array(self._starts[context] + index))


def without_nan(table: pa.Table) -> pa.Table:
    """NaN, which says that a score was not computed, becomes null: parquet's readers know no other way to say it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for place, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            column = table[field.name]
            table = table.set_column(place, field, pc.if_else(pc.is_nan(column), pa.scalar(None, field.type), column))
    return table
