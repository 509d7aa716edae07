"""Pictures of the Spaces for their pages in docs/: a real browser uses them, in the light and in the dark.

python recipes/screenshots.py                    all of them; needs Playwright and a Chromium
python recipes/screenshots.py leaderboard        one

The demo shows the newest student of runs/, the leaderboard results/ and the evaluations in runs/, the human evaluation
its practice study. Writes docs/images/NAME.png (a desk, light) and NAME_phone.png (a phone, dark).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist.errors import UserError
from recipes.command import ROOT, run

SENTENCE = "Two dogs are running through the snow."
RATINGS = "33132"  # keys: the first answers of the human evaluation


def main() -> None:
    """Serve each Space, use it, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spaces", nargs="*", metavar="SPACE", help=f"of: {', '.join(SHOTS)} (default: all)")
    parser.add_argument("--browser", default=shutil.which("chromium"), help="a Chromium (default: chromium)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", help="folder (default: docs/images)")
    args = parser.parse_args()
    strange = [space for space in args.spaces if space not in SHOTS]
    if strange:
        raise UserError(f"{strange[0]!r} has no pictures, expected one of: {', '.join(SHOTS)}.")
    if args.browser is None:
        raise UserError("There is no chromium on this machine, expected one, or its path in --browser.")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise UserError("Playwright is not installed: pip install playwright.") from None
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=args.browser, args=["--no-sandbox"])
        for space in args.spaces or SHOTS:
            with served(space) as address:
                shoot(browser, address, space, args.out)
        browser.close()


def shoot(browser: Any, address: str, space: str, out: Path) -> None:
    """All pictures of a Space."""
    for name, (width, height, theme, act) in SHOTS[space].items():
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(120_000)
        page.goto(f"{address}?__theme={theme}")
        act(page)
        page.evaluate("window.scrollTo(0, 0)")
        page.screenshot(path=out / name)
        page.close()
        print(out / name)


def ask(page: Any) -> None:
    """The demo: one answer, with both trees of the first candidate open."""
    page.locator("#paraphrase-sentence textarea").fill(SENTENCE)
    page.locator("#paraphrase-go").click()
    page.locator(".kit-card").first.wait_for()
    page.locator("summary", has_text="Both trees").first.click()
    page.locator(".kit-tree").first.wait_for()


def look(page: Any) -> None:
    """The leaderboard: its table, ties marked."""
    page.locator("#table-page .kit-card").first.wait_for()
    page.get_by_text("is being tested").wait_for(state="detached")


def compare(page: Any) -> None:
    """The leaderboard: two systems tested against each other."""
    look(page)
    page.get_by_role("tab", name="Compare", exact=True).click()
    page.locator("#compare-go").click()
    page.locator("#compare-page .kit-card").wait_for()


def browse(page: Any) -> None:
    """The leaderboard: what the systems wrote."""
    look(page)
    page.get_by_role("tab", name="Examples", exact=True).click()
    page.locator("#examples-page .kit-card").first.wait_for()


def rate(page: Any) -> None:
    """The human evaluation: a person begins, and answers some questions by keys."""
    page.locator("#rate-name").get_by_role("textbox").fill(f"code {page.viewport_size['width']}")
    page.locator("#rate-start").click()
    page.wait_for_function("document.activeElement.closest('.rating-question')")
    for key in RATINGS:
        page.keyboard.press(key)
    page.locator("#rate-notice").get_by_text("Stored:").wait_for()
    page.wait_for_timeout(500)  # until the last of the answers is shown as stored


Shots = dict[str, tuple[int, int, str, Callable[[Any], None]]]  # file -> width, height, theme, what is done first
SHOTS: dict[str, Shots] = {
    "impossible_t5": {"demo.png": (1100, 1500, "light", ask), "demo_phone.png": (390, 1500, "dark", ask)},
    "leaderboard": {
        "leaderboard.png": (1100, 1150, "light", look),
        "leaderboard_phone.png": (390, 1500, "dark", look),
        "leaderboard_compare.png": (1100, 1000, "light", compare),
        "leaderboard_examples.png": (1100, 1000, "light", browse),
    },
    "annotate": {"annotate.png": (1100, 1000, "light", rate), "annotate_phone.png": (390, 1500, "dark", rate)},
}


@contextmanager
def served(space: str) -> Iterator[str]:
    """A Space in a process of its own; its address. What people would leave behind there is thrown away.

    Raises:
        UserError: it did not start, in its own words.
    """
    command = [sys.executable, "-u", str(ROOT / "spaces" / space / "app.py")]
    answers = tempfile.TemporaryDirectory()
    known = os.environ | {"IDIST_ANSWERS": answers.name}
    process = subprocess.Popen(command, env=known, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line.strip())
            if found := re.search(r"https?://\S+:\d+", line):
                yield found.group()
                return
        raise UserError(f"The Space did not start: {' '.join(said).removeprefix('error: ')}")
    finally:
        process.terminate()
        process.wait()
        answers.cleanup()


if __name__ == "__main__":
    run(main)
