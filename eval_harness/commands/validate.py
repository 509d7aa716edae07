"""``validate``: is everything that is registered (or named) well-formed? All problems at once."""

from __future__ import annotations

import argparse
from pathlib import Path

from eval_harness import validation
from eval_harness.registry import KINDS, Entry, Registry, discover
from idist._schema import nearest
from idist.errors import UserError

help = "check tasks, metrics and systems (keys, layouts, specs, classes), and local data with --data-dir"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to check, and where data are."""
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="names, specs with settings, or YAML files of tasks (default: all)"
    )
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="also read the tasks' files that are here")


def run(args: argparse.Namespace) -> None:
    """A line for each thing checked.

    Raises:
        UserError: all problems in one message.
    """
    registry = discover(args.plugin)
    problems: list[str] = []
    checked = 0
    for what, found in _checks(args.names, registry, args.data_dir):
        checked += 1
        print(f"{what}  {'ok' if not found else 'WRONG'}")
        problems += found
    if problems:
        count = f"{len(problems)} problem" + ("" if len(problems) == 1 else "s")
        raise UserError("\n  ".join([f"{count} in {checked} checked:", *problems]))
    print(f"{checked} checked, no problems")


def _checks(names: list[str], registry: Registry, data_dir: Path | None) -> list[tuple[str, list[str]]]:
    """(what was checked, its problems) for each name, or for everything registered."""
    if data_dir is not None and not data_dir.is_dir():
        raise UserError(f"Data folder {data_dir} does not exist.")
    if not names:
        return [_check(entry, registry, data_dir) for kind in KINDS for entry in registry.entries(kind)]
    return [check for name in names for check in _named(name, registry, data_dir)]


def _named(name: str, registry: Registry, data_dir: Path | None) -> list[tuple[str, list[str]]]:
    if validation.is_yaml(name):
        return [(f"task    {name}", validation.yaml_problems(name, registry, data_dir))]
    plain = name.partition(":")[0].partition(",")[0].strip()
    entries = [entry for kind in KINDS for entry in registry.entries(kind) if entry.name == plain]
    if not entries:
        known = [entry.name for kind in KINDS for entry in registry.entries(kind)]
        return [(f"?       {name}", [f"Nothing is called {plain!r}; {nearest(plain, known)}"])]
    if plain != name:
        return [(f"{entry.kind:<7} {name}", validation.spec_problems(name, registry)) for entry in entries]
    return [_check(entry, registry, data_dir, named=True) for entry in entries]


def _check(entry: Entry, registry: Registry, data_dir: Path | None, named: bool = False) -> tuple[str, list[str]]:
    """A registered entry; files are read of tasks that are named, and of others if they have some there."""
    what = f"{entry.kind:<7} {entry.name}"
    if data_dir is not None and entry.kind == "task" and not named and not _is_present(entry, registry, data_dir):
        return f"{what} (no files there)", validation.entry_problems(entry, registry)
    return what, validation.entry_problems(entry, registry, data_dir)


def _is_present(entry: Entry, registry: Registry, data_dir: Path) -> bool:
    try:
        return registry.task(entry.name).is_present(data_dir)
    except UserError:
        return True  # what is wrong with it is told by the check
