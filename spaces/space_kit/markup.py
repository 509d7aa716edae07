"""Texts of strangers in our pages: everything goes through `escaped`, and nothing else makes markup of a text."""

from __future__ import annotations

import html
from collections.abc import Sequence

# Gradio's HTML component fills JavaScript and Handlebars templates: what begins an expression there is written as an
# entity, too, so that a sentence can never be one.
_TEMPLATE = {ord("{"): "&#123;", ord("}"): "&#125;", ord("$"): "&#36;", ord("`"): "&#96;"}


def escaped(text: str) -> str:
    """Text that stays text, between tags and in quoted attributes."""
    return html.escape(text, quote=True).translate(_TEMPLATE)


def message(text: str, kind: str = "error") -> str:
    """A box with one sentence that screen readers say at once.

    Args:
        text: plain.
        kind: ``error``, ``note`` or ``done``.
    """
    role = "alert" if kind == "error" else "status"
    return f'<div class="kit-message kit-{kind}" role="{role}">{escaped(text)}</div>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str, numbers_from: int = 1) -> str:
    """A table that scrolls sideways on a narrow page; cells are plain texts.

    Args:
        head: names of the columns.
        rows: as many cells each.
        caption: what the table shows.
        numbers_from: columns from this one on (from 0) are set as numbers.
    """
    return rich_table(list(map(escaped, head)), [list(map(escaped, row)) for row in rows], caption, numbers_from)


def rich_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], caption: str, numbers_from: int = 1, named: bool = False
) -> str:
    """The same with cells that are markup already: every text in them has gone through `escaped`.

    Args:
        head, rows, caption, numbers_from: see `table`; the caption is a plain text.
        named: the first cell names its row, and stays in sight while the others scroll.
    """

    def line(cells: Sequence[str], tag: str) -> str:
        kinds = ["" if place < numbers_from else ' class="kit-number"' for place in range(len(cells))]
        tags = ["th" if named and place == 0 else tag for place in range(len(cells))]
        roles = [' scope="row"' if own != tag else "" for own in tags]
        parts = zip(tags, roles, kinds, cells, strict=True)
        return "".join(f"<{own}{role}{kind}>{cell}</{own}>" for own, role, kind, cell in parts)

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    style = "kit-table kit-named" if named else "kit-table"
    return (
        f'<div class="kit-scroll kit-wide" tabindex="0" role="region" aria-label="{escaped(caption)}">'
        f'<table class="{style}"><caption>{escaped(caption)}</caption>'
        f"<thead><tr>{line(head, 'th')}</tr></thead><tbody>{body}</tbody>"
        "</table></div>"
    )
