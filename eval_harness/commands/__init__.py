"""The commands, one module each, imported when it is asked for.

A module has ``help`` (one line), ``add_arguments(parser)`` and ``run(args)``; every command has ``args.plugin``.
"""

from __future__ import annotations

import importlib
from argparse import ArgumentParser, Namespace
from typing import Protocol, cast

COMMANDS = ("list", "validate", "run", "compare", "report", "decontaminate")


class Command(Protocol):
    """What a module of this package offers."""

    help: str

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's own options."""

    def run(self, args: Namespace) -> None:
        """Do it; UserError becomes one sentence and exit code 2."""


def load(name: str) -> Command:
    """The module of a command in :data:`COMMANDS`."""
    return cast(Command, importlib.import_module(f"{__name__}.{name}"))
