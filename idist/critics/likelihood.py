"""Log-likelihood of texts under a causal language model, many at a time."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from idist.critics.batching import batch_tokens, equal_length_batches, run_or_halve, tokenize_each
from idist.errors import UserError

_LOGITS = 2**28  # numbers in the logits of a batch (1 GB): large vocabularies get smaller batches


class CausalLikelihood:
    """A causal LM that gives log p(target | context).

    A text begins with what the tokenizer puts first, or with its token for the beginning (else the end) of a text, so
    that the first word has a probability, too.

    Args:
        name: see `idist.models.load_causal_lm`.
        device, dtype: see `idist.critics.loading.Models`.

    Attributes:
        longest: tokens of context and target that the model can read together.

    Raises:
        UserError: no such model, or its tokenizer has no token to begin with.
    """

    def __init__(self, name: str, device: str = "auto", dtype: str = "auto") -> None:
        from idist.models import load_causal_lm, longest_input

        self.model, self.tokenizer = load_causal_lm(name, device, dtype)
        self._start = _start(self.tokenizer, name)
        # The last token of a text is predicted, not read.
        self.longest = longest_input(self.model, self.tokenizer) + 1 - len(self._start)
        vocabulary = self.model.get_output_embeddings().weight.shape[0]
        self._budget = max(1, min(batch_tokens(str(self.model.device)), _LOGITS // vocabulary))
        self._keeps = "logits_to_keep" in inspect.signature(self.model.forward).parameters

    def tokens(self, texts: Sequence[str]) -> tuple[list[list[int]], dict[int, str]]:
        """Token ids without special ones; index -> reason for texts that have none, or more than the model reads."""
        tokens, reasons = tokenize_each(self.tokenizer, texts, add_special_tokens=False)
        for index, ids in enumerate(tokens):
            if not ids:
                reasons.setdefault(index, "no tokens")
            elif len(ids) > self.longest:
                reasons[index] = f"{len(ids)} tokens, the model reads {self.longest}"
        return tokens, reasons

    def log_p(self, requests: Sequence[tuple[list[int], list[int]]], alone: bool = False) -> np.ndarray:
        """Sum of the natural logarithms of the target's token probabilities.

        Args:
            requests: N contexts (which may be empty) and targets, as `tokens` gives them. A context that does not fit
                before its target loses its beginning.
            alone: one at a time, as a reference.

        Returns:
            (N,) float64, at most 0.
        """
        inputs = []
        for context, target in requests:
            room = self.longest - len(target)
            inputs.append(self._start + context[max(0, len(context) - room) :] + target)
        lengths = np.array([len(ids) - 1 for ids in inputs], np.int64)
        targets = np.array([len(target) for _, target in requests], np.int64)
        # Within one length, targets of similar length together: logits are computed for the longest of a batch.
        order = np.argsort(targets, kind="stable")
        sums = np.zeros(len(requests))
        for batch in equal_length_batches(lengths[order], 1 if alone else self._budget):
            for rows, found in run_or_halve(
                lambda rows: self._run([inputs[row] for row in rows], targets[rows]), order[batch]
            ):
                sums[rows] = found
        return sums

    def _run(self, inputs: list[list[int]], targets: np.ndarray) -> np.ndarray:
        """(B,) float64 for B inputs of one length, the last ``targets[b]`` tokens of each being its target."""
        import torch

        ids = torch.tensor(inputs, device=self.model.device)  # (B, T + 1)
        keep = int(targets.max())
        arguments: dict[str, Any] = {"input_ids": ids[:, :-1], "attention_mask": torch.ones_like(ids[:, :-1])}
        if self._keeps:
            arguments["logits_to_keep"] = keep
        with torch.inference_mode():
            logits = self.model(**arguments, use_cache=False).logits[:, -keep:].float()  # (B, K, V)
            chosen = logits.gather(-1, ids[:, -keep:, None])[..., 0] - logits.logsumexp(dim=-1)  # (B, K)
            outside = torch.arange(keep, 0, -1)[None] > torch.from_numpy(targets)[:, None]
            return chosen.double().cpu().masked_fill(outside, 0.0).sum(dim=1).numpy()


def _start(tokenizer: Any, name: str) -> list[int]:
    """What stands before a text."""
    encoded = tokenizer("a", return_special_tokens_mask=True)
    mask = list(encoded["special_tokens_mask"])
    first = mask.index(0) if 0 in mask else 0
    if first:
        return list(encoded["input_ids"][:first])
    for index in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if index is not None:
            return [index]
    raise UserError(f"Model {name!r} has a tokenizer without a token for the beginning or the end of a text.")
