"""What a finished run took and gave: beside its plan, and as yields for the plan of another run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from idist.config import TRAININGS, RunConfig
from idist.engine.shards import read_json
from idist.errors import UserError
from idist.planning.estimate import HOUR, Plan
from idist.planning.work import STAGES
from idist.planning.yields import Yields
from idist.stages._outcome import SUMMARY
from idist.stages.rounds import base, in_order
from idist.stages.runs import stage_folder

CANDIDATES = "candidates"


@dataclass
class Row:
    """One stage, planned and actual. ``work`` is in ``unit``s (empty: not comparable); disk in bytes."""

    stage: str
    unit: str
    work: float
    work_done: float
    hours: float
    hours_taken: float
    disk: float
    disk_taken: float


@dataclass
class Comparison:
    """A finished run beside its plan."""

    plan: Plan
    stages: list[Row]
    remarks: list[str]

    @property
    def total(self) -> Row:
        """Of all stages."""
        names = ("hours", "hours_taken", "disk", "disk_taken")
        sums = [sum(getattr(row, name) for row in self.stages) for name in names]
        return Row("total", "", 0.0, 0.0, *sums)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "plan": self.plan.to_dict(),
            "stages": [asdict(row) for row in self.stages],
            "total": asdict(self.total),
            "remarks": self.remarks,
        }


def manifests(run: Path, rounds: int) -> dict[str, dict[str, Any]]:
    """Manifest or training summary of every stage of `recipes/distill.py`.

    Raises:
        UserError: the folder is no run, or a stage has not finished.
    """
    found = {}
    for stage in in_order(STAGES, rounds):
        path = stage_folder(run, stage) / (SUMMARY if base(stage) in TRAININGS else "manifest.json")
        if not path.is_file():
            raise UserError(f"{run} is no finished run: {path} is missing, expected all of {', '.join(STAGES)}.")
        found[stage] = read_json(path)
    return found


def compare(run: Path, config: RunConfig, plan: Plan) -> Comparison:
    """A finished run beside the plan of its config.

    Raises:
        UserError: see `manifests`.
    """
    made = manifests(run, config.self_distil.rounds)
    rows = []
    for cost in plan.stages:
        done = made[cost.stage]
        training = base(cost.stage) in TRAININGS
        if training:
            unit, work, work_done = "pairs seen", cost.parts[0].items, done["steps"] * done["config"]["batch_size"]
        elif CANDIDATES in cost.rows:
            unit, work, work_done = CANDIDATES, cost.rows[CANDIDATES], done["rows"][CANDIDATES]
        else:
            unit, work, work_done = cost.unit, cost.items, done["rows"]["contexts"]
        taken = done["seconds"] / (1 if training else plan.workers) / HOUR
        rows.append(
            Row(cost.stage, unit, work, work_done, cost.hours, taken, cost.disk, _disk(stage_folder(run, cost.stage)))
        )
    return Comparison(plan, rows, _remarks(made, plan))


def _disk(folder: Path) -> float:
    """Bytes of a stage's tables and model."""
    kinds = ("*/*.parquet", "model/*.safetensors")
    return sum(file.stat().st_size for kind in kinds for file in folder.glob(kind))


def _remarks(made: Mapping[str, Mapping[str, Any]], plan: Plan) -> list[str]:
    said = ["Actual hours are on the wall, with whatever else ran on the machine then."]
    machines = [machine for done in made.values() for machine in done.get("hardware", [])]
    names = {str(machine.get("gpu") or machine.get("cpu")) for machine in machines}
    here = str(plan.machine.get("gpu") or plan.machine.get("cpu"))
    if not names:
        said.append("The run does not say on which machine it was made.")
    elif names != {here}:
        said.append(f"The run was made on {', '.join(sorted(names))}; the rates are of {here}.")
    return said


def learn(run: Path, config: RunConfig, yields: Yields) -> None:
    """Take what a finished run gave for what another will give.

    Args:
        run: its folder.
        config: of that run.

    Raises:
        UserError: see `manifests`.
    """
    made = manifests(run, config.self_distil.rounds)
    where = str(run)
    counts, pairs = made["pairs"]["counts"], made["pairs"]["config"]["pairs"]
    if "samples" in made["contexts"]["counts"]:
        contexts = made["contexts"]["counts"]
        yields.set("contexts.samples", contexts["samples"] / max(1, contexts["contexts"]), where)
    if "distinct" in counts:
        yields.set("pairs.distinct", min(1.0, counts["distinct"] / (counts["contexts"] * pairs["k"])), where)
    own = made["self_distil"]["counts"]
    yields.set("self_distil.samples", own["drawn"] / own["sources"], where)
    yields.set("self_distil.distinct", own["distinct"] / own["candidates"], where)
    *_, one = made["self_distil"]["funnel"]["steps"]
    if one["seen"]:
        yields.set("self_distil.one", 1 - one["removed"] / one["seen"], where)
    for stage in ("pairs", "self_distil"):
        _learn_critics(stage_folder(run, stage), stage, made[stage], yields, where)
    _learn_words(stage_folder(run, "pairs"), yields, where)
    epochs = [
        made[s]["steps"] / made[s]["planned_steps"] * made[s]["config"]["epochs"] for s in ("train", "train_final")
    ]
    yields.set("train.epochs", sum(epochs) / len(epochs), where)


def _learn_critics(folder: Path, stage: str, made: Mapping[str, Any], yields: Yields, where: str) -> None:
    """Shares kept from the funnel; shares scored, and asked about both ways, from the scores that are there."""
    for step in made["funnel"]["steps"]:
        if step["seen"]:
            yields.set(f"{stage}.{step['name']}.kept", 1 - step["removed"] / step["seen"], where)
    names = list(made["config"]["scores"]["critics"])
    scored, both = _scored(folder, names)
    for name, following in pairwise(names):
        if scored[name]:
            yields.set(f"{stage}.{name}.scored", scored[following] / scored[name], where)
    for name, count in both.items():
        if scored[name]:
            yields.set(f"{stage}.{name}.second", count / scored[name], where)


def _scored(folder: Path, critics: list[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Critic -> candidates that have a score of it; -> those that have one in both directions."""
    import numpy as np
    import pyarrow.dataset as ds

    data = ds.dataset([str(path) for path in sorted((folder / CANDIDATES).glob("*.parquet"))])
    columns = {
        name: [c for c in data.schema.names if c == name or c in (f"{name}_xy", f"{name}_yx")] for name in critics
    }
    scored, both = dict.fromkeys(critics, 0), {name: 0 for name, own in columns.items() if len(own) == 2}
    for batch in data.to_batches(columns=[c for own in columns.values() for c in own]):
        for name, own in columns.items():
            there = [~np.isnan(batch[c].to_numpy(zero_copy_only=False)) for c in own]
            if there:
                scored[name] += int(np.any(there, axis=0).sum())
            if name in both:
                both[name] += int(np.all(there, axis=0).sum())
    return scored, both


def _learn_words(folder: Path, yields: Yields, where: str) -> None:
    import pyarrow.parquet as pq

    first = sorted((folder / "sentences").glob("*.parquet"))[:1]
    texts = [text for path in first for row in pq.read_table(path)["sentences"].to_pylist() for text in row]
    if texts:
        yields.set("pairs.words", sum(len(text.split()) for text in texts) / len(texts), where)
