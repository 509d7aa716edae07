"""Two systems against each other: the harness's paired tests, from the scores of every example on disk."""

from __future__ import annotations

from typing import Any

from eval_harness.comparison import LEVEL, Comparison, Line, as_json, compare
from eval_harness.exported import has_examples
from eval_harness.report.board import Board
from eval_harness.report.published import Published
from eval_harness.report.text import decimals, listed, number, plain
from eval_harness.results import Result
from idist._schema import nearest
from idist.errors import UserError
from space_kit.markup import escaped, rich_table
from standings.sheet import breakable
from standings.shelf import Standings

PRINTED = "reported: "
TESTS = {"paired bootstrap": "bootstrap", "paired approximate randomization": "randomization"}


def systems(board: Board | None, printed: Published | None) -> list[str]:
    """Names to choose from: those that were measured, then those that are only reported."""
    measured = [row.label for row in board.rows] if board else []
    return [*measured, *dict.fromkeys(PRINTED + row[0] for row in (printed.rows if printed else []))]


def duel(standings: Standings, task: str, name: str | None, a: str, b: str, test: str = "bootstrap") -> Comparison:
    """A against B on every metric that both have.

    Args:
        standings: what there is.
        task: its name.
        name: of the board; None: the first.
        a, b: two of `systems`.
        test: ``bootstrap`` or ``randomization``.

    Raises:
        UserError: the same system twice, one that is not there, one that is only reported or came without examples,
            or what `compare` raises.
    """
    for system in (a, b):
        if system.startswith(PRINTED):
            raise UserError(
                f"{system.removeprefix(PRINTED)} is reported in a paper, without its score on each example: nothing "
                "here can be tested against it. Compare its figures by eye, in the Table."
            )
    board = standings.measured(task, name)
    if a == b:
        raise UserError(f"Both systems are {a}: choose two different ones.")
    first, second = (result_of(board, system) for system in (a, b))
    try:
        return compare(first, second, standings.registry, test=test)
    except UserError as error:
        raise UserError(standings.said(error)) from None


def result_of(board: Board, label: str) -> Result:
    """The result of a system, whose examples are forgotten with it.

    Raises:
        UserError: no such system, or it came without examples.
    """
    row = next((row for row in board.rows if row.label == label), None)
    if row is None:
        raise UserError(f"There is no system {label[:80]!r} here; {nearest(label, [row.label for row in board.rows])}")
    if not has_examples(row.result):
        raise UserError(f"{label} came as scores alone: publish its results with --examples to look into them.")
    return Result(row.result.path, row.result.meta)


def verdict(comparison: Comparison) -> str:
    """What the tests show, in a sentence or two."""
    said = []
    for letter in ("A", "B"):
        titles = [line.title for line in comparison.lines if line.better == letter]
        if titles:
            said.append(f"{letter} is shown to be better in {listed(titles, 12)}.")
    undecided = [line.title for line in comparison.lines if line.better is None]
    if undecided:
        said.append(f"No better one is shown in {listed(undecided, 12)}.")
    return " ".join(said)


def page(comparison: Comparison, a: str, b: str) -> str:
    """Verdict, table and how it was tested, as HTML."""
    head = ["Metric", "A", "B", "A − B", "p", "p (Holm)", "better"]
    rows = [_row(line) for line in comparison.lines]
    caption = f"Differences [{100 * comparison.confidence:g}% intervals]"
    kind = "resamples" if comparison.test == "bootstrap" else "trials"
    words = next(words for words, test in TESTS.items() if test == comparison.test)
    notes = [
        f"{words.capitalize()} with {comparison.resamples:,} {kind}, seed {comparison.seed}, on the same "
        f"{comparison.a.meta['task']['examples']:,} examples; p corrected over the metrics (Holm); better: corrected p "
        f"below {LEVEL:g}.",
        *(plain(sentence) for sentence in comparison.left_out),
    ]
    return (
        '<section class="kit-card" aria-label="Comparison">'
        f"<p><b>A</b> {breakable(a)}<br><b>B</b> {breakable(b)}</p>"
        f'<p role="status"><b>{escaped(verdict(comparison))}</b></p>'
        f"{rich_table([escaped(title) for title in head], rows, caption, named=True)}"
        f'<ul class="kit-notes">{"".join(f"<li>{escaped(note)}</li>" for note in notes)}</ul></section>'
    )


def plain_values(comparison: Comparison, a: str, b: str) -> dict[str, Any]:
    """For programs: the harness's JSON with the systems' names in place of files."""
    told = as_json(comparison)
    for side, name in (("a", a), ("b", b)):
        told[side] = {"name": name, "spec": told[side]["system"]["spec"]}
    return {"verdict": verdict(comparison), **told}


def _row(line: Line) -> list[str]:
    paired = line.paired
    places = max(decimals([paired.a, paired.b]), 1)
    a, b, difference, low, high = (
        number(value, places) for value in (paired.a, paired.b, paired.difference, paired.low, paired.high)
    )
    arrow = {True: " ↑", False: " ↓", None: ""}[line.higher_is_better]
    interval = f'{difference}<span class="kit-interval">[{low}, {high}]</span>'
    chances = [f"{value:.4f}" if value >= 0.0001 else f"{value:.1e}" for value in (paired.p_value, line.p_corrected)]
    better = f"<strong>{line.better}</strong>" if line.better else "not shown"
    return [escaped(line.title) + arrow, a, b, interval, *chances, better]
