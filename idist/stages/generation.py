"""How candidate pairs come from a context: two sentences drawn side by side, or one after the other.

*Parallel* generation (the paper, section 3.1): k next sentences of the context, all pairs of them. *Sequential*
generation (the paper's first version): x is a next sentence of the context, y is drawn after context and x and held to
x's keywords; the pairs are (x, each y), in this order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from idist.config import PairsConfig

if TYPE_CHECKING:
    from idist.critics import Group
    from idist.decoding import Decoder

Rows = Sequence[Mapping[str, Any]]  # of `contexts`
Groups = list[tuple["Group", list[int]]]  # of each context its sentences and pairs, and how often each was drawn
Done = Callable[[int], None]  # told from time to time how many more contexts have all their sentences
SOURCE_SAMPLES = 4  # x is the first complete sentence of so many (of mini's 19,200 samples 23 were not complete)


def parallel(decoder: Decoder, rows: Rows, settings: PairsConfig, seed: int, done: Done) -> Groups:
    """Next sentences of each context, equal ones merged; all pairs of them are meant. ``done``: see `Done`."""
    from idist.critics import Group

    ids = [row["id"] for row in rows]
    drawn = decoder.next_sentences([row["context"] for row in rows], ids, settings.k, seed, done)
    groups = []
    for identifier, sentences in zip(ids, drawn, strict=True):
        distinct = Counter(sentences)
        groups.append((Group(identifier, list(distinct)), list(distinct.values())))
    return groups


def sequential(decoder: Decoder, rows: Rows, settings: PairsConfig, seed: int, done: Done) -> Groups:
    """Of each context one x (the first that parallel generation draws) and the different sentences after it.
    ``done``: see `Done`.

    A context of which no sample is a complete sentence has no sentences; copies of x are left out.
    """
    import numpy as np

    from idist.critics import Group

    first = decoder.next_sentences([row["context"] for row in rows], [row["id"] for row in rows], SOURCE_SAMPLES, seed)
    begun = [(row, sentences[0]) for row, sentences in zip(rows, first, strict=True) if sentences]
    contexts, ids = [row["context"] for row, _ in begun], [row["id"] for row, _ in begun]
    sources = [source for _, source in begun]
    drawn = decoder.restatements(contexts, sources, ids, settings.k, seed, settings.keyword_bias, done)
    done(len(rows) - len(begun))
    found = dict(zip(ids, zip(sources, drawn, strict=True), strict=True))
    groups: Groups = []
    for row in rows:
        source, own = found.get(row["id"], (None, []))
        distinct = Counter(text for text in own if text != source)
        pairs = np.array([(0, place + 1) for place in range(len(distinct))], np.int64).reshape(-1, 2)
        sentences = [] if source is None else [source, *distinct]
        groups.append((Group(row["id"], sentences, pairs), [1, *distinct.values()][: len(sentences)]))
    return groups


GENERATIONS: dict[str, Callable[[Decoder, Rows, PairsConfig, int, Done], Groups]] = {
    "parallel": parallel,
    "sequential": sequential,
}


def is_oriented(settings: PairsConfig) -> bool:
    """Whether pairs are judged in their order, x before y, whatever the critics are."""
    return settings.source is not None or settings.generation == "sequential"
