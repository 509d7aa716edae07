"""Controls: what a pair shows, or a person wishes, as a code that a student reads before its source."""

from __future__ import annotations

from idist.controls.base import Control, Failure, dial
from idist.controls.composition import CONTROLS_FILE, Controls, load_controls
from idist.controls.registry import available, build_controls
from idist.controls.room import code_room, too_long
from idist.controls.wishes import Wish, parse_wishes

__all__ = [
    "CONTROLS_FILE",
    "Control",
    "Controls",
    "Failure",
    "Wish",
    "available",
    "build_controls",
    "code_room",
    "dial",
    "load_controls",
    "parse_wishes",
    "too_long",
]
