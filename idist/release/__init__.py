"""From a finished run to what is published: release folders, which are whole and say where they came from."""

from __future__ import annotations

from idist.release.dataset import Built, build_dataset
from idist.release.model import build_model
from idist.release.partial import partial_mark, partial_parts
from idist.release.portable import differences, rebuild_config

__all__ = [
    "Built",
    "build_dataset",
    "build_model",
    "differences",
    "partial_mark",
    "partial_parts",
    "rebuild_config",
]
