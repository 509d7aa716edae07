"""The loop over tokens: constrain, choose, stop; samples that have written the same so far share one row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from idist.decoding.constraints import Vocabulary, ban_repeated_ngrams
from idist.decoding.prefix import Prefix
from idist.decoding.sampling import Sampling, choose
from idist.text import find_boundary

# (what rows have written, (R, t + 1); which of them had a boundary open before, (R,) bool)
# -> which have ended, (R,) bool; which have a boundary open now, (R,) bool
Stop = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


# (logits of the next tokens, (R, V); prompt of each row, (R,); what it has written, (R, t)) -> None: changes the logits
Favour = Callable[[torch.Tensor, np.ndarray, np.ndarray], None]


def never(written: np.ndarray, was_open: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Only the end-of-text token and ``max_new_tokens`` end a row."""
    return np.zeros(len(written), bool), was_open


class SentenceStop:
    """A row ends when its first sentence has, whatever may follow (`find_boundary`).

    Only rows whose last token may end a sentence are decoded to text, and those whose boundary is still open. ``read``
    is done to a text before its end is looked for; a longer text read may not have an earlier end.
    """

    def __init__(self, tokenizer: Any, vocabulary: Vocabulary, read: Callable[[str], str] = str):
        self._tokenizer, self._may_end, self._read = tokenizer, vocabulary.may_end_sentence, read

    def __call__(self, written: np.ndarray, was_open: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ended, is_open = np.zeros((2, len(written)), bool)
        # a model's vocabulary may be padded beyond its tokenizer's
        newest = np.minimum(written[:, -1], len(self._may_end) - 1)
        looked_at = np.flatnonzero(self._may_end[newest] | was_open)
        for row in looked_at:
            text = self._tokenizer.decode(written[row].tolist(), skip_special_tokens=True)
            boundary = find_boundary(self._read(text), final=False)
            ended[row], is_open[row] = boundary.end is not None, boundary.open
        return ended, is_open


def decode(
    prefix: Prefix,
    index: np.ndarray,
    keys: np.ndarray,
    sampling: Sampling,
    vocabulary: Vocabulary,
    banned: Sequence[int],
    may_be_empty: bool,
    stop: Stop,
    favour: Favour | None = None,
) -> list[list[int]]:
    """Token ids of each sample, without the end-of-text token.

    The rows of the batch are what has been written so far, each thing once: samples share a row until they draw
    different tokens, when it forks. At a low temperature that saves most of the work of the first tokens.

    Args:
        prefix: B prompts.
        index: (S,) the prompt that each sample continues; every prompt has one.
        keys: (S, max_new_tokens), see `random_keys`.
        banned: ids that are never drawn.
        may_be_empty: whether the end-of-text token may come first.
        stop: see `Stop`.
        favour: see `Favour`; what may not be drawn stays so.

    A GPU is waited for once a token, when the candidates for the next one are fetched (`choose`): which rows fork and
    which have ended is decided here, from text.
    """
    device, steps = prefix.logits.device, sampling.max_new_tokens
    end_ids = sorted(vocabulary.end_ids)
    never_drawn, ends = (torch.tensor(ids, dtype=torch.long, device=device) for ids in (list(banned), end_ids))
    rows, logits, history = prefix.rows(capacity=len(index)), prefix.logits.clone(), prefix.prompts
    tokens = np.zeros((len(index), steps), np.int64)
    lengths = np.full(len(index), steps)
    going, place = np.arange(len(index)), np.asarray(index)  # samples under way, and the row of each
    was_open = np.zeros(len(logits), bool)  # by row
    for step in range(steps):
        logits.index_fill_(1, never_drawn, float("-inf"))
        if step == 0 and not may_be_empty:
            logits.index_fill_(1, ends, float("-inf"))
        if sampling.no_repeat_ngram_size:
            ban_repeated_ngrams(logits, history, sampling.no_repeat_ngram_size)
        if favour is not None:
            _, one = np.unique(place, return_index=True)  # a sample of each row
            favour(logits, index[going[one]], tokens[going[one], :step])
        tokens[going, step] = choose(logits, sampling, place, keys[going, step])

        at_end = np.isin(tokens[going, step], end_ids)
        lengths[going[at_end]] = step
        going, place = going[~at_end], place[~at_end]
        one, branch = _branches(place, tokens[going, step])
        parent, written = place[one], tokens[going[one], : step + 1]
        ended, is_open = stop(written, was_open[parent])
        lengths[going[ended[branch]]] = step + 1
        if ended.all() or step + 1 == steps:
            break

        places, source = _arrange(parent[~ended])
        new_place = np.full(len(one), -1)
        new_place[~ended] = places
        going, place = going[~ended[branch]], new_place[branch][~ended[branch]]
        fed, was_open = np.empty(len(places), np.int64), np.empty(len(places), bool)
        fed[places], was_open[places] = written[~ended, -1], is_open[~ended]
        if len(source) != len(logits) or (source != np.arange(len(source))).any():
            history = history.index_select(0, rows.arrange(source))
        newest = torch.as_tensor(fed, device=device)
        history = torch.cat([history, newest[:, None]], dim=1)
        logits = rows.step(newest)
    return [row[:length].tolist() for row, length in zip(tokens, lengths, strict=True)]


def _branches(place: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Samples at the same row that drew the same token go on together.

    Returns:
        one: a sample of each branch; branch: (S,) the number of each sample's branch.
    """
    keys = place * (int(chosen.max(initial=0)) + 1) + chosen
    _, one, branch = np.unique(keys, return_index=True, return_inverse=True)
    return one, branch.reshape(-1)


def _arrange(parent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places 0 to N - 1 for N branches so that few rows have to be copied: of a row's branches one stays where the row
    is, the others, and rows beyond N, fill the gaps.

    Returns:
        places: (N,) the place of each branch; source: (N,) the row that each place continues.
    """
    count = len(parent)
    places = np.full(count, -1)
    rows, first = np.unique(parent, return_index=True)
    stay = rows < count
    places[first[stay]] = rows[stay]
    places[places < 0] = np.setdiff1d(np.arange(count), rows[stay])
    source = np.empty(count, np.int64)
    source[places] = parent
    return places, source
