"""Pairs out of files of every kind."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from idist.analysis.pair_data import Read, batches, open_pairs
from idist.errors import UserError
from idist.hub.corpora import open_corpus

PAIRS = [("A dog sleeps.", "The dog is asleep."), ("Two men run.", "Two men are running.")]


def read(name: str, **options: object) -> tuple[list[tuple[str, str]], Read]:
    """All pairs of a dataset, and what was counted."""
    seen = Read()
    data = open_pairs(name, **options)  # type: ignore[arg-type]
    return [pair for part in batches(data, seen) for pair in zip(*part, strict=True)], seen


def table(path: Path, columns: dict[str, list[object]]) -> Path:
    """A parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize("kind", ["a.csv", "a.tsv", "a.csv.gz", "a.jsonl", "a.parquet"])
@pytest.mark.parametrize("names", [("x", "y"), ("Source", "Target"), ("one", "two")])
def test_every_kind_of_file(tmp_path: Path, kind: str, names: tuple[str, str]) -> None:
    path = tmp_path / kind
    if kind.endswith(".parquet"):
        table(path, {name: [pair[side] for pair in PAIRS] for side, name in enumerate(names)})
    else:
        if kind == "a.jsonl":
            text = "".join(json.dumps(dict(zip(names, pair, strict=True))) + "\n" for pair in PAIRS)
        else:
            text = "".join(("\t" if "tsv" in kind else ",").join(row) + "\n" for row in [names, *PAIRS])
        path.write_bytes(gzip.compress(text.encode()) if kind.endswith(".gz") else text.encode())
    pairs, seen = read(str(path))
    assert pairs == PAIRS
    assert (seen.pairs, seen.empty, seen.equal) == (2, 0, 0)


def test_rows_without_text_are_left_out_and_equal_sides_counted(tmp_path: Path) -> None:
    path = table(
        tmp_path / "a.parquet", {"x": ["a", None, " ", "b"], "y": ["a", "c", "d", None], "score": [1, 2, 3, 4]}
    )
    pairs, seen = read(str(path))
    assert pairs == [("a", "a")]
    assert (seen.pairs, seen.empty, seen.equal) == (1, 3, 1)


