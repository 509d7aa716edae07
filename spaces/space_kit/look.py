"""One look for all Spaces: a theme of gradio's with fonts of the reader's own machine, and a style sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FONTS = ("system-ui", "-apple-system", "Segoe UI", "sans-serif")  # nothing is fetched from elsewhere
MONOSPACED = ("ui-monospace", "Consolas", "monospace")


def theme() -> Any:
    """A `gradio.themes.Base`: teal on slate."""
    import gradio as gr

    return gr.themes.Base(
        primary_hue="teal", secondary_hue="teal", neutral_hue="slate", font=FONTS, font_mono=MONOSPACED
    ).set(
        body_background_fill="*neutral_50",
        block_radius="10px",
        button_large_radius="8px",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
    )


def style() -> str:
    """The style sheet: light and dark, down to a phone's width."""
    return (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
