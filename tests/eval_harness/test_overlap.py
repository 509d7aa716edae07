"""BLEU, iBLEU and ROUGE-L equal sacreBLEU and rouge_score, on random texts and where a formula says what to expect."""

from __future__ import annotations

import random
from importlib.metadata import version

import numpy as np
import pytest

from eval_harness.metrics import Bleu, Examples, IBleu, RougeL, SelfBleu
from eval_harness.metrics.bleu import from_counts
from idist.errors import UserError

WORDS = [
    "a",
    "The",
    "the",
    "dog",
    "Dog's",
    "runs",
    "2",
    "3.5%",
    "well-known",
    "U.S.",
    "café",
    "(quickly)",
    "犬",
    "…",
    "on",
]


def random_text(rng: random.Random) -> str:
    """0 to 12 words, seldom many: with empty texts, short ones, punctuation, accents, other scripts."""
    return " ".join(rng.choices(WORDS, k=rng.choice([0, 1, 2, 3, 5, 8, 12]))) + rng.choice(["", ".", " !", "\n"])


def random_examples(seed: int, n: int, references: int = 1) -> Examples:
    rng = random.Random(seed)
    predictions = [random_text(rng) for _ in range(n)]
    sources = [rng.choice([p, random_text(rng)]) for p in predictions]
    return Examples.of(predictions, sources, [[random_text(rng) for _ in range(references)] for _ in predictions])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("references", [1, 3])
