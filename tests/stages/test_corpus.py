"""Pairs of another corpus: read as they are, judged source before target, cut and trained on like the teacher's."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from idist.config import load_config
from idist.errors import UserError
from idist.stages import corpus, pairs
from idist.stages.runs import read_manifest
from tests.stages.tiny import config, contents, rows

ROWS = [
    ("A man is walking on the beach.", "A man walks along the beach."),
    ("A man is walking on the beach.", "The man is on a beach, walking."),
    ("A man is walking on the beach.", "A man walks along the beach."),
    ("Two dogs are running in the grass.", "Two dogs are running in the grass."),
    ("Two dogs are running in the grass.", "Two dogs run through grass."),
    ("A girl is eating an apple.", "A child eats."),
]
KEPT = [(x, y) for x, y in dict.fromkeys(ROWS) if x != y]
CRITICS = [{"entailment": {"min": 0.4, "floor": 0.2, "directions": "forward", "model": "embedded:entailment"}}]


def _write(folder: Path, kind: str) -> Path:
    path = folder / f"pairs.{kind}"
    table = pa.table({"source": [x for x, _ in ROWS], "target": [y for _, y in ROWS]})
    if kind == "parquet":
        pq.write_table(table, path)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps({"source": x, "target": y, "score": 1}) + "\n" for x, y in ROWS))
    elif kind == "tsv":
        path.write_text("source\ttarget\n" + "".join(f"{x}\t{y}\n" for x, y in ROWS))
    else:
        with gzip.open(path, "wt") as file:
            file.write("source,target\n" + "".join(f'"{x}","{y}"\n' for x, y in ROWS))
    return path


def _config(source: Path | str, critics: list[dict[str, Any]] | None = None, **more: Any) -> Any:
    keys = {f"pairs.{key}": value for key, value in more.items()}
    return config({"pairs.source": str(source), "pairs.critics": critics or [], **keys})


def _kept(run: Path) -> list[tuple[str, str]]:
    return [(row["x"], row["y"]) for row in rows(run, "pairs", "selected")]


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "tsv", "csv.gz"])
def test_every_pair_of_a_corpus_once_and_in_its_direction(tmp_path: Path, kind: str) -> None:
    result = pairs.run(_config(_write(tmp_path, kind)), tmp_path / "run", progress=False)
    assert _kept(tmp_path / "run") == KEPT
    assert {row["context_id"] for row in rows(tmp_path / "run", "pairs", "selected")} == {
        "p0000000",
        "p0000001",
        "p0000002",
    }
    assert (result.counts["sources"], result.counts["pairs"]) == (3, 4)
    assert (result.counts["equal"], result.counts["repeated"]) == (1, 1)
    assert rows(tmp_path / "run", "pairs", "sentences")[0]["counts"] == [1, 2, 1]


def test_a_table_without_a_header_and_with_several_targets(tmp_path: Path) -> None:
    path = tmp_path / "wide.tsv"
    path.write_text("0.5\tA man walks.\tA man is walking.\tThe man walks.\n0.1\tDogs run.\tDogs are running.\n")
    pairs.run(_config(path, source_column="2", target_column="3-"), tmp_path / "run", progress=False)
    assert _kept(tmp_path / "run") == [
        ("A man walks.", "A man is walking."),
        ("A man walks.", "The man walks."),
        ("Dogs run.", "Dogs are running."),
    ]
    pairs.run(_config(path, source_column="2", target_column="3"), tmp_path / "one", progress=False)
    assert len(_kept(tmp_path / "one")) == 2


def test_lists_of_targets_in_a_folder_of_files(tmp_path: Path) -> None:
    rows_ = [{"text": "A man walks.", "paraphrases": ["A man is walking.", "The man walks."]}]
    datasets.Dataset.from_list(rows_).to_parquet(str(tmp_path / "data" / "train-0.parquet"))
    found = _config(tmp_path / "data", source_column="text", target_column="paraphrases")
    pairs.run(found, tmp_path / "run", progress=False)
    assert len(_kept(tmp_path / "run")) == 2


def test_rows_without_a_target_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "wide.txt"
    path.write_text("A man walks.\tA man is walking.\t\nNo paraphrase.\n\tNo source.\nDogs run.\tDogs are running.\n")
    result = pairs.run(_config(path, source_column="1", target_column="2-"), tmp_path / "run", progress=False)
    assert _kept(tmp_path / "run") == [("A man walks.", "A man is walking."), ("Dogs run.", "Dogs are running.")]
    assert (result.counts["sources"], result.counts["empty"]) == (2, 3)
    lists = [
        {"source": None, "target": ["B.", "C."]},
        {"source": "A.", "target": []},
        {"source": "A.", "target": ["B."]},
    ]
    datasets.Dataset.from_list(lists).to_parquet(str(tmp_path / "data" / "train-0.parquet"))
    pairs.run(_config(tmp_path / "data"), tmp_path / "lists", progress=False)
    assert _kept(tmp_path / "lists") == [("A.", "B.")]


def test_critics_judge_source_before_target_and_no_target_with_another(tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = pairs.run(_config(_write(tmp_path, "tsv"), CRITICS), run, progress=False)
    assert [(row["i"], row["j"]) for row in rows(run, "pairs", "candidates")] == [(0, 1), (0, 2), (0, 1), (0, 1)]
    assert set(_kept(run)) <= set(KEPT)
    assert all(row["entailment_xy"] >= 0.4 for row in rows(run, "pairs", "selected"))
    assert result.funnel["steps"][0]["seen"] == 4
    looser = _config(_write(tmp_path, "tsv"), [{"entailment": {**CRITICS[0]["entailment"], "min": 0.2}}])
    scored = contents(run, "sentences", "candidates")
    again = pairs.run(looser, run, progress=False)
    assert again.rows["selected"] >= result.rows["selected"] and contents(run, "sentences", "candidates") == scored


def test_more_of_the_corpus_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    path = tmp_path / "long.tsv"
    path.write_text("source\ttarget\n" + "".join(f"Man {n} walks.\tMan {n} is walking.\n" for n in range(50)))
    whole, parts = _config(path), tmp_path / "parts"
    pairs.run(whole, tmp_path / "whole", progress=False)
    assert pairs.run(whole, parts, limit=25, progress=False).rows["selected"] == 25
    assert pairs.plan(whole, parts).state == "begun"
    pairs.run(whole, parts, progress=False)
    assert contents(parts) == contents(tmp_path / "whole")
    planned = pairs.plan(whole, parts)
    assert (planned.items, planned.unit, planned.state) == (50, "sources", "finished")
    assert pairs.run(whole, parts, progress=False).made == 0


def test_another_corpus_in_the_folder_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path, "tsv")
    pairs.run(_config(path), tmp_path / "run", progress=False)
    path.write_text(path.read_text() + "A cat sleeps.\tA cat is asleep.\n")
    with pytest.raises(UserError, match=r"pairs was made with corpus\.files.*add --from pairs"):
        pairs.run(_config(path), tmp_path / "run", progress=False)


def test_a_run_without_a_corpus_keeps_its_fingerprint(undisturbed: Path) -> None:
    assert not {"source", "source_column"} & set(pairs.fingerprint(config(), undisturbed, 7)["pairs"])


@pytest.mark.parametrize(
    ("text", "changes", "message"),
    [
        ("source\ttarget\nA.\t \n", {}, r"bad\.tsv has no pairs in 'source' and 'target', expected at least one"),
        ("source\ttarget\n", {}, r"bad\.tsv has no pairs in 'source' and 'target', expected at least one"),
        ("source\ttarget\nA.\t['B.', 'C.']\n", {}, r"bad\.tsv, line 2: a target \(column 'target'\) is a printed"),
        (
            "A.\t['B.', 'C.']\n",
            {"source_column": "1", "target_column": "2-"},
            r"bad\.tsv, line 1: a target is a printed list, expected a text or a real list",
        ),
        ("from\tto\nA.\tB.\n", {}, r"bad\.tsv, line 1: no column 'source'; expected one of: from, to"),
        ("A.\tB.\n", {"source_column": "1"}, r"expected two names, or two numbers"),
        ("A.\tB.\n", {"source_column": "1", "target_column": "5"}, r"bad\.tsv has no pairs in '1' and '5'"),
        ("A.\tB.\n", {"source": "nowhere.tsv"}, r"nowhere\.tsv does not exist, expected a file, a folder, or a Hub"),
    ],
)
def test_bad_corpora(tmp_path: Path, text: str, changes: dict[str, str], message: str) -> None:
    path = tmp_path / "bad.tsv"
    path.write_text(text)
    settings = _config(changes.pop("source", path), **changes)
    with pytest.raises(UserError, match=message):
        corpus.check_source(settings.pairs)
        pairs.run(settings, tmp_path / "run", progress=False)


def test_only_a_corpus_may_go_without_critics(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"critics is empty, expected at least one critic; only pairs\.source"):
        pairs.plan(config({"pairs.critics": []}), tmp_path)


def test_the_manifest_says_which_corpus(tmp_path: Path) -> None:
    pairs.run(_config(_write(tmp_path, "tsv")), tmp_path / "run", progress=False)
    manifest = read_manifest(tmp_path / "run", "pairs")
    assert manifest and manifest["jobs"]["corpus"]["fingerprint"]["corpus"]["files"][0].startswith("pairs.tsv:")


@pytest.mark.parametrize("name", ["parabank1", "parabank2", "chatgpt-para", "parabank-summary"])
def test_the_shipped_baselines_name_a_corpus(name: str) -> None:
    path = Path(__file__).parents[2] / "recipes" / "configs" / f"baseline-{name}.yaml"
    found = load_config(path)
    assert found.pairs.source and found.name == path.stem and found.train.model == "t5-large"
    assert bool(found.pairs.critics) == (name == "parabank-summary")
