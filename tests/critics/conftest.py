"""Candidates that the embedded teacher really writes, and the reference scores; made once for all tests here."""

from __future__ import annotations

import random

import pytest

from idist.decoding import Decoder, Sampling
from idist.models import load_causal_lm
from tests.critics.reference import Plain

CONTEXTS = (
    "A man in a blue shirt is riding a bike down the street.",
    "Two children are playing in the park near a fountain. Their mother is watching them.",
)
# Whatever the teacher says, there are pairs here that entail each other and differ in form.
PARAPHRASES = [
    "A boy is throwing a ball.",
    "A ball is being thrown by a boy.",
    "A boy throws a ball.",
    "There is a boy who is throwing a ball.",
    "A child is throwing a ball.",
    "A kid throws a ball.",
    "Nobody is throwing a ball.",
    "Two women are walking their dogs in the park.",
    "In the park, two women are walking their dogs.",
    "Two ladies walk with their dogs through a park.",
    "Two women walk dogs.",
    "A man is sleeping.",
]
EMBEDDED = {
    "tree_edit_distance": {"parser": "embedded:parser"},
    "similarity": {"model": "embedded:encoder"},
    "entailment": {"model": "embedded:entailment"},
    "diversity": {"model": "embedded:entailment"},
}


def offline(*critics: dict[str, dict]) -> list[dict[str, dict]]:
    """A composition on the models that ship with the package."""
    return [{name: {**EMBEDDED.get(name, {}), **s} for name, s in critic.items()} for critic in critics]


@pytest.fixture(scope="session")
def plain() -> Plain:
    return Plain()


@pytest.fixture(scope="session")
def candidates() -> dict[str, list[str]]:
    """Context id -> 12 sentences: the shortest that the teacher writes (they entail each other), and ours."""
    model, tokenizer = load_causal_lm("embedded:teacher", "cpu")
    decoder = Decoder(model, tokenizer, Sampling(no_repeat_ngram_size=0, max_new_tokens=40))
    ids = [f"c{n:06d}" for n in range(len(CONTEXTS))]
    samples = decoder.next_sentences(CONTEXTS, ids, k=60, seed=0)
    written = {name: sorted(set(row), key=lambda s: (len(s), s))[:12] for name, row in zip(ids, samples, strict=True)}
    return {**written, "ours": PARAPHRASES}


@pytest.fixture(scope="session")
def random_sentences() -> list[str]:
    """Strings as no model expects them, some of them nearly the same; more than once the same words."""
    generator = random.Random(0)
    words = ["a", "dog", "cat", "sleeps", "runs", "the", "The", "is", "not", "3", "1,000", "élan", "犬", "...", "?"]
    lines = [" ".join(generator.choices(words, k=generator.randint(1, 9))) for _ in range(7)]
    return [*lines, "", "!?", lines[0].upper(), f" {lines[1]}. ", "a dog sleeps", "a dog is a dog " * 200]
