"""Syntactic distance: how differently x and y are built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from idist.controls.base import dial
from idist.controls.parsing import Failure, Parsers
from idist.controls.quantized import Quantized


@dataclass
class SyntacticDistance(Quantized):
    """Tree edit distance of full constituency trees (words are no nodes), 0 or more: as of critics and metrics."""

    parser: str = dial("stanza:en")

    def model_names(self) -> dict[str, str]:
        return {"parser": self.parser}

    def measure(self, pairs: Sequence[tuple[str, str]], parsers: Parsers) -> list[float | Failure]:
        import numpy as np

        from idist.trees import TreeIndex

        if not pairs:
            return []
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        place = {text: index for index, text in enumerate(texts)}
        trees = parsers.trees(self.parser, texts)
        distances = TreeIndex(trees).distances(np.array([(place[x], place[y]) for x, y in pairs]))
        found: list[float | Failure] = []
        for (x, y), distance in zip(pairs, distances.tolist(), strict=True):
            broken = next((tree for tree in (trees[place[x]], trees[place[y]]) if isinstance(tree, Failure)), None)
            found.append(float(distance) if broken is None else broken)
        return found
