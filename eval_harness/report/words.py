"""What Markdown, HTML and pictures say in the same words."""

from __future__ import annotations

import json
from typing import Any

from eval_harness.report.board import Board, Column, Row
from eval_harness.report.text import counted, listed, plain, shorten
from eval_harness.report.ties import LEVEL

PUBLISHED = (
    "As printed, not measured here. The settings behind these figures are known in part only; "
    "they are not ranked with what was measured."
)


def caption(board: Board) -> str:
    """``mrpc, protocol paper, 1,147 examples``."""
    return f"{plain(board.task)}, {section(board)}"


def section(board: Board) -> str:
    """``protocol paper, 1,147 examples``; ``the first 50 examples`` where a limit cut the data."""
    size = board.about["examples"]
    first = "the first " if board.about.get("limit") == size else ""
    return f"protocol {plain(board.protocol)}, {first}{counted(size, 'example')}"


def ranking(board: Board) -> str:
    """``Ranked by BERT-iBLEU``."""
    if board.ranking is not None:
        return f"Ranked by {column_title(board, board.columns[board.ranking])}"
    return "Not ranked: no score has a better side" if board.columns else "Nothing was scored"


def better(column: Column) -> str:
    """An arrow to where better is, after a space; nothing where neither side is."""
    return {1: " ↑", -1: " ↓", 0: ""}[column.sign]


def column_title(board: Board, column: Column) -> str:
    """The metric's title, with the number of its signature where two columns have the same."""
    same = [other for other in board.columns if other.title == column.title]
    return column.title if len(same) == 1 else f"{column.title} ({board.columns.index(column) + 1})"


def interval_name(board: Board) -> str:
    """``95% bootstrap intervals``; several levels where the runs had several."""
    levels = sorted({f"{100 * float(row.meta['confidence']):g}%" for row in board.rows})
    return f"{listed(levels)} bootstrap intervals"


def origin(board: Board) -> str:
    """Where the data came from: a Hub address with its commit, or in a word."""
    about = board.about
    split = f", split {plain(about['split'])}" if about.get("split") else ""
    revision = f" at {plain(about['revision'])[:12]}" if about.get("revision") else ""
    places = {"bundled": "bundled with the harness", "local": "local files", "hub": "the Hub"}
    place = places.get(about["origin"], plain(about["origin"]))
    if about.get("hub"):
        place = f"{plain(about['hub'])}{revision}{split} ({place})"
    return f"Data: {place}; fingerprint {plain(about['fingerprint'])}."


def notes(board: Board) -> list[str]:
    """How to read the table, and what it rests on."""
    said = [origin(board)]
    if board.columns:
        unranked = [row.label for row in board.rows if row.rank is None and board.ranking is not None]
        without = f" Without that score, and so without rank: {listed(unranked)}." if unranked else ""
        said.append(f"{ranking(board)}. In brackets: {interval_name(board)}.{without}")
    if any(cell is not None and cell.mark for row in board.rows for cell in row.cells):
        said.append(_marks(board))
    if len({column.metric for column in board.columns}) < len(board.columns):
        said.append("Scores of one metric with different signatures have columns of their own: they do not compare.")
    said += board.untested
    return said


def _marks(board: Board) -> str:
    best = "Bold: the best of its column."
    if not board.tests:
        return best
    return (
        f"{best} †: not shown to be worse than the best (paired approximate randomization, p ≥ {LEVEL:g} after "
        f"Holm's correction over the {counted(board.tests, 'comparison')} of this table)."
    )


_LONGEST = 600  # characters of settings: prompts can be pages
RUN_TITLES = ("System", "Predicted in", "Peak memory", "No prediction", "In training data", "Versions", "Made")


def run_row(row: Row) -> list[str]:
    """How one result came about: a cell for each of :data:`RUN_TITLES`."""
    meta = row.meta
    versions = meta["versions"]
    named = [f"{name} {plain(versions[name])}" for name in ("idist", "torch", "transformers") if name in versions]
    return [
        row.label,
        _seconds(meta["seconds"].get("predict")),
        _memory(meta),
        f"{meta.get('failures') or 0:,}",
        _overlap(meta.get("decontamination")),
        ", ".join(named),
        plain(meta["created"])[:10],
    ]


def settings(row: Row) -> str:
    """A system's settings (decoding, prompt, ...) on one line of JSON."""
    return shorten(plain(json.dumps(row.meta["system"]["settings"], ensure_ascii=False)), _LONGEST)


def _seconds(seconds: object) -> str:
    if not isinstance(seconds, int | float):
        return "–"
    return f"{seconds:,.1f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"


def _memory(meta: dict[str, Any]) -> str:
    amounts = [(meta.get("peak_memory_mib"), ""), (meta.get("peak_gpu_memory_mib"), " on the GPU")]
    said = [f"{amount:,.0f} MiB{where}" for amount, where in amounts if isinstance(amount, int | float)]
    return ", ".join(said) or "–"


def _overlap(overlap: object) -> str:
    """Share of the examples that stand in a training set, if that was looked up."""
    if not isinstance(overlap, dict):
        return "not checked"
    shares = overlap.get("shares")
    share = shares.get("any") if isinstance(shares, dict) else None
    found = f"{100 * share:.1f}% of examples" if isinstance(share, int | float) else "checked"
    return f"{found} ({plain(overlap.get('dataset', ''))})"
