"""``list``: what there is, one line each, and where it comes from."""

from __future__ import annotations

import argparse

from eval_harness.registry import KINDS, Entry, Kind, discover, summary
from idist.errors import UserError

help = "list tasks, metrics and systems, one line each, and where they come from"
_WORDS: dict[str, Kind] = {f"{kind}s": kind for kind in KINDS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One optional kind."""
    parser.add_argument("kind", nargs="?", choices=tuple(_WORDS), help="only these (default: all)")


def run(args: argparse.Namespace) -> None:
    """Print the tables; something that cannot be imported is listed with the reason."""
    registry = discover(args.plugin)
    shown = {args.kind: _WORDS[args.kind]} if args.kind else _WORDS
    tables = []
    for word, kind in shown.items():
        entries = registry.entries(kind)
        width = max((len(entry.name) for entry in entries), default=0)
        lines = [f"  {entry.name:<{width}}  {_line(entry)}  [{entry.origin}]" for entry in entries]
        tables.append("\n".join([f"{len(entries)} {word}", *lines]))
    print("\n\n".join(tables))


def _line(entry: Entry) -> str:
    try:
        return summary(entry)
    except UserError as error:
        return f"cannot be used: {error}"
