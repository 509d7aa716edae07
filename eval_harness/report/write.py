"""The report's files, each written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from eval_harness.report.document import Document
from eval_harness.report.html import html
from eval_harness.report.tables import PLOTS, markdown
from idist.engine.shards import write_bytes
from idist.errors import UserError

MARKDOWN, HTML = "leaderboard.md", "leaderboard.html"


def write(document: Document, out: Path) -> list[Path]:
    """Pictures, Markdown, HTML; their paths in this order.

    Raises:
        UserError: ``out`` is a file, or the disk is full.
    """
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out} is a file, expected a folder.")
    contents: dict[Path, bytes] = {}
    for section in document.sections:
        for picture in (picture for drawn in section.pictures.values() for picture in drawn):
            contents[out / PLOTS / f"{picture.name}.png"] = picture.png
            contents[out / PLOTS / f"{picture.name}.svg"] = picture.svg
    contents[out / MARKDOWN] = markdown(document).encode()
    contents[out / HTML] = html(document).encode()
    for path, content in contents.items():
        write_bytes(path, content)
    return list(contents)
