"""Tokens that may not be drawn, and tokens that may end a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from idist.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import torch


class Vocabulary:
    """What the decoder needs to know about a tokenizer's ids, each text decoded once (0.5 s for 50,000).

    Args:
        tokenizer: of the model.
        end_ids: ids that end a text.
    """

    def __init__(self, tokenizer: Any, end_ids: Sequence[int]):
        self._tokenizer = tokenizer
        self.end_ids = frozenset(end_ids)

    @cached_property
    def texts(self) -> list[str]:
        """Text of each id alone."""
        return self._tokenizer.batch_decode([[index] for index in range(len(self._tokenizer))])

    @cached_property
    def may_end_sentence(self) -> np.ndarray:
        """(V,) bool: the text has a character that may end a sentence, or is part of a character (U+FFFD)."""
        import numpy as np

        return np.array([not set(".?!…\n\ufffd").isdisjoint(text) for text in self.texts])

    def banned_ids(self, strings: Sequence[str]) -> list[int]:
        """Ids whose text contains one of the strings; of special tokens those named in full.

        Raises:
            UserError: nothing would be left to draw.
        """
        special = set(self._tokenizer.all_special_ids)
        named = {index for index in special if self._tokenizer.convert_ids_to_tokens(index) in strings}
        # a string that names a special token bans that token, and nothing else
        loose = [string for string in strings if string not in self._tokenizer.all_special_tokens]
        containing = {
            index
            for index, text in enumerate(self.texts if loose else [])
            if index not in special and any(string in text for string in loose)
        }
        banned = sorted(named | containing)
        if len(banned) + len(special - named) >= len(self.texts if loose else self._tokenizer):
            raise UserError(f"banned_tokens {list(strings)} leave no token to draw.")
        return banned


def ban_repeated_ngrams(logits: torch.Tensor, history: torch.Tensor, size: int) -> None:
    """Set to -inf, in place, what would complete an n-gram that the row already has.

    Args:
        logits: (R, V).
        history: (R, L) token ids, prompt and continuation; -1 left of a shorter prompt.
        size: n. Nothing is banned while a row is shorter than n.
    """
    import torch

    if history.shape[1] < size:
        return
    begun = history[:, history.shape[1] - size + 1 :]  # (R, n - 1)
    windows = history.unfold(1, size, 1)  # (R, L - n + 1, n)
    last = windows[:, :, -1]
    repeats = (windows[:, :, :-1] == begun[:, None, :]).all(dim=-1) & (last >= 0)
    # Every window sets a bound on its last token, most of them none: to ask which do would make a GPU wait.
    bounds = torch.where(repeats, float("-inf"), float("inf")).to(logits.dtype)
    logits.scatter_reduce_(1, last.clamp(min=0), bounds, reduce="amin")
