"""Order, orientation, storing, funnels and what stored scores may be asked."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from idist.critics import Funnel, Group, Judged, build_cascade, candidate_columns, read_judged, sentence_columns
from idist.errors import UserError
from idist.rows import schema
from tests.critics.conftest import offline

COMPOSITION = offline(
    {"entailment": {"min": 0.4, "floor": 0.1}},
    {"diversity": {"min": 0.3, "floor": 0.1}},
    {"rouge_l": {"max": 0.75, "floor": 0.95}},
    {"similarity": {"min": 0.5, "floor": 0.3}},
)


def changed(name: str, **settings: object) -> list[dict[str, dict]]:
    return [{key: {**s, **settings} if key == name else s for key, s in critic.items()} for critic in COMPOSITION]


@pytest.fixture(scope="module")
def judged(candidates: dict[str, list[str]]) -> list[Judged]:
    return build_cascade(COMPOSITION, "cpu").score([Group(name, s) for name, s in candidates.items()])


def test_cheap_critics_go_first_and_spare_the_dear_ones(judged: list[Judged]) -> None:
    cascade = build_cascade(COMPOSITION, "cpu")
    assert [critic.name for critic in cascade.critics] == ["rouge_l", "similarity", "entailment", "diversity"]
    for one in judged:
        assert not np.isnan(one.scores["rouge_l"]).any()
        beyond = one.scores["rouge_l"] > 0.95
        assert (np.array([name == "rouge_l" for name in one.removed_by]) == beyond).all()
        assert np.isnan(one.scores["similarity"][beyond]).all()
        spared = np.array([name in ("rouge_l", "similarity") for name in one.removed_by])
        columns = ("entailment_xy", "entailment_yx", "diversity_xy")
        assert all(np.isnan(one.scores[column][spared]).all() for column in columns)
        within = np.array([name is None for name in one.removed_by])
        assert not any(np.isnan(one.scores[column][within]).any() for column in columns)
    given = build_cascade(COMPOSITION, "cpu", order="given")
    assert [critic.name for critic in given.critics] == ["entailment", "diversity", "rouge_l", "similarity"]


def test_tables_and_back(judged: list[Judged]) -> None:
    cascade = build_cascade(COMPOSITION, "cpu")
    fixed = schema("candidates")
    columns = candidate_columns(judged, cascade.score_columns)
    assert list(columns) == [*fixed.names, *cascade.score_columns]
    table = pa.table({name: pa.array(columns[name], fixed.field(name).type) for name in fixed.names})
    for name in cascade.score_columns:
        table = table.append_column(name, pa.array(columns[name], pa.float32()))
    kinds = schema("sentences")
    texts = sentence_columns(judged)
    sentences = pa.table({name: pa.array(values, kinds.field(name).type) for name, values in texts.items()})
    scored = json.loads(json.dumps(cascade.score_config()))
    back = read_judged(sentences, table, scored, cascade.score_columns, oriented=False)
    kept, funnel = cascade.select(judged)
    again, funnel_again = cascade.select(back)
    assert [(k.group_id, k.i, k.j) for k in again] == [(k.group_id, k.i, k.j) for k in kept]
    assert funnel_again == funnel
    assert kept
    assert [one.failures for one in back] == [one.failures for one in judged]
    from_columns = read_judged(texts, columns, scored, cascade.score_columns, oriented=False)
    assert cascade.select(from_columns)[1] == funnel
    assert read_judged(sentences.slice(0, 0), table.slice(0, 0), scored, cascade.score_columns, False) == []


def test_funnels_add_up(judged: list[Judged]) -> None:
    cascade = build_cascade(COMPOSITION, "cpu")
    kept, whole = cascade.select(judged)
    parts = [cascade.select([one])[1] for one in judged]
    assert sum(parts) == whole == Funnel.from_dict(json.loads(json.dumps(whole.to_dict())))
    assert whole.groups == len(judged)
    assert whole.steps[0].seen == sum(len(one.i) for one in judged)
    for step, after in zip(whole.steps, whole.steps[1:], strict=False):
        assert step.seen - step.removed == after.seen
    assert whole.steps[-1].seen - whole.steps[-1].removed == whole.kept == len(kept)
    lines = whole.table().splitlines()
    assert len(lines) == 1 + len(cascade.critics)
    assert f"{whole.steps[0].seen:,}" in lines[1]
    with pytest.raises(ValueError, match="different critics"):
        whole + Funnel.of(["numbers"])


def test_orientation_is_a_coin_of_seed_and_pair() -> None:
    sentences = [f"number {n}" for n in range(40)]
    composition = [{"rouge_l": {"max": 1.0}}]
    first = build_cascade(composition)
    kept, _ = first.select(first.score([Group("c1", sentences)]))
    again, _ = first.select(first.score([Group("c0", sentences), Group("c1", sentences)]))
    assert [pair for pair in again if pair.group_id == "c1"] == kept
    forward = sum(pair.i < pair.j for pair in kept)
    assert len(kept) == 780
    assert 300 < forward < 480
    other = build_cascade(composition, seed=1)
    assert [pair.i for pair in other.select(other.score([Group("c1", sentences)]))[0]] != [pair.i for pair in kept]


def test_directed_scores_turn_with_the_pair(judged: list[Judged]) -> None:
    kept = [pair for seed in range(5) for pair in build_cascade(COMPOSITION, "cpu", seed=seed).select(judged)[0]]
    by_id = {one.id: one for one in judged}
    assert any(pair.i > pair.j for pair in kept)
    for pair in kept:
        one = by_id[pair.group_id]
        row = int(np.flatnonzero((one.i == min(pair.i, pair.j)) & (one.j == max(pair.i, pair.j)))[0])
        turned = pair.i > pair.j
        assert pair.scores["entailment_xy"] == one.scores["entailment_yx" if turned else "entailment_xy"][row]
        assert pair.scores["rouge_l"] == one.scores["rouge_l"][row]


@pytest.mark.parametrize(
    ("composition", "expected"),
    [
        (changed("rouge_l", max=0.96, floor=None), "rouge_l.max is 0.96, beyond the floor 0.95"),
        (changed("entailment", min=0.05, floor=None), "entailment.min is 0.05, beyond the floor 0.1"),
        (changed("diversity", min=0.05, floor=None), "diversity.min is 0.05, beyond the floor 0.1"),
        (changed("similarity", min=None, floor=None), "similarity.min is not set"),
        (changed("entailment", directions="forward"), "pairing"),
        (changed("entailment", model="embedded:encoder"), "entailment were made with models"),
        (COMPOSITION[1:], "Stored scores are by the critics rouge_l, similarity, entailment, diversity"),
    ],
)
def test_beyond_what_was_scored_is_an_error(judged: list[Judged], composition: list, expected: str) -> None:
    with pytest.raises(UserError) as error:
        build_cascade(composition, "cpu").select(judged)
    assert expected in str(error.value)


def test_within_the_floors_no_model_is_loaded(judged: list[Judged]) -> None:
    stricter = build_cascade(changed("entailment", min=0.6, floor=None), "cpu")
    kept, funnel = stricter.select(judged)
    assert not stricter._loaded
    assert funnel.kept == len(kept) <= build_cascade(COMPOSITION, "cpu").select(judged)[1].kept


def test_equal_sentences_are_judged_equally() -> None:
    sentences = ["A man rides a bike.", "A man is on a bike.", "A man rides a bike.", "A man is on a bike."]
    cascade = build_cascade(offline({"entailment": {"min": 0.01}}, {"diversity": {"min": 0.005}}), "cpu")
    [one] = cascade.score([Group("c", sentences)])
    p = {(int(i), int(j)): one.scores["entailment_xy"][row] for row, (i, j) in enumerate(one.pairs)}
    assert p[0, 1] == p[0, 3] == one.scores["entailment_xy"][[*p].index((0, 3))]
    kept, _ = cascade.select([one])
    assert len(kept) == 1
    assert {kept[0].i, kept[0].j} in ({0, 1}, {0, 2}, {1, 3}), "the first of the equal best"


def test_groups_without_pairs() -> None:
    cascade = build_cascade(offline({"rouge_l": {}}, {"entailment": {}}, {"diversity": {}}), "cpu")
    judged = cascade.score([Group("none", []), Group("one", ["A dog."]), Group("given", ["A dog."], np.zeros((0, 2)))])
    kept, funnel = cascade.select(judged)
    assert kept == []
    assert funnel.groups == 3
    assert funnel.table()
    assert cascade.select([]) == ([], Funnel.of(["rouge_l", "entailment", "diversity"]))
    with pytest.raises(ValueError, match="its pairs name others"):
        cascade.score([Group("bad", ["A dog."], np.array([[0, 1]]))])
