"""The bundled exemplar triples and summaries are fit to score on: clean, varied, and what their columns promise."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from eval_harness.metrics.rouge_l import f1
from eval_harness.pairs import BUNDLED, read_pairs

COLUMNS = {
    "scenes_exemplars.tsv": ["source", "exemplar", "reference"],
    "scenes_summaries.tsv": ["source", "summary"],
}


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def table(name: str) -> list[list[str]]:
    """All lines of a bundled table, the header first, cells as they are."""
    text = (Path(BUNDLED).parent / name).read_bytes().decode("utf-8")
    assert text.endswith("\n") and "\r" not in text
    return [line.split("\t") for line in text[:-1].split("\n")]


def columns(name: str) -> list[list[str]]:
    """The columns of a bundled table, without its header."""
    return [list(column) for column in zip(*table(name)[1:], strict=True)]


@pytest.mark.parametrize("name", COLUMNS)
def test_tables_are_whole_and_their_sentences_clean(name: str) -> None:
    header, *rows = table(name)
    assert header == COLUMNS[name]
    assert len(rows) >= 110
    assert all(len(row) == len(header) for row in rows)
    sentence = re.compile(r"[A-Z][A-Za-z0-9 ,'-]*[a-z0-9]\.")  # one sentence, straight quotes, full stop at its end
    wrong = [cell for cell in itertools.chain(*rows) if not sentence.fullmatch(cell) or "  " in cell]
    assert wrong == []


def test_no_sentence_stands_twice_in_the_bundled_data() -> None:
    everything = [*itertools.chain(*read_pairs())]
    for name in COLUMNS:
        everything += itertools.chain(*columns(name))
    counts = Counter(" ".join(words(text)) for text in everything)
    assert [text for text, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("name", COLUMNS)
def test_openings_are_varied(name: str) -> None:
    for column in columns(name):
        openings = Counter(tuple(words(text)[:3]) for text in column)
        assert max(openings.values()) <= 2
        assert max(Counter(opening[0] for opening in openings.elements()).values()) <= 0.5 * len(column)


def test_exemplar_triples_have_the_length_of_everyday_sentences() -> None:
    for column in columns("scenes_exemplars.tsv"):
        assert all(8 <= len(words(text)) <= 20 for text in column)


def test_exemplars_are_about_something_else_and_references_are_reworded() -> None:
    sources, exemplars, references = columns("scenes_exemplars.tsv")
    to_source = [f1(reference, source) for reference, source in zip(references, sources, strict=True)]
    assert max(to_source) <= 0.85
    assert np.mean(to_source) <= 0.6
    for source, exemplar, reference in zip(sources, exemplars, references, strict=True):
        told = {word for word in words(source) if len(word) > 4}
        assert len(told & set(words(reference))) > len(told & set(words(exemplar))), source


def test_summaries_are_short_and_no_mere_openings() -> None:
    sources, summaries = columns("scenes_summaries.tsv")
    leads = []
    for source, summary in zip(sources, summaries, strict=True):
        assert 20 <= len(words(source)) <= 40, source
        assert 5 <= len(words(summary)) <= 20, summary
        assert len(summary) <= 0.6 * len(source), summary
        lead = " ".join(source.split()[: len(summary.split())])
        leads.append(f1(summary, lead))
    assert max(leads) <= 0.5
    assert np.mean(leads) <= 0.25  # measured: 0.20
    shared = [len(set(words(t)) & set(words(s))) / len(set(words(t))) for s, t in zip(sources, summaries, strict=True)]
    assert 0.35 <= np.mean(shared) <= 0.75  # neither copies nor texts about something else


def test_references_have_their_exemplars_syntax_and_sources_do_not() -> None:
    from idist.models import load_parser
    from idist.trees import Tree, TreeIndex

    sources, exemplars, references = (column[::4] for column in columns("scenes_exemplars.tsv"))  # parsing is slow
    trees = load_parser("embedded:parser", "cpu").parse([*sources, *exemplars, *references])
    whole = [tree for tree in trees if isinstance(tree, Tree)]
    assert len(whole) == len(trees)
    source, exemplar, reference = np.arange(len(trees)).reshape(3, -1)
    full, top = TreeIndex(whole), TreeIndex([tree.cut(4) for tree in whole])
    near, far = (full.distances(np.stack([start, exemplar], axis=1)) for start in (reference, source))
    assert (near < far).all()
    assert near.mean() <= 0.25 * far.mean()  # measured over all rows: 2.5 against 17.4
    near, far = (top.distances(np.stack([start, exemplar], axis=1)) for start in (reference, source))
    assert near.mean() <= 0.35 * far.mean()  # the top levels, measured: 0.9 against 5.5
    change = full.distances(np.stack([source, reference], axis=1))
    assert change.mean() >= 12  # the reference leaves the source's form
