"""The funnel: how many pairs each critic saw and removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Step:
    """One critic's counts; ``failed`` is the part of ``removed`` that it could not judge."""

    name: str
    seen: int = 0
    removed: int = 0
    failed: int = 0


@dataclass
class Funnel:
    """Counts of pairs in the order of the critics. Funnels of groups or shards add up with ``+``.

    Attributes:
        groups: contexts (or sources) counted.
        steps: one a critic; what a step leaves is what the next sees.
        kept: pairs left at the end.
    """

    groups: int = 0
    steps: list[Step] = field(default_factory=list)
    kept: int = 0

    @classmethod
    def of(cls, names: Sequence[str]) -> Funnel:
        """An empty funnel of these critics."""
        return cls(steps=[Step(name) for name in names])

    def __add__(self, other: Funnel) -> Funnel:
        """Raises ValueError if the critics differ; a funnel without critics adds nothing."""
        if not self.steps or not other.steps:
            return self if self.steps else other
        if [step.name for step in self.steps] != [step.name for step in other.steps]:
            raise ValueError(f"funnels of different critics: {self.steps} and {other.steps}")
        steps = [
            Step(a.name, a.seen + b.seen, a.removed + b.removed, a.failed + b.failed)
            for a, b in zip(self.steps, other.steps, strict=True)
        ]
        return Funnel(self.groups + other.groups, steps, self.kept + other.kept)

    def __radd__(self, other: object) -> Funnel:
        """``sum(funnels)`` begins with 0."""
        return self if other == 0 else NotImplemented

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; `from_dict` reads them back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Funnel:
        """Inverse of `to_dict`."""
        return cls(values["groups"], [Step(**step) for step in values["steps"]], values["kept"])

    def table(self) -> str:
        """Lines for people: seen, removed, what is left, and the share of all candidates that this is."""
        lines = [f"{'critic':<24}{'seen':>12}{'removed':>12}{'left':>12}{'of all':>9}"]
        total = self.steps[0].seen if self.steps else self.kept
        for step in self.steps:
            left = step.seen - step.removed
            share = f"{left / total:.1%}" if total else "-"
            failed = f"   {step.failed:,} could not be judged" if step.failed else ""
            lines.append(f"{step.name:<24}{step.seen:>12,}{step.removed:>12,}{left:>12,}{share:>9}{failed}")
        return "\n".join(lines)
