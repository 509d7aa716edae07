"""Keywords of a source, and sentences held to them: against a plain reference, and against ``generate``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LogitsProcessor, LogitsProcessorList, SequenceBiasLogitsProcessor

from idist.decoding import Decoder, Sampling
from idist.decoding.keywords import KeywordBias, keywords, token_forms
from idist.errors import UserError
from idist.text import first_sentence
from tests.critics.random_models import save_qwen_tokenizer, save_tokenizer

from .conftest import SMALL, Loaded

CONTEXTS = ["A man in a blue shirt is riding a bike down the street.", "", "Two dogs run. It is cold."]
SOURCES = ["The man is wearing a helmet.", "A girl in a red dress jumps over a puddle.", "The brown dog has a ball."]
IDS = ["c0", "c1", "c2"]
Prompts = list[list[list[list[int]]]]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("The man is riding a bike with the man's dog.", ["man", "riding", "bike", "man's", "dog"]),
        ("Dogs, dogs and a DOG!", ["dogs", "DOG"]),
        ("NASA said 3 of 12 rockets don't fly.", ["NASA", "3", "12", "rockets", "fly"]),
        ("A well-known X-ray by Dr. J. Holt", ["well-known", "X-ray", "Dr", "Holt"]),
        ("Él lleva una camisa azul.", ["él", "lleva", "una", "camisa", "azul"]),
        ("It is what it is.", []),
        ("", []),
    ],
)
def test_keywords(sentence: str, expected: list[str]) -> None:
    assert keywords(sentence) == expected


def test_forms_are_the_tokens_within_a_text(teacher: Loaded) -> None:
    tokenizer = teacher[1]
    for word in ("dog", "skateboarding", "Holt", "well-known"):
        for form, spelling in zip(token_forms(tokenizer, word), dict.fromkeys((word, word.capitalize())), strict=False):
            assert tokenizer.decode(form) == f" {spelling}"
            whole = tokenizer(f"The boy saw {tokenizer.decode(form).strip()} again.")["input_ids"]
            assert any(whole[at : at + len(form)] == form for at in range(len(whole)))
    assert len(token_forms(tokenizer, "NASA")) == 1


@pytest.mark.parametrize("kind", ["plain", "roberta", "qwen"])
def test_forms_of_other_tokenizers(kind: str, tmp_path: Any) -> None:
    from transformers import AutoTokenizer

    save_qwen_tokenizer(tmp_path) if kind == "qwen" else save_tokenizer(tmp_path, kind)
    if kind == "qwen":
        (tmp_path / "config.json").write_text('{"model_type": "qwen2"}')
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    lower = token_forms(tokenizer, "dog")[0]
    assert tokenizer.decode(lower).strip() == "dog"  # no <s> among them
    sentence = tokenizer("the dog sleeps", add_special_tokens=False)["input_ids"]
    assert any(sentence[at : at + len(lower)] == lower for at in range(len(sentence)))


def favoured(words: list[list[list[int]]], written: list[int]) -> set[int]:
    """Tokens that go on with a keyword which is not there yet, one form at a time."""

    def there(form: list[int]) -> bool:
        return any(written[at : at + len(form)] == form for at in range(len(written)))

    return {
        form[size]
        for forms in words
        if not any(there(form) for form in forms)
        for form in forms
        for size in range(len(form))
        if size <= len(written) and written[len(written) - size :] == form[:size]
    }


FORM = st.lists(st.integers(0, 4), min_size=1, max_size=4)
WORDS = st.lists(st.lists(FORM, min_size=1, max_size=2), max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=3), st.data())
def test_the_bias_is_that_of_the_definition(prompts: Prompts, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, 6))
    rows = data.draw(st.lists(st.integers(0, len(prompts) - 1), min_size=1, max_size=5))
    text = st.lists(st.integers(0, 4), min_size=length, max_size=length)
    written = [data.draw(text) for _ in rows]
    logits = torch.zeros(len(rows), 6)
    logits[:, 2] = float("-inf")
    KeywordBias(prompts, 1.5)(logits, np.array(rows), np.array(written, np.int64).reshape(len(rows), length))
    for row, prompt in enumerate(rows):
        expected = [1.5 * (token in favoured(prompts[prompt], written[row])) for token in range(6)]
        assert logits[row].tolist() == [*expected[:2], float("-inf"), *expected[3:]]


def test_while_no_keyword_is_there_it_is_transformers_bias_of_sequences() -> None:
    words = [[[5, 6, 7]], [[8, 9]], [[10]]]
    sequences = {tuple(form[:size]): 2.0 for (form,) in words for size in range(1, len(form) + 1)}
    written = torch.tensor([[1, 5, 6], [1, 2, 8], [5, 6, 5], [1, 2, 3]])
    scores = torch.randn(4, 12, generator=torch.Generator().manual_seed(0))
    expected = SequenceBiasLogitsProcessor([[list(key), value] for key, value in sequences.items()])(written, scores)
    KeywordBias([words], 2.0)(scores, np.zeros(4, int), written.numpy())
    torch.testing.assert_close(scores, expected)


class Reference(LogitsProcessor):
    """The bias for ``generate``, one prompt at a time."""

    def __init__(self, words: list[list[list[int]]], bias: float, start: int) -> None:
        self.words, self.bias, self.start = words, bias, start

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        for row, ids in enumerate(input_ids[:, self.start :].tolist()):
            for token in favoured(self.words, ids):
                scores[row, token] += self.bias
        return scores


@pytest.mark.parametrize("name", [*SMALL, "teacher"])
def test_greedy_tokens_are_those_of_generate(
    name: str, teacher: Loaded, small: Callable[[str], Loaded], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tokenizer = teacher if name == "teacher" else small(name)
    decoder = Decoder(model, tokenizer, Sampling(0.0, max_new_tokens=16, min_characters=1))
    whole: list[list[str]] = []
    sample = decoder._sample

    def remember(*given: Any, stop: Any, **more: Any) -> list[list[str]]:
        whole.extend(sample(*given, **more))  # without the end of the sentence: random models hardly come to one
        return whole

    monkeypatch.setattr(decoder, "_sample", remember)
    decoder.restatements(CONTEXTS, SOURCES, IDS, 2, seed=0, bias=3.0)
    for context, source, ours in zip(CONTEXTS, SOURCES, whole, strict=True):
        prompt = tokenizer(f"{context} {source}".strip(), return_tensors="pt")
        start = prompt["input_ids"].shape[1]
        reference = Reference([token_forms(tokenizer, word) for word in keywords(source)], 3.0, start)
        output = model.generate(
            **{key: prompt[key] for key in ("input_ids", "attention_mask")},
            do_sample=False,
            max_new_tokens=16,
            no_repeat_ngram_size=3,
            begin_suppress_tokens=[tokenizer.eos_token_id],
            logits_processor=LogitsProcessorList([reference]),
            pad_token_id=tokenizer.pad_token_id,
        )
        assert ours == [tokenizer.decode(output[0, start:], skip_special_tokens=True)] * 2


def test_same_sentences_whatever_the_batch(teacher: Loaded) -> None:
    sampling = Sampling(temperature=0.8, top_p=0.9, max_new_tokens=24)
    together = Decoder(*teacher, sampling).restatements(CONTEXTS, SOURCES, IDS, 10, 3, 2.0)
    assert all(len(set(row)) > 2 for row in together)
    turned = Decoder(*teacher, sampling).restatements(CONTEXTS[::-1], SOURCES[::-1], IDS[::-1], 10, 3, 2.0)
    assert turned == together[::-1]
    for context, source, identifier, row in zip(CONTEXTS, SOURCES, IDS, together, strict=True):
        in_parts = Decoder(*teacher, sampling, max_rows=4)
        assert in_parts.restatements([context], [source], [identifier], 10, 3, 2.0) == [row]


def test_a_larger_bias_brings_back_more_of_the_keywords(teacher: Loaded) -> None:
    decoder = Decoder(*teacher, Sampling(no_repeat_ngram_size=0, max_new_tokens=30))
    found = []
    for bias in (0.0, 3.0, 20.0):
        rows = decoder.restatements(CONTEXTS, SOURCES, IDS, 20, 0, bias)
        shares = [
            np.mean([word in text.lower() for word in keywords(source)])
            for source, row in zip(SOURCES, rows, strict=True)
            for text in row
        ]
        found.append(float(np.mean(shares)))
    assert found[0] + 0.1 < found[1] < found[2] and found[2] > 0.95


def test_without_a_bias_it_is_the_next_sentence_after_both(teacher: Loaded) -> None:
    decoder = Decoder(*teacher, Sampling(0.0, max_new_tokens=30))
    plain = decoder.next_sentences([f"{c} {s}" for c, s in zip(CONTEXTS, SOURCES, strict=True)], IDS, 1, 0)
    assert decoder.restatements(CONTEXTS, SOURCES, IDS, 1, 0, 0.0) == plain != [[]] * 3
    assert all(first_sentence(text) == text for row in plain for text in row)


def test_sources_without_keywords_and_nothing_to_do(teacher: Loaded) -> None:
    decoder = Decoder(*teacher, Sampling(max_new_tokens=30))
    free = decoder.restatements(CONTEXTS[:1], ["It is what it is."], ["a"], 8, 0, 0.0)
    assert decoder.restatements(CONTEXTS[:1], ["It is what it is."], ["a"], 8, 0, 5.0) == free
    assert decoder.restatements([], [], [], 8, 0, 5.0) == []
    with pytest.raises(UserError, match="positions"):
        Decoder(*teacher, Sampling(max_new_tokens=2000)).restatements(["A."], ["B."], ["a"], 2, 0, 1.0)
