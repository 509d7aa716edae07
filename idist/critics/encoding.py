"""Sentence embeddings: mean of the last layer's token vectors, of length 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from idist.critics.batching import batch_tokens, equal_length_batches, run_or_halve, tokenize_each
from idist.errors import UserError

POOLINGS = ("auto", "mean", "cls", "pooler")


class SentenceEncoder:
    """An encoder whose sentence vector is the mean over tokens (all-MiniLM, SimCSE's average variants, mpnet).

    Args:
        name: see `idist.models.load_encoder`.
        device, dtype: see `idist.critics.loading.Models`.
    """

    def __init__(self, name: str, device: str = "auto", dtype: str = "auto") -> None:
        from idist.models import load_encoder, longest_input

        self.model, self.tokenizer = load_encoder(name, device, dtype)
        self._longest = longest_input(self.model, self.tokenizer)
        self._budget = batch_tokens(str(self.model.device))

    def embed(self, sentences: Sequence[str], alone: bool = False) -> tuple[np.ndarray, dict[int, str]]:
        """Embed sentences, each distinct one once.

        Args:
            sentences: N texts; what is beyond the limit of the tokenizer or of the model's positions is cut off.
            alone: one sentence at a time, as a reference.

        Returns:
            (N, width) float32 of unit length, NaN where a sentence cannot be tokenized; and index -> reason for those.
        """
        unique = list(dict.fromkeys(sentences))
        tokens, reasons = tokenize_each(self.tokenizer, unique, truncation=True, max_length=self._longest)
        vectors = np.full((len(unique), self.model.config.hidden_size), np.nan, np.float32)
        lengths = [len(ids) for ids in tokens]
        budget = 1 if alone else self._budget
        for batch in equal_length_batches(lengths, budget):
            if lengths[batch[0]]:
                for part, found in run_or_halve(lambda part: self._run([tokens[n] for n in part]), batch):
                    vectors[part] = found
        position_of = {text: position for position, text in enumerate(unique)}
        rows = [position_of[sentence] for sentence in sentences]
        return vectors[rows], {index: reasons[row] for index, row in enumerate(rows) if row in reasons}

    def _run(self, tokens: list[list[int]]) -> Any:
        import torch

        ids = torch.tensor(tokens, device=self.model.device)  # (B, T)
        with torch.inference_mode():
            hidden = self.model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state  # (B, T, D)
            return torch.nn.functional.normalize(hidden.float().mean(dim=1), dim=-1).cpu().numpy()


class PooledEncoder(SentenceEncoder):
    """A sentence encoder with the pooling that its authors trained it with.

    Args:
        name: see `idist.models.load_encoder`.
        pooling: ``mean`` of all token vectors; ``cls``, the first; ``pooler``, the first through the model's own last
            layer; ``auto``: see `pooling_of`.
        device: see `idist.critics.loading.Models`; the numbers are float32.

    Raises:
        UserError: no such pooling or model, or a model without the layer.
    """

    def __init__(self, name: str, pooling: str = "auto", device: str = "auto") -> None:
        check_pooling(pooling)
        super().__init__(name, device, "float32")
        self.name, self.pooling = name, pooling_of(name) if pooling == "auto" else pooling

    def _run(self, tokens: list[list[int]]) -> Any:
        if self.pooling == "mean":
            return super()._run(tokens)
        import torch

        ids = torch.tensor(tokens, device=self.model.device)  # (B, T)
        with torch.inference_mode():
            output = self.model(input_ids=ids, attention_mask=torch.ones_like(ids))
            if self.pooling == "pooler" and getattr(output, "pooler_output", None) is None:
                raise UserError(f"Encoder {self.name!r} has no pooling layer, expected pooling mean or cls.")
            vectors = output.pooler_output if self.pooling == "pooler" else output.last_hidden_state[:, 0]
            return torch.nn.functional.normalize(vectors.float(), dim=-1).cpu().numpy()


def check_pooling(pooling: str) -> None:
    """Refuse what is not one of `POOLINGS`.

    Raises:
        UserError: names the valid ones.
    """
    if pooling not in POOLINGS:
        raise UserError(f"Pooling is {pooling!r}, expected one of: {', '.join(POOLINGS)}.")


def pooling_of(name: str) -> str:
    """That of a model's authors: ``pooler`` for SimCSE, ``cls`` for unsupervised SimCSE, ``mean`` for all others."""
    name = name.lower()
    return "cls" if "unsup-simcse" in name else "pooler" if "simcse" in name else "mean"


def cosines(encoder: SentenceEncoder, first: Sequence[str], second: Sequence[str]) -> np.ndarray:
    """(N,) float64 in [-1, 1] of the N texts of each; NaN for a text that cannot be tokenized."""
    vectors, _ = encoder.embed([*first, *second])
    return (vectors[: len(first)].astype(np.float64) * vectors[len(first) :]).sum(axis=1).clip(-1.0, 1.0)
