"""How many rows fit into memory: what a row's cache takes, seen on a prompt of a few tokens, and what is free.

Nothing is set by hand, and nothing depends on a model's family: the caches themselves are weighed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from idist.errors import UserError

if TYPE_CHECKING:
    import torch

    from idist.decoding.prefix import Prefix

# Samples at most. 256 is what all figures of a CPU were measured with. On a GPU some hundred rows are enough for its
# products to be bound by arithmetic and no longer by reading the weights; samples share rows, so that 2,048 samples are
# several hundred rows (reckoned from a GPU's rates, not measured).
MOST_ROWS = {"cpu": 256, "cuda": 2048}
SHARE = 0.8  # of the free memory: the rest is for what a layer needs in passing, and for gaps
PROBE = 8  # tokens
COPIES = 4  # of a row's logits in float32, while a token is chosen


@dataclass(frozen=True)
class RowSize:
    """Bytes that one row takes.

    Attributes:
        read: a token of its prompt, or of an encoder's source.
        written: a token that it writes.
        logits: whatever its length.
    """

    read: float
    written: float
    logits: float

    @classmethod
    def of(cls, prefix: Callable[[list[list[int]]], Prefix]) -> RowSize:
        """Seen on `PROBE` tokens; ``prefix`` runs prompts, token ids each."""
        from idist.decoding.cache import bytes_of

        probe = prefix([[0] * PROBE])
        read, written = bytes_of(probe.cache)
        return cls(read / PROBE, written / probe.prompts.shape[1], COPIES * 4 * probe.logits.shape[-1])

    def row(self, prompt_tokens: int, new_tokens: int) -> float:
        """Bytes of a row at its end: its prompt, what it writes, and the room that its cache keeps ahead."""
        from idist.decoding.cache import ROOM

        return self.read * prompt_tokens + self.written * (new_tokens + ROOM) + self.logits


def free_bytes(device: torch.device) -> float:
    """Bytes that this process may take now. On a GPU what nobody has, and what torch keeps for itself unused. Elsewhere
    its share of the free memory: the share that its threads are of the cores it may use, since workers divide both."""
    import torch

    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return float(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = min(1.0, torch.get_num_threads() / cores)
    return float(psutil.virtual_memory().available * share)


class RowLimit:
    """How many samples are decoded at once.

    Args:
        device: of the model.
        most: at most so many; None: found (`MOST_ROWS`, and what the memory holds).
        size: weighs a row; called once, when first needed.

    Attributes:
        most: the number, before memory is looked at. It shrinks where memory did not suffice all the same.
    """

    def __init__(self, device: torch.device, most: int | None, size: Callable[[], RowSize]):
        self.most = most or MOST_ROWS.get(device.type, MOST_ROWS["cpu"])
        self._device, self._found, self._weigh = device, most is None, size
        self._size: RowSize | None = None

    def fitting(self, prompt_tokens: int, new_tokens: int, free: float) -> int:
        """Samples of prompts of that length, at least 1.

        Args:
            free: bytes, see `free_bytes`.
        """
        if not self._found:
            return self.most
        if self._size is None:
            self._size = self._weigh()
        return max(1, min(self.most, int(SHARE * free / self._size.row(prompt_tokens, new_tokens))))

    def free(self) -> float:
        """`free_bytes` of the model's device; 0 where it is not asked for."""
        return free_bytes(self._device) if self._found else 0.0

    def halve(self, tried: int, prompt_tokens: int) -> None:
        """So many samples after so many tokens did not fit: from now on at most half of them.

        Raises:
            UserError: it was one.
        """
        import torch

        if tried == 1:
            raise UserError(
                f"One text after {prompt_tokens} tokens does not fit in the memory of {self._device}, expected room "
                "for its keys and values; lower max_new_tokens, or take a smaller model."
            )
        self.most = tried // 2
        if self._device.type == "cuda":
            torch.cuda.empty_cache()


@dataclass(frozen=True)
class Part:
    """Samples ``first`` to ``last`` (exclusive) of prompt number ``prompt``."""

    prompt: int
    first: int
    last: int


def next_batch(todo: Sequence[Part], rows: int) -> tuple[list[Part], list[Part]]:
    """What is decoded next and what is left, of parts whose longest prompt is the first.

    Prompts share a batch as long as all their samples fit. A prompt with more samples than that has batches to itself.
    """
    first, *others = todo
    if first.first or first.last > rows:
        cut = min(first.last, first.first + rows)
        left = [Part(first.prompt, cut, first.last)] if cut < first.last else []
        return [Part(first.prompt, first.first, cut)], [*left, *others]
    count = max(1, rows // first.last)
    return list(todo[:count]), list(todo[count:])


def is_full(error: BaseException) -> bool:
    """Whether memory did not suffice. On a CPU torch's allocator raises a plain RuntimeError that says so."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
