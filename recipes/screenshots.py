"""Pictures of the Spaces for their pages in docs/: a real browser, in the light and in the dark.

python recipes/screenshots.py                    the demo, of the newest student of runs/
python recipes/screenshots.py annotate           the human evaluation, with its practice study

Needs Playwright and a Chromium.

Writes docs/images/demo.png (a desk, light) and docs/images/demo_phone.png (a phone, dark), or those of annotate.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist.errors import UserError
from recipes.command import ROOT, run
from recipes.screenshots_annotate import SHOTS as ANNOTATE_SHOTS
from recipes.screenshots_annotate import rate

SENTENCE = "Two dogs are running through the snow."
SHOTS = {"demo.png": (1100, 1500, "light"), "demo_phone.png": (390, 1500, "dark")}


def main() -> None:
    """Serve a Space, use it, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("space", nargs="?", choices=SPACES, default="impossible_t5", help="default: impossible_t5")
    parser.add_argument("--browser", default=shutil.which("chromium"), help="a Chromium (default: chromium)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", help="folder (default: docs/images)")
    args = parser.parse_args()
    if args.browser is None:
        raise UserError("There is no chromium on this machine, expected one, or its path in --browser.")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise UserError("Playwright is not installed: pip install playwright.") from None
    shots, use = SPACES[args.space]
    with served(args.space) as address, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=args.browser, args=["--no-sandbox"])
        for name, (width, height, theme) in shots.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.set_default_timeout(120_000)
            page.goto(f"{address}?__theme={theme}")
            use(page)
            page.screenshot(path=args.out / name)
            print(args.out / name)
        browser.close()


def ask(page: Any) -> None:
    """One answer, with both trees of the first candidate open."""
    page.locator("#paraphrase-sentence textarea").fill(SENTENCE)
    page.locator("#paraphrase-go").click()
    page.locator(".kit-card").first.wait_for()
    page.locator("summary", has_text="Both trees").first.click()
    page.locator(".kit-tree").first.wait_for()
    page.evaluate("window.scrollTo(0, 0)")


SPACES = {"impossible_t5": (SHOTS, ask), "annotate": (ANNOTATE_SHOTS, rate)}


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
        raise UserError(f"{space} did not start: {' '.join(said).removeprefix('error: ')}")
    finally:
        process.terminate()
        process.wait()
        answers.cleanup()


if __name__ == "__main__":
    run(main)