def test_a_list_of_targets_makes_pairs(tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", {"text": ["a", "b"], "paraphrases": [["c", "d"], ["e"]]})
    assert read(str(path))[0] == [("a", "c"), ("a", "d"), ("b", "e")]


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", {"x": ["a"], "y": ["b"], "z": ["c"]})
    assert read(str(path), columns=["z", "x"])[0] == [("c", "a")]


def test_the_last_pairs_of_a_run_are_taken(tmp_path: Path) -> None:
    table(tmp_path / "run" / "pairs" / "selected" / "00000.parquet", {"id": ["1"], "x": ["a"], "y": ["b"]})
    table(tmp_path / "run" / "pairs" / "candidates" / "00000.parquet", {"context_id": ["no"]})
    assert read(str(tmp_path / "run"))[0] == [("a", "b")]
    assert read(str(tmp_path / "run" / "pairs"))[0] == [("a", "b")]
    table(tmp_path / "run" / "self_distil" / "selected" / "00000.parquet", {"id": ["1"], "x": ["c"], "y": ["d"]})
    assert read(str(tmp_path / "run"))[0] == [("c", "d")]
    assert open_pairs(f"ours={tmp_path / 'run'}").label == "ours"
    assert open_pairs(str(tmp_path / "run")).label == f"{tmp_path.name}/run"


def test_what_cannot_be_read_is_said_in_one_sentence(tmp_path: Path) -> None:
    three = table(tmp_path / "three.parquet", {"a": ["1"], "b": ["2"], "c": ["3"], "n": [4]})
    with pytest.raises(UserError, match=r"three\.parquet.*from a, b, c, n; name them: --columns SOURCE,TARGET"):
        open_pairs(str(three))
    with pytest.raises(UserError, match=r"no column 'm'; it has a, b, c, n"):
        open_pairs(str(three), ["a", "m"])
    with pytest.raises(UserError, match=r"column 'n' holds int64, expected text"):
        read(str(three), columns=["a", "n"])
    with pytest.raises(UserError, match="Columns are a, expected two"):
        open_pairs(str(three), ["a"])
    with pytest.raises(UserError, match=r"nowhere\.csv does not exist"):
        open_pairs(str(tmp_path / "nowhere.csv"))
    (tmp_path / "plain.txt").write_text("a\tb\n")
    with pytest.raises(UserError, match=r"plain\.txt has no named columns"):
        open_pairs(str(tmp_path / "plain.txt"))
    for empty in ("empty.csv", "empty.tsv", "empty.jsonl"):
        (tmp_path / empty).write_text("")
        with pytest.raises(UserError, match=f"{empty} is empty, expected"):
            open_pairs(str(tmp_path / empty))
    (tmp_path / "bad.jsonl").write_text("[1]\n")
    with pytest.raises(UserError, match=r"bad\.jsonl, line 1: expected one JSON object a line"):
        open_pairs(str(tmp_path / "bad.jsonl"))
    (tmp_path / "bad.parquet").write_text("no")
    with pytest.raises(UserError, match=r"bad\.parquet is not a parquet file"):
        open_pairs(str(tmp_path / "bad.parquet"))
    with pytest.raises(UserError, match="no DATASET and no LABEL=DATASET"):
        open_pairs("=x.csv")


def test_a_path_with_an_equals_sign_is_a_path(tmp_path: Path) -> None:
    path = table(tmp_path / "a=b.parquet", {"x": ["a"], "y": ["b"]})
    assert open_pairs(str(path)).corpus.paths == (path,)


@pytest.mark.parametrize("text", ["['The dog runs.', 'A dog is running.']", '["The dog runs."]', " ['The' 'dog'] "])
def test_a_printed_list_is_no_text(tmp_path: Path, text: str) -> None:
    path = table(tmp_path / "a.parquet", {"x": ["a", "A dog."], "y": ["[b]", text]})
    with pytest.raises(
        UserError, match=r"a\.parquet, row 2: a target \(column 'y'\) is a printed list, expected a text"
    ):
        read(str(path))
    with pytest.raises(UserError, match=r"a\.parquet, row 2: the source \(column 'y'\) is a printed list"):
        read(str(path), columns=["y", "x"])


def test_a_source_that_is_no_text_does_not_shift_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [("a", "b"), (3, ["c", "d"]), (None, "e"), ({"en": "f"}, "g"), ("h", 4), ("i", [5, "j"]), ("k", [])]
    path.write_text("".join(json.dumps({"x": x, "y": y}) + "\n" for x, y in rows))
    pairs, seen = read(str(path))
    assert pairs == [("a", "b"), ("i", "j")]
    assert (seen.pairs, seen.empty) == (2, 5)


def test_a_list_as_source_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"x": "a", "y": "b"}\n\n{"x": ["c", "d"], "y": "e"}\n')
    with pytest.raises(UserError, match=r"a\.jsonl, line 3: column 'x' holds a list, expected one text as source\.$"):
        read(str(path))
    lists = table(tmp_path / "a.parquet", {"x": [["a"], ["b"]], "y": ["c", "d"]})
    with pytest.raises(UserError, match=r"a\.parquet, row 1: column 'x' holds a list"):
        read(str(lists))


def test_a_doubled_column_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,x\na,b\n")
    with pytest.raises(UserError, match=r"a\.csv has 2 columns 'x', expected one\.$"):
        read(str(path))
    path.write_text("x,y,y\na,b,c\n")
    with pytest.raises(UserError, match=r"a\.csv has 2 columns 'y', expected one\.$"):
        read(str(path), columns=["x", "y"])
    keys = tmp_path / "a.jsonl"
    keys.write_text('{"x": "a", "y": "b", "y": "c", "z": {"y": "d"}}\n')
    with pytest.raises(UserError, match=r"a\.jsonl has 2 columns 'y', expected one\.$"):
        read(str(keys))
    twice = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array(["a"])] * 2, names=["x", "x"]), twice)
    for corpus in (open_corpus(str(twice)), open_corpus(str(twice), ["x"])):
        with pytest.raises(UserError, match=r"a\.parquet has 2 columns 'x', expected one\.$"):
            list(corpus.rows(twice))


def test_a_cell_may_be_long(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"x,y\n{'a' * 200_000},b\nc,d\n")
    assert read(str(path))[0] == [("a" * 200_000, "b"), ("c", "d")]


@pytest.mark.parametrize("kind", [pa.dictionary(pa.int32(), pa.string()), pa.large_string(), pa.string_view()])
def test_every_kind_of_string(tmp_path: Path, kind: pa.DataType) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"x": pa.array(["a", None, "a"]).cast(kind), "y": ["b", "c", "d"]}), path)
    pairs, seen = read(str(path))
    assert (pairs, seen.empty) == ([("a", "b"), ("a", "d")], 1)


def test_a_key_that_a_later_line_lacks_is_null(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"x": "a", "y": "b"}\n{"x": "c"}\n{"y": "d"}\n{"x": "e", "y": "f"}\n')
    pairs, seen = read(str(path))
    assert (pairs, seen.empty) == ([("a", "b"), ("e", "f")], 2)
    with pytest.raises(UserError, match=r"a\.jsonl, line 1: no column 'z'"):
        list(open_corpus(str(path), ["x", "z"]).rows(path))
