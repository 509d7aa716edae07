"""What a dataset's card shows of its rows: measured columns, and some rows drawn by the run's seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from idist.hub.facts import QualityFacts

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SHOWN = 10  # rows
LOW, HIGH = 5, 95  # percent
TEXTS = ("x", "y", "context")  # columns of the rows that are shown
RATIO = "length ratio"


class Measures:
    """Looks at rows as they go by; keeps one number a row and column (four bytes), and the rows that are shown."""

    def __init__(self, total: int, seed: int) -> None:
        """``total``: rows that will come; ``seed``: of the draw."""
        self._chosen = sorted(random.Random(seed).sample(range(total), min(SHOWN, total)))
        self._values: dict[str, list[np.ndarray]] = {}
        self._seen = 0
        self.rows: list[dict[str, Any]] = []

    def look(self, table: pa.Table) -> None:
        """Take the next rows."""
        import numpy as np

        for name, column in _figures(table):
            self._values.setdefault(name, []).append(column)
        end = self._seen + table.num_rows
        here = np.array([number - self._seen for number in self._chosen if self._seen <= number < end], np.int64)
        texts = [name for name in TEXTS if name in table.column_names]
        self.rows += table.select(texts).take(here).to_pylist()
        self._seen = end

    def quality(self, described: Mapping[str, str]) -> list[QualityFacts]:
        """Mean and quantiles of every measure that has a value; ``described``: what the columns are."""
        import numpy as np

        words = {**described, **_OF_TEXT}
        found = []
        columns = {name: np.concatenate(parts).astype(np.float64) for name, parts in self._values.items()}
        known = columns.get("length_ratio")
        if known is not None and RATIO in columns and np.allclose(known, columns[RATIO], equal_nan=True):
            del columns[RATIO]  # a critic's score says it already
        for name, values in columns.items():
            values = values[~np.isnan(values)]
            if len(values):
                figures = [values.mean(), *np.percentile(values, [LOW, 50, HIGH])]
                found.append(QualityFacts(name, words.get(name, ""), *(round(float(figure), 6) for figure in figures)))
        return found


_OF_TEXT = {
    "words of x": "words, cut at white space",
    "words of y": "words, cut at white space",
    RATIO: "characters of y over those of x",
}


def _figures(table: pa.Table) -> Iterator[tuple[str, np.ndarray]]:
    """(name, (P,) float32, NaN for null) of the columns of numbers, and of the lengths of ``x`` and ``y``."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    for field in table.schema:
        if pa.types.is_floating(field.type) or pa.types.is_integer(field.type):
            yield field.name, table[field.name].to_numpy().astype(np.float32)
    if not {"x", "y"} <= set(table.column_names):
        return
    for side in ("x", "y"):
        words = pc.list_value_length(pc.utf8_split_whitespace(pc.utf8_trim_whitespace(table[side])))
        yield f"words of {side}", words.to_numpy().astype(np.float32)
    lengths = [pc.utf8_length(table[side]).to_numpy().astype(np.float32) for side in ("x", "y")]
    yield RATIO, lengths[1] / np.maximum(lengths[0], 1)
