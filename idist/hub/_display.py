"""What a person sees while something is sent: one bar of ours in place of the client's many."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def bar_of(name: str, total: int) -> Iterator[Any]:
    """A bar over ``total`` bytes on stderr, on a terminal only."""
    from tqdm import tqdm

    with tqdm(desc=name, total=total, unit="B", unit_scale=True, file=sys.stderr, disable=None, leave=False) as bar:
        yield bar


class _Quiet:
    """Threads overlap: the first to enter saves the client's settings, the last to leave restores them."""

    def __init__(self) -> None:
        self.lock, self.depth, self.verbosity, self.bars = threading.Lock(), 0, 0, False

    def enter(self) -> None:
        from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, logging

        with self.lock:
            self.depth += 1
            if self.depth > 1:
                return
            self.verbosity, self.bars = logging.get_verbosity(), not are_progress_bars_disabled()
            logging.set_verbosity_error()
            if self.bars:
                disable_progress_bars()

    def leave(self) -> None:
        from huggingface_hub.utils import enable_progress_bars, logging

        with self.lock:
            self.depth -= 1
            if self.depth:
                return
            logging.set_verbosity(self.verbosity)
            if self.bars:
                enable_progress_bars()


_QUIET = _Quiet()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the client's own bars, and without its remarks on retries, which hold signed addresses."""
    _QUIET.enter()
    try:
        yield
    finally:
        _QUIET.leave()
