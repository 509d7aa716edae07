"""Models that metrics share: each is loaded once, whichever metric asks for it first, always in single precision.

Half precision would give other digits on a GPU than on a CPU; a score must not depend on the machine.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from idist.models import fingerprint, resolve

if TYPE_CHECKING:
    from idist.critics.nli import EntailmentModel
    from idist.trees import ConstituencyParser


@lru_cache(maxsize=1)
def entailment_model(name: str, device: str = "auto") -> EntailmentModel:
    """Entailment classifier; raises UserError if it does not load."""
    from idist.critics.nli import EntailmentModel

    return EntailmentModel(name, device, "float32")


@lru_cache(maxsize=1)
def parser(name: str, device: str = "auto") -> ConstituencyParser:
    """Constituency parser; raises UserError if it does not load."""
    from idist.models import load_parser

    return load_parser(name, device)


@lru_cache(maxsize=16)
def describe(name: str) -> str:
    """What a signature says of a model: its name (of a folder, without the path), and for local ones a hash of the
    weights. ``stanza:LANGUAGE`` stays as it is.

    Raises:
        UserError: an embedded model or a folder that is not there.
    """
    if name.startswith("stanza:"):
        return name
    local = Path(resolve(name)[0]).is_dir()
    shown = Path(name).name if local and not name.startswith("embedded:") else name
    return f"{shown}|weights:{fingerprint(name)}" if local else shown
