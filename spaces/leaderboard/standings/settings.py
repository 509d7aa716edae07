"""Whose results are shown: settings.json, the environment, or what lies in ``results/`` and ``runs/``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from space_kit.serving import read_settings

VARIABLES = {"results": "IDIST_RESULTS"}
RESULTS = Path("results")  # where the harness leaves them if it is not told otherwise

Places = Callable[[], list[str]]


def read(folder: Path, runs: Path) -> Places:
    """What gives the names of folders and datasets, anew each time: a run may finish while the page is served.

    Args:
        folder: of the Space, with ``settings.json``.
        runs: where runs lie; it need not be there.

    Raises:
        UserError: ``settings.json`` is damaged.
    """
    told = read_settings(folder, VARIABLES)["results"] or ""
    named = list(dict.fromkeys(name.strip() for name in told.split(",") if name.strip()))
    return lambda: named or found(runs)


def found(runs: Path) -> list[str]:
    """``results/`` and the evaluations of runs, as far as they are there."""
    folders = [RESULTS, *sorted(runs.glob("*/evaluation"))]
    return [str(folder) for folder in folders if folder.is_dir()]
