"""BLEU by two protocols, and self-BLEU, which is BLEU against the source.

``paper``: mean sentence BLEU, add-one smoothing for n > 1, lower-cased, international tokenization: of all settings
tried the nearest to the copy-input row of the paper's Table 2 (44.5 against 44.4 on MRPC).
``standard``: corpus BLEU as sacreBLEU computes it by default (13a tokenization, cased, exponential smoothing).
Tokens and n-gram counts are sacreBLEU's; only the formula is written again, over arrays, for resampling.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from eval_harness.metrics.base import PROTOCOLS, Against, Examples, Floats, Metric
from idist.critics import dial

if TYPE_CHECKING:
    from sacrebleu.metrics import BLEU

ORDER = 4
Smoothing = Literal["add-k", "exp"]
_SMOOTHING: dict[str, Smoothing] = {"paper": "add-k", "standard": "exp"}
_TOKENS: dict[str, tuple[str, bool]] = {"paper": ("intl", True), "standard": ("13a", False)}  # name, lowercase


@dataclass
class Bleu(Metric):
    """BLEU in 0..100 against all references at once, mean of sentences or of the corpus, as ``protocol`` says."""

    protocol: str = dial("paper", choices=PROTOCOLS)

    name = "bleu"
    title = "BLEU"
    needs = frozenset({"references"})
    against: ClassVar[Against] = "references"

    def signature(self) -> str:
        """``mean-sentence`` or ``corpus``, then settings and version in sacreBLEU's words."""
        return self._signature("mean-sentence" if self.protocol == "paper" else "corpus", effective_order="no")

    def sentence_signature(self) -> str:
        """The same for :meth:`sentence_scores` (with add-one smoothing effective order changes nothing)."""
        return self._signature("sentence", effective_order="no" if self.protocol == "paper" else "yes")

    def _signature(self, level: str, effective_order: str) -> str:
        import sacrebleu

        tokens, lowercase = _TOKENS[self.protocol]
        smoothing = "add-k[1.00]" if _SMOOTHING[self.protocol] == "add-k" else "exp"
        settings = f"case:{'lc' if lowercase else 'mixed'}|eff:{effective_order}|tok:{tokens}|smooth:{smoothing}"
        return f"{level}|{settings}|version:{sacrebleu.__version__}"

    def statistics(self, examples: Examples) -> Floats:
        """``paper``: (n, 1), sentence BLEU in 0..100; ``standard``: (n, 10), the counts of :func:`from_counts`."""
        counts = self.counts(examples)
        return self.sentence_scores(counts)[:, None] if self.protocol == "paper" else counts

    def from_sums(self, sums: Floats, n: int) -> Floats:
        """(..., s) -> (...) BLEU in 0..100: a mean (``paper``) or the corpus formula (``standard``)."""
        if self.protocol == "paper":
            return super().from_sums(sums, n)
        return from_counts(sums, _SMOOTHING[self.protocol], effective_order=False)

    def per_example(self, statistics: Floats) -> Floats:
        """(n, s) -> (n,) sentence BLEU in 0..100."""
        return statistics[:, 0] if self.protocol == "paper" else self.sentence_scores(statistics)

    def counts(self, examples: Examples) -> Floats:
        """(n, 10) counts of each example; see :func:`from_counts`."""
        rows = zip(examples.predictions, examples.targets(self.against), strict=True)
        return np.array([_counts(self.protocol, text, tuple(targets)) for text, targets in rows], dtype=np.float64)

    def sentence_scores(self, counts: Floats) -> Floats:
        """(n, 10) counts -> (n,) sentence BLEU in 0..100; effective order, as sacreBLEU's sentence BLEU has it."""
        return from_counts(counts, _SMOOTHING[self.protocol], effective_order=True)


@dataclass
class SelfBleu(Bleu):
    """BLEU in 0..100 against the source: how much was copied."""

    name = "self_bleu"
    title = "self-BLEU"
    higher_is_better = False
    needs = frozenset[str]()
    against: ClassVar[Against] = "sources"


def from_counts(counts: Floats, smoothing: Smoothing, effective_order: bool) -> Floats:
    """BLEU in 0..100 of any number of count vectors at once: (..., 10) -> (...).

    Columns: length of the prediction, length of the closest reference, matched 1- to 4-grams, all 1- to 4-grams of
    the prediction. ``effective_order`` averages over the orders that the prediction is long enough to have.
    """
    length, reference = counts[..., 0], counts[..., 1]
    matched, total = counts[..., 2 : 2 + ORDER], counts[..., 2 + ORDER :]
    any_match = (matched > 0).any(axis=-1)
    if smoothing == "add-k":
        add = np.array([0.0, 1.0, 1.0, 1.0])
        matched, total = matched + add, total + add
    exists = total > 0
    missed = exists & (matched == 0)
    # exponential smoothing: the k-th order without a match counts 1 / 2^k matches
    numerator = np.where(missed, 0.5 ** np.cumsum(missed, axis=-1), matched)
    logs = np.log(np.where(exists, numerator, 1.0) / np.where(exists, total, 1.0)).sum(axis=-1)
    orders = exists.sum(axis=-1)
    mean = logs / np.maximum(orders, 1) if effective_order else logs / ORDER
    defined = any_match if effective_order else any_match & (orders == ORDER)
    shortfall = np.maximum(0.0, reference / np.maximum(length, 1.0) - 1.0)
    return np.where(defined, 100.0 * np.exp(mean - shortfall), 0.0)


@lru_cache(maxsize=1)
def _counters() -> dict[str, BLEU]:
    """sacreBLEU objects that only count: no smoothing, so that the counts come back untouched."""
    from sacrebleu.metrics import BLEU

    return {
        protocol: BLEU(tokenize=tokens, lowercase=lowercase, smooth_method="none", effective_order=True)
        for protocol, (tokens, lowercase) in _TOKENS.items()
    }


@lru_cache(maxsize=1 << 16)
def _counts(protocol: str, prediction: str, targets: tuple[str, ...]) -> tuple[float, ...]:
    """The ten counts of one example; remembered, since iBLEU and BERT-iBLEU need the same ones again."""
    result = _counters()[protocol].sentence_score(prediction, list(targets))
    return (result.sys_len, result.ref_len, *result.counts, *result.totals)
