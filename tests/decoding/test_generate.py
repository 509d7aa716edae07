"""The same tokens and the same frequencies as transformers' ``generate`` with the same settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from idist.decoding import Decoder, Sampling
from idist.text import first_sentence

from .conftest import SMALL, Loaded

PROMPTS = [
    "A man in a blue shirt is riding a bike down the street. A dog",
    "Two",
    "The children are playing in the park, and the children are playing in the snow. The children are",
]
IDS = ["a", "b", "c"]


def generate(model: Any, tokenizer: Any, text: str, banned: list[int] = [], **settings: Any) -> list[str]:  # noqa: B006
    """What ``generate`` writes after one text, unpadded."""
    inputs = tokenizer(text, return_tensors="pt")
    if not model.config.is_encoder_decoder:
        settings["begin_suppress_tokens"] = [tokenizer.eos_token_id]
    with torch.inference_mode():
        output = model.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            suppress_tokens=banned or None,
            top_k=0,
            pad_token_id=tokenizer.pad_token_id,
            **settings,
        )
    start = 1 if model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
    return [text.strip() for text in tokenizer.batch_decode(output[:, start:], skip_special_tokens=True)]


@pytest.mark.parametrize("ngram", [0, 1, 3])
@pytest.mark.parametrize("name", [*SMALL, "teacher"])
def test_greedy_tokens(name: str, ngram: int, teacher: Loaded, small: Callable[[str], Loaded]) -> None:
    model, tokenizer = teacher if name == "teacher" else small(name)
    sampling = Sampling(0.0, no_repeat_ngram_size=ngram, max_new_tokens=30, banned_tokens=("is", "\n"))
    decoder = Decoder(model, tokenizer, sampling)
    banned = decoder.vocabulary.banned_ids(sampling.banned_tokens)
    ours = decoder.continuations(PROMPTS, IDS, 2, seed=0)
    for prompt, pair in zip(PROMPTS, ours, strict=True):
        expected = generate(
            model, tokenizer, prompt, banned, do_sample=False, max_new_tokens=30, no_repeat_ngram_size=ngram
        )
        assert pair == expected * 2
        assert "is" not in pair[0]


@pytest.mark.parametrize("name", ["student", "bart"])
@pytest.mark.parametrize("ngram", [0, 2])
def test_greedy_rewriting(name: str, ngram: int, student: Loaded) -> None:
    model, tokenizer = student
    if name == "bart":
        config = transformers.BartConfig(
            vocab_size=len(tokenizer), d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4
        )
        config.update({"decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "init_std": 0.3})
        config.update({"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 1, "decoder_start_token_id": 1})
        config.update({"forced_eos_token_id": None})
        torch.manual_seed(0)
        model = transformers.BartForConditionalGeneration(config).eval()
    decoder = Decoder(model, tokenizer, Sampling(0.0, no_repeat_ngram_size=ngram, max_new_tokens=30))
    ours = decoder.rewrite(PROMPTS, IDS, 2, seed=0)
    for source, pair in zip(PROMPTS, ours, strict=True):
        (text,) = generate(model, tokenizer, source, do_sample=False, max_new_tokens=30, no_repeat_ngram_size=ngram)
        assert pair == [" ".join(text.split())] * 2


def test_the_banned_tokens_change_something(teacher: Loaded) -> None:
    free = Decoder(*teacher, Sampling(0.0, max_new_tokens=10)).continuations(PROMPTS, IDS, 1, seed=0)
    assert any("is" in texts[0] for texts in free)


def test_first_tokens_have_the_frequencies_of_generate(teacher: Loaded) -> None:
    model, tokenizer = teacher
    draws = 1500
    sampling = Sampling(temperature=1.0, top_p=0.9, no_repeat_ngram_size=2, max_new_tokens=1)
    decoder = Decoder(model, tokenizer, sampling, max_rows=1500)
    prompt = "A man"
    ours = Counter(decoder.continuations([prompt], ["a"], draws, seed=0)[0])
    torch.manual_seed(0)
    settings = {"temperature": 1.0, "top_p": 0.9, "no_repeat_ngram_size": 2, "max_new_tokens": 1}
    theirs = Counter(generate(model, tokenizer, prompt, do_sample=True, num_return_sequences=draws, **settings))
    assert {w for w, c in ours.items() if c > 30} <= set(theirs)
    # two samples of the same size: (a - b)^2 / (a + b) summed is chi-square with one degree of freedom a word
    common = [word for word in theirs if ours[word] + theirs[word] >= 10]
    assert len(common) > 10
    statistic = sum((ours[w] - theirs[w]) ** 2 / (ours[w] + theirs[w]) for w in common)
    assert statistic < len(common) + 4 * np.sqrt(2 * len(common))


def test_whole_sentences_have_the_frequencies_of_generate(teacher: Loaded) -> None:
    model, tokenizer = teacher
    draws, prompt = 800, "Two dogs run."
    decoder = Decoder(model, tokenizer, Sampling(temperature=0.7, top_p=0.8, max_new_tokens=14), max_rows=400)
    ours = Counter(decoder.next_sentences([prompt], ["a"], draws, seed=1)[0])
    torch.manual_seed(1)
    settings = {"temperature": 0.7, "top_p": 0.8, "no_repeat_ngram_size": 3, "max_new_tokens": 14}
    texts = generate(model, tokenizer, prompt, do_sample=True, num_return_sequences=draws, **settings)
    theirs = Counter(sentence for text in texts if (sentence := first_sentence(text)))
    common = [s for s in ours | theirs if ours[s] + theirs[s] >= 10]
    assert len(common) > 5
    statistic = sum((ours[s] - theirs[s]) ** 2 / (ours[s] + theirs[s]) for s in common)
    assert statistic < len(common) + 4 * np.sqrt(2 * len(common))
