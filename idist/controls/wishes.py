"""What a person asks for, as text: ``KIND:VALUE``, several joined by ``;``.

``exemplar:Up went the balloon.``, ``tree:(S (NP) (VP))``, ``template:3``, ``length_ratio:1;lexical_overlap:2``.
"""

from __future__ import annotations

from collections.abc import Mapping

from idist.errors import UserError

Wish = Mapping[str, str]  # kind of wish -> its value


def parse_wishes(text: str) -> dict[str, str]:
    r"""Text -> {kind: value}; a ``;`` within a value is written ``\;``.

    Raises:
        UserError: a part without a colon, or a kind that comes twice; nothing but white space and ``;``.
    """
    found: dict[str, str] = {}
    for part in _parts(text):
        kind, colon, value = part.partition(":")
        kind = kind.strip()
        if not colon or not kind:
            raise UserError(
                f"Control {part.strip()!r} has no value, expected KIND:VALUE such as template:1; write \\; for a "
                "semicolon within a value."
            )
        if kind in found:
            raise UserError(f"Control {kind!r} is asked for twice, expected each kind once.")
        found[kind] = value.strip()
    if not found:
        raise UserError("Control is empty, expected KIND:VALUE such as template:1.")
    return found


def _parts(text: str) -> list[str]:
    parts = text.replace("\\;", "\0").split(";")
    return [part.replace("\0", ";") for part in parts if part.strip()]
