"""How long a code may be: it stands before the source, and a student reads only so many tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from idist.controls.parsing import Failure

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def code_room(tokenizer: PreTrainedTokenizerBase, template: str, limit: int) -> int:
    """The most symbols, one token each, that leave a source at least one token.

    What is too long loses its end: with more symbols a student would read a code and nothing to put in its words.

    Args:
        template: what the student reads, with ``{source}`` in it (`TrainConfig.template`): its words count, too.
        limit: tokens that the student reads.
    """
    before, _, after = template.partition("{source}")
    mark = "\n" if after.endswith("\n") else ""  # a decoder-only student's, which is never cut off
    return max(0, limit - 1 - len(tokenizer(before.rstrip() + mark).input_ids))


def too_long(symbols: Sequence[str], room: int, limit: int) -> Failure | None:
    """A failure where a code leaves no room for its source."""
    if len(symbols) <= room or not symbols:
        return None
    return Failure(f"the code has {len(symbols)} tokens, this student reads {limit}: none of the source would be left.")
