"""Work counted from configs and yields, against numbers worked out by hand."""

from __future__ import annotations

import pytest

from idist.errors import UserError
from idist.planning.work import StageWork, assumption_keys, count
from idist.planning.yields import Yields, given
from tests.planning.finished_run import config

GIVEN = {
    "contexts.samples": 1.5,
    "pairs.distinct": 0.75,
    "pairs.rouge_l.kept": 0.5,
    "pairs.entailment.kept": 0.2,
    "self_distil.samples": 1.0,
    "self_distil.distinct": 0.4,
    "self_distil.rouge_l.kept": 0.5,
    "self_distil.entailment.kept": 0.5,
    "self_distil.one": 0.8,
    "train.epochs": 6.0,
}


def works(changes: dict | None = None, own: dict[str, float] | None = None) -> dict[str, StageWork]:
    yields = Yields()
    for key, value in {**GIVEN, **(own or {})}.items():
        yields.set(key, value, "given")
    return {work.stage: work for work in count(config(changes), yields)}


def items(work: StageWork) -> dict[str, float]:
    return {part.name: pytest.approx(part.items) for part in work.parts}


def test_every_stage_by_hand() -> None:
    found = works()
    assert list(found) == ["contexts", "pairs", "train", "self_distil", "train_final"]
    assert items(found["contexts"]) == {"start": 2, "samples": 15}
    # 3 different sentences of 4: 3 pairs of each of 10 contexts, half of which the second critic sees
    assert items(found["pairs"]) == {"start": 2, "sentences": 40, "rouge_l": 30, "entailment": 15}
    assert found["pairs"].rows == {"sentences": 30, "candidates": 30, "selected": pytest.approx(3)}
    # 2.4 of 3 pairs trained on for 6 of 10 epochs, 0.6 held out, 5 evaluations in 10 epochs, a third of the work each
    assert items(found["train"]) == {"training": 2.4 * 6 + 0.6 * 5 * 0.6 / 3}
    # 20 sources drawn in shards of 3 x 10; 2 different candidates of 5
    assert items(found["self_distil"]) == {"start": 4, "samples": 30, "rewriting": 20, "rouge_l": 40, "entailment": 20}
    assert found["self_distil"].rows["selected"] == pytest.approx(40 * 0.5 * 0.5 * 0.8)
    assert items(found["train_final"]) == {"training": (0.8 * 6 + 0.2 * 5 * 0.6 / 3) * 8}


def test_ordered_pairs_are_judged_twice_where_a_critic_is_not_symmetric() -> None:
    critics = [{"length_ratio": {"max": 0.8}}, {"entailment": {"directions": "forward"}}]
    found = works({"pairs": {"critics": critics}, "self_distil": {"keep": "most_entailed"}})
    assert found["pairs"].rows["candidates"] == pytest.approx(60)
    unordered = works({"pairs": {"critics": critics, "pairing": "unordered"}})
    assert unordered["pairs"].rows["candidates"] == pytest.approx(30)


def test_sequential_generation_draws_sources_first_and_pairs_them_with_the_rest() -> None:
    found = works({"pairs": {"generation": "sequential"}})
    assert items(found["pairs"])["sentences"] == 10 * (4 + 4)
    assert found["pairs"].rows["candidates"] == pytest.approx(30)


def test_a_looser_floor_sends_more_pairs_to_the_next_critic() -> None:
    critics = [{"rouge_l": {"max": 0.75, "floor": 0.85}}, {"entailment": {"min": 0.75}}]
    found = works({"pairs": {"critics": critics}}, {"pairs.rouge_l.scored": 0.9})
    assert items(found["pairs"])["entailment"] == pytest.approx(27)
    assert found["pairs"].rows["selected"] == pytest.approx(3)  # the thresholds are the same


def test_every_round_has_stages_of_its_own() -> None:
    found = works({"self_distil": {"rounds": 2}})
    assert list(found)[2:] == ["train", "self_distil_1", "train_final_1", "self_distil", "train_final"]
    assert items(found["self_distil_1"]) == items(found["self_distil"])


def test_the_teachers_pairs_go_into_the_last_training_if_asked() -> None:
    plain, more = works(), works({"self_distil": {"with_teacher": True}})
    ratio = more["train_final"].parts[0].items / plain["train_final"].parts[0].items
    assert ratio == pytest.approx((8 + 3) / 8)


def test_own_text_needs_no_samples() -> None:
    assert works({"contexts": {"source": "my.txt"}})["contexts"].parts == []


def test_a_corpus_cannot_be_counted_beforehand() -> None:
    with pytest.raises(UserError, match=r"pairs\.source is 'p\.tsv'"):
        works({"pairs": {"source": "p.tsv"}})


def test_entailment_without_similarity_before_it_leaves_a_smaller_share() -> None:
    critics = [{"similarity": {"min": 0.6}}, {"entailment": {"min": 0.75}}]
    with_it, without = Yields(), Yields()
    count(config({"pairs": {"critics": critics}, "self_distil": {"keep": "random"}}), with_it)
    count(config(), without)
    shares = [one.used["pairs.entailment.kept"][0] for one in (with_it, without)]
    assert shares[1] == pytest.approx(shares[0] * with_it.used["pairs.similarity.kept"][0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pairs.distinct", "has no '='"),
        ("pairs.distint=0.5", "pairs.distinct"),
        ("pairs.distinct=many", "expected a number"),
        ("pairs.distinct=1.5", "expected 0 to 1"),
        ("pairs.words=-3", "expected 0 or more"),
        ("pairs.words=nan", "expected 0 or more"),
    ],
)
def test_a_wrong_assumption_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        given([text], assumption_keys(config()))


def test_what_a_person_assumes_stands() -> None:
    yields = Yields()
    yields.set("pairs.words", 30.0, "given")
    yields.set("pairs.words", 10.0, "the teacher, measuring")
    assert yields.get("pairs.words") == 30.0
