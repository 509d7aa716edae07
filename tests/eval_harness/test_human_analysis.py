"""Means, tests and agreement of people's answers, held against computations by hand; and their way into the harness."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from eval_harness import results
from eval_harness.comparison import compare
from eval_harness.human.agreement import alpha, by_item
from eval_harness.human.analysis import analyse, as_json
from eval_harness.human.export import export
from eval_harness.human.store import Rating
from eval_harness.human.text import text
from eval_harness.registry import discover
from eval_harness.report.board import boards
from idist.errors import UserError
from tests.eval_harness.human_study import answers, rated, study, table


def by_pairs(ratings: list[Rating]) -> float:
    """Alpha as Krippendorff defines it, pair by pair: 1 - observed / expected disagreement, in whole counts."""
    units: dict[str, list[int]] = {}
    for rating in ratings:
        units.setdefault(rating.item, []).append(rating.value)
    pairable = {item: values for item, values in units.items() if len(values) > 1}
    every = [value for values in pairable.values() for value in values]
    counts = Counter(every)

    def apart(a: int, b: int) -> float:
        low, high = min(a, b), max(a, b)
        return (sum(counts[g] for g in range(low, high + 1)) - counts[low] / 2 - counts[high] / 2) ** 2

    observed = sum(
        sum(apart(a, b) for i, a in enumerate(values) for j, b in enumerate(values) if i != j) / (len(values) - 1)
        for values in pairable.values()
    )
    expected = sum(apart(a, b) for i, a in enumerate(every) for j, b in enumerate(every) if i != j) / (len(every) - 1)
    return 1 - observed / expected


def test_alpha_by_hand_with_missing_answers() -> None:
    # Pairable: (1 1), (2 2), (3 2), (3 3); the fifth output has one answer. n1 = 2, n2 = 3, n3 = 3, n = 8.
    # Distances: 1-2: (2+3-2.5)^2 = 6.25; 2-3: (3+3-3)^2 = 9; 1-3: (2+3+3-2.5)^2 = 30.25.
    # Observed: one pair differs, 2 * 9 = 18. Expected: 2 * (2*3*6.25 + 3*3*9 + 2*3*30.25) / 7 = 600 / 7.
    assert alpha(table("1233. 12233")) == pytest.approx(1 - 18 / (600 / 7))


@pytest.mark.parametrize("seed", range(20))
def test_alpha_is_the_definition(seed: int) -> None:
    draw = random.Random(seed)
    rows = [
        "".join("." if draw.random() < 0.3 else str(draw.choice([1 + n % 3, draw.randint(1, 3)])) for n in range(9))
        for _ in range(draw.randint(3, 6))
    ]
    assert alpha(table(" ".join(rows))) == pytest.approx(by_pairs(table(" ".join(rows))), abs=1e-12)


def test_alpha_at_its_ends() -> None:
    assert alpha(table("123123 123123 123123")) == pytest.approx(1.0)
    assert alpha(table("13 31")) < 0.0  # type: ignore[operator]
    assert alpha(table("333 333")) is None and alpha(table("123")) is None and alpha([]) is None


def test_agreement_item_by_item() -> None:
    first, second, third = by_item(table("123 132 2.2"))
    assert [one.item for one in (first, second, third)] == ["item-001", "item-000", "item-002"]
    assert (first.annotators, first.equal, first.distance) == (2, 0.0, 1.0)
    assert (third.annotators, third.equal, third.distance) == (3, pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert by_item(table("1"))[0].equal is None


def test_means_are_over_items_then_tested_and_corrected(tmp_path: Path) -> None:
    store = rated(tmp_path, study(items=12, annotators=3), people=3)
    ratings = store.ratings()
    made = analyse(store.study, ratings, resamples=200)
    values = {
        item.id: [one.value for one in ratings if (one.item, one.system, one.question) == (item.id, "good", "fluency")]
        for item in store.study.items
    }
    mean = made.means["good"]["fluency"]
    assert mean.value == pytest.approx(np.mean([np.mean(found) for found in values.values()])) and mean.answers == 36
    assert mean.low <= mean.value <= mean.high and made.complete and made.annotators == 3
    assert len(made.pairs) == 9 and all(pair.p_corrected >= pair.paired.p_value for pair in made.pairs)
    assert next(pair for pair in made.pairs if (pair.a, pair.b) == ("good", "bad")).better == "good"
    assert 0.4 < made.alphas["all"] < 1.0  # type: ignore[operator]
    written = text(made)
    assert "12 of 12 items, 3 annotators, 324 answers." in written and "Krippendorff's alpha" in written
    assert json.loads(json.dumps(as_json(made)))["means"]["bad"]["fluency"]["answers"] == 36
    assert "person" not in written + json.dumps(as_json(made))


def test_three_items_show_no_difference_however_large(tmp_path: Path) -> None:
    store = rated(tmp_path, study(items=3, annotators=3), people=3)
    made = analyse(store.study, store.ratings())
    clear = next(pair for pair in made.pairs if (pair.a, pair.b) == ("good", "bad"))
    assert clear.paired.difference > 0.5 and clear.better is None
    assert min(pair.paired.p_value for pair in made.pairs) > 0.15, "exchanging three items gives eight results"


def test_what_cannot_be_counted_is_told(tmp_path: Path) -> None:
    told = study()
    with pytest.raises(UserError, match="Nobody has finished"):
        analyse(told, [])
    with pytest.raises(UserError, match="not to this study"):
        analyse(told, table("12 21"))


def test_the_harness_reads_the_answers_like_any_metric(tmp_path: Path) -> None:
    told = study(items=12, annotators=3)
    store = rated(tmp_path, told, people=2)
    half = [one for one in store.ratings() if one.item < "item-008"]
    export(told, half, tmp_path / "results", resamples=100)
    paths = results.find(tmp_path / "results")
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        f"results/dogs/human/{name}.json" for name in ("bad", "good", "middling")
    ]
    bad, good, _ = found = [results.read(path) for path in paths]
    assert good.rows["prediction"].to_pylist() == [item.outputs["good"] for item in told.items[:8]]
    expected = analyse(told, half).means["good"]["faithfulness"].value
    assert good.meta["scores"]["human_faithfulness"]["value"] == pytest.approx(expected)
    registry = discover()
    compared = compare(good, bad, registry, resamples=100)
    assert [line.metric for line in compared.lines] == [f"human_{name}" for name in told.questions]
    assert compared.lines[0].better == "A" and not compared.left_out
    board = boards(found, registry)[0]
    assert [row.label for row in board.rows] == ["good", "middling", "bad"]
    assert [column.title for column in board.columns] == ["Fluent (people)", "Faithful (people)", "Dissimilar (people)"]


def test_no_run_computes_what_people_say() -> None:
    from eval_harness.metrics.base import Examples

    with pytest.raises(UserError, match=r"recipes/human_eval.py"):
        discover().metric("human_fluency").statistics(Examples.of(["a"], ["b"]))


def test_one_answer_each_is_enough_for_a_report(tmp_path: Path) -> None:
    told = study(items=1, annotators=1)
    store = rated(tmp_path, told, people=1)
    store.save("person 0", "item-000", answers(told, 2), done=True)
    made = analyse(told, store.ratings())
    assert made.alphas["all"] is None and "not defined" in text(made)
    assert all(pair.p_corrected == 1.0 and pair.better is None for pair in made.pairs)
