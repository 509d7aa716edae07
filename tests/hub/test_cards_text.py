"""Values in Markdown: what a renderer shows is what went in; figures read as people write them."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from idist.hub.card_text import (
    LONGEST_CELL,
    cell,
    code,
    duration,
    number,
    plain,
    prompt,
    python,
    setting,
    share,
    size,
    size_category,
)

TEXTS = st.text(st.sampled_from(list("ab `|\\<>&*_[]()~$!#-\n\r\t\x00\u2028'\"{}:1.")) | st.characters(), max_size=40)
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def shown(rows: list[list[str]]) -> list[list[str]]:
    """The text of each cell as a reader sees it; a cell holds text and code only."""
    table = "| a | b |\n|---|---|\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows)
    found: list[list[str]] = []
    for token in MARKDOWN.parse(table):
        if token.type == "tr_open":
            found.append([])
        if token.type == "inline":
            kinds = {child.type for child in token.children or []}
            html = [child.content for child in token.children or [] if child.type == "html_inline"]
            assert kinds <= {"text", "text_special", "code_inline", "html_inline"}, kinds
            assert set(html) <= {"<code>", "</code>"}, html
            found[-1].append("".join(c.content for c in token.children or [] if c.type != "html_inline"))
    return found[1:]


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
@example([("a|b", "c\nd"), ("`x` <b>hi</b> &amp; \\| \\(", "**x** [y](z) ~~s~~ <!-- c")])
def test_a_table_shows_each_text_as_it_is(rows: list[tuple[str, str]]) -> None:
    assert shown([[cell(text) for text in row] for row in rows]) == [[plain(text) for text in row] for row in rows]


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
@example([("a`b", "|"), ("``", "<code>"), ("\\", "&#96;")])
def test_code_in_a_table_shows_each_name_as_it_is(rows: list[tuple[str, str]]) -> None:
    assert shown([[code(text) for text in row] for row in rows]) == [[plain(text) for text in row] for row in rows]


def test_code_outside_a_table_keeps_its_pipes() -> None:
    assert code("case:lc|tok:intl", table=False) == "`case:lc|tok:intl`"
    assert code("case:lc|tok:intl") == "<code>case:lc&#124;tok:intl</code>"


def test_a_long_text_is_cut_with_a_mark() -> None:
    assert plain("word " * 200).endswith("word…") and len(plain("x" * 1000)) == LONGEST_CELL
    assert plain("x" * 1000, 2000) == "x" * 1000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234567, "1,234,567"),
        (0.972, "0.972"),
        (51.519, "51.5"),
        (-7.69, "-7.69"),
        (1234.5, "1,234"),
        (8.0, "8"),
        (0.0, "0"),
        (0.00001234, "0.000012"),
        (1.2e-9, "1.2e-09"),
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "–"),
        ("a|b", "a\\|b"),
    ],
)
def test_number(value: object, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.002, "0.002"), (1e-05, "1e-05"), (12.0, "12"), (True, "yes"), (["a", "b"], "a, b"), (3, "3")]
)
def test_setting(value: object, text: str) -> None:
    assert setting(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.2, "under 1 s"),
        (25.2, "25 s"),
        (59.7, "1 min"),
        (580.5, "9 min 40 s"),
        (3600, "1 h"),
        (3601, "1 h"),
        (12_000, "3 h 20 min"),
        (187_000, "2 d 3 h"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@given(st.integers(0, 10**14))
@example(999)
@example(999_999)
@example(999_950_000)
def test_a_size_is_within_half_a_digit(count: int) -> None:
    value, unit = size(count).split()
    factor = {"bytes": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}[unit]
    assert abs(float(value) * factor - count) <= factor * 0.0500001
    assert float(value) < 1000 or unit == "TB"


@given(st.integers(1, 10**13))
@example(999)
@example(1000)
@example(10**6)
@example(999_999_999)
@example(10**12)
def test_a_size_category_holds_its_rows(rows: int) -> None:
    factor = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
    bounds = [int(digits) * factor[unit] for digits, unit in re.findall(r"(\d+)([KMBT]?)", size_category(rows))]
    if size_category(rows).startswith("n>"):
        assert rows >= bounds[0]
    elif len(bounds) == 1:
        assert rows < bounds[0]
    else:
        assert bounds[0] <= rows < bounds[1] == 10 * bounds[0]


def test_share_keeps_the_digits_that_count() -> None:
    assert [share(1, 2), share(283, 213_642), share(3, 10**6), share(0, 5), share(0, 0)] == [
        "50.0 %",
        "0.1 %",
        "0.0003 %",
        "0.0 %",
        "–",
    ]


@given(TEXTS)
def test_a_python_literal_is_the_text(text: str) -> None:
    assert ast.literal_eval(python(text)) == text


@given(TEXTS, TEXTS, st.text(max_size=10))
@example("{source}", "{", "x")
@example("", "", "x")
@example("", "\n", "x")
def test_a_prompt_as_python_fills_it(before: str, after: str, source: str) -> None:
    before, after = before.replace("{source}", ""), after.replace("{source}", "")
    assert eval(prompt(before + "{source}" + after), {"source": source}) == before + source + after
    filled = eval(prompt("{source} tree: {control}"), {"source": source, "control": "(S)"})
    assert filled == f"{source} tree: (S)"
