"""Both sides on few sentences: decisions compared, rates and their interval."""

from __future__ import annotations

import pytest

from benchmarks.end_to_end import WITH, WITHOUT, Agreement, Side, Sides, first_contexts, interval, judged_by
from benchmarks.filtering import composition
from benchmarks.limits import Limits
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
    side = Side(seconds=[10.0, 30.0], pairs=[1, 1], sentences=[20, 30])
    assert side.rate(side.pairs) == 180
    assert side.rate(side.sentences) == 4500


def test_the_interval_holds_the_ratio_and_is_wider_for_few_contexts() -> None:
    def sides(times: int) -> tuple[Side, Side]:
        return Side([1.0] * 4 * times, [1, 0, 2, 1] * times), Side([20.0] * 4 * times, [0, 1, 1, 2] * times)

    (few_low, few_high), (low, high) = (interval(*sides(times)) for times in (2, 50))
    assert few_low < low < 20 < high < few_high
    assert interval(*sides(2)) == (few_low, few_high), "the same again"


def test_where_the_procedure_may_accept_nothing_the_interval_is_open() -> None:
    ours, plain = Side([1.0, 1.0], [1, 1]), Side([9.0, 9.0], [0, 1])
    assert interval(ours, plain)[1] == float("inf")


def test_both_sides_from_contexts_to_figures() -> None:
    """Six samples of two contexts, one of which the procedure judges itself."""
    ids, contexts = first_contexts(2)
    assert ids == ["c000000", "c000001"]
    sides = Sides(lowered(), ids, contexts, k=6)
    sides.ours()
    sides.theirs(checked=1)
    assert sides.agreement[WITH].contexts == sides.agreement[WITHOUT].contexts == 1
    assert [len(side.seconds) for side in (sides.our, sides.plain, *sides.exact.values())] == [2, 2, 1, 1]
    figures = sides.figures(Limits("cpu", "float32", 1, 60e9, 20e9, 10e9))
    assert [figure.ours for figure in figures[3:]] == [0, 0], "decisions that differ"
    assert all(
        figure.ours > 0 and figure.other and figure.ratio == figure.ours / figure.other for figure in figures[1:3]
    )
    assert figures[0].share is not None and figures[0].share.achieved > 0
