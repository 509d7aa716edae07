"""The paper's models in their real shapes on a GPU, in one command of nine minutes: rates, and shares of its limits.

    python benchmarks/gpu_rates.py --out FOLDER            # on a machine with CUDA
    python benchmarks/gpu_rates.py --shapes tiny           # a test of the program, in a minute on a CPU

In order: matrix rate and bandwidth; GPT2-XL and BioGPT-Large decoding at k = 100 after contexts of 30, 100 and 200
tokens, the toolkit against `generate`; entailment by roberta-large in bfloat16 and float32; a training step of T5-large
at several batch sizes; T5-large generation. Weights are random: how fast a shape is does not depend on what its weights
say. A part for which no time is left is skipped and named; so is a batch that does not fit. A table comes last;
`gpu_rates.json` is written after each part, so that a run which is cut off has left what it found.

The machine needs Python 3.10 or newer with torch for its GPU, transformers 5.17 or newer with what it asks for,
numpy, psutil, pyyaml and safetensors, and nothing of the network. Where some of these are missing: make an environment
that sees what is there (`python3 -m venv --system-site-packages .venv`) and install wheels of the missing ones into it
that were brought along (`pip install --no-index --no-deps --find-links WHEELS NAMES`). The repository itself is not
installed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.limits import Limits, as_record, measure, require_cuda
from benchmarks.record import RESULTS, Figure, command, record
from benchmarks.schedule import Schedule
from idist.errors import UserError

NAME = "gpu_rates"
DTYPES = {"cuda": ("bfloat16", "float16", "float32")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", choices=("paper", "tiny"), default="paper", help="default: %(default)s")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: %(default)s")
    parser.add_argument("--minutes", type=_minutes, default=9.0, help="in all (default: %(default)g)")
    parser.add_argument("--out", type=Path, help="folder for gpu_rates.json (default: benchmarks/results; tiny: none)")
    parser.add_argument("--parts", nargs="+", metavar="WORD", help="only parts with one of these words in their name")
    arguments = parser.parse_args()
    from benchmarks.gpu_parts import Rig, parts
    from benchmarks.gpu_shapes import paper, tiny
    from idist.models import pick_device

    schedule = Schedule(time.perf_counter() + 60 * arguments.minutes)
    device = pick_device(arguments.device)
    if device == "cuda":
        require_cuda()
    elif arguments.shapes == "paper":
        raise UserError("--shapes paper needs a GPU, and torch sees none here; expected --shapes tiny for a test.")
    out = arguments.out or (None if arguments.shapes == "tiny" else RESULTS)
    limits = {dtype: measure(device, dtype) for dtype in DTYPES.get(device, ("float32",))}
    schedule.figures += limit_figures(list(limits.values()))
    todo = parts(Rig(device, limits), paper if arguments.shapes == "paper" else tiny)
    if arguments.parts:
        todo = [part for part in todo if any(word in part.name for word in arguments.parts)]
        if not todo:
            words = " ".join(arguments.parts)
            raise UserError(f"--parts {words}: no part's name has such a word, expected one as gpt2, roberta or t5.")
    for part in todo:
        schedule.take(part)
        if out is not None:
            save(schedule, limits, out)
    print("\n" + schedule.table(), flush=True)
    return 1 if schedule.failed else 0


def limit_figures(found: list[Limits]) -> list[Figure]:
    """The device's own, for the table."""
    figures = [Figure(f"matrix rate, {one.dtype}", "TFLOP/s", one.matrix / 1e12) for one in found]
    copy, read = (max(getattr(one, name) for one in found) for name in ("copy", "read"))
    figures.append(Figure("memory copied (read and written)", "GB/s", copy / 1e9))
    return [*figures, Figure("memory read", "GB/s", read / 1e9)]


def save(schedule: Schedule, limits: dict[str, Limits], out: Path) -> None:
    """What there is so far, quietly: it has been printed."""
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()):
        record(NAME, schedule.figures, True, as_record(list(limits.values())), folder=out)


def _minutes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}, expected a number above 0")
    return value


if __name__ == "__main__":
    command(main)
