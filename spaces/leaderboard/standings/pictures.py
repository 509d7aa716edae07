"""A board's pictures, as the harness draws them."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from eval_harness.report.canvas import Picture
from space_kit.markup import escaped, message

WITHOUT = (
    "Similarity against diversity needs two systems with a self-BLEU and a similarity to the source "
    "(cosine, or BERTScore against the sources): this table has none."
)
FLAT = "-tradeoff"  # how the harness names that picture


def pictures(drawn: Sequence[Picture]) -> str:
    """The similarity-diversity plot first, then all scores with their intervals."""
    ordered = sorted(drawn, key=lambda picture: not picture.name.endswith(FLAT))
    missing = "" if ordered and ordered[0].name.endswith(FLAT) else message(WITHOUT, "note")
    return f'<div class="kit-cards">{missing}{"".join(map(_figure, ordered))}</div>'


def _figure(picture: Picture) -> str:
    data = base64.b64encode(picture.svg).decode()
    name = "Similarity and diversity" if picture.name.endswith(FLAT) else "Scores with intervals"
    return (
        f'<figure class="kit-card"><div class="kit-scroll kit-wide" tabindex="0" role="region" aria-label="{name}">'
        f'<img class="kit-plot" src="data:image/svg+xml;base64,{data}" alt="{escaped(picture.alt)}"></div>'
        f"<figcaption>{name}</figcaption></figure>"
    )
