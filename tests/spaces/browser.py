"""A real browser for the tests of all Spaces: Playwright with the Chromium of this machine.

Debian: ``apt-get install chromium``; elsewhere name one in the environment variable CHROMIUM. Where there is none, the
tests are skipped and say so.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = {"desk": 1200, "phone": 390}
PATIENCE = 120_000  # milliseconds; a busy machine is no failure


def chromium() -> str | None:
    """Its path; None: there is none."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A running browser; skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


# Texts whose contrast with what is painted behind them is below 4.5 : 1 (WCAG 2, AA).
FAINT = """() => {
  const dot = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (color) => {
    dot.clearRect(0, 0, 1, 1);
    dot.fillStyle = color;
    dot.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = dot.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => below.map((value, k) => value * (1 - top[3]) + top[k] * top[3]);
  const light = (color) => {
    const [r, g, b] = color.map((v) => (v / 255 <= 0.03928 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    if (!element) return [255, 255, 255];
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, behind(element.parentElement));
  };
  const seen = [...document.querySelectorAll('body *')].filter((one) => one.offsetParent && one.clientWidth > 2 &&
    [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim()));
  return seen.map((one) => {
    const below = behind(one);
    const pair = [light(over(rgba(getComputedStyle(one).color), below)), light(below)];
    return [(Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05), one.innerText.trim().slice(0, 60)];
  }).filter(([ratio, text]) => ratio < 4.5 && text).map(([ratio, text]) => `${ratio.toFixed(2)} ${text}`);
}"""


class Visit:
    """A page that notes what must not happen: errors in scripts, dialogs, requests to elsewhere."""

    def __init__(self, browser: Any, address: str, width: str = "desk", theme: str = "light") -> None:
        self.context = browser.new_context(
            viewport={"width": WIDTHS[width], "height": 900}, permissions=["clipboard-read", "clipboard-write"]
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.troubles: list[str] = []
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.troubles.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("request", lambda request: self._note(request.url, address))
        self.page.goto(f"{address}?__theme={theme}")
        self.page.get_by_role("tab").first.wait_for()

    def _note(self, url: str, address: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            self.troubles.append(f"request: {url}")

    def open_tab(self, name: str) -> None:
        """Also one that a narrow page keeps in its menu."""
        tab = self.page.get_by_role("tab", name=name, exact=True)
        if not tab.count():
            self.page.get_by_role("button", name="More tabs").click()
            tab = self.page.locator(".overflow-dropdown button", has_text=name)
        tab.click()

    def nameless(self) -> list[str]:
        """Controls that a person can see, and a screen reader has no name for."""
        return self.page.evaluate(  # type: ignore[no-any-return]
            """() => [...document.querySelectorAll('input, textarea, select, button, [role=slider], a[href]')]
                .filter(e => e.offsetParent !== null && !e.closest('[aria-hidden=true]'))
                .filter(e => !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.title
                    || [...(e.labels || [])].some(l => l.innerText.trim()) || e.innerText.trim()))
                .map(e => e.outerHTML.slice(0, 160))"""
        )

    def faint(self) -> list[str]:
        """Texts that not everybody can read against what is behind them."""
        return self.page.evaluate(FAINT)  # type: ignore[no-any-return]

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@contextmanager
def visit(browser: Any, address: str, width: str = "desk", theme: str = "light") -> Iterator[Visit]:
    """Open a page, and see at the end that nothing happened that must not."""
    opened = Visit(browser, address, width, theme)
    try:
        yield opened
        assert opened.troubles == []
    finally:
        opened.context.close()
