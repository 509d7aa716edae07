"""``report``: a leaderboard in Markdown and HTML from a folder of results, with plots."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

help = "make a leaderboard from a folder of results: Markdown, HTML, plots"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """From where, to where, of what."""
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path("results"), metavar="FOLDER", help="default: results"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="of the report (default: FOLDER/report)")
    parser.add_argument("--tasks", "--task", nargs="+", action="extend", metavar="TASK", help="default: all in FOLDER")
    parser.add_argument("--no-plots", action="store_true", help="tables only")


def run(args: argparse.Namespace) -> None:
    """Write the report, print its tables and where it is.

    Raises:
        UserError: no results; or, after the report of all others has been written, results that are damaged.
    """
    from eval_harness.registry import discover
    from eval_harness.report.collect import collect
    from eval_harness.report.document import compose
    from eval_harness.report.tables import compact
    from eval_harness.report.text import counted
    from eval_harness.report.write import write
    from idist.errors import UserError

    found = collect(args.folder, args.tasks or ())
    document = compose(found, discover(args.plugin), not args.no_plots, lambda text: print(text, file=sys.stderr))
    folder = args.folder if args.folder.is_dir() else args.folder.parent  # one result may be named, too
    written = write(document, args.out or folder / "report")
    tables = [compact(board) for section in document.sections for board in section.boards]
    pictures = [path for path in written if path.suffix == ".png"]
    lines = [f"Report: {path}" for path in written if path.suffix in (".md", ".html")]
    lines += [f"Plots:  {pictures[0].parent} ({len(pictures)} as PNG and SVG)"] if pictures else []
    print("\n\n".join([*tables, "* best; † not shown to be worse than the best", "\n".join(lines)]))
    if found.damaged:
        count = counted(len(found.damaged), "result file")
        raise UserError("\n  ".join([f"{count} left out of the report:", *found.damaged]))
