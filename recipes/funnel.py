"""What each critic removed: the funnels of one run, or of several beside each other, as tables and a picture.

python recipes/funnel.py runs/mini                               both stages of a run
python recipes/funnel.py runs/mini runs/mini-summary --out out   several runs, into a folder of their own

Prints a table for each stage that has judged pairs, and leaves funnel.png and funnel.svg in the run's folder, or --out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist.errors import UserError
from recipes.command import run

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
    funnels = {title: funnel for folder in args.runs for title, funnel in funnels_of(folder).items()}
    for title, funnel in funnels.items():
        print(f"{title}\n{funnel.table()}\n")
    from idist.analysis.funnel_picture import draw_funnels

    out = args.out or args.runs[0]
    out.mkdir(parents=True, exist_ok=True)
    names = ", ".join(folder.name for folder in args.runs)
    files = draw_funnels(funnels, out, f"What the critics leave: {names}")
    print(f"Written: {', '.join(map(str, files))}")


def funnels_of(folder: Path) -> dict[str, Funnel]:
    """Title -> funnel of the run's stages and later rounds that have judged pairs.

    Raises:
        UserError: no folder, or no stage of it has judged pairs; a damaged manifest.
    """
    from idist.critics.funnel import Funnel
    from idist.stages.rounds import base
    from idist.stages.runs import read_manifest

    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder, expected that of a run, such as runs/mini.")
    found: dict[str, Funnel] = {}
    for stage in sorted(path.parent.name for path in folder.glob("*/manifest.json")):
        told = (read_manifest(folder, stage) or {}).get("funnel") if base(stage) in STAGES else None
        if told and told["steps"]:
            round_ = f" ({stage})" if stage != base(stage) else ""
            found[f"{folder.name}: {STAGES[base(stage)]}{round_}"] = Funnel.from_dict(told)
    if not found:
        raise UserError(f"{folder} has no finished stage with critics, expected {' or '.join(STAGES)}.")
    return found


if __name__ == "__main__":
    run(main)
