"""Any text at all: BLEU, iBLEU and ROUGE-L are what sacreBLEU and rouge_score say of it. And of real benchmarks."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_harness.metrics import Bleu, Compression, Examples, IBleu, RougeL, SelfBleu

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("IDIST_DATA", ROOT.parent / "shared" / "data"))
# Any character but halves of surrogate pairs, which no text file holds; and words, so that n-grams match
CHARACTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=25)
SAMPLES = ["the", "The", "dog", "dog's", "runs", "1.5", "a-b", "U.S.", "£3", "犬", "कुत्ता", "ﷺ", "ß", "İ", "²", "(x)"]
WORDS = st.lists(st.sampled_from([*SAMPLES, "\u200b", "&amp;"]), max_size=14)
TEXT = st.one_of(CHARACTERS, WORDS.map(" ".join), st.tuples(WORDS.map(" ".join), CHARACTERS).map("".join))
ROW = st.tuples(TEXT, TEXT, TEXT)
QUICK = settings(max_examples=80, deadline=None, derandomize=True)


def aligned(rows: list[tuple[str, str, str]]) -> tuple[Examples, list[list[str]]]:
    """Examples with two references each, and the references as sacreBLEU has them."""
    predictions, first, second = ([row[column] for row in rows] for column in range(3))
    return Examples.of(predictions, first, list(zip(first, second, strict=True))), [first, second]


@QUICK
@given(st.lists(ROW, min_size=1, max_size=6))
def test_standard_bleu_is_sacrebleus_corpus_bleu(rows: list[tuple[str, str, str]]) -> None:
    import sacrebleu

    examples, streams = aligned(rows)
    bleu, self_bleu = Bleu("standard"), SelfBleu("standard")
    statistics = bleu.statistics(examples)
    expected = sacrebleu.corpus_bleu(examples.predictions, streams).score
    assert bleu.score(statistics) == pytest.approx(expected, abs=1e-9)
    sentences = [
        sacrebleu.sentence_bleu(p, r).score for p, r in zip(examples.predictions, examples.references, strict=True)
    ]
    assert bleu.per_example(statistics) == pytest.approx(sentences, abs=1e-9)
    copied = sacrebleu.corpus_bleu(examples.predictions, streams[:1]).score
    assert self_bleu.score(self_bleu.statistics(examples)) == pytest.approx(copied, abs=1e-9)
    ibleu = IBleu("standard")
    assert ibleu.score(ibleu.statistics(examples)) == pytest.approx(0.7 * expected - 0.3 * copied, abs=1e-9)


@QUICK
@given(st.lists(ROW, min_size=1, max_size=4))
def test_paper_bleu_is_the_mean_of_sacrebleus_sentence_bleu(rows: list[tuple[str, str, str]]) -> None:
    from sacrebleu.metrics import BLEU

    oracle = BLEU(lowercase=True, tokenize="intl", smooth_method="add-k", smooth_value=1, effective_order=True)
    examples, _ = aligned(rows)
    metric = Bleu("paper")
    sentences = zip(examples.predictions, examples.references, strict=True)
    expected = [oracle.sentence_score(prediction, references).score for prediction, references in sentences]
    statistics = metric.statistics(examples)
    assert metric.per_example(statistics) == pytest.approx(expected, abs=1e-9)
    assert metric.score(statistics) == pytest.approx(np.mean(expected), abs=1e-9)


@QUICK
@given(st.lists(ROW, min_size=1, max_size=6))
def test_rouge_l_is_rouge_score(rows: list[tuple[str, str, str]]) -> None:
    from rouge_score.rouge_scorer import RougeScorer

    oracle = RougeScorer(["rougeL"], use_stemmer=False)
    examples, _ = aligned(rows)
    sentences = zip(examples.predictions, examples.references, strict=True)
    expected = [100 * oracle.score_multi(refs, prediction)["rougeL"].fmeasure for prediction, refs in sentences]
    assert RougeL().statistics(examples)[:, 0] == pytest.approx(expected, abs=1e-9)


@QUICK
@given(st.lists(ROW, min_size=1, max_size=6))
def test_ranges_and_copies(rows: list[tuple[str, str, str]]) -> None:
    """Every score is within its range; a copy of text that has tokens is all source, and of the source's length."""
    examples, _ = aligned(rows)
    for metric, low, high in ((Bleu("paper"), 0, 100), (IBleu("paper"), -30, 70), (RougeL(), 0, 100)):
        scores = metric.per_example(metric.statistics(examples))
        assert ((low - 1e-9 <= scores) & (scores <= high + 1e-9)).all()
    copies = Examples.of(examples.sources, examples.sources)
    self_bleu, compression = SelfBleu("paper"), Compression()
    assert set(self_bleu.statistics(copies)[:, 0].round(9)) <= {0.0, 100.0}
    lengths = {100.0 if source.strip() else 0.0 for source in examples.sources}
    assert set(compression.statistics(copies)[:, 0]) == lengths


def test_gigaword_summaries_are_scored_as_rouge_score_does() -> None:
    """Lower case and UNK are left as they are, in predictions and references."""
    from rouge_score.rouge_scorer import RougeScorer

    folder = DATA / "gigaword"
    if not folder.is_dir():
        pytest.skip("Gigaword is not here: set IDIST_DATA to the folder that holds gigaword/")
    sources, references = ((folder / n).read_text("utf-8").splitlines() for n in ("input.txt", "task1_ref0.txt"))
    assert len(sources) == len(references) == 1951
    leads = [" ".join(source.split()[:8]) for source in sources]
    metric, oracle = RougeL(), RougeScorer(["rougeL"])
    rows = zip(references, leads, strict=True)
    expected = np.mean([100 * oracle.score(reference, lead)["rougeL"].fmeasure for reference, lead in rows])
    statistics = metric.statistics(Examples.of(leads, sources, references))
    assert metric.score(statistics) == pytest.approx(expected, abs=1e-9)
    assert metric.score(metric.statistics(Examples.of(["unk"], ["x"], ["UNK"]))) == 100.0
