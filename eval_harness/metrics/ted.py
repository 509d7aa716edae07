"""Tree edit distance between the constituency trees of a prediction and its exemplar (TED-F: full, TED-3: top layers).

How far a prediction is from the syntax that it was to have; lower is better. Every inserted, deleted or relabelled node
costs 1, words are no nodes, the root is one: the convention of the paper's Table 4, and of apted with unit costs.

A text without a tree (empty, or refused by the parser) shares nothing with any other: all nodes of the one are deleted,
all of the other inserted, and a text that cannot be parsed has as many nodes as words. So silence costs the size of the
exemplar's tree, and babble more. Equal texts have distance 0 whether or not they can be parsed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from eval_harness.metrics.base import Examples, Floats, Metric
from eval_harness.metrics.models import describe, parser
from idist.critics import dial

if TYPE_CHECKING:
    from idist.trees import Tree

MEMORY = 50_000  # trees remembered, as brackets: about 1 KiB each


@dataclass
class TedF(Metric):
    """TED-F, mean edit distance of full parse trees, 0 or more (nodes, not times 100).

    Compared with the exemplar where an example has one, else with the nearest reference. ``parser``: a folder,
    ``embedded:parser`` or ``stanza:LANGUAGE``.
    """

    parser: str = dial("embedded:parser")
    device: str = dial("auto")

    name = "ted_f"
    title = "TED-F"
    higher_is_better = False
    layers: ClassVar[int | None] = None

    def signature(self) -> str:
        """What is compared; the parser, its encoder and their libraries."""
        from idist.models import parser_encoder

        encoder = parser_encoder(self.parser)
        below = f"|encoder:{describe(encoder)}|transformers:{version('transformers')}" if encoder else ""
        layers = "all" if self.layers is None else f"{self.layers}-below-root"
        made = f"parser:{describe(self.parser)}|stanza:{version('stanza')}{below}"
        return f"layers:{layers}|to:exemplar-or-nearest-reference|{made}"

    def statistics(self, examples: Examples) -> Floats:
        """(n, 1): the distance of each example."""
        targets = _targets(examples)
        rows = [(p, t) for p, ts in zip(examples.predictions, targets, strict=True) for t in ts]
        starts = np.cumsum([0] + [len(ts) for ts in targets[:-1]])
        distances = _distances(self.parser, self.device, rows, self.layers)
        return np.minimum.reduceat(distances, starts)[:, None].astype(np.float64)


@dataclass
class Ted3(TedF):
    """TED-3, mean edit distance of the trees' top three layers (the sentence, its parts, and theirs), 0 or more.

    The root, which all trees share, is no layer: counted so, TED-3 is 0.23 and 0.36 of TED-F on samples of ParaBank1
    and ParaBank2 (the paper's Table 1: 0.25 and 0.23); with the root as the first of three, 0.08 and 0.11.
    """

    name = "ted_3"
    title = "TED-3"
    layers: ClassVar[int | None] = 3


def _targets(examples: Examples) -> list[list[str]]:
    """The exemplar of each example, or its references."""
    exemplars = examples.exemplars or [None] * len(examples)
    given = zip(exemplars, examples.references, strict=True)
    chosen = [references if exemplar is None else [exemplar] for exemplar, references in given]
    return replace(examples, references=chosen).targets("references")


def _distances(name: str, device: str, rows: Sequence[tuple[str, str]], layers: int | None) -> np.ndarray:
    """(R,) int64 distance of each pair of texts."""
    from idist.trees import TreeIndex

    texts = list(dict.fromkeys(text.strip() for row in rows for text in row))
    index = TreeIndex([_top(tree, layers) for tree in _forest(name, device)(texts)])
    position = {text: number for number, text in enumerate(texts)}
    pairs = np.array([[position[first.strip()], position[second.strip()]] for first, second in rows])
    sizes = np.where(index.missing, [len(text.split()) for text in texts], index.sizes)
    distances = index.distances(pairs).astype(np.int64)
    apart = np.where(pairs[:, 0] == pairs[:, 1], 0, sizes[pairs].sum(axis=1))
    return np.where(distances < 0, apart, distances)


def _top(tree: Tree | None, layers: int | None) -> Tree | None:
    """A tree cut below its top layers; its ``ROOT``, if it has one, is not counted."""
    if tree is None or layers is None:
        return tree
    return tree.cut(layers + (tree.label == "ROOT"))


class _Forest:
    """Trees of texts from one parser; remembers them, since the metrics and systems of a run share most texts."""

    def __init__(self, name: str, device: str) -> None:
        self._name, self._device = name, device
        self._brackets: dict[str, str] = {"": ""}  # no brackets: no tree

    def __call__(self, texts: Sequence[str]) -> list[Tree | None]:
        """Tree of each text; None where there is none."""
        from idist.trees import Tree

        known = {text: self._brackets[text] for text in texts if text in self._brackets}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            parsed = parser(self._name, self._device).parse(new)
            read = [tree.to_brackets() if isinstance(tree, Tree) else "" for tree in parsed]
            known |= zip(new, read, strict=True)
            if len(self._brackets) + len(new) > MEMORY:
                self._brackets = {"": ""}
            self._brackets.update((text, known[text]) for text in new[:MEMORY])
        return [Tree.from_brackets(known[text]) if known[text] else None for text in texts]


@lru_cache(maxsize=2)
def _forest(name: str, device: str) -> _Forest:
    return _Forest(name, device)
