"""Both sides on few sentences: decisions compared, rates and their interval."""

from __future__ import annotations

import pytest

from benchmarks.end_to_end import WITH, WITHOUT, Agreement, Side, interval, judged_by
from benchmarks.filtering import composition
from benchmarks.plain import Plain
from idist.critics import Group, build_cascade

SENTENCES = [
    "A man is riding a bike down the street.",
    "A man rides his bicycle along the road.",
    "Down the street, a man is riding a bike.",
    "On the road there is a man who rides a bicycle.",
    "Two dogs are playing in the snow.",
    "In the snow, two dogs play.",
    "There are two dogs that play in the snow.",
]


def lowered() -> list[dict]:
    """`mini`'s critics, at thresholds that keep some of `SENTENCES`."""
    lower = {"entailment": 0.3, "similarity": 0.5, "tree_edit_distance": 3, "diversity": 0.5}
    return [
        {name: settings | ({"min": lower[name]} if name in lower else {})}
        for critic in composition("mini")
        for name, settings in critic.items()
    ]


@pytest.mark.parametrize("floor", [True, False], ids=["with similarity", "without"])
def test_the_toolkit_decides_as_the_procedure_does(floor: bool) -> None:
    critics = lowered()
    plain = Plain({name: settings for critic in critics for name, settings in critic.items()})
    p, keep = plain.survivors(SENTENCES)
    theirs = plain.finish(SENTENCES, p, keep, floor)
    ours = [critic for critic in critics if floor or "similarity" not in critic]
    [kept] = judged_by(build_cascade(ours, "cpu"), [Group("g", SENTENCES)])
    found = Agreement()
    found.add(len(SENTENCES), kept, theirs)
    assert theirs, "something is accepted, or equal decisions would say nothing"
    assert (found.compared, found.different, found.kept) == (21, 0, len(theirs))


def test_a_pair_of_one_side_alone_is_a_different_decision() -> None:
    found = Agreement()
    found.add(4, {frozenset((0, 1)), frozenset((1, 2))}, {frozenset((0, 1)), frozenset((2, 3))})
    assert (found.compared, found.different, found.kept) == (6, 2, 2)


def test_rates_are_an_hours() -> None:
    side = Side({WITH: [10.0, 10.0], WITHOUT: [30.0, 10.0]}, {WITH: [1, 0], WITHOUT: [1, 1]}, 50)
    assert side.rate(WITH) == 180
    assert side.rate(WITHOUT) == 180
    assert side.rate(WITH, side.sentences) == 9000


def test_the_interval_holds_the_ratio_and_is_wider_for_few_contexts() -> None:
    def sides(times: int) -> tuple[Side, Side]:
        ours = Side({WITH: [1.0] * 4 * times}, {WITH: [1, 0, 2, 1] * times})
        return ours, Side({WITH: [20.0] * 4 * times}, {WITH: [0, 1, 1, 2] * times})

    (few_low, few_high), (low, high) = (interval(*sides(times), WITH) for times in (2, 50))
    assert few_low < low < 20 < high < few_high
    assert interval(*sides(2), WITH) == (few_low, few_high), "the same again"


def test_where_the_procedure_may_accept_nothing_the_interval_is_open() -> None:
    ours = Side({WITH: [1.0, 1.0]}, {WITH: [1, 1]})
    assert interval(ours, Side({WITH: [9.0, 9.0]}, {WITH: [0, 1]}), WITH)[1] == float("inf")
