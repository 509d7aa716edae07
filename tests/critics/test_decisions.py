"""Decisions equal the plain composition of reference implementations, at first and after cutting again."""

from __future__ import annotations

import numpy as np
import pytest

from idist.critics import Group, Judged, Kept, build_cascade
from tests.critics.conftest import offline
from tests.critics.reference import Plain, algorithm_1, filtered, ordered_pairs

FLOORS = {"rouge_l": 1.0, "tree_edit_distance": 0, "entailment": 0.05, "diversity": 0.02}
# rouge_l max, tree_edit_distance min, entailment min, diversity min
CUTS = [(0.75, 3, 0.5, 0.45), (1.0, 0, 0.3, 0.25), (0.9, 2, 0.05, 0.02), (0.6, 1, 0.2, 0.1), (1.0, 0, 0.6, 0.5)]
CUT_IDS = [str(cut) for cut in CUTS]


def paraphrases(cut: tuple[float, int, float, float], floors: bool) -> list[dict[str, dict]]:
    settings = [{"max": cut[0]}, {"min": cut[1]}, {"min": cut[2]}, {"min": cut[3]}]
    names = ("rouge_l", "tree_edit_distance", "entailment", "diversity")
    return offline(
        *({name: {**s, "floor": FLOORS[name]} if floors else s} for name, s in zip(names, settings, strict=True))
    )


