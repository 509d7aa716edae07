"""Publish a Space: its folder with what it needs beside it, and the names of the models and datasets that it shows.

python recipes/push_space.py impossible_t5 --set model=you/mini-student           to hub/, a folder that runs as it is
python recipes/push_space.py impossible_t5 --set model=... --push you/demo --dry-run     what would be uploaded
python recipes/push_space.py impossible_t5 --set model=... --set dataset=you/mini --push you/demo

The packages idist and eval_harness and the folder space_kit go along, so that a Space runs with the code that it was
pushed with. Of the models that ship, those go along that its settings or the usual critics name.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist._schema import nearest
from idist.errors import UserError
from recipes.command import ROOT, run
from recipes.publishing import add_arguments, read_options, release

SPACES = ROOT / "spaces"
PACKAGES = (SPACES / "space_kit", ROOT / "idist", ROOT / "eval_harness")
SETTINGS = "settings.json"
NEEDED = ("encoder", "entailment", "parser", "student")  # of the models that ship; the teacher stays here
LEFT = ("__pycache__", ".*", "*.pyc", "tests", "flagged")


def main() -> None:
    """Build and publish, or say what would be published."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("space", help=f"one of: {', '.join(names())}")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="changes",
        help=f"a key of the Space's {SETTINGS}, such as model=you/mini-student (may be repeated)",
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would be uploaded; sends nothing")
    add_arguments(parser, models=False)
    args = parser.parse_args()
    if args.space not in names():
        raise UserError(f"{args.space!r} is no Space; {nearest(args.space, names())}")
    options, settings = read_options(args), changed(SPACES / args.space, args.changes)

    from idist.release import Built

    def build(folder: Path, tag: str) -> Built:
        return build_space(SPACES / args.space, folder, settings)

    name = options.name or args.space
    print("\n".join(release("space", name, build, Path(), options, args.dry_run)[1]))


def names() -> list[str]:
    """Of the Spaces that there are."""
    return sorted(path.parent.name for path in SPACES.glob("*/app.py"))


def changed(space: Path, changes: list[str]) -> dict[str, Any]:
    """The Space's settings with some of them set; {} where it has none.

    Raises:
        UserError: no KEY=VALUE, a key that this Space does not have, or a folder of this machine.
    """
    path = space / SETTINGS
    settings: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals or not value:
            raise UserError(f"--set {change!r}: expected KEY=VALUE.")
        if key not in settings:
            raise UserError(f"--set {change!r}: {space.name} has no setting {key!r}; {nearest(key, list(settings))}")
        if Path(value).exists() or value.startswith(("/", ".", "~")):
            raise UserError(f"--set {change!r} is a folder of this machine, expected the name of a repository.")
        settings[key] = value
    return settings


def build_space(space: Path, folder: Path, settings: dict[str, Any]) -> Any:
    """The release of a Space: everything that ``python app.py`` needs, in one folder.

    Args:
        space: its folder in the repository.
        folder: of the release.
        settings: of the pushed Space.

    Raises:
        UserError: a part is missing; disk full.
    """
    from idist import __version__
    from idist.engine.folders import whole_folder
    from idist.hub import seal
    from idist.hub.releases import list_files
    from idist.release import Built

    missing = [part for part in ("README.md", "requirements.txt", "app.py") if not (space / part).is_file()]
    if missing:
        raise UserError(f"{space.name} has no {missing[0]}, expected the folder of a Space.")
    with whole_folder(folder) as beside:
        shutil.copytree(space, beside, ignore=shutil.ignore_patterns(*LEFT), dirs_exist_ok=True)
        for package in PACKAGES:
            shutil.copytree(package, beside / package.name, ignore=shutil.ignore_patterns(*LEFT))
        for model in (beside / "idist" / "embedded").iterdir():
            if model.is_dir() and model.name not in NEEDED:
                shutil.rmtree(model)
        if settings:
            (beside / SETTINGS).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        seal(beside, {"kind": "space", "name": space.name, "toolkit": {"name": "idist", "version": __version__}})
    size = sum((folder / path).stat().st_size for path in list_files(folder))
    return Built(folder, "space", space.name, {}, size)


if __name__ == "__main__":
    run(main)
