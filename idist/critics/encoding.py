"""Sentence embeddings: mean of the last layer's token vectors, of length 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from idist.critics.batching import batch_tokens, equal_length_batches, tokenize_each


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
                vectors[batch] = self._run([tokens[n] for n in batch])
        position_of = {text: position for position, text in enumerate(unique)}
        rows = [position_of[sentence] for sentence in sentences]
        return vectors[rows], {index: reasons[row] for index, row in enumerate(rows) if row in reasons}

    def _run(self, tokens: list[list[int]]) -> Any:
        import torch

        ids = torch.tensor(tokens, device=self.model.device)  # (B, T)
        with torch.inference_mode():
            hidden = self.model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state  # (B, T, D)
            return torch.nn.functional.normalize(hidden.float().mean(dim=1), dim=-1).cpu().numpy()
