"""A plan as a table for people, alone or beside what a finished run took."""

from __future__ import annotations

from idist.planning.actual import Comparison
from idist.planning.estimate import PartCost, Plan
from idist.planning.footprint import GIB, size


def table(plan: Plan) -> str:
    """Every stage with its parts, the total, and the assumptions."""
    priced = plan.price is not None
    lines = [_head(plan), ""]
    money = f"{plan.currency or 'money':>12}" if priced else ""
    lines.append(f"{'stage':<24}{'items':>26}{'a second':>12}{'hours':>11}{'memory':>11}{'disk':>10}{money}")
    for stage in plan.stages:
        cost = f"{stage.money:>12,.2f}" if stage.money is not None else ""
        items = f"{stage.items:,.0f} {stage.unit}"
        memory = f"{stage.memory / GIB:.1f} GiB"
        lines.append(
            f"{stage.stage:<24}{items:>26}{'':>12}{hours(stage.hours):>11}{memory:>11}{size(stage.disk):>10}{cost}"
        )
        lines += [_part(part) for part in stage.parts]
    total = f"{plan.hours * (plan.price or 0.0):>12,.2f}" if priced else ""
    memory = f"{max(stage.memory for stage in plan.stages) / GIB:.1f} GiB"
    disk = size(sum(stage.disk for stage in plan.stages))
    lines.append(f"{'total':<24}{'':>26}{'':>12}{hours(plan.hours):>11}{memory:>11}{disk:>10}{total}")
    return "\n".join([*lines, "", *_notes(plan), "", "Assumptions", *(f"  {said}" for said in plan.assumptions)])


def comparison(found: Comparison) -> str:
    """Planned against actual: work, time and disk of every stage."""
    lines = [
        _head(found.plan),
        "",
        f"{'':<18}{'planned':>24}{'actual':>12}{'ratio':>7}{'planned':>11}{'actual':>11}{'ratio':>7}"
        f"{'planned':>10}{'actual':>10}{'ratio':>7}",
        f"{'stage':<18}{'work':>24}{'':>12}{'':>7}{'hours':>11}{'hours':>11}{'':>7}{'disk':>10}{'disk':>10}",
    ]
    for row in [*found.stages, found.total]:
        work, done = (f"{row.work:,.0f} {row.unit}", f"{row.work_done:,.0f}") if row.unit else ("", "")
        lines.append(
            f"{row.stage:<18}{work:>24}{done:>12}{_ratio(row.work, row.work_done) if row.unit else '':>7}"
            f"{hours(row.hours):>11}{hours(row.hours_taken):>11}{_ratio(row.hours, row.hours_taken):>7}"
            f"{size(row.disk):>10}{size(row.disk_taken):>10}{_ratio(row.disk, row.disk_taken):>7}"
        )
    lines += ["", "Ratio: planned over actual.", *found.remarks, *_notes(found.plan), "", "Assumptions"]
    return "\n".join([*lines, *(f"  {said}" for said in found.plan.assumptions)])


def hours(value: float) -> str:
    """``0.0016``, ``0.14``, ``12.3``, ``4,310``: three digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 0.001 else f"{value:.5f}"


def _head(plan: Plan) -> str:
    machine = plan.machine
    where = machine.get("gpu") if machine["device"] == "cuda" else f"{machine.get('cpu')}, {machine.get('cores')} cores"
    took = f"{plan.source} in {plan.took:.0f} s" if plan.took else plan.source
    workers = "1 worker" if plan.workers == 1 else f"{plan.workers} workers"
    return f"Plan of {plan.name!r}: {where}, {machine['dtype']}, {workers}; rates {took}"


def _part(part: PartCost) -> str:
    items = f"{part.items:,.0f} {part.unit}{'' if round(part.items) == 1 else 's'}"
    rate = f"{part.rate:,.3g}" if part.rate < 1000 else f"{part.rate:,.0f}"
    return f"  {part.name:<22}{items:>26}{rate:>12}{hours(part.hours):>11}"


def _notes(plan: Plan) -> list[str]:
    notes = ["Rates, memory: of one worker. Hours: all workers together, nothing else running."]
    has = plan.machine.get("memory_mib", 0) * 2**20 if plan.machine["device"] == "cpu" else 0
    over = [s.stage for s in plan.stages if has and s.memory > has]
    if over:
        notes.append(f"More memory than the {has / GIB:.0f} GiB that this machine has: {', '.join(over)}.")
    if plan.slowdown is not None and plan.slowdown >= 1.15:
        notes.append(
            f"Other programs run on this machine now: while they do, the same work takes about {plan.slowdown:.1f} "
            "times as long."
        )
    return notes


def _ratio(planned: float, actual: float) -> str:
    return f"{planned / actual:.2f}" if actual else "-"
