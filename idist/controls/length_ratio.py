"""Length ratio |y| / |x|: how much shorter or longer y is than its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from idist.controls.base import dial
from idist.controls.parsing import Failure, Parsers
from idist.controls.quantized import Quantized


@dataclass
class LengthRatio(Quantized):
    """|y| / |x|, more than 0, in characters or in tokens (words between white space)."""

    unit: str = dial("characters", choices=("characters", "tokens"))

    def measure(self, pairs: Sequence[tuple[str, str]], parsers: Parsers) -> list[float | Failure]:
        return [self._ratio(x, y) for x, y in pairs]

    def _ratio(self, x: str, y: str) -> float | Failure:
        of_x, of_y = (len(text.split()) if self.unit == "tokens" else len(text) for text in (x, y))
        return of_y / of_x if of_x else Failure("x is empty")
