"""Impossible-T5 in a browser. On the Hub as it is; here: `make demo`.

Models are chosen in settings.json or by environment variables: IDIST_MODEL, IDIST_SYNTAX_MODEL, IDIST_ATTRIBUTE_MODEL,
IDIST_SUMMARY_MODEL (Hub ids or folders) and IDIST_DATASET. What is not chosen is taken from the finished runs in runs/.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

# Pushed, everything lies beside this file; in the repository space_kit is one floor up, and idist two.
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
sys.path.insert(2, str(Path(__file__).resolve().parents[2]))

from demo.page import build
from demo.settings import read
from demo.studio import Studio
from idist.errors import UserError
from space_kit.serving import launch

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Load the models, then serve the page until it is stopped."""
    try:
        settings = read(HERE, Path(os.environ.get("IDIST_RUNS", "runs")))
        if find_spec("gradio") is None:
            raise UserError("gradio is not installed: pip install 'idist[spaces]'.")
        studio = Studio(settings)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    launch(build(studio, settings.dataset))


if __name__ == "__main__":
    main()
