"""Text from anyone (names of systems, predictions, signatures) made fit for one line, a name of a file, a picture."""

from __future__ import annotations

import re
import unicodedata

# Cc: controls, terminal escapes among them. Cf: invisible, and able to turn the order of what follows around.
# Co, Cs, Cn: no character at all, refused by XML or by encoders.
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
_JOINERS = "\u200c\u200d"  # of category Cf, but needed to write Persian, Hindi and emoji


def plain(text: object) -> str:
    """One line of visible characters: white space becomes one blank, what cannot be seen becomes U+FFFD."""
    line = " ".join(str(text).split())
    return "".join(c if c in _JOINERS or unicodedata.category(c) not in _HIDDEN else "\ufffd" for c in line)


def shorten(text: str, width: int) -> str:
    """At most ``width`` characters; what is left out is left out in the middle: both ends tell systems apart."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"


def slug(text: str) -> str:
    """A name for a file or an HTML id: ASCII letters, digits, ``.``, ``_`` and ``-``, never a path."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-")[:80] or "unnamed"


def decimals(values: list[float]) -> int:
    """How many decimals a column needs: one as in papers, two where all is small and none is negative (TED-3, say)."""
    return 2 if values and min(values) >= 0.0 and 0.0 < max(values) < 5.0 else 1


def number(value: float, places: int) -> str:
    """``-7.2``, and never ``-0.0``."""
    written = f"{value:.{places}f}"
    return written.lstrip("-") if float(written) == 0.0 else written


def listed(names: list[str], most: int = 6) -> str:
    """``a, b and c``; after ``most`` names their count."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else "none"


def counted(n: int, thing: str) -> str:
    """``1 file``, ``1,147 examples``."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"
