"""Cosine similarity of the sentence embeddings of prediction and source: how much of the meaning was kept.

The paper's Table 1 has it from SimCSE (``cosine,model=princeton-nlp/sup-simcse-roberta-large``). Offline the encoder is
``embedded:encoder``; numbers of different encoders cannot be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np

from eval_harness.metrics.base import Examples, Floats, Metric
from eval_harness.metrics.models import describe
from idist.critics import dial
from idist.critics.encoding import SentenceEncoder
from idist.errors import UserError

POOLINGS = ("auto", "mean", "cls", "pooler")


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
        vectors, _ = _encoder(self.model, self._pooling(), self.device).embed(first + second)
        products = (vectors[: len(first)].astype(np.float64) * vectors[len(first) :]).sum(axis=1)
        equal = np.array([a == b for a, b in zip(first, second, strict=True)])
        empty = np.array([not a or not b for a, b in zip(first, second, strict=True)])
        cosines = np.where(equal, 1.0, np.clip(np.nan_to_num(products), -1.0, 1.0))  # NaN: not tokenized
        return 100.0 * np.where(empty, 0.0, cosines)[:, None]

    def _pooling(self) -> str:
        if self.pooling != "auto":
            return self.pooling
        name = self.model.lower()
        return "cls" if "unsup-simcse" in name else "pooler" if "simcse" in name else "mean"


class _FirstToken(SentenceEncoder):
    """A sentence encoder whose vector is that of the first token, as it is or through the model's pooling layer."""

    def __init__(self, name: str, pooler: bool, device: str) -> None:
        super().__init__(name, device, "float32")
        self._name, self._pooler = name, pooler

    def _run(self, tokens: list[list[int]]) -> Any:
        import torch

        ids = torch.tensor(tokens, device=self.model.device)  # (B, T)
        with torch.inference_mode():
            output = self.model(input_ids=ids, attention_mask=torch.ones_like(ids))
            if self._pooler and getattr(output, "pooler_output", None) is None:
                raise UserError(f"Encoder {self._name!r} has no pooling layer, expected pooling=mean or pooling=cls.")
            vectors = output.pooler_output if self._pooler else output.last_hidden_state[:, 0]
            return torch.nn.functional.normalize(vectors.float(), dim=-1).cpu().numpy()


@lru_cache(maxsize=1)
def _encoder(name: str, pooling: str, device: str) -> SentenceEncoder:
    if pooling == "mean":
        return SentenceEncoder(name, device, "float32")
    return _FirstToken(name, pooling == "pooler", device)
