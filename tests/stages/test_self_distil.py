"""Self-distillation: different sources, candidates judged against them, one kept by the rule."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from idist.critics import Funnel, Kept
from idist.errors import UserError
from idist.stages import self_distil
from idist.stages.runs import number_type
from idist.stages.scoring import cascade_of
from idist.stages.self_distil import KeepOne, check_rule
from idist.stages.sources import Distinct
from tests.stages.conftest import put_student
from tests.stages.tiny import config, contents, rows, run_program


@pytest.fixture
def copy_of_distilled(distilled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(distilled, tmp_path / "run"))


def candidates_within(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Candidates within all thresholds, by source."""
    within: dict[str, list[dict[str, Any]]] = {}
    for row in rows(folder, "self_distil", "candidates"):
        if row["rouge_l"] <= 0.950001 and row["entailment_xy"] >= 0.1 and row["entailment_yx"] >= 0.1:
            within.setdefault(row["context_id"], []).append(row)
    return within


def test_sources_are_different_complete_sentences_in_the_order_of_their_ids(distilled: Path) -> None:
    sources = rows(distilled, "self_distil", "sources")
    assert len(sources) == 24 == len({row["x"] for row in sources})
    assert [row["id"] for row in sources] == sorted(row["id"] for row in sources)
    assert all(row["x"].rstrip("\"'”’)")[-1] in ".?!" and row["source"] == "embedded:teacher" for row in sources)
    drawn = {row["id"]: row["x"] for row in rows(distilled, "self_distil", "drawn")}
    assert all(drawn[row["id"]] == row["x"] for row in sources)


def test_candidates_differ_from_their_source_and_are_judged_from_it(distilled: Path) -> None:
    sources = {row["id"]: row["x"] for row in rows(distilled, "self_distil", "sources")}
    groups = {row["context_id"]: row for row in rows(distilled, "self_distil", "sentences")}
    assert list(groups) == list(sources)
    for identifier, row in groups.items():
        assert row["sentences"][0] == sources[identifier] not in row["sentences"][1:]
        assert "" not in row["sentences"] and sum(row["counts"][1:]) <= 6
    pairs = [(row["context_id"], row["i"], row["j"]) for row in rows(distilled, "self_distil", "candidates")]
    assert pairs == [(key, 0, j) for key, row in groups.items() for j in range(1, len(row["sentences"]))]


def test_one_pair_a_source_is_kept_the_one_of_the_rule(distilled: Path) -> None:
    within = candidates_within(distilled)
    kept = rows(distilled, "self_distil", "selected")
    assert kept and [row["context_id"] for row in kept] == list(within)
    sources = {row["id"]: row["x"] for row in rows(distilled, "self_distil", "sources")}
    for row in kept:
        assert row["x"] == sources[row["context_id"]] != row["y"]
        assert row["rouge_l"] == min(one["rouge_l"] for one in within[row["context_id"]])


def test_the_rule_is_the_funnels_last_step(distilled: Path) -> None:
    funnel = Funnel.from_dict(json.loads((distilled / "self_distil" / "manifest.json").read_text())["funnel"])
    assert [step.name for step in funnel.steps] == ["rouge_l", "entailment", "keep_lowest_rouge_l"]
    last = funnel.steps[-1]
    assert last.seen - last.removed == funnel.kept == len(rows(distilled, "self_distil", "selected"))
    assert last.seen >= funnel.kept > 0


@pytest.mark.parametrize("rule", ["most_entailed", "random"])
def test_another_rule_is_cut_without_any_model(copy_of_distilled: Path, rule: str) -> None:
    before = contents(copy_of_distilled, "drawn", "sources", "sentences", "candidates")
    first = rows(copy_of_distilled, "self_distil", "selected")
    # `auto` would ask torch what it stands for
    changes = {"self_distil.keep": rule, "dtype": number_type(config())}
    done = run_program(copy_of_distilled, ["self_distil"], changes, models=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(copy_of_distilled, "drawn", "sources", "sentences", "candidates") == before
    kept = rows(copy_of_distilled, "self_distil", "selected")
    assert [row["context_id"] for row in kept] == [row["context_id"] for row in first]
    if rule == "most_entailed":
        within = candidates_within(copy_of_distilled)
        for row in kept:
            assert row["entailment_xy"] + row["entailment_yx"] == max(
                one["entailment_xy"] + one["entailment_yx"] for one in within[row["context_id"]]
            )


def test_a_rule_goes_by_the_kind_of_critic_whatever_its_name() -> None:
    critics = [{"same": {"kind": "entailment", "directions": "forward"}}, {"overlap": {"kind": "rouge_l"}}]
    pairs = [
        Kept("c", 0, j, {"same_xy": p, "overlap": r}) for j, p, r in ((1, 0.9, 0.5), (2, 0.8, 0.1), (3, 0.95, 0.7))
    ]
    for rule, best in (("most_entailed", 3), ("lowest_rouge_l", 2)):
        own = config({"self_distil.critics": critics, "self_distil.keep": rule})
        cascade = cascade_of(own, critics)
        check_rule(own, cascade)
        assert [pair.j for pair in KeepOne(own, Path(), critics, {}).choose(pairs, cascade)] == [best]


def test_a_rule_without_its_score_is_refused(distilled: Path) -> None:
    with pytest.raises(UserError, match=r"keep is 'lowest_rouge_l', .*expected one of kind rouge_l"):
        self_distil.run(config({"self_distil.critics": [{"numbers": {}}]}), distilled, progress=False)


def test_the_plan_knows_another_config(distilled: Path) -> None:
    assert self_distil.plan(config(), distilled).state == "finished"
    assert self_distil.plan(config({"self_distil.candidates": 7}), distilled).state == "of another config"


def test_another_student_is_another_run(copy_of_distilled: Path) -> None:
    notes = copy_of_distilled / "train" / "model" / "generation_config.json"
    notes.write_text(notes.read_text() + "\n")
    with pytest.raises(UserError, match=r"made with student\.weights = \"folder:.*--from self_distil"):
        self_distil.run(config(), copy_of_distilled, progress=False)


def test_more_is_drawn_where_sentences_repeat_and_fewer_sources_are_told(tmp_path: Path) -> None:
    changes = {"contexts.temperature": 0.0, "self_distil.count": 20, "engine.shard_size": 1}  # one sample ever
    put_student(tmp_path)
    result = self_distil.run(config(changes), tmp_path, progress=False)
    assert result.counts["drawn"] == 60  # three times as many as asked for
    assert 0 < result.counts["sources"] == result.rows["sources"] < 20
    assert self_distil.run(config(changes), tmp_path, progress=False).made == 0


def test_more_sources_go_on_after_those_that_are_there(distilled: Path, tmp_path: Path) -> None:
    put_student(tmp_path)
    self_distil.run(config(), tmp_path, limit=5, progress=False)
    assert self_distil.plan(config(), tmp_path).state == "begun"
    result = self_distil.run(config(), tmp_path, progress=False)
    assert contents(tmp_path, stage="self_distil") == contents(distilled, stage="self_distil")
    assert result.counts == self_distil.run(config(), distilled, progress=False).counts
    assert self_distil.run(config(), tmp_path, progress=False).made == 0


def test_it_needs_a_student(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run the stage 'train' first"):
        self_distil.run(config(), tmp_path, progress=False)


def test_distinct_finds_repetitions_within_and_between_batches() -> None:
    seen = Distinct()
    assert seen.new(["a", "b", "a"]) == [True, True, False]
    assert seen.new(["b", "c", "c", "a"]) == [False, True, False, False]
    assert seen.new([]) == []
    assert len(seen) == 3
