"""Examples one by one: source, references, and what each system made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eval_harness.report.board import Board
from eval_harness.report.text import number, plain, shorten
from eval_harness.results import Result
from idist.errors import UserError
from space_kit.difference import marked
from space_kit.markup import escaped
from standings.duel import result_of
from standings.sheet import breakable

SIZE = 5  # examples a page
MOST = 4  # systems side by side
LONGEST = 2000  # characters of a text that are shown
ORDERS = {
    "as in the data": "data",
    "the first system's lowest score first": "lowest",
    "the first system's highest score first": "highest",
    "the largest difference of the first two first": "difference",
}


@dataclass(frozen=True)
class Listing:
    """A page of examples; ``first`` is the place of its first one among ``total``, ``pages`` at least 1."""

    page: int
    pages: int
    total: int
    metric: str
    examples: list[dict[str, Any]]

    @property
    def first(self) -> int:
        """From 1."""
        return (self.page - 1) * SIZE + 1


def listing(
    board: Board, systems: Sequence[str], metric: str, order: str = "data", page: float = 1, find: str = ""
) -> Listing:
    """Some examples with the outputs of some systems.

    Args:
        board: of the task.
        systems: 1 to `MOST` labels of its rows.
        metric: that orders, and is named first in the scores.
        order: a value of `ORDERS`.
        page: from 1; what lies beyond the last is the last.
        find: only examples with this text in the source, a reference or an output, in any case.

    Raises:
        UserError: too few or too many systems, one without examples, no such order or metric, no page number, a damaged
            file.
    """
    if not 1 <= len(systems) <= MOST:
        raise UserError(f"{len(systems)} systems are chosen, expected 1 to {MOST}.")
    if order not in ORDERS.values():
        raise UserError(f"There is no order {order[:80]!r}, expected one of: {', '.join(ORDERS.values())}.")
    try:
        page_number = int(page)
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"The page is {page!r}, expected a number from 1 on.") from None
    results = [result_of(board, system) for system in systems]
    places = _places(results, metric, order)
    if find.strip():
        having = _having(results, find.strip().casefold())
        places = [place for place in places if place in having]
    pages = max(1, -(-len(places) // SIZE))
    number = min(max(page_number, 1), pages)
    shown = places[(number - 1) * SIZE : number * SIZE]
    return Listing(number, pages, len(places), metric, _examples(results, systems, shown))


def cards(board: Board, found: Listing) -> str:
    """A page of examples as HTML."""
    if not found.examples:
        return '<p class="kit-quiet" role="status">No example has this text.</p>'
    said = f"Examples {found.first:,} to {found.first + len(found.examples) - 1:,} of {found.total:,}"
    titles = {column.metric: column.title for column in board.columns}
    body = "".join(_card(one, titles, found.metric) for one in found.examples)
    return f'<p class="kit-quiet" role="status">{said}, page {found.page:,} of {found.pages:,}</p>{body}'


def _places(results: Sequence[Result], metric: str, order: str) -> list[int]:
    if order == "data":
        return list(range(len(results[0].rows)))
    if metric not in results[0].metrics:
        raise UserError(f"The first system has no score {metric[:80]!r} to order by.")
    scores = results[0].per_example(metric)
    if order == "difference":
        if len(results) < 2 or metric not in results[1].metrics:
            raise UserError("The largest difference needs two systems with this score: choose a second one.")
        scores = -np.abs(scores - results[1].per_example(metric))
    elif order == "highest":
        scores = -scores
    return [int(place) for place in np.argsort(scores, kind="stable")]


def _having(results: Sequence[Result], text: str) -> set[int]:
    rows = results[0].rows
    columns = [rows["source"], *(result.rows["prediction"] for result in results)]
    found = {place for column in columns for place, own in enumerate(column.to_pylist()) if text in _folded(own)}
    references = enumerate(rows["references"].to_pylist())
    return found | {place for place, own in references if any(text in _folded(one) for one in own or [])}


def _folded(text: str | None) -> str:
    return (text or "").casefold()


def _examples(results: Sequence[Result], systems: Sequence[str], places: list[int]) -> list[dict[str, Any]]:
    if not places:
        return []
    taken = [result.rows.take(places).to_pylist() for result in results]
    scores = [{metric: result.per_example(metric) for metric in result.metrics} for result in results]
    return [
        {
            **{name: taken[0][n][name] for name in ("id", "source", "references", "exemplar")},
            "outputs": [
                {
                    "system": system,
                    "text": rows[n]["prediction"] or "",
                    "error": rows[n]["cached_error"],
                    "scores": {metric: float(values[place]) for metric, values in own.items()},
                }
                for system, rows, own in zip(systems, taken, scores, strict=True)
            ],
        }
        for n, place in enumerate(places)
    ]


def _card(one: dict[str, Any], titles: dict[str, str], metric: str) -> str:
    given = [("source", one["source"]), *(("reference", text) for text in one["references"] or [])]
    given += [("exemplar", one["exemplar"])] if one["exemplar"] is not None else []
    lines = "".join(f'<p dir="auto"><b>{name}</b> {escaped(_shown(text))}</p>' for name, text in given)
    outputs = "".join(_output(output, one["source"], titles, metric) for output in one["outputs"])
    return (
        f'<article class="kit-card" aria-label="Example {escaped(plain(one["id"]))}">'
        f'<p class="kit-quiet">{escaped(plain(one["id"]))}</p>{lines}<div class="kit-side">{outputs}</div></article>'
    )


def _output(output: dict[str, Any], source: str, titles: dict[str, str], metric: str) -> str:
    _, text = marked(_shown(source), _shown(output["text"]))
    if output["error"]:
        text = f'<span class="kit-quiet">no prediction: {escaped(_shown(output["error"]))}</span>'
    ranked = sorted(output["scores"].items(), key=lambda pair: pair[0] != metric)
    chips = "".join(
        f"<li><b>{escaped(plain(titles.get(name, name)))}</b> {number(value, 1)}</li>" for name, value in ranked
    )
    shown = f'<p class="kit-quiet">{breakable(output["system"])}</p><p dir="auto">{text or "(empty)"}</p>'
    return f'<div>{shown}<ul class="kit-chips" aria-label="Scores of {escaped(output["system"])}">{chips}</ul></div>'


def _shown(text: str | None) -> str:
    return shorten(plain(text or ""), LONGEST)
