"""Work times rates: hours, memory, disk and money of every stage."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from idist.config import RunConfig
from idist.planning import footprint
from idist.planning.clock import worker_count
from idist.planning.rates import Rates
from idist.planning.work import StageWork, count, part_key
from idist.planning.yields import Yields

HOUR = 3600.0


@dataclass(frozen=True)
class PartCost:
    """One part of a stage: ``rate`` is items a second of one worker (0: it takes no time)."""

    name: str
    unit: str
    items: float
    rate: float
    hours: float


@dataclass
class StageCost:
    """One stage.

    Attributes:
        items, unit: what it counts.
        hours: on the wall, all workers at work.
        memory: bytes of one worker at its peak.
        disk: bytes that it leaves.
        money: hours times the price; None without a price.
        rows: table -> rows.
    """

    stage: str
    items: float
    unit: str
    hours: float
    memory: float
    disk: float
    money: float | None
    rows: dict[str, float]
    parts: list[PartCost]


@dataclass
class Plan:
    """All stages, and what they rest on."""

    name: str
    workers: int
    stages: list[StageCost]
    machine: dict[str, Any]
    assumptions: list[str]
    price: float | None = None
    currency: str = ""
    slowdown: float | None = None
    took: float = 0.0
    source: str = ""
    yields: dict[str, tuple[float, str]] = field(default_factory=dict)

    @property
    def hours(self) -> float:
        """Of all stages, one after the other."""
        return sum(stage.hours for stage in self.stages)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        total = {
            "hours": self.hours,
            "memory": max((stage.memory for stage in self.stages), default=0.0),
            "disk": sum(stage.disk for stage in self.stages),
            "money": None if self.price is None else self.hours * self.price,
        }
        tree = asdict(self) | {"total": total}
        tree["yields"] = {key: {"value": value, "source": source} for key, (value, source) in self.yields.items()}
        return tree


def make_plan(config: RunConfig, rates: Rates, yields: Yields, price: float | None = None, currency: str = "") -> Plan:
    """The plan of `recipes/distill.py` with a config.

    Raises:
        UserError: a rate that the config needs is not there; what `count` raises.
    """
    works, workers = count(config, yields), worker_count(config.engine)
    device, dtype = str(rates.machine["device"]), str(rates.machine["dtype"])
    stages = []
    for work in works:
        side_by_side = 1 if work.sequential else workers
        parts = []
        for part in work.parts:
            seconds = rates.of(part_key(work.stage, part.name), part.models).seconds
            hours = part.items * seconds / side_by_side / HOUR
            parts.append(PartCost(part.name, part.unit, part.items, 1 / seconds if seconds else 0.0, hours))
        hours = sum(part.hours for part in parts)
        stages.append(
            StageCost(
                work.stage,
                *work.main,
                hours,
                footprint.memory(config, work, yields, device, dtype),
                footprint.disk(work, yields),
                None if price is None else hours * price,
                work.rows,
                parts,
            )
        )
    plan = Plan(config.name, workers, stages, rates.machine, [], price, currency)
    plan.slowdown, plan.took, plan.source = rates.slowdown, rates.took, rates.source
    plan.yields = dict(yields.used)
    plan.assumptions = _assumptions(config, works, rates, yields)
    return plan


def _assumptions(config: RunConfig, works: list[StageWork], rates: Rates, yields: Yields) -> list[str]:
    """Sentences: yields with their sources, how rates were measured, and what is left out."""
    said = [f"{key} = {value:.4g} ({source})" for key, (value, source) in sorted(yields.used.items())]
    ways: dict[str, list[str]] = {}
    for part, rate in rates.rates.items():
        ways.setdefault(rate.how, []).append(part)
    said += [f"{', '.join(parts)}: {how}" for how, parts in ways.items()]
    said += rates.remarks
    said.append("Speed does not depend on what weights say: random ones of the same shape serve.")
    workers = worker_count(config.engine)
    if workers > 1:
        kind = ", each on a GPU of its own" if rates.machine["device"] == "cuda" else ""
        said.append(f"{workers} workers side by side{kind}, each as fast as one alone.")
    trainings = [footprint.checkpoints(config, work) for work in works if work.sequential]
    if trainings:
        said.append(f"While a training runs its checkpoints take {footprint.size(max(trainings))} more of the disk.")
    hub = footprint.downloads(works)
    if hub:
        said.append(f"Models of the Hub take about {footprint.size(hub)} of its cache, at 4 bytes a weight.")
    said.append("Memory and disk are counted from shapes and rows, not measured.")
    said.append("Left out: downloads, cutting at thresholds, writing checkpoints, evaluation, controls, publishing.")
    return said
