"""What a control is: a dataclass whose fields are its settings, which turns a pair into a code, and a wish into one.

In training the code says what y is like; afterwards it says what y shall be like (paper section 3.5; attributes: the
paper's first version). A control of another package needs this much::

    @dataclass
    class Question(Control):
        \"\"\"Whether y asks: code ``yes`` or ``no``.\"\"\"

        kind = "string"

        def measure(self, pairs, parsers):
            return ["yes" if y.endswith("?") else "no" for x, y in pairs]

        def codes(self):
            return ["yes", "no"]

and, in its ``pyproject.toml``::

    [project.entry-points."idist.controls"]
    question = "package:Question"
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from idist.controls.obedience import share_of
from idist.controls.parsing import Failure, Parsers


def dial(default: Any, low: float = -math.inf, high: float = math.inf, choices: tuple[str, ...] = ()) -> Any:
    """A control's setting: its default, and the closed range or the words that are valid."""
    return field(default=default, metadata={"low": low, "high": high, "choices": choices})


@dataclass
class Control:
    """Base of all controls. Subclasses are dataclasses; their fields, made by `dial`, are all their settings.

    A control goes through four steps: `measure` (pair by pair), `learn` (once, from all values of a dataset), `symbols`
    of a value (what the student reads) and `wanted` (from what a person asks for to what has symbols, too).

    Attributes:
        name: the name that the composition gives it; also its column in the table `control`.
        kind: Arrow type of that column, ``string`` or ``float32``.
    """

    name = ""
    kind: ClassVar[str] = "float32"

    @property
    def wishes(self) -> tuple[str, ...]:
        """Kinds of wish that it understands: by default one, its own name, with a code as value."""
        return (self.name,)

    def model_names(self) -> dict[str, str]:
        """Setting -> name of the parser that it uses."""
        return {}

    def measure(self, pairs: Sequence[tuple[str, str]], parsers: Parsers) -> list[Any]:
        """The value of each pair (x, y), or a `Failure`; one a pair, in order."""
        raise NotImplementedError(f"{type(self).__name__} has no measure")

    def learn(self, values: Iterable[Any]) -> None:
        """Take from a whole dataset's values what codes depend on: edges of buckets, labels, frequent templates.

        Raises:
            UserError: these values allow no codes.
        """

    def known(self) -> dict[str, Any]:
        """What it has learned, JSON-able; `recall` takes it back."""
        return {}

    def recall(self, known: dict[str, Any]) -> None:
        """What `known` gave."""

    def codes(self) -> list[str]:
        """The valid codes, in order."""
        raise NotImplementedError(f"{type(self).__name__} has no codes")

    def vocabulary(self) -> list[str]:
        """Every symbol that `symbols` may give: each is one token of the student."""
        return [self._symbol(code) for code in self.codes()]

    def symbols(self, value: Any) -> list[str]:
        """What the student reads for a value, or for what `wanted` gave."""
        return [self._symbol(str(value))]

    def wanted(self, kind: str, asked: Sequence[str], parsers: Parsers) -> list[Any]:
        """What is wanted by each wish of one kind (`wishes`), here its code; for one without a code a `Failure`, whose
        reason is a sentence that names the valid ones."""
        valid = self.codes()
        wrong = f"expected one of: {', '.join(valid)}."
        return [text if text in valid else Failure(f"{kind} has no code {text!r}, {wrong}") for text in asked]

    def apart(self, wanted: Any, value: Any) -> float:
        """How far a value is from what was wanted, 0 or more; 0: it is just that."""
        return float(str(value) != wanted)

    def describe(self) -> list[str]:
        """Its codes for people, a line each."""
        return [f"{self.name}:{code}" for code in self.codes()]

    def judge(self, asked: Sequence[str], obtained: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """Figures of what was obtained (values of `measure`, no failures) for each code that was asked for.

        Returns:
            JSON-able; ``codes`` has for each code its ``code`` and the ``share`` of values that are what was asked for
            (None where there are no values).
        """
        rows = []
        for code, values in zip(asked, obtained, strict=True):
            rows.append({"code": code, "share": share_of([str(value) == code for value in values])})
        return {"codes": rows}

    def _symbol(self, code: str) -> str:
        return f"<{self.name}={code}>"
