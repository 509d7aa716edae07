"""Batches without padding: inputs of equal length together, as many as a budget of tokens allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np


def equal_length_batches(lengths: Sequence[int] | np.ndarray, tokens: int) -> Iterator[np.ndarray]:
    """Split positions into batches of one length each, longest first (memory problems show at once).

    Padding costs time and, in some kernels, the last digits of a result; among thousands of sentences nearly every
    length comes often enough to fill a batch.

    Args:
        lengths: (N,) tokens of each input.
        tokens: budget of one batch; an input longer than it is a batch of its own.

    Yields:
        Positions into ``lengths``, each once; within a length in their order.
    """
    lengths = np.asarray(lengths, np.int64)
    order = np.argsort(-lengths, kind="stable")
    starts = np.flatnonzero(np.diff(lengths[order], prepend=-1))
    for start, stop in pairwise([*starts.tolist(), len(order)]):
        size = max(1, tokens // max(1, int(lengths[order[start]])))
        for first in range(start, stop, size):
            yield order[first : min(first + size, stop)]


def batch_tokens(device: str) -> int:
    """Token budget: enough to fill the device, little enough for a CPU's cache and any GPU's memory."""
    return 32_768 if device.startswith("cuda") else 2_048


def tokenize_each(tokenizer: Any, texts: Sequence[str], **options: Any) -> tuple[list[list[int]], dict[int, str]]:
    """Token ids of each text; a text that the tokenizer refuses (half a surrogate pair) gets none, and a reason.

    Args:
        tokenizer: of transformers.
        texts: anything.
        options: for the tokenizer, such as ``add_special_tokens``.
    """
    if not texts:
        return [], {}
    try:
        return tokenizer(list(texts), verbose=False, **options)["input_ids"], {}
    except (TypeError, ValueError):
        if len(texts) == 1:
            return [[]], {0: "not tokenized: invalid text"}
    tokens: list[list[int]] = []
    failures: dict[int, str] = {}
    for position, text in enumerate(texts):
        ids, problem = tokenize_each(tokenizer, [text], **options)
        tokens += ids
        if problem:
            failures[position] = problem[0]
    return tokens, failures
