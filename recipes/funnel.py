"""What each critic removed: the funnels of one run, or of several beside each other, as tables and a picture.

python recipes/funnel.py runs/mini                               both stages of a run
python recipes/funnel.py runs/mini runs/mini-summary --out out   several runs, into a folder of their own

Prints a table for each stage that has judged pairs, and leaves funnel.png and funnel.svg in the run's folder, or --out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist.errors import UserError
from recipes.command import output_folder, run

if TYPE_CHECKING:
    from idist.critics.funnel import Funnel

STAGES = {"pairs": "the teacher's pairs", "self_distil": "the student's own pairs"}


def main() -> None:
    """Tables, then the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folder of a run")
    parser.add_argument("--out", type=Path, help="folder of the picture (default: the run's, if there is one)")
    args = parser.parse_args()
    if args.out is None and len(args.runs) > 1:
        raise UserError(f"There are {len(args.runs)} runs, expected --out, the folder of their picture.")
    names = names_of(args.runs)
    funnels = {title: one for run, name in names.items() for title, one in funnels_of(run, name).items()}
    for title, funnel in funnels.items():
        print(f"{title}\n{funnel.table()}\n")
    from idist.analysis.funnel_picture import draw_funnels

    out = output_folder(args.out or args.runs[0])
    files = draw_funnels(funnels, out, f"What the critics leave: {', '.join(names.values())}")
    print(f"Written: {', '.join(map(str, files))}")


def names_of(runs: Sequence[Path]) -> dict[Path, str]:
    """What each run is called in the picture: its folder's name, the whole path where two have one name."""
    folders = list({run.resolve(): run for run in runs}.values())
    names = [folder.resolve().name for folder in folders]
    own = {folder: name for folder, name in zip(folders, names, strict=True) if names.count(name) == 1}
    return {folder: own.get(folder, str(folder)) for folder in folders}


def funnels_of(folder: Path, name: str) -> dict[str, Funnel]:
    """Title -> funnel of the run's stages and rounds that have judged pairs, in the order in which they were made.

    Raises:
        UserError: no folder, or no stage of it has judged pairs; a damaged manifest.
    """
    from idist.critics.funnel import Funnel
    from idist.stages.rounds import base, in_order, known_rounds
    from idist.stages.runs import STAGES as ALL
    from idist.stages.runs import read_manifest

    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder, expected that of a run, such as runs/mini.")
    found: dict[str, Funnel] = {}
    stages = [stage for stage in in_order(ALL, known_rounds(folder, "pairs")) if base(stage) in STAGES]
    for stage in stages:
        told = (read_manifest(folder, stage) or {}).get("funnel")
        if told and told["steps"]:
            round_ = f" ({stage})" if stage != base(stage) else ""
            found[f"{name}: {STAGES[base(stage)]}{round_}"] = Funnel.from_dict(told)
    if not found:
        raise UserError(f"{folder} has no finished stage with critics, expected {' or '.join(STAGES)}.")
    return found


if __name__ == "__main__":
    run(main)
