"""What is said of a release: what would be uploaded, what was made and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from idist.hub import Plan, Published
    from idist.release import Built

SHOWN = 12  # files that a dry run lists


def planned(plan: Plan, built: Built) -> list[str]:
    """What a dry run says of one release."""
    if plan.done:
        return [f"{plan.kind} {plan.repository} {plan.tag}: already published, nothing to do"]
    new = [change for change in plan.changes if change.action != "same"]
    verb = "would be made" if plan.creates else "would be changed"
    same = len(plan.changes) - len(new)
    lines = [
        f"{plan.kind} {plan.repository} {plan.tag} {verb}: {len(new)} files, {size(plan.upload_bytes)} to upload"
        + (f", {same} there already" if same else "")
    ]
    lines += [f"   {change.action:<8}{size(change.bytes):>10}  {change.path}" for change in new[:SHOWN]]
    if len(new) > SHOWN:
        lines.append(f"   and {len(new) - SHOWN} more")
    lines += _rows(built)
    if plan.replaces:
        lines.append(f"   needs --overwrite: {plan.replaces}")
    return lines


def made(published: Published, built: Built, replaced: str | None) -> list[str]:
    """What was published and where."""
    at = f" (commit {published.commit[:12]})" if published.commit else ""
    head = f"== {published.kind} {published.repository} {published.tag}: {published.where}{at}"
    if not published.made:
        return [f"{head}, already published"]
    changed = f"   {published.uploaded} files, {size(published.bytes)} uploaded, {published.same} there already"
    lines = [head, changed + (f", {published.deleted} deleted" if published.deleted else ""), *_rows(built)]
    if replaced:
        lines.append(f"   replaced: {replaced}")
    return lines


def _rows(built: Built) -> list[str]:
    return [
        f"   {config}: " + ", ".join(f"{rows:,} {split}" for split, rows in splits.items())
        for config, splits in built.configs.items()
    ]


def size(count: int) -> str:
    """Bytes for people: ``1.2 MB``."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if units[0] == "B" else f"{value:.1f} {units[0]}"