def test_standard_bleu_is_sacrebleu(seed: int, references: int) -> None:
    import sacrebleu

    n = 1 + seed
    examples, metric = random_examples(seed, n, references), Bleu("standard")
    statistics = metric.statistics(examples)
    streams = [[choices[k] for choices in examples.references] for k in range(references)]
    assert metric.score(statistics) == pytest.approx(
        sacrebleu.corpus_bleu(examples.predictions, streams).score, abs=1e-9
    )
    sentences = [
        sacrebleu.sentence_bleu(p, r).score for p, r in zip(examples.predictions, examples.references, strict=True)
    ]
    assert metric.per_example(statistics) == pytest.approx(sentences, abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_paper_bleu_is_the_mean_of_smoothed_sentence_bleu(seed: int) -> None:
    from sacrebleu.metrics import BLEU

    examples, metric = random_examples(seed, 30, references=2), Bleu("paper")
    oracle = BLEU(lowercase=True, tokenize="intl", smooth_method="add-k", smooth_value=1, effective_order=True)
    rows = zip(examples.predictions, examples.references, strict=True)
    expected = [oracle.sentence_score(prediction, references).score for prediction, references in rows]
    statistics = metric.statistics(examples)
    assert statistics[:, 0] == pytest.approx(expected, abs=1e-9)
    assert metric.score(statistics) == pytest.approx(np.mean(expected), abs=1e-9)


def test_paper_bleu_of_one_sentence_by_hand() -> None:
    # 6 tokens each; matched 5, 3, 2, 1 of 6, 5, 4, 3 n-grams; add one to all but the first
    examples = Examples.of(["The cat sat on mats."], ["x"], ["the cat sat on rugs."])
    expected = 100 * (5 / 6 * 4 / 6 * 3 / 5 * 2 / 4) ** 0.25
    assert Bleu("paper").score(Bleu("paper").statistics(examples)) == pytest.approx(expected)


def test_resamples_score_as_their_rows_would() -> None:
    """Sums of rows in one array operation equal scoring each resample alone: what a bootstrap needs."""
    examples = random_examples(5, 40)
    for metric in (Bleu("standard"), IBleu("standard"), IBleu("paper"), RougeL()):
        statistics = metric.statistics(examples)
        rows = np.random.default_rng(0).integers(0, 40, size=(25, 40))
        together = metric.from_sums(statistics[rows].sum(axis=1), 40)
        assert together == pytest.approx([metric.score(statistics[row]) for row in rows])


def test_counts_of_a_corpus_of_empty_predictions() -> None:
    examples = Examples.of(["", " "], ["a b c d", "a"], ["a b c d", "a"])
    for metric in (Bleu("paper"), Bleu("standard"), RougeL()):
        statistics = metric.statistics(examples)
        assert metric.score(statistics) == 0.0
        assert metric.per_example(statistics).tolist() == [0.0, 0.0]
    assert from_counts(np.zeros((3, 2, 10)), "exp", effective_order=False).tolist() == np.zeros((3, 2)).tolist()


@pytest.mark.parametrize("protocol", ["paper", "standard"])
def test_ibleu_of_copies(protocol: str) -> None:
    """Copying the source: self-BLEU is 100, so iBLEU is alpha BLEU - 100 (1 - alpha), also for very short texts."""
    examples = random_examples(11, 60)
    kept = [(s, r) for s, r in zip(examples.sources, examples.references, strict=True) if len(s.split()) >= 4]
    copies = Examples.of([s for s, _ in kept], [s for s, _ in kept], [r for _, r in kept])
    bleu, self_bleu = Bleu(protocol), SelfBleu(protocol)
    statistics = self_bleu.statistics(copies)
    assert self_bleu.score(statistics) == 100.0
    assert set(self_bleu.per_example(statistics)) == {100.0}
    for alpha in (0.0, 0.7, 1.0):
        metric = IBleu(protocol, alpha)
        expected = alpha * bleu.score(bleu.statistics(copies)) - 100 * (1 - alpha)
        assert metric.score(metric.statistics(copies)) == pytest.approx(expected)
    short = Examples.of(["Go", "犬 犬"], ["Go", "犬 犬"], ["x", "y"])
    assert self_bleu.per_example(self_bleu.statistics(short)).tolist() == [100.0, 100.0]


@pytest.mark.parametrize("seed", range(10))
def test_rouge_l_is_rouge_score(seed: int) -> None:
    from rouge_score.rouge_scorer import RougeScorer

    oracle = RougeScorer(["rougeL"], use_stemmer=False)
    examples, metric = random_examples(seed, 50, references=2), RougeL()
    rows = zip(examples.predictions, examples.references, strict=True)
    expected = [100 * oracle.score_multi(refs, prediction)["rougeL"].fmeasure for prediction, refs in rows]
    assert metric.statistics(examples)[:, 0] == pytest.approx(expected, abs=1e-9)


def test_text_without_latin_letters() -> None:
    """rouge_score has no tokens for it (0, documented); BLEU counts it as words."""
    copy = Examples.of(["男の人が 犬と 歩いて いる"], ["男の人が 犬と 歩いて いる"], ["男の人が 犬と 歩いて いる"])
    assert RougeL().score(RougeL().statistics(copy)) == 0.0
    assert Bleu("standard").score(Bleu("standard").statistics(copy)) == 100.0


def test_signatures_name_settings_and_versions() -> None:
    import sacrebleu
    from sacrebleu.metrics import BLEU

    oracle = BLEU()
    oracle.corpus_score(["a"], [["a"]])
    shared = str(oracle.get_signature()).split("|")[1:]  # without the number of references
    assert Bleu("standard").signature().split("|") == ["corpus", *shared]
    smoothed = BLEU(lowercase=True, tokenize="intl", smooth_method="add-k", smooth_value=1)
    smoothed.corpus_score(["a"], [["a"]])
    assert Bleu("paper").signature().split("|") == ["mean-sentence", *str(smoothed.get_signature()).split("|")[1:]]
    assert IBleu("paper").signature().startswith("alpha:0.7|mean-sentence|")
    assert sacrebleu.__version__ in Bleu("paper").signature()
    assert RougeL().signature() == f"mean-f1|stemmer:no|version:{version('rouge-score')}"


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(UserError, match="BLEU: protocol is 'fancy', expected one of: paper, standard"):
        Bleu("fancy")
    with pytest.raises(UserError, match=r"alpha is 1\.2"):
        IBleu(alpha=1.2)
    with pytest.raises(UserError, match="2 predictions, 1 sources, 2 references"):
        Examples.of(["a", "b"], ["a"], ["a", "b"])
    with pytest.raises(UserError, match="no examples"):
        Examples.of([], [], [])
    with pytest.raises(UserError, match="predictions is a str, expected a list"):
        Examples.of("a", ["a"], ["a"])
    with pytest.raises(UserError, match=r"predictions\[1\] is None of type NoneType"):
        Examples.of(["a", None], ["a", "b"], ["a", "b"])  # type: ignore[list-item]
    with pytest.raises(UserError, match=r"references\[0\] is \[\]"):
        Examples.of(["a"], ["a"], [[]])