def expected_paraphrases(
    plain: Plain, sentences: list[str], cut: tuple[float, int, float, float]
) -> tuple[set[frozenset[int]], list[int]]:
    """Unordered kept pairs and what each critic removed, from all *ordered* pairs."""
    rouge_l, distance, entailment, edge = cut
    filters = [
        lambda x, y: plain.rouge_l(x, y) <= rouge_l,
        lambda x, y: plain.distance(x, y) >= distance,
        lambda x, y: plain.p(x, y) >= entailment and plain.p(y, x) >= entailment,
    ]
    left, removed = filtered(ordered_pairs(len(sentences)), sentences, filters)
    kept = algorithm_1(
        left,
        related=lambda a, b: plain.p(sentences[a], sentences[b]) > edge,
        rank=lambda x, y: plain.p(sentences[x], sentences[y]) + plain.p(sentences[y], sentences[x]),
    )
    counts = [number // 2 for number in removed]
    return {frozenset(pair) for pair in kept}, [*counts, len(left) // 2 - len(kept)]


def unordered(kept: list[Kept]) -> set[frozenset[int]]:
    pairs = {frozenset((pair.i, pair.j)) for pair in kept}
    assert len(pairs) == len(kept)
    return pairs


@pytest.fixture(scope="module")
def stored(candidates: dict[str, list[str]]) -> list[Judged]:
    """Scores up to loose floors, made once."""
    cascade = build_cascade(paraphrases(CUTS[0], floors=True), "cpu")
    return cascade.score([Group(name, sentences) for name, sentences in candidates.items()])


@pytest.mark.parametrize("cut", CUTS, ids=CUT_IDS)
def test_cutting_stored_scores(plain: Plain, stored: list[Judged], cut: tuple) -> None:
    cascade = build_cascade(paraphrases(cut, floors=True), "cpu")
    total = 0
    for one in stored:
        kept, funnel = cascade.select([one])
        expected, removed = expected_paraphrases(plain, one.sentences, cut)
        assert unordered(kept) == expected
        assert [step.removed for step in funnel.steps] == removed
        total += len(kept)
    assert total > 0, "no pair to decide about"


def test_a_fresh_run_is_a_cut(stored: list[Judged]) -> None:
    fresh = build_cascade(paraphrases(CUTS[0], floors=False), "cpu")
    judged = fresh.score([Group(one.id, one.sentences) for one in stored])
    kept, funnel = fresh.select(judged)
    again, funnel_again = build_cascade(paraphrases(CUTS[0], floors=True), "cpu").select(stored)
    assert [(pair.group_id, pair.i, pair.j) for pair in kept] == [(pair.group_id, pair.i, pair.j) for pair in again]
    assert funnel == funnel_again
    assert any(step.removed for step in funnel.steps)
    scored_fresh = sum(int((~np.isnan(one.scores["entailment_yx"])).sum()) for one in judged)
    assert scored_fresh < sum(int((~np.isnan(one.scores["entailment_yx"])).sum()) for one in stored)


@pytest.mark.parametrize("cut", [(1.0, 0, 0.01, 0.005), (1.0, 0, 0.2, 0.1)], ids=str)
def test_random_strings(plain: Plain, random_sentences: list[str], cut: tuple) -> None:
    cascade = build_cascade(paraphrases(cut, floors=False), "cpu")
    judged = cascade.score([Group("random", random_sentences)])
    kept, funnel = cascade.select(judged)
    expected, removed = expected_paraphrases(plain, random_sentences, cut)
    assert unordered(kept) == expected
    assert [step.removed for step in funnel.steps] == removed
    assert expected


@pytest.mark.parametrize("cut", [(0.8, 0.5, 0.4), (0.95, 0.2, 0.1)], ids=str)
def test_summaries_are_judged_in_order(plain: Plain, candidates: dict[str, list[str]], cut: tuple) -> None:
    """Appendix C.1: one-way entailment, a length ratio, diversity."""
    ratio, entailment, edge = cut
    cascade = build_cascade(
        offline(
            {"length_ratio": {"max": ratio}},
            {"entailment": {"directions": "forward", "min": entailment}},
            {"diversity": {"min": edge}},
        ),
        "cpu",
    )
    assert not cascade.judged_once
    total = 0
    for name, sentences in candidates.items():
        kept, funnel = cascade.select(cascade.score([Group(name, sentences)]))
        filters = [
            lambda x, y: len(y) / len(x) < ratio,
            lambda x, y: plain.p(x, y) >= entailment,
        ]
        left, removed = filtered(ordered_pairs(len(sentences)), sentences, filters)
        expected = algorithm_1(
            left,
            related=lambda a, b, s=sentences: plain.p(s[a], s[b]) > edge,
            rank=lambda x, y, s=sentences: plain.p(s[x], s[y]) + plain.p(s[y], s[x]),
        )
        assert [(k.i, k.j) for k in kept] == expected
        assert [step.removed for step in funnel.steps] == [*removed, len(left) - len(expected)]
        total += len(kept)
    assert total > 0


@pytest.mark.parametrize("pairing", ["ordered", "unordered"])
@pytest.mark.parametrize("sides", ["any", "x_then_y"])
def test_variants_of_the_authors_code(plain: Plain, candidates: dict[str, list[str]], pairing: str, sides: str) -> None:
    """Argmax decisions, x side then y side, the least entailed kept; diversity before the ROUGE ceiling."""
    cascade = build_cascade(
        offline(
            {"entailment": {"decide": "argmax"}},
            {"diversity": {"edges": "argmax", "sides": sides, "keep": "least_entailed"}},
            {"rouge_l": {"max": 0.7}},
        ),
        "cpu",
        order="given",
        pairing=pairing,
    )
    seen = 0
    for name, s in candidates.items():
        kept, _ = cascade.select(cascade.score([Group(name, s)]))
        pairs = [(i, j) for i, j in ordered_pairs(len(s)) if pairing == "ordered" or i < j]
        left, _ = filtered(pairs, s, [lambda x, y: plain.entails(x, y)[1] and plain.entails(y, x)[1]])
        for side in ["x", "y"] if sides == "x_then_y" else ["xy"]:
            left = algorithm_1(
                left,
                related=lambda a, b, s=s: plain.entails(s[a], s[b])[1],
                rank=lambda x, y, s=s: -plain.p(s[y], s[x]),
                sides=side,
            )
        seen += len(left)
        left, _ = filtered(left, s, [lambda x, y: plain.rouge_l(x, y) <= 0.7])
        assert [(k.i, k.j) for k in kept] == left
    assert seen > 0


def test_given_pairs_are_judged_as_given(plain: Plain, candidates: dict[str, list[str]]) -> None:
    """Self-distillation: one source, its candidates; x stays x."""
    cascade = build_cascade(offline({"rouge_l": {"max": 0.9}}, {"entailment": {"min": 0.3}}, {"diversity": {}}), "cpu")
    sentences = next(iter(candidates.values()))
    pairs = [(5, other) for other in range(len(sentences)) if other != 5]
    kept, funnel = cascade.select(cascade.score([Group("s0", sentences, np.array(pairs))]))
    filters = [
        lambda x, y: plain.rouge_l(x, y) <= 0.9,
        lambda x, y: plain.p(x, y) >= 0.3 and plain.p(y, x) >= 0.3,
    ]
    left, removed = filtered(pairs, sentences, filters)
    expected = algorithm_1(
        left,
        related=lambda a, b: plain.p(sentences[a], sentences[b]) > 0.75,
        rank=lambda x, y: plain.p(sentences[x], sentences[y]) + plain.p(sentences[y], sentences[x]),
    )
    assert [(k.i, k.j) for k in kept] == expected
    assert [step.removed for step in funnel.steps][:2] == removed
