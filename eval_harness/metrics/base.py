"""What a metric is: statistics per example, and a formula from their sums to a score (the design of sacreBLEU).

Whoever has the statistics has everything: the score, the score of each example, and the score of any resample
(a bootstrap sums other rows of the same matrix), for means and for corpus-level formulas alike.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from idist.errors import UserError

Floats = NDArray[np.float64]
Against = Literal["references", "sources"]
Protocol = Literal["paper", "standard"]
PROTOCOLS: tuple[Protocol, ...] = ("paper", "standard")


@dataclass(frozen=True)
class Examples:
    """n predictions with their sources, references and, for syntax control, exemplars; checked once.

    Attributes:
        predictions, sources: (n,) texts.
        references: (n,) lists of texts; all empty where a task has no references.
        exemplars: (n,) texts whose syntax the predictions should have (None: this example has none), or None.
    """

    predictions: list[str]
    sources: list[str]
    references: list[list[str]]
    exemplars: list[str | None] | None = None

    @classmethod
    def of(
        cls,
        predictions: Sequence[str],
        sources: Sequence[str],
        references: Sequence[str] | Sequence[Sequence[str]] | None = None,
        exemplars: Sequence[str | None] | None = None,
    ) -> Examples:
        """Check and align: ``references[i]`` is one string or a list of strings for ``predictions[i]``.

        Raises:
            UserError: different lengths, no example, something that is not a string, an example without reference
                where others have some.
        """
        columns: dict[str, Sequence[Any]] = {"predictions": predictions, "sources": sources}
        columns |= {} if references is None else {"references": references}
        columns |= {} if exemplars is None else {"exemplars": exemplars}
        for name, column in columns.items():
            if isinstance(column, str) or not isinstance(column, Sequence):
                raise UserError(f"{name} is a {type(column).__name__}, expected a list with one entry per example.")
        if len({len(column) for column in columns.values()}) > 1:
            sizes = ", ".join(f"{len(column)} {name}" for name, column in columns.items())
            raise UserError(f"There are {sizes}, expected the same number of each.")
        if not predictions:
            raise UserError("There are no examples to score, expected at least one.")
        for name in columns.keys() - {"references"}:
            for index, entry in enumerate(columns[name]):
                if entry is not None or name != "exemplars":
                    _check_string(f"{name}[{index}]", entry)
        lists = [[]] * len(predictions) if references is None else _reference_lists(references)
        some = None if exemplars is None or all(entry is None for entry in exemplars) else list(exemplars)
        return cls(list(predictions), list(sources), lists, some)

    def __len__(self) -> int:
        return len(self.predictions)

    def targets(self, against: Against) -> list[list[str]]:
        """What the predictions are compared with: the references, or the source as the only reference.

        Raises:
            UserError: an example without a reference.
        """
        if against == "sources":
            return [[source] for source in self.sources]
        for index, choices in enumerate(self.references):
            if not choices:
                raise UserError(f"Example {index} has no reference, and this metric compares with references.")
        return self.references


class Metric(ABC):
    """A name, statistics per example, and a score from sums of statistics. Scores are times 100 unless said otherwise.

    Ours are dataclasses; their fields (see `idist.critics.dial`) are the complete list of settings and all have
    defaults. Making one loads no model and no heavy library: the first `statistics` does.

    Attributes:
        name: of the score in results.
        title: of the score in tables.
        higher_is_better: which way a ranking goes; None: neither side is better (never ranked by, no best mark).
        needs: what examples must have: of ``references``, ``exemplars``.
    """

    name = ""
    title = ""
    higher_is_better: bool | None = True
    needs = frozenset[str]()

    def __post_init__(self) -> None:
        """Raises UserError for a setting that is not among its choices or out of its range."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # called by dataclasses alone
            value, known = getattr(self, field.name), field.metadata
            choices, low, high = known.get("choices"), known.get("low", -math.inf), known.get("high", math.inf)
            if choices and value not in choices:
                raise UserError(f"{self.title}: {field.name} is {value!r}, expected one of: {', '.join(choices)}.")
            if isinstance(value, (int, float)) and not low <= value <= high:
                span = f"{low:g} or more" if high == math.inf else f"a number from {low:g} to {high:g}"
                raise UserError(f"{self.title}: {field.name} is {value!r}, expected {span}.")

    @abstractmethod
    def signature(self) -> str:
        """Every setting and library version that the number depends on, as ``key:value`` joined by ``|``."""

    @abstractmethod
    def statistics(self, examples: Examples) -> Floats:
        """(n, s): one row per example; sums of rows are sufficient for the score."""

    def from_sums(self, sums: Floats, n: int) -> Floats:
        """(..., s) sums over n examples -> (...) scores. Here: the mean of the first statistic."""
        return sums[..., 0] / n

    def per_example(self, statistics: Floats) -> Floats:
        """(n, s) -> (n,): the score of each example alone."""
        return self.from_sums(statistics, 1)

    def score(self, statistics: Floats) -> float:
        """(n, s) -> the score of all examples together."""
        return float(self.from_sums(statistics.sum(axis=0), len(statistics)))


def _reference_lists(references: Sequence[str] | Sequence[Sequence[str]]) -> list[list[str]]:
    lists: list[list[str]] = []
    for index, entry in enumerate(references):
        choices = [entry] if isinstance(entry, str) else entry
        if not isinstance(choices, Sequence) or not choices:
            raise UserError(f"references[{index}] is {choices!r}, expected a string or a list of strings.")
        for choice in choices:
            _check_string(f"references[{index}]", choice)
        lists.append(list(choices))
    return lists


def _check_string(where: str, value: Any) -> None:
    if not isinstance(value, str):
        raise UserError(f"{where} is {value!r} of type {type(value).__name__}, expected a string.")
