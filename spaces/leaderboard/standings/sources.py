"""Where results lie: a folder of the harness, a release of them in a folder, or a dataset of the Hub."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from eval_harness import exported
from eval_harness.report.collect import Collection, collect
from eval_harness.results import Result
from idist.errors import UserError
from idist.hub import download, read_lineage
from idist.hub.releases import LINEAGE

PATIENCE = 60.0  # seconds for which a dataset of the Hub is not asked for again

Stamp = tuple[tuple[str, int, int], ...]


class Source:
    """One named place.

    Args:
        name: a folder (or what will be one), or ``owner/name`` of a dataset, with a revision as ``owner/name@v1.0.0``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.title = "/".join(Path(name).parts[-2:]) if Path(name).is_absolute() else name  # for people
        self._fetched: tuple[float, Path | UserError] | None = None

    def folder(self) -> Path:
        """Where the files are, downloaded if they have to be.

        Raises:
            UserError: no such dataset, out of reach, or a dataset of something else.
        """
        if Path(self.name).exists() or "/" not in self.name or self.name.startswith(("/", ".", "~")):
            return Path(self.name)
        now = time.monotonic()
        if self._fetched is None or now - self._fetched[0] > PATIENCE:
            self._fetched = now, self._download()
        if isinstance(self._fetched[1], UserError):
            raise self._fetched[1]
        return self._fetched[1]

    def stamp(self) -> Stamp:
        """Changes when a file does, comes or goes."""
        folder = self.folder()
        if not folder.is_dir():
            return (("missing", 0, 0),)
        below = [path for kind in ("*.json", "*.parquet") for path in folder.rglob(kind)]
        files = [path for path in below if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
        return tuple(sorted((str(path), stat.st_mtime_ns, stat.st_size) for path in files for stat in _stat(path)))

    def read(self) -> Collection:
        """Results with their examples, then those of which only the scores were published.

        Raises:
            UserError: there is nothing that can be used.
        """
        folder = self.folder()
        if not (folder / LINEAGE).is_file():
            return collect(folder)
        files = _files(folder)
        there = {_key(result) for result in files.results}
        rows = [result for result in exported.read_table(folder) if _key(result) not in there]
        return Collection([*files.results, *rows], files.damaged)

    def said(self, sentence: str) -> str:
        """A sentence with the place's own name in place of this machine's folder."""
        fetched = self._fetched[1] if self._fetched else None
        folder = fetched if isinstance(fetched, Path) else Path(self.name)
        return sentence.replace(str(folder), self.title)

    def _download(self) -> Path | UserError:
        """The folder, or what was wrong: that is not tried again at once, either."""
        repository, _, revision = self.name.partition("@")
        try:
            if read_lineage(self.name, "dataset").get("kind") != "results":
                raise UserError(f"Dataset {self.name} holds no results, expected one of recipes/publish_results.py.")
            return download("dataset", repository, revision or None)
        except UserError as error:
            return error


def _files(folder: Path) -> Collection:
    """Of a release that may have been published without examples."""
    place = folder / "results"
    if not place.is_dir():
        return Collection([], [])
    return collect(place)


def _key(result: Result) -> Sequence[str]:
    return result.task, result.meta["protocol"], result.system, result.meta["task"]["fingerprint"]


def _stat(path: Path) -> list[os.stat_result]:
    """At most one: the file may be gone since it was listed."""
    try:
        return [path.stat()]
    except OSError:
        return []
