"""Scores of single critics against the packages that define them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from idist.critics import Group, build_cascade
from idist.critics.batching import equal_length_batches
from idist.critics.length_ratio import LengthRatio
from idist.critics.nli import EntailmentModel
from idist.critics.numbers import Numbers
from idist.critics.rouge_l import RougeL
from tests.critics.conftest import offline
from tests.critics.reference import Plain, ordered_pairs

WORDS = st.sampled_from(["a", "dog", "Dog", "runs", "r2-d2", "über", "犬", "...", "don't", " ", "İ", "ﬁ", "\ud800"])
SENTENCES = st.lists(st.one_of(WORDS, st.text(max_size=5)), max_size=12).map(" ".join)


@settings(deadline=None, max_examples=200)
@given(st.lists(SENTENCES, min_size=2, max_size=6), st.floats(0, 1))
def test_rouge_l_is_rouge_score(sentences: list[str], ceiling: float) -> None:
    pairs = np.array(ordered_pairs(len(sentences)))
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    expected = [scorer.score(sentences[i], sentences[j])["rougeL"].fmeasure for i, j in pairs]
    critic = RougeL(max=ceiling)
    critic.name = "rouge_l"
    assert critic.score(sentences, pairs).tolist() == expected
    # Stored as float32, decisions are still the reference's, at any threshold and exactly at a score.
    stored = {"rouge_l": np.array(expected, np.float32)}
    for limit in {ceiling, *expected}:
        critic.max = limit
        assert critic.within(sentences, pairs, stored, "threshold").tolist() == [f <= limit for f in expected]


def test_rouge_l_takes_many_different_words() -> None:
    lines = [" ".join(f"w{n}" for n in range(start, start + 30_000)) for start in (0, 30_000, 50_000)]
    scores = RougeL().score(lines, np.array([[0, 1], [1, 2]]))
    assert scores[0] == 0.0
    assert scores[1] == pytest.approx(1 / 3)


def test_length_ratio_and_numbers() -> None:
    sentences = ["It cost 1,000 euros.", "It was 1000.0 euros for 3.", "Free!", ""]
    pairs = np.array([[0, 1], [1, 0], [0, 2], [3, 0], [0, 3]])
    characters = LengthRatio().score(sentences, pairs)
    assert characters[[0, 1, 2, 4]].tolist() == [26 / 20, 20 / 26, 5 / 20, 0.0]
    assert np.isnan(characters[3])
    assert LengthRatio(unit="tokens").score(sentences, pairs)[:2].tolist() == [6 / 4, 4 / 6]
    assert Numbers().score(sentences, pairs).tolist() == [1, 0, 0, 1, 0]


@given(st.lists(st.integers(0, 30)), st.integers(1, 100))
def test_batches_have_one_length_and_every_input_once(lengths: list[int], tokens: int) -> None:
    batches = list(equal_length_batches(lengths, tokens))
    assert sorted(int(n) for batch in batches for n in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len({lengths[n] for n in batch}) == 1
        assert len(batch) == 1 or len(batch) * lengths[batch[0]] <= tokens


def test_entailment_is_that_of_one_pair_at_a_time(
    plain: Plain, candidates: dict[str, list[str]], random_sentences: list[str]
) -> None:
    """Truncated pairs, empty sentences and other scripts among them."""
    model = EntailmentModel("embedded:entailment", "cpu")
    groups = [Group("random", random_sentences), *(Group(name, s[:6]) for name, s in candidates.items())]
    batch = [(group, np.array(ordered_pairs(len(group.sentences)))) for group in groups]
    answers = model.ask(batch)
    assert max(model.lengths(groups[0])) > 512
    for (group, pairs), answer in zip(batch, answers, strict=True):
        expected = [plain.entails(group.sentences[i], group.sentences[j]) for i, j in pairs]
        assert answer[:, 0] == pytest.approx(np.array([p for p, _ in expected]), abs=1e-5)
        assert (answer[:, 1] > 0).tolist() == [likeliest for _, likeliest in expected]
    calls = model.calls
    again = model.ask(batch)
    assert model.calls == calls, "what is known is not asked again"
    assert all((one == other).all() for one, other in zip(answers, again, strict=True))


def test_near_a_threshold_a_pair_goes_through_the_model_alone(plain: Plain, candidates: dict[str, list[str]]) -> None:
    sentences = next(iter(candidates.values()))
    pairs = np.array(ordered_pairs(len(sentences)))
    model = EntailmentModel("embedded:entailment", "cpu")
    exact = np.array([plain.p(sentences[i], sentences[j]) for i, j in pairs], np.float32)
    model.decide_at(exact.tolist())
    assert (model.ask([(Group("c", sentences), pairs)])[0][:, 0] == exact).all()


@pytest.mark.parametrize("kind", ["roberta", "deberta-v2"])
def test_pairs_are_put_together_as_the_models_tokenizer_does(kind: str, tmp_path: Path) -> None:
    """Special tokens, token types and truncation of other families, on small untrained models."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    _save_small_model(kind, tmp_path)
    model = EntailmentModel(str(tmp_path), "cpu")
    reference = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    sentences = ["a dog runs", "the dog sleeps", "a dog runs and sleeps and " * 10, "", "x"]
    pairs = np.array(ordered_pairs(len(sentences)))
    answer = model.ask([(Group("c", sentences), pairs)])[0]
    for (i, j), p in zip(pairs, answer[:, 0], strict=True):
        texts = [sentences[i]], [sentences[j]]
        inputs = tokenizer(*texts, truncation=True, max_length=model.limit, return_tensors="pt")
        with torch.no_grad():
            expected = reference(**inputs).logits[0].softmax(dim=-1)[1]
        assert p == pytest.approx(float(expected), abs=1e-5)
    assert answer[:, 0].std() > 1e-3


