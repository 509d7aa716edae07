"""Answers of chat models on disk, by request: what was paid for once is not asked for again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def default_folder() -> Path:
    """``$XDG_CACHE_HOME/idist/chat``, or the same below ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "idist" / "chat"


class ChatCache:
    """One JSON file a request, below a folder: the request as it was (it holds no key) and the text of its answer."""

    def __init__(self, folder: Path) -> None:
        """The folder is made with the first answer."""
        self.folder = folder

    def load(self, request: Mapping[str, Any]) -> str | None:
        """The answer's text; None if there is none, or the file is damaged."""
        try:
            kept = json.loads(self._path(request).read_text(encoding="utf-8"))
            text = kept["answer"] if kept["request"] == request else None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return text if isinstance(text, str) else None

    def store(self, request: Mapping[str, Any], answer: str) -> None:
        """Keep an answer.

        Raises:
            UserError: the disk is full.
        """
        from idist.engine.shards import write_json

        write_json(self._path(request), {"request": request, "answer": answer})

    def _path(self, request: Mapping[str, Any]) -> Path:
        name = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
        return self.folder / name[:2] / f"{name[:32]}.json"
