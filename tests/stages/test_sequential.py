"""Sequential generation: pairs of a source and what was written after it, by the same jobs as parallel generation."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest

from idist.critics import Funnel
from idist.errors import UserError
from idist.stages import pairs
from idist.stages._control_pairs import Upstream, read_upstream
from idist.stages.runs import number_type
from tests.stages.tiny import config, contents, rows, run_program

SEQUENTIAL = {
    "pairs.generation": "sequential",
    "pairs.critics.rouge_l.max": 0.9,  # one source a context gives few pairs
    "pairs.critics.entailment.min": 0.2,
    "pairs.critics.diversity.min": 0.5,
}


@pytest.fixture(scope="module")
def sequential(undisturbed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sequential") / "run"
    shutil.copytree(undisturbed / "contexts", folder / "contexts")
    pairs.run(config(SEQUENTIAL), folder, progress=False)
    return folder


@pytest.fixture
def copy_of_sequential(sequential: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sequential, tmp_path / "run"))


def test_every_candidate_is_a_source_and_a_sentence_after_it(sequential: Path, undisturbed: Path) -> None:
    groups = rows(sequential, "pairs", "sentences")
    first = {row["context_id"]: row["sentences"][0] for row in rows(undisturbed, "pairs", "sentences")}
    assert {row["context_id"]: row["sentences"][0] for row in groups} == first, "x is what parallel generation draws"
    for row in groups:
        source, *others = row["sentences"]
        assert others and source not in others and len(set(others)) == len(others)
        assert row["counts"][0] == 1 and sum(row["counts"][1:]) <= 16
    candidates = [(row["context_id"], row["i"], row["j"]) for row in rows(sequential, "pairs", "candidates")]
    assert candidates == [(row["context_id"], 0, j) for row in groups for j in range(1, len(row["sentences"]))]


def test_kept_pairs_are_not_turned(sequential: Path) -> None:
    kept = rows(sequential, "pairs", "selected")
    assert kept
    groups = {row["context_id"]: row["sentences"] for row in rows(sequential, "pairs", "sentences")}
    for row in kept:
        _, i, j = row["id"].split("-")
        assert i == "000" and (row["x"], row["y"]) == (groups[row["context_id"]][0], groups[row["context_id"]][int(j)])
    funnel = Funnel.from_dict(json.loads((sequential / "pairs" / "manifest.json").read_text())["funnel"])
    assert funnel.steps[0].seen == len(rows(sequential, "pairs", "candidates")) and funnel.kept == len(kept)


def test_the_bias_decides_what_is_written(sequential: Path, undisturbed: Path) -> None:
    written = {}
    for bias in (2.0, 0.0):
        asked = config(SEQUENTIAL | {"pairs.keyword_bias": bias})
        work = pairs.ScoreWork(asked, undisturbed, [2])
        (table, _) = work.shard(work.open(), 0, lambda items: None).tables.values()
        written[bias] = table["sentences"].to_pylist()
    assert written[2.0] == [row["sentences"] for row in rows(sequential, "pairs", "sentences")[:2]]
    assert written[0.0] != written[2.0]


def test_killed_and_with_two_workers_it_gives_the_same_bytes(sequential: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(sequential / "contexts", folder / "contexts")
    for kill in ("pairs/candidates/00001.parquet", "pairs/selected/00001.parquet"):
        done = run_program(folder, ["pairs"], SEQUENTIAL, kill_at=kill)
        assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    assert pairs.plan(config(SEQUENTIAL), folder).state == "begun"
    done = run_program(folder, ["pairs"], SEQUENTIAL | {"engine.workers": 2})
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(folder, stage="pairs") == contents(sequential, stage="pairs")
    planned = pairs.plan(config(SEQUENTIAL), folder)
    assert (planned.state, planned.items, planned.unit) == ("finished", 7, "contexts")


def test_other_thresholds_are_cut_without_any_model(copy_of_sequential: Path) -> None:
    scored = contents(copy_of_sequential, "sentences", "candidates")
    stricter = SEQUENTIAL | {"pairs.critics.rouge_l.max": 0.5, "dtype": number_type(config())}
    before = rows(copy_of_sequential, "pairs", "selected")
    done = run_program(copy_of_sequential, ["pairs"], stricter, models=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(copy_of_sequential, "sentences", "candidates") == scored
    after = rows(copy_of_sequential, "pairs", "selected")
    assert after != before and all(row["rouge_l"] <= 0.500001 and row["id"].split("-")[1] == "000" for row in after)


def test_thresholds_of_controls_do_not_turn_them_either(sequential: Path) -> None:
    asked = config(SEQUENTIAL | {"control.thresholds": [{"diversity": {"min": 1.0}}]})
    found = [row for rank in range(4) for row in read_upstream(asked, sequential, Upstream("pairs", rank)).to_pylist()]
    assert len(found) >= len(rows(sequential, "pairs", "selected"))
    assert all(row["id"].split("-")[1] == "000" for row in found)


def test_a_context_without_a_complete_sentence_has_no_pairs(undisturbed: Path) -> None:
    work = pairs.ScoreWork(config(SEQUENTIAL | {"pairs.max_new_tokens": 2}), undisturbed, [2])
    tables = work.shard(work.open(), 0, lambda items: None).tables
    assert tables["sentences"]["sentences"].to_pylist() == [[], []] == tables["sentences"]["counts"].to_pylist()
    assert tables["candidates"].num_rows == 0


def test_one_folder_holds_one_kind(copy_of_sequential: Path, undisturbed: Path) -> None:
    with pytest.raises(UserError, match=r"pairs was made with pairs\.generation = \"sequential\".*add --from pairs"):
        pairs.run(config(), copy_of_sequential, progress=False)
    with pytest.raises(UserError, match=r"pairs was made with pairs\.keyword_bias = 2\.0, this run asks for 3\.0"):
        pairs.run(config(SEQUENTIAL | {"pairs.keyword_bias": 3.0}), copy_of_sequential, progress=False)
    assert pairs.plan(config(SEQUENTIAL), undisturbed).state == "of another config"


def test_parallel_runs_keep_their_fingerprint(undisturbed: Path) -> None:
    mark = pairs.fingerprint(config({"pairs.keyword_bias": 9.0}), undisturbed, 7)
    assert mark == pairs.fingerprint(config(), undisturbed, 7)
    assert set(mark["pairs"]) == {
        "k",
        "temperature",
        "top_p",
        "no_repeat_ngram_size",
        "max_new_tokens",
        "min_characters",
        "banned_tokens",
        "join_digits",
        "order",
        "pairing",
        "weights",
        "dtype",
    }
