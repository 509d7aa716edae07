"""How much of a test set stands in a training set.

Texts are compared in a normal form: NFKC, letter case folded, every run of punctuation, symbols and white space one
space. An example of a task counts as found in the training set by

- ``source`` or ``reference``: a text of a training row is equal to its source, or to one of its references;
- ``pair``: one training row holds both, as two of its texts, in whatever order;
- ``ngram``: a text of a training row shares 13 words in a row with its source or one of its references. A source or
  reference of less than 13 words counts if the training row has it as a whole text;
- ``any``: at least one of these.

Every column of text of a training row is looked at. The test sets are held in memory, the training set never is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from eval_harness.tasks.base import TaskData
from idist.hub.corpora import Corpus, open_corpus

NGRAM = 13
PROBE = 7  # words; of every 13 in a row, 7 begin at a multiple of 7: a text without a known one shares no n-gram
KINDS = ("pair", "source", "reference", "ngram")  # the strongest first
SHOWN = 5  # examples that a report quotes
LONGEST = 300  # characters of a training text that a report quotes
NORMALIZATION = "NFKC, case folded, runs of punctuation, symbols and white space as one space"


def overlap(dataset: str, data: TaskData) -> dict[str, Any]:
    """Overlap of one test set with a training set, for the results of a run; see `overlaps`."""
    return overlaps(open_corpus(dataset), {"": data})[""]


def overlaps(corpus: Corpus, tasks: Mapping[str, TaskData], progress: bool = False) -> dict[str, dict[str, Any]]:
    """Overlap of several test sets with a training set, which is read once.

    Args:
        tasks: name -> examples.
        progress: a bar on stderr.

    Returns:
        name -> what goes into JSON: ``dataset``, ``revision``, ``rows`` (of training), ``ngram`` (13),
        ``normalization``, ``examples`` (of the test set), ``counts`` and ``shares`` (0 to 1) of examples by kind, and
        ``first``: the first examples found, each with ``id``, ``kind``, the ``file`` and ``row`` (from 0) of training
        and its ``text``.

    Raises:
        UserError: what `Corpus.rows` says of files.
    """
    index = Index(tasks)
    total = 0
    with _bar(corpus, progress) as bar:
        for path in corpus.paths:
            for row, texts in enumerate(corpus.rows(path)):
                index.look(texts, path.name, row)
                total += 1
                if not total % 1000:
                    bar.update(1000)
        bar.update(total % 1000)
    return {
        name: {
            "dataset": corpus.name,
            "revision": corpus.revision,
            "rows": total,
            "ngram": NGRAM,
            "normalization": NORMALIZATION,
            **index.report(name),
        }
        for name in tasks
    }


def normalized(text: str) -> str:
    """The form in which texts are compared; empty for a text of punctuation alone."""
    if text.isascii():  # the same in a third of the time
        text = text.encode().translate(_ASCII).decode()
    else:
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).translate(_SEPARATORS)
    return " ".join(text.split())


def ngrams(text: str, n: int) -> Iterator[str]:
    """Every n words in a row of a normalized text; nothing if it has less."""
    words = text.split(" ")
    if len(words) < n:
        return
    ends = list(accumulate(len(word) + 1 for word in words))  # one past the space after each word
    start = 0
    for first in range(len(words) - n + 1):
        yield text[start : ends[first + n - 1] - 1]
        start = ends[first]


@dataclass
class Hit:
    """Where an example was found first, in one way."""

    file: str
    row: int
    text: str


@dataclass
class Found:
    """One example of a test set, and how it was found: kind -> first hit."""

    task: str
    id: str
    hits: dict[str, Hit] = field(default_factory=dict)


class Index:
    """The test sets, by normalized text and by n-gram."""

    def __init__(self, tasks: Mapping[str, TaskData]) -> None:
        self._found = [Found(name, example.id) for name, data in tasks.items() for example in data.examples]
        # normalized text -> examples of which it is the source, examples of which it is a reference
        self._sources: dict[str, list[Found]] = {}
        self._references: dict[str, list[Found]] = {}
        self._ngrams: dict[str, list[Found]] = {}
        self._probes: set[str] = set()
        examples = (example for data in tasks.values() for example in data.examples)
        for found, example in zip(self._found, examples, strict=True):
            self._add(self._sources, normalized(example.source), found)
            for reference in {normalized(reference) for reference in example.references}:
                self._add(self._references, reference, found)

    def look(self, texts: Sequence[str], file: str, row: int) -> None:
        """Compare one training row."""
        sources: list[tuple[int, Found]] = []
        references: list[tuple[int, Found]] = []
        for place, text in enumerate(texts):
            form = normalized(text)
            in_sources, in_references = self._sources.get(form, ()), self._references.get(form, ())
            if in_sources or in_references:
                sources += [(place, found) for found in in_sources]
                references += [(place, found) for found in in_references]
                self._mark("source", in_sources, file, row, text)
                self._mark("reference", in_references, file, row, text)
                self._mark("ngram", (*in_sources, *in_references), file, row, text)  # short ones have no n-gram
            elif not self._may_share(form):
                continue
            for ngram in ngrams(form, NGRAM):
                self._mark("ngram", self._ngrams.get(ngram, ()), file, row, text)
        for place, found in sources:
            if any(found is other and place != elsewhere for elsewhere, other in references):
                self._mark("pair", (found,), file, row, " | ".join(texts))

    def report(self, task: str) -> dict[str, Any]:
        """Counts, shares and first examples of one test set."""
        examples = [found for found in self._found if found.task == task]
        counts = {kind: sum(kind in found.hits for found in examples) for kind in KINDS}
        counts["any"] = sum(bool(found.hits) for found in examples)
        first = [_quoted(found) for found in examples if found.hits][:SHOWN]
        shares = {kind: count / len(examples) for kind, count in counts.items()}
        return {"examples": len(examples), "counts": counts, "shares": shares, "first": first}

    def _add(self, texts: dict[str, list[Found]], form: str, found: Found) -> None:
        if not form:
            return  # nothing but punctuation: equal to every other such text
        texts.setdefault(form, []).append(found)
        for ngram in ngrams(form, NGRAM):
            known = self._ngrams.setdefault(ngram, [])
            if not known or known[-1] is not found:
                known.append(found)
            self._probes.update(ngrams(ngram, PROBE))

    def _may_share(self, form: str) -> bool:
        """Whether the text can share an n-gram with a test set: a cheap look that lets nothing slip."""
        words = form.split(" ")
        if len(words) < NGRAM:
            return False
        starts = range(0, len(words) - PROBE + 1, PROBE)
        return any(" ".join(words[start : start + PROBE]) in self._probes for start in starts)

    @staticmethod
    def _mark(kind: str, examples: Sequence[Found], file: str, row: int, text: str) -> None:
        for found in examples:
            if kind not in found.hits:
                found.hits[kind] = Hit(file, row, text[:LONGEST])


class _Separators(dict[int, Any]):
    """Translation of characters: punctuation, symbols, separators and controls to a space; filled on first use."""

    def __missing__(self, code: int) -> Any:
        kept = code if unicodedata.category(chr(code))[0] in "LMN" else " "
        self[code] = kept
        return kept


_SEPARATORS = _Separators()
_ASCII = bytes(ord(chr(code).lower().translate(_SEPARATORS)) if code < 128 else code for code in range(256))


def _quoted(found: Found) -> dict[str, Any]:
    kind = next(kind for kind in KINDS if kind in found.hits)
    hit = found.hits[kind]
    return {"id": found.id, "kind": kind, "file": hit.file, "row": hit.row, "text": hit.text}


def _bar(corpus: Corpus, shown: bool) -> Any:
    from idist.engine.progress import bar

    return bar("decontaminate", corpus.count() if shown else None, 0, "rows", shown)  # type: ignore[arg-type]
