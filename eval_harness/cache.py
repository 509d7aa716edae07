"""Predictions on disk, a chunk a file: an interrupted run goes on where it was, and other metrics predict nothing anew.

A chunk's key covers the system's fingerprint and everything that the system can see of the chunk's examples, so it
holds for whatever data contains the same chunk: after ``--limit 512``, the full data begins with two known chunks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path
from typing import Any

from eval_harness.tasks.base import Example
from idist.engine.shards import write_bytes

CHUNK = 256  # examples; the most that an interruption can cost


@dataclass(frozen=True)
class Chunk:
    """Predictions for consecutive examples, the seconds that making them took, and what the system counted."""

    predictions: list[str]
    seconds: float
    usage: dict[str, int | float] = field(default_factory=dict)


class PredictionCache:
    """Chunks of predictions below a folder: ``predictions/SYSTEM/KEY.json``."""

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        """``warn`` is told, in one sentence, of every chunk that is there and cannot be used."""
        self.folder = folder / "predictions"
        self.warn = warn

    def load(self, system: str, examples: Sequence[Example]) -> Chunk | None:
        """What is known of these examples, or None where it must be made (again)."""
        path = self._path(system, examples)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.warn(f"{path} cannot be read ({error.strerror}): its {len(examples)} examples are predicted again")
            return None
        chunk = _unpacked(content, len(examples))
        if chunk is None:
            self.warn(f"{path} is damaged: its {len(examples)} examples are predicted again")
        return chunk

    def store(self, system: str, examples: Sequence[Example], chunk: Chunk) -> None:
        """Keep the predictions for these examples; UserError where the disk is full."""
        body = asdict(chunk)
        content = json.dumps({**body, "sha256": _checksum(body)}, ensure_ascii=True, indent=0) + "\n"
        write_bytes(self._path(system, examples), content.encode())

    def _path(self, system: str, examples: Sequence[Example]) -> Path:
        whole = json.dumps([system, *(astuple(example) for example in examples)])
        return self.folder / system / f"{hashlib.sha256(whole.encode()).hexdigest()[:24]}.json"


def _unpacked(content: bytes, expected: int) -> Chunk | None:
    """The chunk in a file's content; None if it is not what :meth:`PredictionCache.store` wrote."""
    try:
        body = json.loads(content)
        checksum = body.pop("sha256")
        chunk = Chunk(**body)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return chunk if checksum == _checksum(body) and len(chunk.predictions) == expected else None


def _checksum(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
