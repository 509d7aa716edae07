"""An answer as HTML: a card a candidate, with what changed, what the critics say, and both trees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from demo.judge import title
from idist.errors import UserError
from idist.trees import Tree
from space_kit.difference import marked
from space_kit.drawing import draw
from space_kit.markup import escaped
from space_kit.tables import download_link

AS_WRITTEN, ALL, KEPT = "as written", "all", "those that all critics keep"
SIGNS = {"min": "≥", "max": "≤"}
WORDS = {"min": "at least", "max": "at most"}


def sort_choices(columns: Mapping[str, str]) -> list[str]:
    """Orders to choose from."""
    return [AS_WRITTEN, *(title(column) for column in columns)]


def filter_choices(columns: Mapping[str, str]) -> list[str]:
    """Selections to choose from; ``columns``: score -> ``min`` or ``max``, as `Judge.columns`."""
    return [ALL, KEPT, *(f"{title(column)} {WORDS[side]} the limit" for column, side in columns.items())]


def filtered_by(columns: Mapping[str, str], shown: str) -> str | None:
    """The score that a selection goes by; None: it goes by none alone."""
    found = zip(filter_choices(columns)[2:], columns, strict=True)
    return next((column for choice, column in found if choice == shown), None)


def cards(answer: Mapping[str, Any], order: str = AS_WRITTEN, shown: str = ALL, limit: float | None = None) -> str:
    """The answer's page part.

    Args:
        answer: of `Studio.rewrite`.
        order: one of `sort_choices`: the best by that score first.
        shown: one of `filter_choices`.
        limit: of a selection by a score, in the score's unit; None: the critic's threshold.
    """
    every = answer["candidates"]
    found = arranged(every, order, shown, limit)
    words = f"{len(found)} of {len(every)} candidates" if len(found) < len(every) else _count(len(every))
    kept = sum(one["kept"] for one in every)
    said = f"{words}, {kept} of them kept by all critics, in {answer['seconds']:.1f} s."
    link = download_link([row(answer, one) for one in found], "candidates.csv", "Download as CSV") if found else ""
    asked = (
        f'<div class="kit-card">{_tree(answer["asked_tree"], "The syntax asked for")}</div>'
        if "asked_tree" in answer
        else ""
    )
    body = "".join(_card(answer, one, number + 1) for number, one in enumerate(found))
    nothing = "" if found else '<p class="kit-quiet">No candidate is within it: choose another selection.</p>'
    return (
        f'<div class="kit-row"><span role="status">{escaped(said)}</span>{link}</div>'
        f'<div class="kit-cards" lang="en">{asked}{body}{nothing}</div>'
    )


def arranged(
    candidates: Sequence[dict[str, Any]], order: str, shown: str, limit: float | None = None
) -> list[dict[str, Any]]:
    """Those that are to be shown, in their order; what has no score stands last, and is within no limit.

    Raises:
        UserError: no such order or selection.
    """
    sides = {verdict["score"]: verdict["side"] for one in candidates for verdict in one["verdicts"]}
    if order not in sort_choices(sides) or shown not in filter_choices(sides):
        raise UserError("Ask for candidates first: these critics have no such score.")
    by = filtered_by(sides, shown)
    found = [one for one in candidates if (_is_within(one, by, limit) if by else shown == ALL or one["kept"])]
    column = next((name for name in sides if title(name) == order), None)
    if column is None:
        return found
    sign = 1 if sides[column] == "max" else -1

    def place(one: dict[str, Any]) -> tuple[bool, float]:
        value = one["scores"][column]
        return value is None, sign * (value or 0.0)

    return sorted(found, key=place)


def row(answer: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, object]:
    """A candidate as one line of a table."""
    return {"source": answer["source"], "candidate": one["text"], "kept": one["kept"], **one["scores"]}


def verdict_text(verdict: Mapping[str, Any]) -> tuple[str, str]:
    """A score with its threshold, for people: ``ROUGE-L 0.62`` and ``(≤ 0.75)``."""
    number = verdict["value"]
    value = (
        "no score" if number is None else f"{number:.0f}" if isinstance(verdict["threshold"], int) else f"{number:.2f}"
    )
    return f"{title(verdict['score'])} {value}", f"({SIGNS[verdict['side']]} {verdict['threshold']:g})"


def _is_within(one: Mapping[str, Any], column: str, limit: float | None) -> bool:
    """At its own threshold a critic's word counts: it knows whether equal is within."""
    verdict = [verdict for verdict in one["verdicts"] if verdict["score"] == column][-1]
    if limit is None or limit == verdict["threshold"] or verdict["value"] is None:
        return bool(verdict["passed"])
    return bool(verdict["value"] >= limit if verdict["side"] == "min" else verdict["value"] <= limit)


def _card(answer: Mapping[str, Any], one: Mapping[str, Any], number: int) -> str:
    source, target = marked(answer["source"], one["text"])
    verdict = '<span class="kit-verdict kit-yes">kept by all critics</span>'
    if not one["kept"]:
        against = [title(each["score"]) for each in one["verdicts"] if not each["passed"]]
        verdict = f'<span class="kit-verdict kit-no">removed by: {escaped(", ".join(against))}</span>'
    trees = _tree(answer["source_tree"], "Tree of the source") + _tree(one["tree"], f"Tree of candidate {number}")
    return (
        f'<article class="kit-card" aria-label="Candidate {number}"><h3 dir="auto">{target}</h3>'
        f'<p class="kit-source" dir="auto">from: {source}</p>'
        f'<div class="kit-row">{verdict}{_copy(one["text"], number)}</div>'
        f'<ul class="kit-chips" aria-label="Scores of candidate {number}">{_chips(one)}</ul>'
        f'<details><summary>Both trees</summary><div class="kit-trees">{trees}</div></details></article>'
    )


def _chips(one: Mapping[str, Any]) -> str:
    chips = []
    for verdict in one["verdicts"]:
        kind, word = ("kit-pass", "passes") if verdict["passed"] else ("kit-fail", "fails")
        score, threshold = verdict_text(verdict)
        chips.append(f'<li class="{kind}" title="{word}"><b>{escaped(score)}</b> {escaped(threshold)}</li>')
    if one.get("apart") is not None:
        chips.append(f"<li><b>{one['apart']:g}</b> from what was asked for</li>")
    return "".join(chips)


def _copy(text: str, number: int) -> str:
    return (
        f'<button type="button" class="kit-button" data-copy="{escaped(text)}" '
        f'aria-label="Copy candidate {number}">Copy</button>'
    )


def _tree(brackets: str | None, name: str) -> str:
    if brackets is None:
        return f'<div><p class="kit-quiet">{escaped(name)}: the parser found none.</p></div>'
    return f'<div><p class="kit-quiet">{escaped(name)}</p>{draw(Tree.from_brackets(brackets), name)}</div>'


def _count(number: int) -> str:
    return "1 candidate" if number == 1 else f"{number} candidates"
