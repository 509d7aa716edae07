"""The demo in a real browser: each main path, bad input, the keyboard, a phone, the dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.spaces.browser import Visit, visit

SENTENCE = "A man in a blue shirt is playing the guitar on a street corner."
HOSTILE = "A man <img src=x onerror=alert(1)> rides ${alert(2)} a {{bike}} <script>alert(3)</script> today."


def ask(opened: Visit, task: str, sentence: str) -> Any:
    """Fill in, press the button; gives the place of the answer once it is there."""
    page = opened.page
    page.locator(f"#{task}-sentence textarea").fill(sentence)
    page.locator(f"#{task}-temperature input[type=number]").fill("1.7")  # the shipped denoiser copies otherwise
    page.locator(f"#{task}-go").click()
    place = page.locator(f"#{task}-results")
    place.locator(".kit-card, .kit-error").first.wait_for()
    return place


def test_paraphrase_sort_select_copy_and_save(browser: Any, address: str) -> None:
    with visit(browser, address) as opened:
        page = opened.page
        place = ask(opened, "paraphrase", SENTENCE)
        cards = place.locator(".kit-card")
        first, number = cards.first.locator("h3").inner_text(), cards.count()
        assert number > 1 and "kept by all critics" in place.inner_text()
        cards.first.get_by_role("button", name="Copy candidate 1").click()
        cards.first.get_by_text("Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == first
        cards.first.get_by_text("Both trees").click()
        assert cards.first.locator("svg").first.is_visible() and cards.first.locator("svg").count() == 2
        with page.expect_download() as saved:
            place.get_by_role("link", name="Download as CSV").click()
        lines = Path(saved.value.path()).read_text(encoding="utf-8-sig").splitlines()
        assert lines[0].startswith("source,candidate,kept,rouge_l") and len(lines) == number + 1
        page.get_by_label("Show", exact=True).click()
        page.get_by_role("option", name="those that all critics keep").click()
        place.get_by_text(f"of {number} candidates").or_(place.get_by_text(f"{number} candidates")).first.wait_for()
        assert opened.nameless() == []


def test_a_score_orders_and_a_limit_of_ones_own_selects(browser: Any, address: str) -> None:
    with visit(browser, address, "phone") as opened:
        page = opened.page
        place = ask(opened, "paraphrase", SENTENCE)
        scores = place.locator(".kit-chips li", has_text="ROUGE-L")
        before = [float(text.split()[1]) for text in scores.all_inner_texts()]
        assert len(set(before)) > 1 and not page.locator("#paraphrase-limit").is_visible()
        page.get_by_label("Order", exact=True).click()
        page.get_by_role("option", name="ROUGE-L").click()
        first = place.locator(".kit-card", has_text=f"ROUGE-L {min(before):.2f}").first
        page.wait_for_function(
            "text => document.querySelector('#paraphrase-results h3').innerText === text",
            arg=first.locator("h3").inner_text(),
        )
        after = [float(text.split()[1]) for text in scores.all_inner_texts()]
        assert after == sorted(before)
        page.get_by_label("Show", exact=True).click()
        page.get_by_role("option", name="ROUGE-L at most the limit").click()
        own = page.get_by_label("Limit", exact=True)
        own.wait_for()
        assert own.input_value() == "0.75"
        own.fill("-1")
        place.get_by_text("No candidate is within it").wait_for()
        own.fill("1")
        place.get_by_text(f"{len(before)} candidates").wait_for()
        assert opened.overflow() <= 0 and opened.nameless() == [] and opened.faint() == []


def test_what_a_stranger_types_is_shown_and_not_run(browser: Any, address: str) -> None:
    with visit(browser, address) as opened:
        place = ask(opened, "paraphrase", HOSTILE)
        place.locator(".kit-card, .kit-error").first.wait_for()
        assert place.locator("img, script").count() == 0


@pytest.mark.parametrize(
    ("sentence", "said"), [("", "empty"), ("x" * 10_000, "10,000 characters"), ("שלום עולם", "hardly a word")]
)
def test_bad_sentences_are_told_in_the_page(browser: Any, address: str, sentence: str, said: str) -> None:
    with visit(browser, address) as opened:
        place = ask(opened, "paraphrase", sentence)
        assert said in place.get_by_role("alert").inner_text() and "Traceback" not in opened.page.content()


def test_control_of_syntax_and_a_tree_that_is_none(browser: Any, address: str) -> None:
    with visit(browser, address) as opened:
        opened.open_tab("Syntax")
        opened.page.locator("#syntax-exemplar textarea, #syntax-exemplar input").first.fill("Two women sit on a bench.")
        place = ask(opened, "syntax", SENTENCE)
        assert "The syntax asked for" in place.inner_text()
        opened.page.get_by_label("a tree of your own").check()
        opened.page.locator("#syntax-tree textarea, #syntax-tree input").first.fill("(S (NP")
        opened.page.locator("#syntax-go").click()
        place.get_by_role("alert").wait_for()
        assert "no tree" in place.inner_text()


def test_a_table_with_progress_and_one_without_the_column(browser: Any, address: str, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("id,sentence\n1,A man rides a bike.\n2,\n", encoding="utf-8")
    with visit(browser, address, "phone") as opened:
        opened.open_tab("Table")
        page = opened.page
        page.locator("#batch-file input[type=file]").set_input_files(table)
        page.locator("#batch-file").get_by_text("table").first.wait_for()
        page.locator("#batch-go").click()
        place = page.locator("#batch-page")
        place.get_by_text("2 of 2 sentences").wait_for()
        assert "is empty" in place.inner_text() and opened.overflow() <= 0
        page.locator("#batch-column").get_by_role("textbox").fill("text")
        page.locator("#batch-go").click()
        place.get_by_role("alert").wait_for()
        assert "no column 'text'" in place.inner_text()


def test_the_keyboard_is_enough(browser: Any, address: str) -> None:
    with visit(browser, address, theme="dark") as opened:
        page = opened.page
        page.locator("#paraphrase-sentence textarea").focus()
        page.keyboard.type("Two dogs run through the snow.")
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "paraphrase-go":
                break
        page.keyboard.press("Enter")
        page.locator("#paraphrase-results").locator(".kit-card, .kit-error").first.wait_for()
        assert page.evaluate("document.body.classList.contains('dark')")


def test_how_it_was_made_on_a_phone(browser: Any, address: str) -> None:
    with visit(browser, address, "phone", "dark") as opened:
        opened.open_tab("How it was made")
        page = opened.page
        page.get_by_text("what each critic removed").first.wait_for()
        before = page.locator("#made-pairs").inner_text()
        assert "Context:" in before and opened.overflow() <= 0
        page.locator("#made-more").click()
        page.wait_for_function("text => document.querySelector('#made-pairs').innerText !== text", arg=before)
        opened.open_tab("Summarize")
        page.get_by_text("recipes/distill.py").first.wait_for()
