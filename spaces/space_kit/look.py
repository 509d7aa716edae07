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
        button_primary_background_fill_hover_dark="*primary_800",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
        # of gradio's own, these are too faint to be read by everybody (below 4.5 : 1; 3 : 1 for what is no text)
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_300",
        slider_color="*primary_600",
        checkbox_background_color_selected="*primary_600",
    )


def style() -> str:
    """The style sheet: light and dark, down to a phone's width."""
    return (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
