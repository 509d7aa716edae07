"""Syntax: y's constituency tree as a code (paper section 3.5), cut to a depth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from idist.controls.base import Control, dial
from idist.controls.obedience import of_distances
from idist.controls.parsing import Failure, Parsers

if TYPE_CHECKING:
    from idist.trees import Tree

EXAMPLE = "(S (NP) (VP))"
SHOWN = 120  # characters of what was asked for, in a message
OTHER = "X"  # the treebanks' label for what fits nowhere: stands for one that no training pair had


@dataclass
class Syntax(Control):
    """The tree of y without words, linearized: one symbol for each bracket with its label, whatever its length.

    The root that all trees share (``ROOT``) is left out and is no level: depth 2 is the sentence and its parts.

    Attributes:
        depth: levels from the top, None: the whole tree (the paper). The fewer there are, the more pairs share a code.
        parser: a folder, ``embedded:parser`` or ``stanza:LANGUAGE``.
        templates: how many of the most frequent trees are offered by number.
    """

    depth: int | None = dial(None, low=2, high=5)
    parser: str = dial("stanza:en")  # the paper: Stanford CoreNLP
    templates: int = dial(20, low=0)

    kind: ClassVar[str] = "string"

    def __post_init__(self) -> None:
        self.frequent: list[tuple[str, int]] = []  # tree and how many pairs have it, most frequent first
        self.labels: list[str] = []

    @property
    def wishes(self) -> tuple[str, ...]:
        return ("exemplar", "tree", "template")

    def model_names(self) -> dict[str, str]:
        return {"parser": self.parser}

    def measure(self, pairs: Sequence[tuple[str, str]], parsers: Parsers) -> list[str | Failure]:
        trees = parsers.trees(self.parser, [y for _, y in pairs])
        return [tree if isinstance(tree, Failure) else self.linearized(tree) for tree in trees]

    def linearized(self, tree: Tree) -> str:
        """Brackets without words and root, cut to the depth."""
        children = [child for child in tree.children if not isinstance(child, str)]
        top = children[0] if tree.label == "ROOT" and len(children) == 1 else tree
        return top.linearize(self.depth)

    def learn(self, values: Iterable[str]) -> None:
        counts = Counter(values)
        # of equally frequent ones the first by name, so that the order of shards does not matter
        self.frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: self.templates]
        self.labels = sorted({OTHER, *(label for tree in counts for label in _labels(tree))})

    def known(self) -> dict[str, Any]:
        return {"labels": self.labels, "templates": [{"tree": tree, "pairs": n} for tree, n in self.frequent]}

    def recall(self, known: dict[str, Any]) -> None:
        self.labels = [str(label) for label in known["labels"]]
        self.frequent = [(str(one["tree"]), int(one["pairs"])) for one in known["templates"]]

    def codes(self) -> list[str]:
        return [str(number + 1) for number in range(len(self.frequent))]

    def vocabulary(self) -> list[str]:
        return ["<)>", *(f"<({label}>" for label in self.labels), *(f"<{label}>" for label in self.labels)]

    def symbols(self, value: str) -> list[str]:
        """``(S (NP (DT)) (VP))`` -> ``<(S> <(NP> <DT> <)> <VP> <)>``: a node without children is one symbol."""
        found, known = [], set(self.labels)
        for token, closes in _tokens(value):
            label = token if token in known else OTHER
            found.append("<)>" if not token else f"<{label}>" if closes else f"<({label}>")
        return found

    def wanted(self, kind: str, asked: Sequence[str], parsers: Parsers) -> list[str | Failure]:
        if kind == "exemplar":
            values = self.measure([("", text) for text in asked], parsers)
            return [_not_an_exemplar(value, text) for value, text in zip(values, asked, strict=True)]
        return [self._from_tree(text) if kind == "tree" else self._from_template(text) for text in asked]

    def apart(self, wanted: str, value: str) -> float:
        """Tree edit distance, as deep as the codes are."""
        from idist.trees import Tree, tree_edit_distance

        return float(tree_edit_distance(Tree.from_brackets(wanted), Tree.from_brackets(value)))

    def judge(self, asked: Sequence[str], obtained: Sequence[Sequence[str]]) -> dict[str, Any]:
        """`obedience.of_distances`: tree edit distances, as deep as the codes are."""
        import numpy as np

        from idist.trees import Tree, TreeIndex

        wanted = [self.frequent[int(code) - 1][0] for code in asked]
        texts = list(dict.fromkeys([*wanted, *(value for values in obtained for value in values)]))
        index = TreeIndex([Tree.from_brackets(text) for text in texts])
        place = {text: number for number, text in enumerate(texts)}
        distances = [
            index.distances(
                np.array([(place[value], place[tree]) for value in values for tree in wanted], int).reshape(-1, 2)
            )
            for values in obtained
        ]
        return of_distances(asked, [own.reshape(-1, len(wanted)) for own in distances])

    def describe(self) -> list[str]:
        lines = [f"template:{n + 1}  {tree}  ({pairs:,} pairs)" for n, (tree, pairs) in enumerate(self.frequent)]
        depth = "the whole tree" if self.depth is None else f"its top {self.depth} levels"
        return [f"exemplar:SENTENCE  the syntax of a sentence ({depth})", f"tree:{EXAMPLE}  a bracketed tree", *lines]

    def _from_tree(self, text: str) -> str | Failure:
        from idist.trees import Tree

        try:
            tree = Tree.from_brackets(text)
        except ValueError as error:
            return Failure(f"tree {_short(text)!r} is no tree ({error}), expected for example {EXAMPLE}.")
        value = self.linearized(tree)
        strange = next((label for label in _labels(value) if label not in self.labels), None)
        if strange is not None:
            return Failure(
                f"tree {_short(text)!r} has the label {strange!r}, expected labels from: {', '.join(self.labels)}."
            )
        return value

    def _from_template(self, text: str) -> str | Failure:
        codes = self.codes()
        if text not in codes:
            valid = f"a number from 1 to {len(codes)}" if codes else "another wish: this student has none"
            return Failure(f"template {text!r} is not there, expected {valid}.")
        return self.frequent[int(text) - 1][0]


def _not_an_exemplar(value: str | Failure, text: str) -> str | Failure:
    if not isinstance(value, Failure):
        return value
    return Failure(f"exemplar {_short(text)!r} cannot be parsed ({value.reason}), expected a sentence.")


def _short(text: str) -> str:
    """Its beginning, for a message: what is too long to be parsed is too long to be read there."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3].rstrip()}..."


def _tokens(brackets: str) -> list[tuple[str, bool]]:
    """(label, whether the node has no children) of each opening bracket, ("", True) where a node with children ends."""
    found: list[tuple[str, bool]] = []
    for piece in brackets.split(" "):
        label, closing = piece[1:].rstrip(")"), len(piece) - len(piece.rstrip(")"))
        found.append((label, closing > 0))
        found += [("", True)] * max(0, closing - 1)
    return found


def _labels(brackets: str) -> list[str]:
    return [piece[1:].rstrip(")") for piece in brackets.split(" ")]
