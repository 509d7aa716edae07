"""Half precision in the entailment critic: which share of decisions flips at the threshold, against float32.

The pairs of a finished run that its entailment model was asked about go through the same critic in float32 and in half
precision. A pair is accepted if p(x => y) and p(y => x) both reach the threshold.

    OMP_NUM_THREADS=1 python benchmarks/half_precision.py [--run runs/mini] [--contexts 100] [--record]

Half precision is what `device: cuda` computes in unless told otherwise. The numbers here are a CPU's, which rounds to
the same formats but adds up in another order. Speeds are of this machine and say nothing about a GPU.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.intervals import told
from benchmarks.record import Figure, add_argument, record
from benchmarks.stored_run import StoredRun, stored_run
from idist.config import PAPER_CRITICS
from idist.critics.nli import EntailmentModel, P

HALVES = ("bfloat16", "float16")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=Path("runs/mini"), help="a finished run (default: %(default)s)")
    parser.add_argument("--contexts", type=int, default=100, help="of the run (default: %(default)s)")
    parser.add_argument("--model", help="an entailment model in place of the run's")
    parser.add_argument("--device", default="cpu", help="(default: %(default)s)")
    parser.add_argument("--dtypes", nargs="+", choices=HALVES, default=list(HALVES), help="(default: both)")
    add_argument(parser)
    arguments = parser.parse_args()
    run = stored_run(arguments.run, arguments.contexts)
    name = arguments.model or entailment_settings(run)["model"]
    exact = probabilities(run, name, arguments.device, "float32")
    figures = []
    for dtype in arguments.dtypes:
        half = probabilities(run, name, arguments.device, dtype)
        figures += flips(exact, half, run, dtype, name)
    record("half_precision", figures, arguments.record)


def entailment_settings(run: StoredRun) -> dict[str, object]:
    """Of the run's composition."""
    return next(critic["entailment"] for critic in run.critics if "entailment" in critic)


def thresholds(run: StoredRun) -> dict[float, list[str]]:
    """Where decisions are made -> whose threshold that is."""
    named: dict[float, list[str]] = {}
    [paper] = [critic["entailment"]["min"] for critic in PAPER_CRITICS if "entailment" in critic]
    named.setdefault(float(paper), []).append("the paper's threshold")
    for setting, what in (("min", "threshold"), ("floor", "floor")):
        value = entailment_settings(run).get(setting)
        if isinstance(value, int | float):
            named.setdefault(float(value), []).append(f"{run.name}'s {what}")
    return named


def probabilities(run: StoredRun, name: str, device: str, dtype: str) -> np.ndarray:
    """(N, 2) float32: p(x => y), p(y => x) of the pairs that the run asked its entailment model about."""
    asked = ~np.isnan(run.columns["entailment_xy"]) | ~np.isnan(run.columns["entailment_yx"])
    batch = run.pairs_where(asked)
    model = EntailmentModel(name, device, dtype)
    clock = time.process_time if device == "cpu" else time.perf_counter
    start = clock()
    sides = [model.ask(batch), model.ask([(group, pairs[:, ::-1]) for group, pairs in batch])]
    seconds = clock() - start
    print(f"{dtype}: {model.calls:,} calls in {seconds:.1f} s, {model.calls / seconds:,.0f} a second")
    return np.stack([np.concatenate([answer[:, P] for answer in side]) for side in sides], axis=1)


def flips(exact: np.ndarray, half: np.ndarray, run: StoredRun, dtype: str, name: str) -> list[Figure]:
    """Decisions that differ, at every threshold."""
    apart = np.abs(exact.astype(np.float64) - half)
    print(f"{dtype}: probabilities differ by {apart.mean():.2g} on average, by at most {apart.max():.2g}")
    figures = []
    for value, owners in thresholds(run).items():
        single = int(((exact >= value) != (half >= value)).sum())
        before, after = (exact >= value).all(axis=1), (half >= value).all(axis=1)
        changed = int((before != after).sum())
        lost, won = int((before & ~after).sum()), int((~before & after).sum())
        figures.append(
            Figure(
                f"pairs accepted or refused otherwise in {dtype} than in float32 at {value:g} ({', '.join(owners)})",
                "% of pairs",
                100 * changed / len(exact),
                note=f"{told(changed, len(exact))}: of {int(before.sum()):,} accepted {lost:,} lost, {won:,} won; "
                f"single directions: {told(single, exact.size)}; {name}, {len(run.groups)} contexts of {run.name}, "
                f"on a CPU",
            )
        )
        print(f"  at {value:g}: {figures[-1].note}")
    return figures


if __name__ == "__main__":
    main()
