"""Treebank for the parser: read, leave out what may not be used, split by document, retag by jackknife."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idist.errors import UserError
from idist.trees import Tree

# GUM's licence file: these genres are CC BY-NC-SA; weights learned from the others may be used for anything.
NONCOMMERCIAL = ("essay", "fiction", "letter", "podcast", "whow")
DEVELOPMENT_DOCUMENTS = 6
TEST_DOCUMENTS = 12
MIN_WORDS, MAX_WORDS = 2, 40
RARE_LABEL = 10  # labels seen fewer times than this cannot be learned and only add transitions


@dataclass(frozen=True)
class Treebank:
    """Trees with gold tags by split, and what was left out."""

    train: list[Tree]
    development: list[Tree]
    test: list[Tree]
    test_documents: list[str]
    trees_by_genre: dict[str, int]
    left_out: dict[str, int]


def read_treebank(folder: Path, seed: int) -> Treebank:
    """Read ``*.ptb`` of ``folder``; whole documents go to one split, drawn by ``seed``."""
    left_out: Counter[str] = Counter()
    documents: dict[str, list[Tree]] = {}
    for path in sorted(folder.glob("*.ptb")):
        trees = [Tree.from_brackets(text) for text in path.read_text(encoding="utf-8").split("\n\n") if text.strip()]
        if genre(path.stem) in NONCOMMERCIAL:
            left_out["non-commercial licence"] += len(trees)
        else:
            documents[path.stem] = trees
    if not documents:
        raise UserError(f"{folder} holds no .ptb file of a licence that may be used.")
    counts = Counter(node.label for trees in documents.values() for tree in trees for node in tree.nodes())
    for name, trees in documents.items():
        documents[name] = [tree for tree in trees if _usable(tree, counts, left_out)]
    names = sorted(documents)
    random.Random(seed).shuffle(names)
    development, test = names[:DEVELOPMENT_DOCUMENTS], names[DEVELOPMENT_DOCUMENTS:][:TEST_DOCUMENTS]
    train = names[DEVELOPMENT_DOCUMENTS + TEST_DOCUMENTS :]
    by_genre: Counter[str] = Counter()
    for name in train:
        by_genre[genre(name)] += len(documents[name])
    return Treebank(
        train=[tree for name in sorted(train) for tree in documents[name]],
        development=[tree for name in sorted(development) for tree in documents[name]],
        test=[tree for name in sorted(test) for tree in documents[name]],
        test_documents=sorted(test),
        trees_by_genre=dict(sorted(by_genre.items())),
        left_out=dict(left_out),
    )


def genre(document: str) -> str:
    """``GUM_news_homeopathic`` -> ``news``; ``GENTLE_legal_service`` -> ``gentle-legal``."""
    corpus, name, *_ = document.split("_")
    return name if corpus == "GUM" else f"{corpus.lower()}-{name}"


def preterminals(tree: Tree) -> list[tuple[str, str]]:
    """(word, tag) of each word; a node above several words or a mixture gives nothing."""
    return [(node.children[0], node.label) for node in tree.nodes() if _is_preterminal(node)]  # type: ignore[misc]


def stanza_tree(tree: Tree, tags: list[str] | None = None) -> Any:
    """The same tree as a Stanza tree, with ``tags`` in place of the gold ones if given."""
    from stanza.models.constituency.parse_tree import Tree as StanzaTree

    remaining = iter(tags) if tags is not None else None

    def convert(node: Tree | str) -> Any:
        if isinstance(node, str):
            return StanzaTree(node)
        label = next(remaining) if remaining is not None and _is_preterminal(node) else node.label
        return StanzaTree(label, [convert(child) for child in node.children])

    return convert(tree)


def _is_preterminal(node: Tree) -> bool:
    return len(node.children) == 1 and isinstance(node.children[0], str)


def _usable(tree: Tree, counts: Counter[str], left_out: Counter[str]) -> bool:
    words = tree.words()
    if not MIN_WORDS <= len(words) <= MAX_WORDS:
        reason = f"not {MIN_WORDS} to {MAX_WORDS} words"
    elif all(set(word) == {"_"} for word in words):
        reason = "masked words"
    elif any(counts[node.label] < RARE_LABEL for node in tree.nodes()):
        reason = f"label seen fewer than {RARE_LABEL} times"
    elif len(preterminals(tree)) != len(words):
        reason = "words without a tag"
    else:
        return True
    left_out[reason] += 1
    return False
