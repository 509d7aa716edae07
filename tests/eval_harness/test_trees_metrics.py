"""TED-F and TED-3 equal apted on the parser's trees; exemplars, nearest references, and texts without a tree."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import pytest

from eval_harness.metrics import Examples, Ted3, TedF
from eval_harness.metrics import ted as ted_module
from eval_harness.metrics.models import parser
from eval_harness.pairs import read_pairs
from idist.errors import UserError
from idist.trees import Tree

BABBLE = "word " * 160  # more than the parser takes


def edits(first: Tree, second: Tree) -> int:
    """Unit-cost distance by apted, words removed."""
    from apted import APTED
    from apted.helpers import Tree as Apted

    written = [tree.linearize().replace(" ", "").replace("(", "{").replace(")", "}") for tree in (first, second)]
    return int(APTED(*(Apted.from_text(text) for text in written)).compute_edit_distance())


def trees(texts: list[str]) -> list[Tree]:
    return [tree for tree in parser("embedded:parser", "auto").parse(texts) if isinstance(tree, Tree)]


@pytest.fixture(scope="module")
def pairs() -> tuple[list[str], list[str]]:
    return read_pairs(limit=12)


def test_full_trees_are_compared_as_apted_does(pairs: tuple[list[str], list[str]]) -> None:
    sources, targets = pairs
    metric = TedF()
    statistics = metric.statistics(Examples.of(sources, sources, targets))
    expected = [edits(a, b) for a, b in zip(trees(sources), trees(targets), strict=True)]
    assert statistics[:, 0].tolist() == expected
    assert max(expected) > 5
    assert metric.score(statistics) == pytest.approx(np.mean(expected))
    assert not metric.higher_is_better


def test_top_layers_are_those_below_the_root(pairs: tuple[list[str], list[str]]) -> None:
    sources, targets = pairs
    assert {tree.label for tree in trees(sources)} == {"ROOT"}
    expected = [edits(a.cut(4), b.cut(4)) for a, b in zip(trees(sources), trees(targets), strict=True)]
    statistics = Ted3().statistics(Examples.of(sources, sources, targets))
    assert statistics[:, 0].tolist() == expected
    assert 0 < sum(expected) < TedF().statistics(Examples.of(sources, sources, targets)).sum()
    tree = Tree.from_brackets("(ROOT (S (NP (DT (X a))) (VP (VBZ b))))")
    assert ted_module._top(tree, 3) == Tree.from_brackets(
        "(ROOT (S (NP DT) (VP VBZ)))".replace("DT", "(DT)").replace("VBZ", "(VBZ)")
    )
    assert ted_module._top(tree.children[0], 2).to_brackets() == "(S (NP) (VP))"  # type: ignore[arg-type,union-attr]
    assert ted_module._top(tree, None) is tree


def test_the_exemplar_counts_where_there_is_one_else_the_nearest_reference(
    pairs: tuple[list[str], list[str]],
) -> None:
    sources, targets = pairs
    references = [[targets[1], sources[0]], [targets[0]], [targets[2], targets[3]]]
    plain = TedF().statistics(Examples.of(sources[:3], sources[:3], references))[:, 0]
    choices = [[edits(*trees([sources[i], text])) for text in references[i]] for i in range(3)]
    assert plain.tolist() == [min(row) for row in choices]
    assert plain[0] == 0.0
    mixed = Examples.of(sources[:3], sources[:3], references, [targets[4], None, sources[2]])
    expected = [edits(*trees([sources[0], targets[4]])), min(choices[1]), 0]
    assert TedF().statistics(mixed)[:, 0].tolist() == expected


def test_texts_without_a_tree_are_as_far_as_can_be() -> None:
    target = "A dog runs."
    size = len(list(trees([target])[0].nodes()))
    top = len(list(trees([target])[0].cut(4).nodes()))
    predictions = ["", "  ", BABBLE, target, f" {target} ", BABBLE]
    exemplars = [target, target, target, "", target, BABBLE]
    examples = Examples.of(predictions, [target] * 6, None, exemplars)
    assert TedF().statistics(examples)[:, 0].tolist() == [size, size, size + 160, size, 0, 0]
    assert Ted3().statistics(examples)[:, 0].tolist() == [top, top, top + 160, top, 0, 0]


def test_a_text_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    loaded = parser("embedded:parser", "auto")
    parse = loaded.parse
    monkeypatch.setattr(loaded, "parse", lambda texts: asked.extend(texts) or parse(texts))
    ted_module._forest.cache_clear()
    examples = Examples.of(["A cat sleeps.", "A cat sleeps."], ["x", "y"], ["A man sleeps.", "A cat sleeps."])
    first, again = TedF().statistics(examples), TedF().statistics(examples)
    Ted3().statistics(examples)
    assert asked == ["A cat sleeps.", "A man sleeps."]
    assert np.array_equal(first, again)


def test_signatures_name_layers_parser_and_encoder() -> None:
    full, top = TedF().signature(), Ted3().signature()
    assert full.startswith("layers:all|to:exemplar-or-nearest-reference|parser:embedded:parser|weights:folder:")
    assert f"|stanza:{version('stanza')}|encoder:embedded:encoder|weights:folder:" in full
    assert full.endswith(f"|transformers:{version('transformers')}")
    assert top == full.replace("layers:all", "layers:3-below-root")
    assert TedF("stanza:en").signature().endswith(f"|parser:stanza:en|stanza:{version('stanza')}")


def test_no_reference_and_no_parser_are_named() -> None:
    with pytest.raises(UserError, match="Example 0 has no reference"):
        TedF().statistics(Examples.of(["a"], ["a"]))
    with pytest.raises(UserError, match="Example 1 has no reference"):
        TedF().statistics(Examples.of(["a", "b"], ["a", "b"], None, ["a", None]))
    with pytest.raises(UserError, match="does not ship with idist"):
        TedF("embedded:parsr").statistics(Examples.of(["a"], ["a"], ["b"]))
