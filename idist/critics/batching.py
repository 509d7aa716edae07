"""Batches without padding: inputs of equal length together, as many as a budget of tokens allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from idist.errors import UserError

if TYPE_CHECKING:
    import torch

T = TypeVar("T")


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


def run_or_halve(run: Callable[[np.ndarray], T], batch: np.ndarray) -> list[tuple[np.ndarray, T]]:
    """``run(batch)``; where memory does not suffice, of its halves.

    Args:
        batch: positions, as `equal_length_batches` gives them.

    Returns:
        The parts of the batch that went through, in order, each with its result.

    Raises:
        UserError: one input alone does not fit.
    """
    import torch

    try:
        return [(batch, run(batch))]
    except torch.OutOfMemoryError as error:
        if len(batch) == 1:
            raise UserError(
                "One text alone does not fit in the GPU's memory, expected room for the critics' models and a batch; "
                f"use smaller models ({str(error).splitlines()[0]})."
            ) from None
    if torch.cuda.is_available():
        torch.cuda.empty_cache()  # here, where the exception no longer holds the tensors
    half = len(batch) // 2
    return [done for part in (batch[:half], batch[half:]) for done in run_or_halve(run, part)]


def on_device(values: Any, device: torch.device) -> torch.Tensor:
    """Numbers as a tensor on a device. A GPU takes them from pinned memory: from any other it would have to finish all
    that it was asked for before, with the host waiting."""
    import torch

    tensor = torch.as_tensor(values)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


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
