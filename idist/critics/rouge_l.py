"""ROUGE-L ceiling: a paraphrase must not repeat its source's words in their order (paper section 3.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from idist.critics.base import Critic, dial

_TOKEN = re.compile(r"[a-z0-9]+")
_SURROGATES = range(0xD800, 0xE000)


@dataclass
class RougeL(Critic):
    """F measure of the longest common subsequence of words, as `rouge_score` computes it without a stemmer.

    Tokens are runs of ASCII letters and digits, lower-cased: a sentence in another script has none, and scores 0.0
    with everything, as in the reference.
    """

    max: float = dial(0.75, low=0.0, high=1.0)  # paper, A.2
    floor: float | None = dial(None, low=0.0, high=1.0)

    cost = 0.005
    text_only = True

    def score(self, sentences: Sequence[str], pairs: np.ndarray) -> np.ndarray:
        """(P,) float64 in [0, 1], bit for bit the reference's."""
        from rapidfuzz import process
        from rapidfuzz.distance import LCSseq

        if not len(pairs):
            return np.zeros(0)
        # One character a word: a subsequence of words is then one of characters, and rapidfuzz counts those in C++.
        numbers: dict[str, str] = {}
        lines = [
            "".join(numbers.setdefault(word, _character(len(numbers))) for word in rouge_tokens(sentence))
            for sentence in sentences
        ]
        common = process.cpdist(
            [lines[i] for i in pairs[:, 0]], [lines[j] for j in pairs[:, 1]], scorer=LCSseq.similarity
        ).astype(np.float64)
        lengths = np.array([len(line) for line in lines], np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            recall = common / lengths[pairs[:, 0]]
            precision = common / lengths[pairs[:, 1]]
            f_measure = 2 * precision * recall / (precision + recall)
        return np.where(common > 0, f_measure, 0.0)


def rouge_tokens(text: str) -> list[str]:
    """The words that `rouge_score` sees without a stemmer."""
    return _TOKEN.findall(text.lower())


def _character(number: int) -> str:
    """A different character for every number; halves of surrogate pairs are left out."""
    return chr(number if number < _SURROGATES.start else number + len(_SURROGATES))
