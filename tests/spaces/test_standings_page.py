"""The leaderboard in a real browser and by its endpoints: each main path, bad input, a phone, the dark, a crowd."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from standings.shelf import Shelf
from tests.spaces.browser import Visit, visit
from tests.spaces.standings_files import HOSTILE, SIZE, write_all

pytest.importorskip("gradio", reason="gradio is not installed")

ROOT = Path(__file__).parents[2]
DOCUMENTED = re.compile(r"`/(\w+)`")
FAR = "hf-seq2seq:org/close"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_all(tmp_path_factory.mktemp("served") / "results")


@pytest.fixture(scope="module")
def board(place: Path) -> Iterator[str]:
    """The leaderboard, served."""
    from space_kit.serving import launch
    from standings.page import build

    app = build(Shelf(lambda: [str(place)]))
    _, url, _ = launch(app, prevent_thread_lock=True, quiet=True)
    yield url
    app.close()


def choose(opened: Visit, label: str, option: str) -> None:
    """An option of a list, as a person does it."""
    opened.page.get_by_label(label, exact=True).click()
    opened.page.get_by_role("option", name=option).first.click()


def open_task(opened: Visit, task: str) -> None:
    """By its link."""
    opened.page.goto(opened.page.url.split("?")[0] + f"?task={task}")
    opened.page.locator("#table-page .kit-card").first.wait_for()


def test_measured_and_reported_metrics_order_and_saving(browser: Any, board: str) -> None:
    with visit(browser, board) as opened:
        page = opened.page
        table = page.locator("#table-page")
        table.get_by_text("not shown to be worse than the best (paired").wait_for()  # the ties are marked by and by
        assert table.locator(".kit-measured").count() == table.locator(".kit-reported").count() == 1
        assert "chat:someone" in table.locator(".kit-reported").inner_text() and HOSTILE in table.inner_text()
        assert table.locator("img, script").count() == 0 and opened.nameless() == []
        with page.expect_download() as saved:
            table.get_by_role("link", name="Download as CSV").click()
        lines = Path(saved.value.path()).read_text(encoding="utf-8-sig").splitlines()
        assert lines[0].startswith("kind,task,protocol") and len(lines) == 14
        page.get_by_label("self-BLEU", exact=True).uncheck()
        table.locator(".kit-measured th", has_text="self-BLEU").wait_for(state="detached")
        choose(opened, "Order of measured systems", "cosine similarity")
        table.locator(".kit-measured tbody th").first.get_by_text("copy-input").wait_for()


def test_two_systems_are_compared_by_keyboard(browser: Any, board: str) -> None:
    with visit(browser, board, theme="dark") as opened:
        page = opened.page
        page.locator("#table-page .kit-card").first.wait_for()  # what was chosen is there with it
        opened.open_tab("Compare")
        page.wait_for_function("document.querySelector('#compare-b input')?.value")
        page.locator("#compare-go").focus()
        page.keyboard.press("Enter")
        page.locator("#compare-page").get_by_text("Paired bootstrap with 1,000").wait_for()
        assert "is shown to be better" in page.locator("#compare-page").inner_text()
        choose(opened, "System B", "reported: chat:someone")
        page.locator("#compare-go").click()
        page.locator("#compare-page").get_by_role("alert").wait_for()
        assert "reported in a paper" in page.locator("#compare-page").inner_text()


def test_examples_are_paged_and_searched_on_a_phone(browser: Any, board: str) -> None:
    with visit(browser, board, "phone", "dark") as opened:
        page = opened.page
        opened.open_tab("Examples")
        shown = page.locator("#examples-page")
        shown.get_by_text(f"Examples 1 to 5 of {SIZE}").wait_for()
        page.get_by_role("button", name="Next").click()
        shown.get_by_text(f"Examples 6 to 10 of {SIZE}").wait_for()
        assert shown.locator(".kit-card").count() == 5 and opened.overflow() <= 0
        page.get_by_label("With the text").fill("no such words")
        page.get_by_label("With the text").press("Enter")
        shown.get_by_text("No example has this text").wait_for()
        assert opened.nameless() == [] and opened.faint() == []


def test_plots_and_how_to_submit_on_a_phone(browser: Any, board: str) -> None:
    with visit(browser, board, "phone") as opened:
        page = opened.page
        assert opened.overflow() <= 0
        opened.open_tab("Plots")
        page.locator("#plots-page img").first.wait_for()
        assert page.locator("#plots-page img").count() == 2 and opened.overflow() <= 0
        opened.open_tab("Submit")
        page.get_by_text("publish_results.py results --examples").first.wait_for()
        assert opened.overflow() <= 0


def test_a_link_names_a_task_and_a_wrong_one_is_told(browser: Any, board: str) -> None:
    with visit(browser, board) as opened:
        open_task(opened, "mrpc")
        table = opened.page.locator("#table-page")
        assert "Impossible-T5" in table.inner_text() and table.locator(".kit-measured").count() == 0
        open_task(opened, "scene<b>")
        assert "did you mean 'scenes'" in opened.page.locator("#state").get_by_role("alert").inner_text()
        choose(opened, "Task", "gigaword")
        table.get_by_text("Fluent (human, 1 to 3)").wait_for()


def test_results_that_come_and_break_are_there_after_reload(browser: Any, board: str, place: Path) -> None:
    with visit(browser, board) as opened:
        page = opened.page
        page.locator("#table-page .kit-card").first.wait_for()
        broken = place / "scenes" / "paper" / "broken.json"
        shutil.copy(place / "scenes" / "paper" / "copy-input.json", broken)
        try:
            page.get_by_role("button", name="Reload").click()
            page.locator("#state").get_by_text("One place or file is left out").wait_for()
            assert "lacks its examples" in page.locator("#state").inner_text()
            assert str(place.parent) not in page.content() and "Traceback" not in page.content()
        finally:
            broken.unlink()
        page.get_by_role("button", name="Reload").click()
        page.locator("#state").get_by_text("left out").wait_for(state="detached")


def test_without_results_the_page_says_so_and_shows_what_papers_report(browser: Any, tmp_path: Path) -> None:
    from space_kit.serving import launch
    from standings.page import build

    app = build(Shelf(lambda: [str(tmp_path / "none")]))
    _, url, _ = launch(app, prevent_thread_lock=True, quiet=True)
    try:
        with visit(browser, url) as opened:
            state = opened.page.locator("#state")
            state.get_by_text("There are no measured results").wait_for()
            assert "does not exist" in state.inner_text() and str(tmp_path) not in opened.page.content()
            assert opened.page.locator("#table-page .kit-reported").count() == 1
    finally:
        app.close()


@pytest.fixture(scope="module")
def person(board: str) -> Any:
    from gradio_client import Client

    return Client(board, verbose=False)


def test_programs_get_the_same(person: Any, place: Path) -> None:
    from standings import duel, scores

    standings = Shelf(lambda: [str(place)]).current()
    own = standings.measured("scenes", None)
    standings.finished(own).result()
    assert person.predict(task="scenes", api_name="/table") == scores.rows(standings, "scenes", own)
    told = person.predict(task="scenes", a="copy-input", b=FAR, api_name="/compare")
    assert told == duel.plain_values(duel.duel(standings, "scenes", None, "copy-input", FAR), "copy-input", FAR)
    page = person.predict(task="scenes", systems=["copy-input"], page=2, api_name="/examples")
    assert (page["page"], page["total"], len(page["examples"])) == (2, SIZE, 5)
    assert [one["task"] for one in person.predict(api_name="/tasks")] == standings.tasks


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("/table", {"task": "scene"}, "did you mean 'scenes'"),
        ("/table", {"task": "scenes", "results": "scenes-standard"}, "has no results"),
        ("/compare", {"task": "mrpc", "a": "reported: ChatGPT", "b": "x"}, "reported in a paper"),
        ("/compare", {"task": "scenes", "a": "copy-input", "b": FAR, "test": "t"}, "expected one of: bootstrap"),
        ("/examples", {"task": "scenes", "systems": []}, "expected 1 to 4"),
        ("/examples", {"task": "scenes", "systems": "copy-input"}, "expected a list"),
        ("/examples", {"task": "scenes", "systems": ["copy-input"], "page": "x"}, "expected a number"),
        ("/table", {"task": 7}, "task is 7"),
    ],
)
def test_bad_input_comes_back_as_a_sentence(person: Any, name: str, asked: dict[str, Any], said: str) -> None:
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError, match=said) as caught:
        person.predict(**asked, api_name=name)
    assert "Traceback" not in str(caught.value) and '.py"' not in str(caught.value)


def test_what_is_documented_is_what_there_is(person: Any) -> None:
    named = set(DOCUMENTED.findall((ROOT / "docs" / "leaderboard.md").read_text(encoding="utf-8")))
    assert named == {name.strip("/") for name in person.view_api(return_format="dict")["named_endpoints"]}


def test_many_at_once_are_answered(person: Any) -> None:
    jobs = [
        person.submit(task="scenes", a="copy-input", b=FAR, api_name="/compare")
        if number % 2
        else person.submit(task="scenes", systems=[FAR], api_name="/examples")
        for number in range(16)
    ]
    answers = [job.result() for job in jobs]
    assert all("verdict" in answer or answer["total"] == SIZE for answer in answers)
