"""Pointwise mutual information against a causal LM of transformers, one pair at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idist.critics import Group, Judged, build_cascade
from idist.critics.likelihood import CausalLikelihood
from idist.models import load_causal_lm
from tests.critics.random_models import ENGLISH, FRENCH, TEXTS, save_causal_lm

SENTENCES = st.lists(st.sampled_from([*ENGLISH, *FRENCH]), min_size=1, max_size=12).map(" ".join)


class Direct:
    """log p of a text after another, by the model alone."""

    def __init__(self, folder: str) -> None:
        self.model, self.tokenizer = load_causal_lm(folder, "cpu")

    def ids(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def log_p(self, target: str, given: str = "") -> float:
        import torch

        context = [self.tokenizer.bos_token_id, *self.ids(given)] if given else [self.tokenizer.bos_token_id]
        target_ids = self.ids(f" {target}")
        with torch.no_grad():
            logits = self.model(torch.tensor([(context + target_ids)[:-1]])).logits[0].double()
        steps = logits.log_softmax(dim=-1)[len(context) - 1 :]
        return float(steps.gather(1, torch.tensor(target_ids)[:, None]).sum())

    def pmi(self, x: str, y: str, aspect: str, per: str) -> float:
        given, guessed = (y, x) if aspect == "saliency" else (x, y)
        value = self.log_p(guessed, given) - self.log_p(guessed)
        return value / len(self.ids(f" {guessed}")) if per == "token" else value


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_causal_lm("gpt2", tmp_path_factory.mktemp("gpt2"))


@pytest.fixture(scope="module")
def direct(folder: str) -> Direct:
    return Direct(folder)


def judge(folder: str, groups: list[list[str]], **settings: Any) -> list[Judged]:
    cascade = build_cascade([{"pmi": {"model": folder, "min": None, **settings}}], "cpu")
    return cascade.score([Group(f"g{n}", texts) for n, texts in enumerate(groups)])


@settings(deadline=None, max_examples=12)
@given(
    groups=st.lists(st.lists(SENTENCES, min_size=2, max_size=4), min_size=1, max_size=3),
    aspect=st.sampled_from(["saliency", "faithfulness"]),
    per=st.sampled_from(["pair", "token"]),
)
def test_scores_are_the_models_own(folder: str, direct: Direct, groups: list[list[str]], aspect: str, per: str) -> None:
    for judged in judge(folder, groups, aspect=aspect, per=per):
        assert len(judged.i) == len(judged.sentences) * (len(judged.sentences) - 1), "judged in both orders"
        expected = [direct.pmi(judged.sentences[i], judged.sentences[j], aspect, per) for i, j in judged.pairs]
        assert judged.scores["pmi"] == pytest.approx(np.array(expected), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(("kind", "tokenizer"), [("bloom", "plain"), ("xglm", "start")])
def test_other_architectures(kind: str, tokenizer: str, tmp_path: Path) -> None:
    """One of them has no `logits_to_keep` to spare the logits of what is given, or no limit to its positions."""
    folder = save_causal_lm(kind, tmp_path, tokenizer=tokenizer)
    direct = Direct(folder)
    for aspect in ("saliency", "faithfulness"):
        [judged] = judge(folder, [TEXTS], aspect=aspect)
        expected = [direct.pmi(TEXTS[i], TEXTS[j], aspect, "pair") for i, j in judged.pairs]
        assert judged.scores["pmi"] == pytest.approx(np.array(expected), rel=1e-4, abs=1e-4)


def test_the_order_of_a_batch_and_its_company_do_not_matter(folder: str) -> None:
    [together] = judge(folder, [TEXTS])
    [backwards] = judge(folder, [TEXTS[::-1]])
    pairs = {(TEXTS[i], TEXTS[j]): s for (i, j), s in zip(together.pairs, together.scores["pmi"], strict=True)}
    for (i, j), score in zip(backwards.pairs, backwards.scores["pmi"], strict=True):
        assert score == pytest.approx(pairs[backwards.sentences[i], backwards.sentences[j]], abs=1e-4)


def test_a_text_alone_is_asked_once(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[list[int], list[int]]] = []
    log_p = CausalLikelihood.log_p

    def watched(self: CausalLikelihood, requests: Any, alone: bool = False) -> Any:
        asked.extend(requests)
        return log_p(self, requests, alone)

    monkeypatch.setattr(CausalLikelihood, "log_p", watched)
    judge(folder, [TEXTS, TEXTS[2:]])
    assert sum(not context for context, _ in asked) == len(TEXTS)
    assert sum(bool(context) for context, _ in asked) == len(TEXTS) * (len(TEXTS) - 1), "pairs of both groups once"


def test_near_a_threshold_a_pair_goes_through_the_model_alone(folder: str) -> None:
    model = CausalLikelihood(folder, "cpu")
    texts = TEXTS[:4]
    plain, _ = model.tokens(texts)
    spaced, _ = model.tokens([f" {text}" for text in texts])
    for i, j in ((0, 1), (3, 2)):
        exact = float(model.log_p([(plain[j], spaced[i])])[0] - model.log_p([([], spaced[i])])[0])
        [judged] = judge(folder, [texts], min=exact)
        assert judged.scores["pmi"][(judged.i == i) & (judged.j == j)] == np.float32(exact)


def test_long_texts(folder: str, direct: Direct) -> None:
    """The model reads 48 tokens: what is given loses its beginning; what is guessed must fit."""
    words = [ENGLISH[n % len(ENGLISH)] for n in range(60)]
    texts = [" ".join(words[:30]), " ".join(words[30:55]), " ".join(words), ""]
    [judged] = judge(folder, [texts])
    assert judged.failures == {2: "pmi: 60 tokens, the model reads 48", 3: "pmi: no tokens"}
    scores = {(i, j): s for (i, j), s in zip(judged.pairs.tolist(), judged.scores["pmi"], strict=True)}
    assert {pair for pair, score in scores.items() if not np.isnan(score)} == {(0, 1), (1, 0)}
    cut = " ".join(texts[1].split()[-18:])
    assert scores[0, 1] == pytest.approx(direct.log_p(texts[0], cut) - direct.log_p(texts[0]), abs=1e-4)


def test_a_teacher_finds_a_text_likelier_after_one_of_the_same_scene() -> None:
    """The embedded teacher, on average over pairs; saliency and faithfulness in one composition."""
    scenes = [
        ["A man is playing the guitar on a street corner.", "A man plays music in the street."],
        ["Two dogs are running through the snow.", "Dogs run in the snow."],
        ["A woman is cutting vegetables in the kitchen.", "A woman prepares food in a kitchen."],
    ]
    texts = [text for scene in scenes for text in scene]
    composition = [
        {"saliency": {"kind": "pmi", "model": "embedded:teacher", "min": None}},
        {"faithfulness": {"kind": "pmi", "aspect": "faithfulness", "model": "embedded:teacher", "min": None}},
    ]
    [judged] = build_cascade(composition, "cpu").score([Group("g", texts)])
    same = judged.i // 2 == judged.j // 2
    for column in ("saliency", "faithfulness"):
        assert judged.scores[column][same].mean() > judged.scores[column][~same].mean() + 1
