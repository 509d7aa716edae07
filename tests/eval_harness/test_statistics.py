"""Intervals and paired tests: sacreBLEU's own numbers from its own resamples, exact tests, and what has no variance."""

from __future__ import annotations

import itertools
import random
import time
import tracemalloc
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_harness.metrics import Bleu, Examples, IBleu, Metric, RougeL
from eval_harness.statistics import bootstrap, bootstrap_scores, holm, paired_test, resampling
from idist.errors import UserError

SEED = 12345  # sacreBLEU's
WORDS = ["a", "The", "the", "dog", "runs", "2", "3.5%", "well-known", "café", "犬", "on", "mats"]


def corpus(seed: int, n: int) -> tuple[list[str], list[str], list[str]]:
    """References, and two systems that lose different shares of their words."""
    rng = random.Random(seed)
    references = [" ".join(rng.choices(WORDS, k=rng.randint(4, 14))) + "." for _ in range(n)]

    def noisy(share: float) -> list[str]:
        return [" ".join(w for w in reference.split() if rng.random() > share) for reference in references]

    return references, noisy(0.2), noisy(0.25)


def statistics(metric: Metric, predictions: list[str], references: list[str]) -> np.ndarray:
    return metric.statistics(Examples.of(predictions, predictions, references))


class RougeScore:
    """rouge_score's ROUGE-L in the form in which sacreBLEU tests a metric."""

    def __init__(self) -> None:
        from rouge_score.rouge_scorer import RougeScorer

        self._scorer = RougeScorer(["rougeL"])

    def _extract_corpus_statistics(self, predictions: list[str], references: list[list[str]]) -> list[list[float]]:
        rows = zip(predictions, references[0], strict=True)
        return [[100 * self._scorer.score(r, p)["rougeL"].fmeasure, 1.0] for p, r in rows]

    def _aggregate_and_compute(self, rows: Any) -> Any:
        return self._compute_score_from_stats(np.sum(rows, axis=0))

    def _compute_score_from_stats(self, sums: Any) -> Any:
        from sacrebleu.metrics.base import Score

        return Score("ROUGE-L", float(sums[0] / sums[1]))

    def get_signature(self) -> Any:
        return SimpleNamespace(update=lambda key, value: None)


def sacrebleu_test(kind: str, a: list[str], b: list[str], references: list[str], metric: Any, trials: int) -> Any:
    """Both systems' results by sacreBLEU's paired test."""
    from sacrebleu.significance import PairedTest

    systems = [("a", a), ("b", b)]
    _, scores = PairedTest(systems, {"metric": metric}, [references], kind, n_samples=trials, n_ar_confidence=-1)()
    return next(results for name, results in scores.items() if name != "System")


@pytest.fixture(autouse=True)
def sacrebleu_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SACREBLEU_SEED", str(SEED))


@pytest.mark.parametrize(("kind", "test"), [("bs", "bootstrap"), ("ar", "randomization")])
@pytest.mark.parametrize("n", [30, 77, 200])
def test_bleu_p_values_are_sacrebleus(kind: str, test: str, n: int) -> None:
    from sacrebleu.metrics import BLEU

    references, a, b = corpus(n, n)
    metric = Bleu("standard")
    first, second = sacrebleu_test(kind, a, b, references, BLEU(), 500)
    ours = paired_test(metric, statistics(metric, a, references), statistics(metric, b, references), test, 500, SEED)
    assert (ours.a, ours.b) == pytest.approx((first.score, second.score), abs=1e-9)
    assert ours.difference == pytest.approx(first.score - second.score, abs=1e-9)
    assert ours.p_value == pytest.approx(second.p_value, abs=1e-12)


@pytest.mark.parametrize(("kind", "test"), [("bs", "bootstrap"), ("ar", "randomization")])
@pytest.mark.parametrize("n", [30, 77, 200])
def test_rouge_l_p_values_are_sacrebleus(kind: str, test: str, n: int) -> None:
    references, a, b = corpus(n + 1, n)
    metric = RougeL()
    first, second = sacrebleu_test(kind, a, b, references, RougeScore(), 500)
    ours = paired_test(metric, statistics(metric, a, references), statistics(metric, b, references), test, 500, SEED)
    assert (ours.a, ours.b) == pytest.approx((first.score, second.score), abs=1e-6)
    # sacreBLEU sums in single precision: one resample of 500 may fall to the other side
    assert ours.p_value == pytest.approx(second.p_value, abs=2 / 501)


def test_interval_is_sacrebleus() -> None:
    from sacrebleu.metrics import BLEU

    references, a, b = corpus(5, 60)
    metric = Bleu("standard")
    first, second = sacrebleu_test("bs", a, b, references, BLEU(), 1000)
    for system, result in ((a, first), (b, second)):
        scores = bootstrap_scores(metric, statistics(metric, system, references), 1000, SEED)
        low, high = bootstrap(metric, statistics(metric, system, references), 1000, SEED)
        assert (high - low) / 2 == pytest.approx(result.ci, abs=1e-4)
        assert scores.mean() == pytest.approx(result.mean, abs=1e-4)
        assert low < result.score < high


def test_interval_leaves_out_the_stated_share() -> None:
    scores = np.random.default_rng(0).permutation(1000).astype(np.float64)
    for confidence, outside in ((0.95, 25), (0.9, 50), (0.5, 250), (0.999, 0)):
        assert resampling.interval(scores, confidence) == (outside, 999 - outside)


def test_bootstrap_error_of_a_mean_is_the_standard_error() -> None:
    values = np.random.default_rng(1).normal(50.0, 10.0, 400)[:, None]
    scores = bootstrap_scores(RougeL(), values, 4000)
    assert scores.std() == pytest.approx(values.std() / 20.0, rel=0.05)


