"""What the critic `similarity` costs and saves as a floor before the entailment model: an approximation, measured.

All pairs of a finished run's sentences that the run's other critics leave go through its entailment model, those below
the floor too. Recall: of the pairs that are accepted (before the diversity critic), how many reach the floor. Saved:
how many calls of the entailment model the floor spares.

    OMP_NUM_THREADS=1 python benchmarks/similarity_floor.py [--run runs/mini] [--contexts 200] [--record]

The interval takes pairs for independent; pairs of one context resemble each other, so it is somewhat too narrow.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.intervals import told
from benchmarks.record import Figure, add_argument, record
from benchmarks.stored_run import StoredRun, stored_run
from idist.critics import build_cascade

FLOORS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=Path("runs/mini"), help="a finished run (default: %(default)s)")
    parser.add_argument("--contexts", type=int, default=200, help="of the run (default: %(default)s)")
    add_argument(parser)
    arguments = parser.parse_args()
    run = stored_run(arguments.run, arguments.contexts)
    own = own_floor(run)
    similarity, calls, accepted = judge(run)
    print(f"{len(run.groups)} contexts of {run.name}: {len(similarity):,} pairs left by the other critics,")
    print(f"{calls.sum():,} calls of the entailment model, {accepted.sum():,} accepted pairs")
    figures = []
    for floor in sorted({*FLOORS, *([own] if own is not None else [])}):
        above = similarity >= floor
        kept, saved = int((accepted & above).sum()), int(calls[~above].sum())
        figures.append(
            Figure(
                f"recall of the similarity floor {floor:g}, of pairs accepted without it",
                "% of accepted pairs",
                100 * kept / max(1, int(accepted.sum())),
                note=f"{told(kept, int(accepted.sum()))}; calls of the entailment model saved: "
                f"{told(saved, int(calls.sum()))}; {len(run.groups)} contexts of {run.name}"
                + (", whose floor it is" if floor == own else ""),
            )
        )
        print(f"{floor:g}: accepted {told(kept, int(accepted.sum()))}; saved {saved / max(1, int(calls.sum())):.1%}")
    record("similarity_floor", figures, arguments.record)


def own_floor(run: StoredRun) -> float | None:
    """The floor that the run itself used."""
    for critic in run.critics:
        if "similarity" in critic:
            return critic["similarity"].get("floor") or critic["similarity"].get("min")
    return None


def judge(run: StoredRun) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of all pairs that the run's other critics keep at their thresholds: cosine; calls of the entailment model (0 to
    2); accepted or not."""
    critics = []
    for critic in run.critics:
        [(name, settings)] = critic.items()
        plain: dict[str, Any] = {key: value for key, value in settings.items() if key not in ("floor", "ceiling")}
        if name == "similarity":
            plain = {"min": -1.0, "model": settings["model"]}
        if name != "diversity":
            critics.append({name: plain})
    judged = build_cascade(critics, "cpu").score(run.groups)
    scores = {name: np.concatenate([one.scores[name] for one in judged]) for name in judged[0].scores}
    calls = sum((~np.isnan(scores[f"entailment_{side}"])).astype(int) for side in ("xy", "yx"))
    accepted = np.concatenate([np.array([name is None for name in one.removed_by], bool) for one in judged])
    asked = np.asarray(calls) > 0
    return scores["similarity"][asked], np.asarray(calls)[asked], accepted[asked]


if __name__ == "__main__":
    main()
