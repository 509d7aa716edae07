"""Values -> Markdown that stays what it is: table cells, code spans, figures, sizes, times."""

from __future__ import annotations

import json
import math
import re
from typing import Any

LONGEST_CELL = 300  # characters; a table with longer cells cannot be read
_MARKS = re.compile(r"([`*\[\]|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")  # rouge_score needs no backslash
_UNSAFE_CODE = re.compile(r"[`|<>&\\]")
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b\u2028\u2029\ufeff]+")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", "\\": "&#92;"})


def plain(value: Any, longest: int = LONGEST_CELL) -> str:
    """One line: white space and control characters become one blank; what is longer than `longest` ends in ``…``."""
    text = _BLANKS.sub(" ", "" if value is None else str(value)).strip()
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def cell(value: Any) -> str:
    """Text for a table cell or a heading, which Markdown renders as `plain` has it: no mark-up, no HTML, no column.

    A backslash becomes an entity: the Hub reads ``\\\\(`` as the start of a formula.
    """
    return _MARKS.sub(r"\\\1", plain(value).translate(_ENTITIES))


def code(value: Any, table: bool = True, longest: int = LONGEST_CELL) -> str:
    """A code span that holds `plain` as it is. ``table`` false: never for a table, so a ``|`` needs no care."""
    text = plain(value, longest)
    if not text:
        return ""
    if not _UNSAFE_CODE.search(text if table else text.replace("|", "")):
        return f"`{text}`"
    return "<code>" + _MARKS.sub(lambda mark: f"&#{ord(mark[0])};", text.translate(_ENTITIES)) + "</code>"


def number(value: Any) -> str:
    """A figure for people: ``1,234``, ``51.5``, ``0.972``; three digits that count."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return cell(value)
    if isinstance(value, int) or (value == int(value) and abs(value) >= 1):
        return f"{int(value):,}"
    if 0 < abs(value) < 1e-6:
        return f"{value:.1e}"
    digits = 2 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:,.{min(max(digits, 0), 6)}f}"


def setting(value: Any) -> str:
    """A setting as a person would write it: ``0.002``, ``1e-05``, ``yes``, ``a, b``."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return cell(", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value)


def fixed(value: float | None, digits: int = 1) -> str:
    """A score with as many decimals as its neighbours: ``51.5``, ``-7.7``."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def share(part: int, whole: int) -> str:
    """``19.8 %``; what is left of something large shows the digits that count (``0.0013 %``)."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    return f"{percent:.1f} %" if percent >= 0.1 or not part else f"{percent:.2g} %"


def size(count: int) -> str:
    """Bytes as the Hub writes them: ``735 bytes``, ``12.3 kB``, ``4.2 GB``."""
    if count < 1000:
        return f"{count} bytes"
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.95 or unit == "TB":
            break
    return f"{value:.1f} {unit}"


def duration(seconds: float | None) -> str:
    """``25 s``, ``9 min 41 s``, ``3 h 20 min``, ``2 d 4 h``; an en dash where it is not known."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    left = round(seconds)
    if left < 1:
        return "under 1 s"
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part)


def size_category(rows: int) -> str:
    """The Hub's word for a number of rows: ``n<1K``, ``1K<n<10K``, ... ``n>1T``."""
    steps = ["1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T"]
    if rows < 1000:
        return "n<1K"
    power = len(str(rows)) - 4
    return f"{steps[power]}<n<{steps[power + 1]}" if power + 1 < len(steps) else "n>1T"


def python(value: Any) -> str:
    """A Python literal in double quotes, for a snippet."""
    if not isinstance(value, str):
        return repr(value)
    # half a character (a lone surrogate) cannot be written to a file, but its escape can
    return json.dumps(value, ensure_ascii=False).encode(errors="backslashreplace").decode()


def prompt(template: str) -> str:
    """``summary: {source}`` -> the Python expression that fills it: ``f"summary: {source}"``; or just ``source``."""
    parts = re.split(r"(\{(?:source|control)\})", template)
    if len(parts) == 3 and not parts[0] and not parts[2]:
        return parts[1][1:-1]
    literal = "".join(
        part if index % 2 else python(part)[1:-1].replace("{", "{{").replace("}", "}}")
        for index, part in enumerate(parts)
    )
    return f'f"{literal}"'


FILTERS = {
    "cell": cell,
    "code": code,
    "duration": duration,
    "fixed": fixed,
    "number": number,
    "plain": plain,
    "prompt": prompt,
    "python": python,
    "setting": setting,
    "share": share,
    "size": size,
}