def _save_small_model(kind: str, folder: Path) -> None:
    """Forty positions, a vocabulary of words, ``<s> a </s></s> b </s>`` or ``[CLS] a [SEP] b [SEP]``."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedTokenizerFast

    torch.manual_seed(0)
    words = ["<pad>", "<unk>", "<s>", "</s>", "a", "dog", "runs", "the", "sleeps", "and", "x"]
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    roberta = kind == "roberta"
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>" if roberta else "<s>:0 $A:0 </s>:0 $B:1 </s>:1",
        special_tokens=[("<s>", 2), ("</s>", 3)],
    )
    inputs = ["input_ids", "attention_mask"] if roberta else ["input_ids", "token_type_ids", "attention_mask"]
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", model_input_names=inputs
    ).save_pretrained(folder)
    config = AutoConfig.for_model(
        kind,
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=41 if roberta else 40,
        type_vocab_size=1 if roberta else 2,
        pad_token_id=0,
        initializer_range=0.5,
        id2label={0: "contradiction", 1: "entailment", 2: "neutral"},
        label2id={"contradiction": 0, "entailment": 1, "neutral": 2},
    )
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)


def test_similarity_is_the_cosine_of_mean_vectors(plain: Plain, candidates: dict[str, list[str]]) -> None:
    import torch

    from idist.models import load_encoder

    model, tokenizer = load_encoder("embedded:encoder", "cpu")
    sentences = [*next(iter(candidates.values()))[:8], "", "犬"]
    vectors = []
    for sentence in sentences:
        with torch.no_grad():
            hidden = model(**tokenizer(sentence, return_tensors="pt")).last_hidden_state
        vectors.append(torch.nn.functional.normalize(hidden[0].mean(dim=0), dim=0))
    cascade = build_cascade(offline({"similarity": {"min": 0.6, "floor": -1.0}}), "cpu")
    [judged] = cascade.score([Group("c", sentences)])
    expected = np.array([float(vectors[i] @ vectors[j]) for i, j in judged.pairs])
    assert judged.scores["similarity"] == pytest.approx(expected, abs=1e-5)
    kept, _ = cascade.select([judged])
    assert len(kept) == int((expected >= 0.6).sum()) > 0


def test_what_a_model_cannot_read_is_kept_with_its_reason() -> None:
    sentences = ["A dog runs.", "broken \ud800 text", "A dog is running.", "", "A dog walks."]
    cascade = build_cascade(
        offline({"tree_edit_distance": {"min": 0}}, {"similarity": {"min": -1.0}}, {"entailment": {"min": 0.0}}), "cpu"
    )
    [judged] = cascade.score([Group("c", sentences)])
    kept, funnel = cascade.select([judged])
    assert set(judged.failures) == {1, 3}
    assert judged.failures[1].startswith("similarity: not tokenized")
    assert judged.failures[3].startswith("tree_edit_distance: empty")
    counts = {step.name: (step.seen, step.removed, step.failed) for step in funnel.steps}
    assert counts == {"similarity": (10, 4, 4), "tree_edit_distance": (6, 3, 3), "entailment": (3, 0, 0)}
    assert len(kept) == 3
