"""One process at a time in the folder of a run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from idist.errors import UserError

_HELD: set[Path] = set()  # folders that this process works in


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold ``folder/.lock`` meanwhile; the system lets go of it when the process ends, however it ends.

    A process that holds it may enter again: a recipe holds it for all stages, and each stage for itself.

    No lock is held where the system has none (Windows, some network disks) or the folder cannot be written.

    Raises:
        UserError: another process holds it.
    """
    own = folder.resolve()
    try:
        import fcntl
    except ImportError:
        fcntl = None  # type: ignore[assignment]
    if fcntl is None or own in _HELD:
        yield
        return
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            handle = stack.enter_context((folder / ".lock").open("a"))
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(
                    f"Another process is working in {folder}; wait for it to end, or give this run another name."
                ) from None
        _HELD.add(own)
        stack.callback(_HELD.discard, own)
        yield
