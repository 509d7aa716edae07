"""A composition that asks x and y for different things: pairs stay in order, from the candidates to the last cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from idist.errors import UserError
from idist.stages import contexts, pairs, self_distil
from tests.stages.conftest import put_student
from tests.stages.tiny import config, rows

MODEL = {"model": "embedded:entailment"}
SHORTER = {"length_ratio": {"max": 0.8, "ceiling": 0.9}}
CHANGES: dict[str, Any] = {
    "contexts.count": 6,
    "pairs.k": 14,
    "pairs.critics": [
        SHORTER,
        {"entailment": {"min": 0.6, "floor": 0.3, "directions": "forward"} | MODEL},
        {"diversity": {"min": 0.6}},
    ],
    "self_distil.critics": [SHORTER, {"entailment": {"min": 0.2, "floor": 0.1, "directions": "forward"} | MODEL}],
    "self_distil.keep": "most_entailed",
}


@pytest.fixture(scope="module")
def summaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Contexts, pairs and self-distillation of a summary composition; the shipped student as stage `train`."""
    folder = tmp_path_factory.mktemp("summaries") / "run"
    own = config(CHANGES)
    contexts.run(own, folder, progress=False)
    pairs.run(own, folder, progress=False)
    put_student(folder)
    self_distil.run(own, folder, progress=False)
    return folder


@pytest.fixture(scope="module")
def entails() -> Any:
    """p(a => b) by the model itself, one pair at a time."""
    from tests.critics.reference import Plain

    return Plain().p


def test_both_orders_are_candidates_and_the_shorter_one_is_y(summaries: Path, entails: Any) -> None:
    sentences = {row["context_id"]: row["sentences"] for row in rows(summaries, "pairs", "sentences")}
    candidates = rows(summaries, "pairs", "candidates")
    assert len(candidates) == sum(len(own) * (len(own) - 1) for own in sentences.values())
    kept = rows(summaries, "pairs", "selected")
    assert len(kept) > 3
    for row in kept:
        assert len(row["y"]) < 0.8 * len(row["x"])
        assert row["length_ratio"] == pytest.approx(len(row["y"]) / len(row["x"]), abs=1e-6)
        assert row["entailment_xy"] >= 0.6 and "entailment_yx" not in row
        assert row["entailment_xy"] == pytest.approx(entails(row["x"], row["y"]), abs=1e-4)
        own = sentences[row["context_id"]]
        i, j = map(int, row["id"].split("-")[-2:])
        assert (own[i], own[j]) == (row["x"], row["y"])


def test_a_summary_that_does_not_entail_its_source_is_kept(summaries: Path, entails: Any) -> None:
    kept = rows(summaries, "pairs", "selected")
    assert any(entails(row["y"], row["x"]) < 0.3 for row in kept)


def test_the_student_s_summaries_are_judged_from_the_source(summaries: Path) -> None:
    sources = {row["id"]: row["x"] for row in rows(summaries, "self_distil", "sources")}
    within: dict[str, float] = {}
    for row in rows(summaries, "self_distil", "candidates"):
        assert row["i"] == 0
        if row["length_ratio"] < 0.8 and row["entailment_xy"] >= 0.2:
            within[row["context_id"]] = max(within.get(row["context_id"], 0.0), row["entailment_xy"])
    kept = rows(summaries, "self_distil", "selected")
    assert kept and {row["context_id"]: row["entailment_xy"] for row in kept} == within
    assert all(sources[row["context_id"]] == row["x"] and len(row["y"]) < 0.8 * len(row["x"]) for row in kept)


def test_a_rule_without_its_score_is_refused_before_the_work(summaries: Path) -> None:
    with pytest.raises(UserError, match=r"keep is 'lowest_rouge_l', but its critics are length_ratio, entailment"):
        self_distil.run(config(CHANGES | {"self_distil.keep": "lowest_rouge_l"}), summaries, progress=False)


def test_another_cut_needs_no_scores_and_keeps_the_order(summaries: Path, tmp_path: Path) -> None:
    import shutil

    folder = Path(shutil.copytree(summaries, tmp_path / "run"))
    looser = config(CHANGES | {"pairs.critics.length_ratio.max": 0.9, "pairs.critics.entailment.min": 0.4})
    done = pairs.run(looser, folder, progress=False)
    kept = rows(folder, "pairs", "selected")
    assert done.made and kept and all(row["length_ratio"] < 0.9 for row in kept)
    assert any(row["length_ratio"] >= 0.8 for row in kept)
    assert all(row["length_ratio"] == pytest.approx(len(row["y"]) / len(row["x"]), abs=1e-6) for row in kept)
