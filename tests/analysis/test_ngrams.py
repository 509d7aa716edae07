"""Counting n-grams: a plain Counter is the reference, however little memory there is."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from idist.analysis.ngrams import NgramCounts, entropy
from idist.analysis.words import Words

# few words, so that n-grams come again; and some whose numbers do not fit into a third of 63 bits
NUMBERS = st.one_of(st.integers(0, 4), st.integers(2**21 - 2, 2**21 + 2), st.just(2**32 - 1))
TEXTS = st.lists(st.lists(st.lists(NUMBERS, max_size=7), max_size=6), max_size=5)


def reference(batches: list[list[list[int]]], n: int) -> Counter[tuple[int, ...]]:
    """Every n-gram as a tuple."""
    found: Counter[tuple[int, ...]] = Counter()
    for batch in batches:
        for text in batch:
            found.update(zip(*[text[place:] for place in range(n)], strict=False))
    return found


@given(TEXTS, st.integers(1, 3), st.integers(1, 60))
@example([[[1], [2, 3]]], 3, 1)  # three words, and no text of three
def test_counts_and_entropy_are_those_of_a_counter(batches: list[list[list[int]]], n: int, memory: int) -> None:
    counted = NgramCounts(n, memory)
    for batch in batches:
        words = np.array([word for text in batch for word in text], np.int64)
        counted.add(words, np.array([len(text) for text in batch], np.int64))
    expected = reference(batches, n)
    assert counted.histogram() == Counter(expected.values())
    assert counted.total == expected.total()
    if not expected:
        assert counted.entropy() is None
        return
    shares = [count / expected.total() for count in expected.values()]
    assert counted.entropy() == pytest.approx(-math.fsum(p * math.log2(p) for p in shares), abs=1e-9)


def test_many_runs_are_merged_in_ranges() -> None:
    """More n-grams than fit into memory many times over, with the merge cut into ranges."""
    generator = np.random.default_rng(0)
    counted, expected = NgramCounts(2, 10_000), Counter[int]()
    for _ in range(20):
        words = np.minimum(generator.zipf(1.3, 20_000), 5000) - 1
        counted.add(words, np.array([len(words)]))
        expected.update((words[:-1] * 5000 + words[1:]).tolist())
    assert counted.histogram() == Counter(expected.values())


def test_uniform_and_single_distributions() -> None:
    assert entropy(Counter({1: 8})) == 3.0
    assert entropy(Counter({100: 1})) == 0.0


def test_only_lengths_that_fit_are_accepted() -> None:
    with pytest.raises(ValueError, match="n is 4, expected 1, 2 or 3"):
        NgramCounts(4)


def test_words_of_texts() -> None:
    words = Words()
    numbers, lengths = words.read(["The cat's  hat.", "", " \t", "the HAT!", "naïve 東京"])
    assert lengths.tolist() == [6, 0, 0, 3, 2]
    assert numbers.tolist() == [0, 1, 2, 3, 4, 5, 0, 4, 6, 7, 8]
    assert words.read([])[0].tolist() == [] and words.read([""])[1].tolist() == [0]


@given(st.lists(st.text("aAb.,' \n-é"), max_size=8), st.lists(st.text("aAb.,' \n-é"), max_size=8))
def test_words_do_not_depend_on_the_batch(first: list[str], second: list[str]) -> None:
    together, apart = Words(), Words()
    numbers, lengths = together.read([*first, *second])
    parts = [apart.read(first), apart.read(second)]
    assert numbers.tolist() == [n for part, _ in parts for n in part.tolist()]
    assert lengths.tolist() == [n for _, part in parts for n in part.tolist()]


def test_half_a_surrogate_pair_is_read() -> None:
    assert Words().read(["\ud800 x"])[1].tolist() == [2]
