"""What `screenshots.py` does on the page of the human evaluation before it takes a picture."""

from __future__ import annotations

from typing import Any

SHOTS = {"annotate.png": (1100, 1000, "light"), "annotate_phone.png": (390, 1500, "dark")}
KEYS = "33132"  # the first answers


def rate(page: Any) -> None:
    """A person begins, and answers some questions by keys."""
    page.locator("#rate-name").get_by_role("textbox").fill(f"code {page.viewport_size['width']}")
    page.locator("#rate-start").click()
    page.wait_for_function("document.activeElement.closest('.rating-question')")
    for key in KEYS:
        page.keyboard.press(key)
    page.locator("#rate-notice").get_by_text("Stored:").wait_for()
    page.wait_for_timeout(500)  # until the last of the answers is shown as stored
    page.evaluate("window.scrollTo(0, 0)")
