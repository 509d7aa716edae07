"""Sentences -> constituency trees, one result a sentence, in order, whatever happens.

Stanza's shift-reduce parser does the work. Two things are added: a sentence that cannot be parsed becomes a
`ParseFailure` in its place (Stanza drops it, and the rest of the list shifts), and equal sentences are parsed once, in
batches of similar length.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from idist.trees.tree import Tree

MAX_WORDS = 150
TaggedWords = list[tuple[str, str]]


@dataclass(frozen=True)
class ParseFailure:
    """A sentence without a tree, and why: ``empty``, ``too long``, or ``parser failed`` with the parser's words."""

    reason: str


class ConstituencyParser:
    """A loaded parser (see `idist.models.load_parser`).

    Args:
        tag: sentences -> (word, tag) pairs of each, in order; no pairs for a sentence without a word.
        parse_tagged: tagged sentences -> Stanza trees; may return fewer than it was given, or raise.
        fits: whether the encoder can read the words of one sentence (its number of positions is limited).
        max_words: longer sentences fail as too long.
    """

    def __init__(
        self,
        tag: Callable[[Sequence[str]], list[TaggedWords]],
        parse_tagged: Callable[[list[TaggedWords]], list[Any]],
        fits: Callable[[list[str]], bool] = lambda words: True,
        max_words: int = MAX_WORDS,
    ) -> None:
        self._tag = tag
        self._parse_tagged = parse_tagged
        self._fits = fits
        self.max_words = max_words

    def parse(self, sentences: Sequence[str], batch_size: int = 50) -> list[Tree | ParseFailure]:
        """Parse each sentence.

        Args:
            sentences: one sentence each; white space at the ends is ignored.
            batch_size: sentences parsed together; the result does not depend on it but for ties in the last bit.

        Returns:
            As many results as sentences, in their order: a tree with words, or a `ParseFailure`.
        """
        stripped = [sentence.strip() for sentence in sentences]
        unique = list(dict.fromkeys(sentence for sentence in stripped if sentence))
        results: dict[str, Tree | ParseFailure] = {"": ParseFailure("empty")}
        tagged: dict[str, TaggedWords] = {}
        for sentence, words in zip(unique, self._tag(unique) if unique else [], strict=True):
            if not words:
                results[sentence] = ParseFailure("empty")
            elif len(words) > self.max_words or not self._fits([word for word, _ in words]):
                results[sentence] = ParseFailure("too long")
            else:
                tagged[sentence] = words
        by_length = sorted(tagged, key=lambda sentence: (len(tagged[sentence]), sentence), reverse=True)
        with _quiet_stanza():
            for start in range(0, len(by_length), batch_size):
                batch = by_length[start : start + batch_size]
                results.update(zip(batch, self._parse_batch([tagged[s] for s in batch]), strict=True))
        return [results[sentence] for sentence in stripped]

    def _parse_batch(self, batch: list[TaggedWords]) -> list[Tree | ParseFailure]:
        """Parse a batch; if any of it fails, parse its halves, so that one bad sentence costs only itself."""
        try:
            trees = [from_stanza(tree) for tree in self._parse_tagged(batch)]
            complete = [tree.words() for tree in trees] == [[word for word, _ in words] for words in batch]
            problem = "no complete tree"
        except (ValueError, RuntimeError, LookupError, TypeError, AttributeError) as error:
            complete = False
            problem = f"{type(error).__name__}: {error}".splitlines()[0]
        if complete:
            return list(trees)
        if len(batch) == 1:
            return [ParseFailure(f"parser failed: {problem}")]
        middle = len(batch) // 2
        return self._parse_batch(batch[:middle]) + self._parse_batch(batch[middle:])


def from_stanza(tree: Any) -> Tree:
    """Convert a Stanza tree; its words are its leaves.

    Raises:
        ValueError: a label or word that brackets cannot hold.
    """
    order = [tree]
    for node in order:
        order.extend(node.children)
    copies: dict[int, Tree | str] = {}
    for node in reversed(order):
        children = [copies[id(child)] for child in node.children]
        copies[id(node)] = Tree(node.label, children) if children else str(node.label)
    copy = copies[id(tree)]
    if isinstance(copy, str):
        raise ValueError(f"the tree is a single word, {copy!r}")
    return copy


@contextmanager
def _quiet_stanza() -> Iterator[None]:
    """Stanza logs every broken sentence as an error; here it becomes a `ParseFailure` instead."""
    logger = logging.getLogger("stanza")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
