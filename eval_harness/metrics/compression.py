"""Compression ratio: how long a prediction is beside its source (for summaries; DIMSUM's critics ask for below 80)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eval_harness.metrics.base import Examples, Floats, Metric


@dataclass
class Compression(Metric):
    """Mean ratio of lengths in characters times 100: 100 for a copy, 0 for silence; neither is better.

    White space at the ends is not counted; an empty source counts as one character.
    """

    name = "compression"
    title = "Compression"
    higher_is_better = None

    def signature(self) -> str:
        """Unit and aggregation."""
        return "mean-ratio|unit:characters"

    def statistics(self, examples: Examples) -> Floats:
        """(n, 1): 100 * length of the prediction / length of the source."""
        rows = zip(examples.predictions, examples.sources, strict=True)
        ratios = [len(prediction.strip()) / max(1, len(source.strip())) for prediction, source in rows]
        return 100.0 * np.array(ratios, dtype=np.float64)[:, None]
