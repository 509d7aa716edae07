"""The human evaluation in a browser. On the Hub as it is; here: `make annotate`.

The study is chosen in settings.json or by IDIST_STUDY (a file, or a dataset of the Hub); the other settings are
IDIST_ANSWERS, IDIST_ANNOTATORS, IDIST_BACKUP and IDIST_RESULTS_CODE. Without a study there is one for practice.
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
from rating.backup import backup
from rating.desk import Desk
from rating.page import build, look
from rating.settings import read
from space_kit.serving import launch

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Open the answers, then serve the page until it is stopped."""
    try:
        settings = read(HERE, Path(os.environ.get("IDIST_RUNS", "runs")))
        if find_spec("gradio") is None:
            raise UserError("gradio is not installed: pip install 'idist[spaces]'.")
        desk = Desk.open(settings)
        with backup(desk.store, settings.backup):
            print(f"{desk.study.name}: {desk.store.path}, {sum(desk.store.finished().values())} items answered so far")
            launch(build(desk, settings.results_code), css=look())
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
