"""Critics of single sentences: `classifier` and `perplexity` against transformers, one text at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idist.critics import Group, Judged, build_cascade
from idist.critics.likelihood import CausalLikelihood
from idist.critics.text_classifier import TextClassifier
from idist.errors import UserError
from idist.models import longest_input
from tests.critics.random_models import ENGLISH, FRENCH, TEXTS, save_causal_lm, save_classifier, save_tokenizer
from tests.critics.reference import ordered_pairs

SENTENCES = st.lists(st.sampled_from([*ENGLISH, *FRENCH, "."]), min_size=1, max_size=20).map(" ".join)
GROUPS = st.lists(SENTENCES, min_size=2, max_size=5)


def perplexity(model: Any, tokenizer: Any, text: str) -> float:
    """By the loss that transformers gives, with the token for the beginning (Qwen: the end) of a text before it."""
    import torch

    first = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    ids = torch.tensor([[first, *tokenizer(text, add_special_tokens=False)["input_ids"]]])
    with torch.no_grad():
        return float(model(ids, labels=ids).loss.exp())


def judge(composition: list[dict[str, Any]], *groups: list[str]) -> list[Judged]:
    return build_cascade(composition, "cpu").score([Group(f"g{n}", group) for n, group in enumerate(groups)])


@pytest.mark.parametrize(
    ("kind", "labels", "problem"),
    [
        ("roberta", ["neutral", "toxic"], None),
        ("xlm-roberta", ["a", "b", "c"], "single_label_classification"),
        ("deberta-v2", ["toxic", "insult", "threat"], "multi_label_classification"),
        ("roberta", ["score"], None),
        ("roberta", ["formality"], "regression"),
        ("gpt2", ["neutral", "toxic"], None),
    ],
)
def test_classifier_is_the_pipeline_of_transformers(
    kind: str, labels: list[str], problem: str | None, tmp_path: Path
) -> None:
    from transformers import pipeline

    padding = {"pad_token_id": None} if kind == "gpt2" else {}  # as most decoders of the Hub have it
    folder = save_classifier(kind, tmp_path, labels, problem=problem, **padding)
    reference = pipeline("text-classification", model=folder, tokenizer=folder, device="cpu")
    texts = [*TEXTS, *TEXTS[:2], "the dog " * 60]
    classifier = TextClassifier(folder, "cpu")
    scores, reasons = classifier.scores(texts)
    assert not reasons
    cut = {"truncation": True, "max_length": longest_input(classifier.model, classifier.tokenizer)}
    expected = [{row["label"]: row["score"] for row in reference(text, top_k=None, **cut)} for text in texts]
    assert scores == pytest.approx(np.array([[row[label] for label in labels] for row in expected]), abs=1e-5)
    assert scores.std(axis=0).min() > 1e-3


@pytest.mark.parametrize(
    ("kind", "tokenizer"), [("gpt2", "plain"), ("bloom", "start"), ("qwen2", "plain"), ("xglm", "start")]
)
def test_perplexity_is_that_of_the_models_loss(kind: str, tokenizer: str, tmp_path: Path) -> None:
    from idist.models import load_causal_lm

    folder = save_causal_lm(kind, tmp_path, tokenizer=tokenizer)
    model, tokens = load_causal_lm(folder, "cpu")
    composition = [{"perplexity": {"model": folder, "side": "both"}}]
    [judged] = judge(composition, TEXTS)
    expected = np.array([perplexity(model, tokens, text) for text in TEXTS])
    ends = np.sort(expected[judged.pairs], axis=1)
    assert judged.scores["perplexity_low"] == pytest.approx(ends[:, 0], rel=1e-5)
    assert judged.scores["perplexity_high"] == pytest.approx(ends[:, 1], rel=1e-5)
    assert expected.std() > 1e-3


@pytest.fixture(scope="module")
def toxic(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_classifier("roberta", tmp_path_factory.mktemp("toxic"), ["neutral", "toxic"])


@pytest.fixture(scope="module")
def formal(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_classifier("xlm-roberta", tmp_path_factory.mktemp("formal"), ["formal", "informal"], seed=1)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_causal_lm("gpt2", tmp_path_factory.mktemp("teacher"))


@pytest.fixture(scope="module")
def alone(toxic: str) -> TextClassifier:
    return TextClassifier(toxic, "cpu")


@settings(deadline=None, max_examples=25)
@given(
    groups=st.lists(GROUPS, min_size=1, max_size=3),
    side=st.sampled_from(["x", "y", "both"]),
    low=st.floats(0, 1),
    high=st.floats(0, 1),
)
def test_pairs_are_those_within_both_thresholds(
    toxic: str, alone: TextClassifier, groups: list[list[str]], side: str, low: float, high: float
) -> None:
    """With floors anywhere looser, and pairs judged once or in order."""
    asked = {"model": toxic, "label": "toxic", "side": side, "min": low, "max": high}
    cascade = build_cascade([{"classifier": asked | {"floor": low / 2, "ceiling": (1 + high) / 2}}], "cpu")
    given_groups = [Group(f"g{n}", texts) for n, texts in enumerate(groups)]
    kept, _ = cascade.select(cascade.score(given_groups))
    expected = set()
    for group in given_groups:
        p = {text: alone.scores([text])[0][0, 1] for text in group.sentences}
        for i, j in ordered_pairs(len(group.sentences)):
            ends = {"x": [i], "y": [j], "both": [i, j]}[side]
            if all(np.float32(low) <= p[group.sentences[end]] <= np.float32(high) for end in ends):
                expected.add((group.id, i, j))
    found = {(pair.group_id, pair.i, pair.j) for pair in kept}
    if cascade.judged_once:
        found |= {(name, j, i) for name, i, j in found}
    assert cascade.judged_once == (side == "both")
    assert found == expected


def test_each_distinct_sentence_is_scored_once(toxic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    scores = TextClassifier.scores

    def watched(self: TextClassifier, texts: list[str], alone: bool = False) -> Any:
        seen.extend(texts)
        return scores(self, texts, alone)

    monkeypatch.setattr(TextClassifier, "scores", watched)
    judge([{"classifier": {"model": toxic, "label": "toxic"}}], TEXTS, [*TEXTS[2:], "a new one."], TEXTS[:2])
    assert sorted(seen) == sorted({*TEXTS, "a new one."})
    seen.clear()
    judge([{"numbers": {}}, {"classifier": {"model": toxic, "label": "toxic", "side": "x"}}], ["a 1.", "2.", "3 2."])
    assert seen == ["3 2."], "sentences of no pair that is left, or of the other side alone, are not asked"


def test_near_a_threshold_a_sentence_goes_through_the_model_alone(toxic: str, teacher: str) -> None:
    p = TextClassifier(toxic, "cpu").scores(TEXTS, alone=True)[0][:, 1]
    for value in p:
        kept = judge([{"classifier": {"model": toxic, "label": "toxic", "min": float(value)}}], TEXTS)
        assert (kept[0].scores["classifier"][kept[0].j == np.flatnonzero(p == value)[0]] == value).all()
    model = CausalLikelihood(teacher, "cpu")
    tokens, _ = model.tokens(TEXTS)
    for n, ids in enumerate(tokens):
        exact = float(np.exp(-model.log_p([([], ids)])[0] / len(ids)))
        [judged] = judge([{"perplexity": {"model": teacher, "max": exact}}], TEXTS)
        assert (judged.scores["perplexity"][judged.j == n] == np.float32(exact)).all()


def test_two_of_a_kind_have_names_and_columns_of_their_own(toxic: str, formal: str) -> None:
    composition = [
        {"toxicity": {"kind": "classifier", "model": toxic, "label": "Toxic", "max": 1.0, "side": "both"}},
        {"formality": {"kind": "classifier", "model": formal, "label": "formal", "min": 0.0}},
        {"classifier": {"model": toxic, "label": "neutral"}},
    ]
    cascade = build_cascade(composition, "cpu")
    assert cascade.score_columns == ["toxicity_low", "toxicity_high", "formality", "classifier"]
    [judged] = cascade.score([Group("g", TEXTS)])
    neutral, high = judged.scores["classifier"], judged.scores["toxicity_high"]
    assert (1 - neutral <= high + 1e-6).all() and (judged.scores["toxicity_low"] <= high).all()
    expected = TextClassifier(formal, "cpu").scores(TEXTS)[0][:, 0]
    assert judged.scores["formality"] == pytest.approx(expected[judged.j], abs=1e-6)
    kept, funnel = cascade.select([judged])
    assert [step.name for step in funnel.steps] == ["toxicity", "formality", "classifier"]
    assert len(kept) == len(judged.i)


def test_what_cannot_be_scored_keeps_its_reason(toxic: str, teacher: str) -> None:
    texts = ["the dog.", "", "\ud800", " ".join(["the dog"] * 30), "le chat."]
    composition = [{"classifier": {"model": toxic, "label": "toxic"}}, {"perplexity": {"model": teacher}}]
    [judged] = judge(composition, texts)
    assert judged.failures == {
        1: "perplexity: no tokens",
        2: "classifier: not tokenized: invalid text; perplexity: not tokenized: invalid text",
        3: "perplexity: 60 tokens, the model reads 48",
    }
    assert (np.isnan(judged.scores["perplexity"]) == np.isin(judged.j, [1, 2, 3])).all()
    cascade = build_cascade([{"perplexity": {"model": teacher, "max": 1e9}}], "cpu")
    kept, funnel = cascade.select(cascade.score([Group("g", texts)]))
    assert {pair.j for pair in kept} == {0, 4}
    assert funnel.steps[0].failed == funnel.steps[0].removed == 12


def test_a_tokenizer_without_a_first_token_is_refused(tmp_path: Path) -> None:
    save_causal_lm("gpt2", tmp_path)
    save_tokenizer(tmp_path, bos_token=None, eos_token=None)
    with pytest.raises(UserError, match="without a token for the beginning or the end of a text"):
        CausalLikelihood(str(tmp_path), "cpu")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"label": "toxik"}, "has no label 'toxik'; did you mean 'toxic'?"),
        ({}, "has the labels neutral, toxic; set label to one of them"),
        ({"label": "toxic", "max": 50.0}, "toxicity.max is 50, expected a probability from 0 to 1"),
        ({"label": "toxic", "max": 0.5, "ceiling": 2.0}, "toxicity.ceiling is 2, expected a probability"),
    ],
)
def test_labels_and_thresholds_that_the_model_does_not_have(
    toxic: str, settings: dict[str, Any], expected: str
) -> None:
    with pytest.raises(UserError) as error:
        judge([{"toxicity": {"kind": "classifier", "model": toxic, **settings}}], TEXTS)
    assert expected in str(error.value) and str(error.value).startswith("toxicity")


@pytest.mark.parametrize(
    ("composition", "expected"),
    [
        ([{"classifier": {"label": "toxic"}}], "critics: classifier.model is not set, and has no default."),
        ([{"tox": {"kind": "clasifier"}}], "unknown critic 'clasifier'; did you mean 'classifier'?"),
        ([{"tox": {"kind": 3}}], "tox.kind is 3, expected the name of a critic"),
        ([{"rouge_l": {"kind": "numbers"}}], "'rouge_l' is a critic itself"),
        ([{"to xic": {"kind": "numbers"}}], "'to xic' is no name for a critic"),
        ([{"numbers": {}}, {"numbers": {}}], "'numbers' is named twice"),
        ([{"a": {"kind": "numbers"}}, {"a": {"kind": "rouge_l"}}], "'a' is named twice"),
        ([{"x": {"kind": "numbers"}}], "'x' would write its scores into the column 'x' of the pairs themselves"),
        (
            [{"entailment": {}}, {"entailment_yx": {"kind": "numbers"}}],
            "'entailment_yx' would write its scores into the column 'entailment_yx' of entailment",
        ),
        ([{"tox": {"kind": "perplexity", "max": 0.5}}], "tox.max is 0.5, expected 1 or more"),
        ([{"perplexity": {"max": 50, "ceiling": 40}}], "perplexity.ceiling is 40, stricter than perplexity.max"),
        ([{"perplexity": {"side": "z"}}], "expected one of: x, y, both"),
    ],
)
def test_refused_before_anything_is_loaded(composition: list[dict[str, Any]], expected: str) -> None:
    with pytest.raises(UserError) as error:
        build_cascade(composition)
    assert expected in str(error.value)


def test_kind_may_name_a_class_of_another_module() -> None:
    cascade = build_cascade([{"digits": {"kind": "idist.critics.numbers:Numbers", "max": 0}}])
    assert cascade.score_columns == ["digits"]