def test_randomization_agrees_with_the_exact_test() -> None:
    """All 2^8 exchanges of 8 examples; with one p-value of 1: the two systems differ in one example only."""
    rng = np.random.default_rng(3)
    a, b = rng.uniform(0, 100, (8, 1)), rng.uniform(0, 100, (8, 1))
    signs = np.array(list(itertools.product((1, -1), repeat=8)))
    exact = np.mean(np.abs(signs @ (a - b)) >= abs((a - b).sum()) - 1e-9)
    assert paired_test(RougeL(), a, b, "randomization", 20_000).p_value == pytest.approx(exact, abs=0.015)
    b = a.copy()
    b[3] += 7.0
    assert paired_test(RougeL(), a, b, "randomization").p_value == 1.0


@pytest.mark.parametrize("test", ["bootstrap", "randomization"])
@pytest.mark.parametrize("metric", [Bleu("standard"), IBleu("standard"), IBleu("paper"), RougeL()])
def test_a_system_does_not_differ_from_itself(metric: Metric, test: str) -> None:
    references, a, _ = corpus(9, 41)
    matrix = statistics(metric, a, references)
    paired = paired_test(metric, matrix, matrix.copy(order="F"), test, 300)
    assert (paired.difference, paired.low, paired.high, paired.p_value) == (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("test", ["bootstrap", "randomization"])
def test_one_example_is_a_point_and_shows_nothing(test: str) -> None:
    for metric in (Bleu("standard"), RougeL()):
        one, other = (
            statistics(metric, [text], ["the dog runs on mats"]) for text in ("the dog runs on a mat", "a cat")
        )
        score = metric.score(one)
        assert bootstrap(metric, one) == (score, score)
        paired = paired_test(metric, one, other, test)
        assert (paired.low, paired.high) == pytest.approx((paired.difference, paired.difference))
        assert paired.difference > 0.0
        assert paired.p_value == 1.0


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(2, 40), st.integers(1, 70), st.integers(0, 2**32), st.integers(1, 6))
def test_chunks_change_nothing(n: int, resamples: int, seed: int, words: int) -> None:
    """Whatever the size of a chunk, the weights are those drawn at once, as sacreBLEU draws them."""
    chosen = np.random.default_rng(seed).choice(n, size=(resamples, n), replace=True)
    expected = np.array([np.bincount(row, minlength=n) for row in chosen])
    kept = np.random.default_rng(seed).integers(2, size=(resamples, n), dtype=bool)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resampling, "_CELLS", words * 32 * n)
        assert np.array_equal(np.concatenate(list(resampling.draws(n, resamples, seed))), expected)
        assert np.array_equal(np.concatenate(list(resampling.swaps(n, resamples, seed))), kept)


def test_every_system_gets_the_same_resamples() -> None:
    """A constant added to every example moves every resample by it."""
    values = np.random.default_rng(2).uniform(0, 50, (123, 1))
    shifted = bootstrap_scores(RougeL(), values + 10.0, 200, seed=7)
    assert shifted == pytest.approx(bootstrap_scores(RougeL(), values, 200, seed=7) + 10.0)
    paired = paired_test(RougeL(), values + 10.0, values, resamples=200)
    assert (paired.low, paired.high) == pytest.approx((10.0, 10.0))
    assert not np.array_equal(bootstrap_scores(RougeL(), values, 200, 7), bootstrap_scores(RougeL(), values, 200, 8))


def test_ten_thousand_examples_are_quick_and_need_little_memory() -> None:
    """1,000 resamples of iBLEU's 20 counts; the weights alone would be 80 MB."""
    matrix = np.random.default_rng(0).integers(1, 20, (10_000, 20)).astype(np.float64)
    bootstrap(IBleu("standard"), matrix[:10])
    start = time.process_time()
    low, high = bootstrap(IBleu("standard"), matrix)
    assert time.process_time() - start < 2.0
    assert low < high
    tracemalloc.start()
    bootstrap(IBleu("standard"), matrix)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 48 * 2**20


def test_holm_by_hand() -> None:
    assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])
    assert holm(np.array([[0.5, 0.001], [0.9, 0.2]])) == pytest.approx(np.array([[1.0, 0.004], [1.0, 0.6]]))
    assert holm(np.array([0.2])).tolist() == [0.2]
    assert holm(np.zeros(0)).tolist() == []


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_holm_is_monotone_and_between_p_and_bonferroni(values: list[float]) -> None:
    p = np.array(values)
    corrected = holm(p)
    assert (corrected >= p).all()
    assert (corrected <= np.minimum(1.0, len(p) * p)).all()
    assert (np.diff(corrected[np.argsort(p, kind="stable")]) >= 0.0).all()


def test_wrong_numbers_are_named() -> None:
    matrix = np.ones((5, 1))
    with pytest.raises(UserError, match="resamples is 0, expected 1 or more"):
        bootstrap(RougeL(), matrix, resamples=0)
    with pytest.raises(UserError, match="confidence is 95, expected a number between 0 and 1"):
        bootstrap(RougeL(), matrix, confidence=95)
    with pytest.raises(UserError, match="no examples to resample"):
        bootstrap(RougeL(), np.ones((0, 1)))
    with pytest.raises(UserError, match=r"are \(5, 1\) and \(4, 1\), expected the same shape"):
        paired_test(RougeL(), matrix, matrix[:4])
    with pytest.raises(UserError, match="The test is 't', expected one of: bootstrap, randomization"):
        paired_test(RougeL(), matrix, matrix, "t")
