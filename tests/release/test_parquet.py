"""Parquet files of a split: the same rows give the same bytes, however they come; and what was written comes back."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from idist.release.measures import Measures
from idist.release.parquet import SplitWriter, value_bytes
from idist.release.tables import without_nan

SCHEMA = pa.schema({"text": pa.string(), "number": pa.int32(), "score": pa.float32(), "why": pa.string()})
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.text(max_size=5),
            "number": st.integers(-9, 9),
            "score": st.one_of(st.none(), st.floats(0, 1, width=32)),
            "why": st.one_of(st.none(), st.sampled_from(["rouge_l", "entailment"])),
        }
    ),
    max_size=40,
)


def write(rows: list[dict[str, object]], cuts: list[int], file: int) -> tuple[dict[str, bytes], int]:
    """Files by name, and rows as counted; ``cuts``: where the rows are cut before they are written."""
    with tempfile.TemporaryDirectory() as folder:
        writer = SplitWriter(Path(folder), "train", SCHEMA, group=7, file=file)
        places = [0, *sorted(cut % (len(rows) + 1) for cut in cuts), len(rows)]
        table = pa.Table.from_pylist(rows, SCHEMA)
        for start, stop in itertools.pairwise(places):
            # a table of its own, and a part of a larger one
            part = pa.Table.from_pylist(rows[start:stop], SCHEMA) if start % 2 else table.slice(start, stop - start)
            writer.write(part)
        split = writer.close()
        files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
        assert split.bytes == sum(map(len, files.values())) and split.values == sum(value_bytes(table))
        return files, split.rows


@settings(max_examples=60, deadline=None)
@given(ROWS, st.lists(st.integers(0, 40), max_size=6), st.sampled_from([1, 200, 1 << 30]))
def test_cuts_do_not_show(rows: list[dict[str, object]], cuts: list[int], file: int) -> None:
    files, count = write(rows, [], file)
    assert write(rows, cuts, file) == (files, count) and count == len(rows)
    assert sorted(files) == [f"train-{n:05d}-of-{len(files):05d}.parquet" for n in range(len(files))]
    assert len(files) == (1 if file == 1 << 30 else max(1, -(-len(rows) // 7)) if file == 1 else len(files))
    tables = [pq.read_table(pa.BufferReader(files[name])) for name in sorted(files)]
    assert pa.concat_tables(tables).to_pylist() == pa.Table.from_pylist(rows, SCHEMA).to_pylist()


def test_nan_becomes_null_and_nothing_else_does() -> None:
    table = pa.table({"score": pa.array([0.5, float("nan"), None], pa.float32()), "x": ["a", None, "c"]})
    assert without_nan(table).to_pydict() == {"score": [0.5, None, None], "x": ["a", None, "c"]}


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 5))
def test_measures_and_shown_rows_do_not_depend_on_the_pieces(count: int, piece: int, seed: int) -> None:
    rng = np.random.default_rng(count)
    scores = [None if value < 0.2 else value for value in rng.random(count).astype(np.float32).tolist()]
    table = pa.table(
        {
            "x": [f"a{'b ' * (n % 4)}c" for n in range(count)],
            "y": [f"{n} words" for n in range(count)],
            "score": pa.array(scores, pa.float32()),
        }
    )
    whole, parts = Measures(count, seed), Measures(count, seed)
    whole.look(table)
    for start in range(0, count, piece):
        parts.look(table.slice(start, piece))
    assert whole.rows == parts.rows and len(whole.rows) == min(10, count)
    assert whole.quality({"score": "a score"}) == parts.quality({"score": "a score"})
    figures = {figure.name: figure for figure in whole.quality({"score": "a score"})}
    known = [value for value in scores if value is not None]
    if known:
        assert abs(figures["score"].mean - float(np.mean(known))) < 1e-5
        assert abs(figures["score"].high - float(np.percentile(known, 95))) < 1e-5
    assert figures["words of y"].median == 2
