"""An item as HTML: how far one is, the source, an output."""

from __future__ import annotations

from rating.desk import View, letter
from space_kit.markup import escaped

NOTHING = "(this system wrote nothing)"


def progress(view: View | None, finished: int, wanted: int) -> str:
    """How far this person and the study are."""
    mine = ""
    if view is not None:
        mine = f"Your item {view.number}, {view.finished} finished so far. "
    said = f"{mine}The whole study: {finished} of {wanted}."
    return (
        f'<p class="kit-quiet" role="status">{escaped(said)}</p><progress class="kit-progress" max="{wanted}" '
        f'value="{finished}" aria-label="Items of the whole study that are rated"></progress>'
    )


def source(text: str) -> str:
    """What the systems read."""
    return f'<article class="kit-card rating-source"><p class="kit-quiet">Source</p>{_text(text)}</article>'


def output(text: str, place: int) -> str:
    """One system's text, under a letter."""
    return f'<article class="rating-output"><p class="kit-quiet">Output {letter(place)}</p>{_text(text)}</article>'


def _text(text: str) -> str:
    if not text.strip():
        return f'<p class="rating-text kit-quiet">{NOTHING}</p>'
    return f'<p class="rating-text" dir="auto">{escaped(text)}</p>'
