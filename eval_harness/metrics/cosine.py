"""Cosine similarity of the sentence embeddings of prediction and source: how much of the meaning was kept.

The paper's Table 1 has it from SimCSE (``cosine,model=princeton-nlp/sup-simcse-roberta-large``). Offline the encoder is
``embedded:encoder``; numbers of different encoders cannot be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version

import numpy as np

from eval_harness.metrics.base import Examples, Floats, Metric
from eval_harness.metrics.models import describe
from idist.critics import dial
from idist.critics.encoding import POOLINGS, PooledEncoder, cosines, pooling_of


@dataclass
class Cosine(Metric):
    """Mean cosine of prediction and source times 100, in -100..100; 0 for an empty prediction, 100 for a copy.

    ``pooling``: how token vectors become one. ``mean`` of all; ``cls``, the first; ``pooler``, the first through the
    model's own last layer; ``auto``, as the authors of the model have it: ``pooler`` for SimCSE, ``cls`` for
    unsupervised SimCSE, ``mean`` for all others.
    """

    model: str = dial("embedded:encoder")
    pooling: str = dial("auto", choices=POOLINGS)
    device: str = dial("auto")

    name = "cosine"
    title = "Cosine"

    def signature(self) -> str:
        """Encoder, pooling, library."""
        return f"encoder:{describe(self.model)}|pooling:{self._pooling()}|transformers:{version('transformers')}"

    def statistics(self, examples: Examples) -> Floats:
        """(n, 1): cosine times 100 of each example."""
        first = [text.strip() for text in examples.predictions]
        second = [text.strip() for text in examples.sources]
        products = cosines(_encoder(self.model, self._pooling(), self.device), first, second)
        equal = np.array([a == b for a, b in zip(first, second, strict=True)])
        empty = np.array([not a or not b for a, b in zip(first, second, strict=True)])
        kept = np.where(equal, 1.0, np.nan_to_num(products))  # NaN: not tokenized
        return 100.0 * np.where(empty, 0.0, kept)[:, None]

    def _pooling(self) -> str:
        return pooling_of(self.model) if self.pooling == "auto" else self.pooling


@lru_cache(maxsize=1)
def _encoder(name: str, pooling: str, device: str) -> PooledEncoder:
    return PooledEncoder(name, pooling, device)
