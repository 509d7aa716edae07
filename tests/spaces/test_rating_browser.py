"""The human evaluation in a real browser: rating by mouse and keys, back and edit, bad input, a phone, the dark."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eval_harness.human.study import Item, Study
from rating.desk import Desk
from rating.pages.rate import WELCOME
from tests.eval_harness.human_study import study
from tests.spaces.browser import Visit, visit
from tests.spaces.rating_server import serving

HOSTILE = "A dog <img src=x onerror=alert(1)> ${alert(2)} {{bike}} <script>alert(3)</script> runs."
ANSWERED = """welcome => {
  const said = document.querySelector('#rate-notice').innerText.trim();
  return said && said !== welcome;
}"""
TEXTS = (HOSTILE, "שלום עולם 👩‍🔬", "x" * 10_000)


def hostile() -> Study:
    """Outputs that a page could stumble over."""
    told = study(items=3, annotators=8)
    items = [
        Item(item.id, HOSTILE, item.references, None, dict(zip(told.systems, TEXTS, strict=True)))
        for item in told.items
    ]
    return dataclasses.replace(told, items=tuple(items), practice=True)


@pytest.fixture(scope="module")
def rating(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Desk]]:
    with serving(tmp_path_factory.mktemp("answers"), hostile()) as found:
        yield found


def begin(opened: Visit, name: str) -> Any:
    """Give a name and press Start; gives the sentence below the item once it has changed."""
    notice = opened.page.locator("#rate-notice")
    notice.get_by_text(WELCOME).wait_for()
    opened.page.locator("#rate-name").get_by_role("textbox").fill(name)
    opened.page.locator("#rate-start").click()
    opened.page.wait_for_function(ANSWERED, arg=WELCOME)
    return notice


def test_rate_go_back_edit_and_finish(browser: Any, rating: tuple[str, Desk]) -> None:
    address, desk = rating
    with visit(browser, address) as opened:
        page = opened.page
        notice = begin(opened, "Anna")
        page.locator(".rating-output").first.wait_for()
        assert opened.nameless() == []
        groups = page.locator(".rating-question")
        assert groups.count() == 9
        for choice in (0, 1, 2, 0, 2):  # faster than the server answers: the last one counts
            groups.nth(0).get_by_role("radio").nth(choice).check()
        notice.get_by_text("Stored: Output A, fluent, 3.").wait_for()
        item = next(iter(desk.store.seats("anna")))
        page.wait_for_timeout(300)
        assert list(desk.store.answers("anna", item).values()) == [3]
        page.locator("#rate-save").click()
        notice.get_by_text("Output A, Faithful: there is no answer yet").wait_for()
        for number in range(1, 9):
            groups.nth(number).get_by_role("radio").nth(1).check()
        page.locator("#rate-save").click()
        page.get_by_text("Your item 2, 1 finished so far").wait_for()
        assert page.locator(".rating-question input:checked").count() == 0
        page.locator("#rate-back").click()
        page.get_by_text("Your item 1, 1 finished so far").wait_for()
        assert page.locator(".rating-question input:checked").count() == 9
        groups.nth(0).get_by_role("radio").nth(0).check()
        notice.get_by_text("Stored:").wait_for()
        page.locator("#rate-back").click()
        notice.get_by_text("This is your first item").wait_for()
    first = desk.order("anna", item)[0]
    found = desk.store.answers("anna", item)
    assert found[first, "fluency"] == 1 and len(found) == 9 and desk.store.finished()[item] == 1


def test_keys_are_enough_and_a_second_visit_goes_on(browser: Any, rating: tuple[str, Desk]) -> None:
    address, desk = rating
    with visit(browser, address, "phone", "dark") as opened:
        page = opened.page
        page.locator("#rate-name").get_by_role("textbox").focus()
        page.keyboard.type("Keys 123")
        page.keyboard.press("Enter")
        page.locator(".rating-output").first.wait_for()
        page.wait_for_function("document.activeElement.closest('.rating-question')")
        for key in "321321321":
            page.keyboard.press(key)
        page.wait_for_function("document.activeElement.id === 'rate-save'")
        assert page.locator(".rating-question input:checked").count() == 9 and opened.overflow() <= 0
        page.keyboard.press("Enter")
        page.get_by_text("Your item 2, 1 finished so far").wait_for()
    item = next(iter(desk.store.seats("keys 123")))
    system = desk.order("keys 123", item)[1]
    assert [desk.store.answers("keys 123", item)[system, name] for name in desk.study.questions] == [3, 2, 1]
    with visit(browser, address) as opened:
        begin(opened, "keys 123")
        opened.page.get_by_text("Your item 2, 1 finished so far").wait_for()


def test_what_strangers_wrote_is_shown_and_not_run(browser: Any, rating: tuple[str, Desk]) -> None:
    with visit(browser, rating[0], "phone") as opened:
        begin(opened, "<script>alert(4)</script>")
        place = opened.page.locator("#rate-item")
        place.locator(".rating-output").first.wait_for()
        assert place.locator("img, script").count() == 0 and "onerror=alert(1)" in place.inner_text()
        assert opened.overflow() <= 0 and "middling" not in opened.page.content()


@pytest.mark.parametrize(("name", "said"), [("", "is empty"), ("x" * 500, "500 characters")])
def test_a_bad_name_is_told_in_the_page(browser: Any, rating: tuple[str, Desk], name: str, said: str) -> None:
    with visit(browser, rating[0]) as opened:
        notice = begin(opened, name)
        assert said in notice.get_by_role("alert").inner_text() and "Traceback" not in opened.page.content()


def test_a_database_that_is_full_is_told_and_the_page_keeps_the_answer(browser: Any, tmp_path: Path) -> None:
    with serving(tmp_path, study()) as (address, desk), visit(browser, address) as opened:
        notice = begin(opened, "anna")
        desk.store._base.execute("PRAGMA query_only=1")
        groups = opened.page.locator(".rating-question")
        for number in range(9):
            groups.nth(number).get_by_role("radio").nth(0).check()
        notice.get_by_text("could not store this: its database is read-only").wait_for()
        desk.store._base.execute("PRAGMA query_only=0")
        assert opened.page.locator(".rating-question input:checked").count() == 9
        opened.page.locator("#rate-save").click()
        opened.page.get_by_text("Your item 2, 1 finished so far").wait_for()
        assert len(desk.store.ratings()) == 9


def test_guidelines_and_results_on_a_phone(browser: Any, rating: tuple[str, Desk]) -> None:
    with visit(browser, rating[0], "phone", "dark") as opened:
        opened.open_tab("Guidelines")
        opened.page.get_by_text("sentences rated for you").first.wait_for()
        assert opened.overflow() <= 0
        opened.open_tab("Results")
        opened.page.locator("#results-go").click()
        place = opened.page.locator("#results-page")
        place.locator("table, [role=alert]").first.wait_for()
        shown = place.inner_text()
        assert "Means of each system" in shown or "Nobody has finished" in shown
        assert opened.overflow() <= 0 and opened.nameless() == [] and opened.faint() == []
