"""Results: means with intervals, agreement, tests. No annotator's name is in them."""

from __future__ import annotations

import hmac
from typing import Any

from eval_harness.human.analysis import Report, analyse
from eval_harness.human.text import PAIR_HEAD, made, mean_head, mean_rows, pair_rows, text
from idist.errors import UserError
from rating.desk import Desk
from space_kit.markup import escaped, message, table
from space_kit.tables import download_link

CLOSED = "The results open when every item is rated, so that they sway nobody; {done} of {wanted} are."
SHOWN = 20  # items of the table of agreement


def add(desk: Desk, code: str | None) -> None:
    """Into the open tab."""
    import gradio as gr

    with gr.Row(equal_height=True):
        box = gr.Textbox(
            label="Code of the results",
            type="password",
            visible=code is not None,
            max_length=200,
            elem_id="results-code",
        )
        button = gr.Button("Show the results so far", variant="primary", elem_id="results-go")
    page = gr.HTML(message("The results come here.", "note"), elem_id="results-page")

    def show(typed: Any) -> str:
        try:
            return results(desk, code, typed)
        except UserError as error:
            return message(str(error))

    gr.on(
        [button.click, box.submit],
        show,
        box,
        page,
        api_visibility="private",
        concurrency_id="results",
        concurrency_limit=1,
    )


def results(desk: Desk, code: str | None, typed: object) -> str:
    """The page's HTML.

    Args:
        desk: with the answers.
        code: that opens the page; None: it opens when everything is rated, and always for practice.
        typed: by the person.

    Raises:
        UserError: another code, not open yet, or no answers.
    """
    done, wanted = desk.progress()
    if code is not None and not hmac.compare_digest(code.encode(), str(typed).strip().encode("utf-8", "replace")):
        raise UserError("This is not the code of the results.")
    if code is None and done < wanted and not desk.study.practice:
        raise UserError(CLOSED.format(done=done, wanted=wanted))
    return html(analyse(desk.study, desk.store.ratings()))


def html(report: Report) -> str:
    """Tables of a report."""
    head = message(text(report).splitlines()[0], "note")
    means = table(mean_head(report), mean_rows(report), "Means of each system, and agreement")
    pairs = table(PAIR_HEAD, pair_rows(report), "Differences of two systems", 3) if report.pairs else ""
    return (
        f"{head}{means}<p class='kit-quiet'>{escaped(made(report))}</p>"
        f'<div class="kit-row">{download_link(_rows(report), "human_evaluation.csv", "Download as CSV")}</div>'
        f"{pairs}{_agreement(report)}"
    )


def _rows(report: Report) -> list[dict[str, object]]:
    return [
        {
            "system": system,
            "question": question,
            "mean": mean.value,
            "low": mean.low,
            "high": mean.high,
            "n": mean.answers,
        }
        for system, row in report.means.items()
        for question, mean in row.items()
    ]


def _agreement(report: Report) -> str:
    known = [one for one in report.agreement if one.equal is not None]
    if not known:
        return '<p class="kit-quiet">No item has two annotators yet: nothing can be said of their agreement.</p>'
    rows = [[one.item, str(one.annotators), f"{one.equal:.0%}", f"{one.distance:.2f}"] for one in known[:SHOWN]]
    head = ["item", "annotators", "equal answers", "mean distance"]
    return table(head, rows, f"Agreement by item, the least first ({min(SHOWN, len(known))} of {len(known)})")
