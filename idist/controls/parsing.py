"""Trees for controls: parsers by name, each loaded once and shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from idist.trees import ConstituencyParser, Tree


@dataclass(frozen=True)
class Failure:
    """A pair or a wish without a code, and why."""

    reason: str


@dataclass
class Parsers:
    """Loads parsers through `idist.models` when they are first asked for.

    Attributes:
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """

    device: str = "auto"
    _loaded: dict[str, Any] = field(default_factory=dict)

    def trees(self, name: str, sentences: Sequence[str]) -> list[Tree | Failure]:
        """The tree of each sentence by the parser ``name``, or a `Failure` with the parser's reason.

        Raises:
            UserError: there is no such parser.
        """
        from idist.trees import ParseFailure

        parsed = self._parser(name).parse(sentences)
        return [Failure(f"no tree: {tree.reason}") if isinstance(tree, ParseFailure) else tree for tree in parsed]

    def _parser(self, name: str) -> ConstituencyParser:
        from idist.models import load_parser

        if name not in self._loaded:
            self._loaded[name] = load_parser(name, self.device)
        return self._loaded[name]  # type: ignore[no-any-return]
