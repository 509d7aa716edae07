"""Publish a finished run: its datasets as one repository, its student as another, with cards and lineage.

python recipes/publish.py runs/mini                             to runs/mini/hub, from where load_dataset works
python recipes/publish.py runs/mini --push you/mini --dry-run   what would be uploaded, and how large it is
python recipes/publish.py runs/mini --push you/mini             dataset you/mini, model you/mini-student

Ended half-way, for whatever reason: call it again. A release that is there is never changed without --overwrite.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist.config import RunConfig
from idist.errors import UserError
from recipes.command import config_of_run, run
from recipes.publishing import DATASET_STAGES, MODEL_STAGES, Publisher, add_arguments, read_options, results_of


def main() -> None:
    """Build and publish, or say what would be published."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of the run, such as runs/mini")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="change what the release says of itself: hub.license=mit, hub.title=... (may be repeated)",
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would be uploaded; sends nothing")
    parser.add_argument(
        "--only", choices=("dataset", "model"), help="one of the two (default: both, as far as they have finished)"
    )
    parser.add_argument(
        "--candidates",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="publish all scored candidates, too: large (default: as the config's hub.candidates says)",
    )
    parser.add_argument(
        "--results", type=Path, action="append", metavar="DIR", help="of the harness, for the model's card (repeatable)"
    )
    add_arguments(parser)
    args = parser.parse_args()
    options = read_options(args)
    publisher = Publisher(config_of(args.run, args.overrides), args.run, options, args.dry_run)
    stages = {"dataset": DATASET_STAGES, "model": MODEL_STAGES}.get(args.only, DATASET_STAGES + MODEL_STAGES)
    print("\n".join(publisher.publish(stages, results_of(args.run, args.results))))


def config_of(folder: Path, overrides: list[str]) -> RunConfig:
    """The config that a run was made with.

    Raises:
        UserError: no such run; an override of a key that the run's rows depend on.
    """
    for override in overrides:
        if not override.startswith("hub."):
            raise UserError(f"--set {override!r}: the run is made, expected a key of hub, such as hub.license=mit.")
    return config_of_run(folder, overrides)


if __name__ == "__main__":
    run(main)
