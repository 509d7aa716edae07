"""Attributes cut into buckets of equal size (quantization in the paper's first version): one code a bucket."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from idist.controls.base import Control, dial
from idist.controls.obedience import of_numbers
from idist.errors import UserError


@dataclass
class Quantized(Control):
    """A control whose value is a number and whose codes ``1`` (low) to ``buckets`` (high) are its quantiles.

    The edges between buckets are the quantiles of the training pairs, so that each code is learned from about as many
    pairs. Where many pairs share a value, two edges may fall together: they are one then, and there is a code less.
    A value equal to an edge belongs to the bucket above it.
    """

    buckets: int = dial(3, low=2, high=100)

    def __post_init__(self) -> None:
        self.edges: list[float] = []

    def learn(self, values: Iterable[float]) -> None:
        """Edges between buckets, ascending, each above the least value.

        Raises:
            UserError: no values, or all are the same.
        """
        import numpy as np

        found = np.fromiter(values, np.float32)
        if len(found) == 0 or found.min() == found.max():
            what = f"all {len(found):,} pairs have the same value" if len(found) else "there is no pair"
            raise UserError(f"{self.name} cannot be cut into {self.buckets} buckets: {what}.")
        edges = np.unique(np.quantile(found, np.arange(1, self.buckets) / self.buckets, method="higher"))
        edges = edges[edges > found.min()]
        # all quantiles may be the least value itself, which more than half of the pairs then have
        self.edges = [float(edge) for edge in (edges if len(edges) else [found[found > found.min()].min()])]

    def known(self) -> dict[str, Any]:
        return {"edges": self.edges}

    def recall(self, known: dict[str, Any]) -> None:
        self.edges = [float(edge) for edge in known["edges"]]

    def codes(self) -> list[str]:
        return [str(number + 1) for number in range(len(self.edges) + 1)]

    def bucket(self, value: float) -> str:
        """The code of a value."""
        import numpy as np

        # edges were taken from float32 values: compared in another precision, a value may miss its own edge
        return str(int(np.searchsorted(np.array(self.edges, np.float32), np.float32(value), side="right")) + 1)

    def symbols(self, value: float | str) -> list[str]:
        return [self._symbol(value if isinstance(value, str) else self.bucket(value))]

    def apart(self, wanted: str, value: float) -> float:
        """In buckets."""
        return float(abs(int(wanted) - int(self.bucket(value))))

    def judge(self, asked: Sequence[str], obtained: Sequence[Sequence[float]]) -> dict[str, Any]:
        """`obedience.of_numbers`."""
        return of_numbers(asked, obtained, self.bucket)

    def describe(self) -> list[str]:
        low = ["", *(f"{edge:.3g} or more" for edge in self.edges)]
        high = [*(f"below {edge:.3g}" for edge in self.edges), ""]
        ranges = [" and ".join(filter(None, ends)) for ends in zip(low, high, strict=True)]
        return [f"{self.name}:{code}  {said}" for code, said in zip(self.codes(), ranges, strict=True)]
