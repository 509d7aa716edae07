"""Results on disk: what is written is read, what is damaged is said."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_harness import results
from eval_harness.tasks.base import Example
from idist.errors import UserError

TEXT = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=20)
EXAMPLES = [
    Example("t-0", "ein Satz", ("a sentence", "one sentence"), "this is it"),
    Example("t-1", "", ("",), None),
    Example("t-2", "日本語\n\x00", ("x",), None),
]
MATRIX = np.array([[1.0, 0.1], [0.0, 1 / 3], [3.0, 1e-300]])


def meta(**changes: Any) -> dict[str, Any]:
    score = {"title": "M", "value": 1.5, "low": 1, "high": 2.0, "n": 3, "higher_is_better": True}
    return {
        "created": "2026-11-21T12:00:00Z",
        "task": {"name": "t", "purpose": "paraphrase", "origin": "local", "examples": 3, "fingerprint": "f" * 16},
        "system": {"name": "s", "spec": "s:x", "settings": {}, "fingerprint": "e" * 16, "reported": False},
        "protocol": "paper",
        "seed": 0,
        "resamples": 10,
        "confidence": 0.95,
        "scores": {"m": {**score, "signature": "a:b", "spec": "m"}},
        "versions": {},
        "hardware": {},
        "seconds": {},
        **changes,
    }


def rows() -> pa.Table:
    return results.table(EXAMPLES, ["A", "", "Ç"], {"t-1": "no answer"}, {"m": MATRIX[:, 0]}, {"m": MATRIX})


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return results.write(tmp_path / "t" / "paper" / "s-x.json", meta(), rows()).path


def test_what_is_written_is_read(written: Path) -> None:
    result = results.read(written)
    assert result.meta == {"schema": 1, **meta()}
    assert (result.task, result.system, result.metrics) == ("t", "s:x", ["m"])
    assert np.array_equal(result.statistics("m"), MATRIX)
    assert np.array_equal(result.per_example("m"), MATRIX[:, 0])
    columns = result.rows.to_pydict()
    assert columns["references"] == [list(example.references) for example in EXAMPLES]
    assert columns["exemplar"] == ["this is it", None, None]
    assert columns["prediction"] == ["A", "", "Ç"]
    assert columns["cached_error"] == [None, "no answer", None]
    assert sorted(path.name for path in written.parent.iterdir()) == ["s-x.json", "s-x.parquet"]


@given(st.lists(st.tuples(TEXT, st.lists(TEXT, min_size=1, max_size=3), st.none() | TEXT, TEXT), min_size=1))
@settings(max_examples=30, deadline=None)
def test_any_text_survives(tmp_path_factory: pytest.TempPathFactory, content: list[tuple]) -> None:
    examples = [Example(str(i), source, tuple(refs), ex) for i, (source, refs, ex, _) in enumerate(content)]
    predictions = [prediction for *_, prediction in content]
    ones = np.ones((len(content), 1))
    table = results.table(examples, predictions, {}, {"m": ones[:, 0]}, {"m": ones})
    task = {**meta()["task"], "examples": len(content)}
    path = tmp_path_factory.mktemp("any") / "x.json"
    back = results.write(path, meta(task=task), table).rows.to_pydict()
    assert back["source"] == [example.source for example in examples]
    assert [tuple(texts) for texts in back["references"]] == [example.references for example in examples]
    assert back["exemplar"] == [example.exemplar for example in examples]
    assert back["prediction"] == predictions


def _edit(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        whole = json.loads(path.read_text())
        change(whole)
        path.write_text(json.dumps(whole))

    return edit


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda path: path.unlink(), "s-x.json does not exist"),
        (lambda path: path.write_text(path.read_text()[:100]), "s-x.json is damaged: not JSON"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "s-x.json is damaged: not JSON"),
        (
            lambda path: path.write_text("[1]"),
            "no result of this harness: it has no key 'schema', expected schema 1",
        ),
        (_edit(lambda whole: whole.update(schema=2)), "has schema 2, expected 1"),
        (_edit(lambda whole: whole.pop("protocol")), "lacks the key 'protocol'"),
        (_edit(lambda whole: whole["task"].pop("name")), "lacks the key 'task.name'"),
        (_edit(lambda whole: whole.update(scores=[])), "scores is [], expected a section of keys"),
        (_edit(lambda whole: whole["scores"].update(m=3)), "scores.m is 3, expected a section of keys"),
        (_edit(lambda whole: whole["scores"]["m"].update(value="x")), "scores.m.value is 'x', expected a number"),
        (_edit(lambda whole: whole["scores"]["m"].pop("signature")), "lacks the key 'scores.m.signature'"),
        (_edit(lambda whole: whole["system"].update(reported=1)), "system.reported is 1, expected true or false"),
        (
            _edit(lambda whole: whole["scores"]["m"].update(higher_is_better=1)),
            "scores.m.higher_is_better is 1, expected true, false or null",
        ),
        (_edit(lambda whole: whole.update(seed=True)), "seed is True, expected a whole number"),
        (lambda path: path.with_suffix(".parquet").unlink(), "lacks its examples: "),
    ],
)
def test_damaged_json(written: Path, damage: Callable[[Path], None], expected: str) -> None:
    damage(written)
    with pytest.raises(UserError) as error:
        results.read(written)
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


def _without(column: str) -> Callable[[Path], None]:
    def drop(path: Path) -> None:
        parquet.write_table(parquet.read_table(path).drop_columns([column]), path)

    return drop


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:200]), "s-x.parquet is damaged: not parquet"),
        (lambda path: path.unlink(), "lacks its examples"),
        (_without("prediction"), "lacks the column 'prediction', expected by schema 1"),
        (_without("statistics.m"), "lacks the column 'statistics.m'"),
        (lambda path: parquet.write_table(parquet.read_table(path).slice(1), path), "has 2 rows, expected 3"),
        (
            lambda path: (
                results.write(path.with_name("o.json"), meta(created="later"), rows())
                and path.with_name("o.parquet").replace(path)
            ),
            "are of two different runs",
        ),
    ],
)
def test_damaged_parquet(written: Path, damage: Callable[[Path], None], expected: str) -> None:
    result = results.read(written)
    damage(written.with_suffix(".parquet"))
    with pytest.raises(UserError) as error:
        _ = result.rows
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


def test_rows_of_statistics_differ_in_length(written: Path) -> None:
    whole = parquet.read_table(written.with_suffix(".parquet"))
    place = whole.column_names.index("statistics.m")
    ragged = whole.set_column(place, "statistics.m", pa.array([[1.0, 2.0], [1.0], [1.0, 2.0]]))
    parquet.write_table(ragged, written.with_suffix(".parquet"))
    with pytest.raises(UserError, match=r"s-x.parquet: rows of statistics.m differ in length"):
        results.read(written).statistics("m")


def test_two_processes_write_one_after_the_other(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    path = tmp_path / "s.json"
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    other = threading.Thread(target=results.write, args=(path, meta(), rows()))
    other.start()
    other.join(0.2)
    assert other.is_alive() and list(tmp_path.glob("s.*")) == []
    os.close(handle)
    other.join(10)
    assert results.read(path).rows.num_rows == 3


def test_unknown_metric_names_the_nearest(written: Path) -> None:
    with pytest.raises(UserError, match="has no metric 'mm'; did you mean 'm'?"):
        results.read(written).statistics("mm")


def test_not_a_number_is_not_written(written: Path) -> None:
    before = written.read_bytes()
    wrong = meta()
    wrong["scores"]["m"]["value"] = float("nan")
    with pytest.raises(ValueError):
        results.write(written, wrong, rows())
    assert written.read_bytes() == before


def test_find(written: Path, tmp_path: Path) -> None:
    other = results.write(tmp_path / "a" / "standard" / "z.json", meta(), rows()).path
    results.write(tmp_path / ".cache" / "hidden.json", meta(), rows())
    (tmp_path / "notes.json").write_text('{"schema": 3}')
    assert results.find(tmp_path) == [other, written]
    assert results.find(written.parent) == [written]
    assert results.find(written) == [written]
    written.write_text("{")  # damaged, but still a result: reading it says so
    assert results.find(tmp_path) == [other, written]
    other.with_suffix(".parquet").unlink()  # likewise
    assert results.find(tmp_path) == [other, written]


def test_nothing_to_find(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There are no results below"):
        results.find(tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        results.find(tmp_path / "none")


def test_specs_that_look_alike_get_different_files(tmp_path: Path) -> None:
    first = results.place(tmp_path, "t", "paper", "s:a/b")
    assert first == tmp_path / "t" / "paper" / "s-a-b.json"
    results.write(first, meta(system={**meta()["system"], "spec": "s:a/b"}), rows())
    assert results.place(tmp_path, "t", "paper", "s:a/b") == first
    second = results.place(tmp_path, "t", "paper", "s:a-b")
    assert second != first and second.name.startswith("s-a-b-")
    assert results.place(tmp_path, "t", "standard", "s:a-b").name == "s-a-b.json"


@pytest.mark.parametrize("spec", ["s:../../etc/passwd", "s:" + "x" * 500, "s:/", "..", "s:é\n"])
def test_names_of_files_stay_in_their_folder(tmp_path: Path, spec: str) -> None:
    path = results.place(tmp_path, "t", "paper", spec)
    assert path.resolve().parent == (tmp_path / "t" / "paper").resolve()
    assert len(path.name) < 150
    assert path.stem.isascii() and not path.name.startswith(".")
