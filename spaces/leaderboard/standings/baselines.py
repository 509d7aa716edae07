"""Something measured to look at before anyone has measured: two baselines that need no model of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from idist.errors import UserError

TASKS = ("scenes", "scenes-summary")
SYSTEMS = ("copy-input", "lead")


def score_if_nothing(places: Sequence[str], folder: Path, say: Callable[[str], None]) -> None:
    """Score the baselines on bundled tasks, offline, unless there are results to show.

    Args:
        places: names of folders and datasets that were found or named.
        folder: for the results.
        say: gets a line for people. Trouble is told and no reason to stop: reported figures can still be shown.
    """
    if places:
        return
    say(f"There are no results yet: scoring {' and '.join(SYSTEMS)} into {folder}/ (once, about half a minute)")
    from eval_harness import runner
    from eval_harness.registry import discover
    from eval_harness.request import Run

    try:
        runner.run(Run(TASKS, SYSTEMS, out=folder, progress=False), discover(), lambda text: None)
    except UserError as error:
        say(f"left out: {error}")
