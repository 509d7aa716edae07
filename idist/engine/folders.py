"""A folder appears whole: it is built beside its place and takes it when it is finished."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from idist.engine.shards import FULL
from idist.errors import UserError

_REFUSED = {*FULL, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}
_AT_FDCWD, _EXCHANGE = -100, 2  # of Linux' renameat2


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new folder to build in, which takes the place of ``folder`` at the end.

    A process that is killed leaves what was there before, or the new folder. What it had begun beside is removed by
    the next call.

    Raises:
        UserError: the disk is full or may not be written to; ``folder`` is as it was.
    """
    beside, old = beside_of(folder), old_of(folder)
    with disk_trouble(folder):
        if old.is_dir() and not folder.exists():  # killed between the two renames
            old.rename(folder)
        for left in (beside, old):
            shutil.rmtree(left, ignore_errors=True)
        beside.mkdir(parents=True)
        try:
            yield beside
            _flush(beside)
            _replace(beside, folder, old)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise


@contextlib.contextmanager
def disk_trouble(folder: Path) -> Iterator[None]:
    """A full or write-protected disk in one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        where = error.filename or folder
        raise UserError(f"{error.strerror} at {where}: {folder} is as it was; run the same command again.") from error


def beside_of(folder: Path) -> Path:
    """Where the new folder is built."""
    return folder.with_name(f".{folder.name}.new")


def old_of(folder: Path) -> Path:
    """Where the one before is for a moment, on systems that cannot exchange two folders."""
    return folder.with_name(f".{folder.name}.old")


def link_or_copy(source: Path, target: Path) -> None:
    """Another name for the same file, or a copy where the file system cannot do that."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)  # of the Hub's cache: a link to the data, not to another link
    except OSError:
        shutil.copyfile(source, target)


def _replace(new: Path, folder: Path, old: Path) -> None:
    if not folder.exists():
        new.rename(folder)
    elif _exchange(new, folder):
        shutil.rmtree(new, ignore_errors=True)
    else:
        folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            old.rename(folder)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places at once, where the system can (Linux)."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename is None:
        return False
    return bool(rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE) == 0)


def _flush(folder: Path) -> None:
    """Have the disk hold what was written before the folder takes its place."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as handle:
                os.fsync(handle.fileno())
