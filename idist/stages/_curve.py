"""The training curve as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from idist.engine import write_bytes


def draw_curve(path: Path, entries: Sequence[dict[str, Any]], best_step: int | None, title: str) -> None:
    """PNG of training and held-out loss (nats a token) against steps.

    Args:
        path: where the picture goes.
        entries: lines of ``training_log.jsonl``.
        best_step: step of the checkpoint that was kept, marked; None: the last one.
        title: above the picture.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # no display, and pyplot's global state left alone
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for key, label, style in (("loss", "training", "-"), ("eval_loss", "held out", "o-")):
        points = [(entry["step"], entry[key]) for entry in entries if key in entry]
        if points:
            axes.plot(*zip(*points, strict=True), style, label=label, markersize=4)
    if best_step is not None:
        axes.axvline(best_step, color="grey", linestyle=":", label=f"kept: step {best_step}")
    axes.set_xlabel("optimizer steps")
    axes.set_ylabel("loss (nats a token)")
    axes.set_title(title)
    axes.grid(alpha=0.3)
    axes.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    write_bytes(path, buffer.getvalue())
