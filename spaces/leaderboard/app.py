"""The leaderboard in a browser. On the Hub as it is; here: `make leaderboard`.

What is shown is named in settings.json or in the environment variable IDIST_RESULTS: folders of results, or datasets of
the Hub, separated by commas. Without it: results/ and the evaluations of the runs in runs/ (IDIST_RUNS).
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

# Pushed, everything lies beside this file; in the repository space_kit is one floor up, and idist two.
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
sys.path.insert(2, str(Path(__file__).resolve().parents[2]))

from idist.errors import UserError
from space_kit.serving import launch
from standings.baselines import score_if_nothing
from standings.page import build
from standings.settings import RESULTS, read
from standings.shelf import Shelf

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Find the results, then serve the page until it is stopped."""
    try:
        places = read(HERE, Path(os.environ.get("IDIST_RUNS", "runs")))
        if find_spec("gradio") is None:
            raise UserError("gradio is not installed: pip install 'idist[spaces]'.")
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    score_if_nothing(places(), RESULTS, print)
    launch(build(Shelf(places)))


if __name__ == "__main__":
    main()
