"""Trees as codes, and what may be wished for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idist.controls import Failure, build_controls
from idist.controls.parsing import Parsers
from idist.controls.syntax import OTHER, Syntax
from idist.trees import Tree

LABELS = st.sampled_from(["S", "NP", "VP", ".", "-LRB-", "``", "PRP$", "ROOT"])


def trees() -> st.SearchStrategy[Tree]:
    leaf = st.builds(Tree, LABELS, st.lists(st.sampled_from(["a", "-LRB-", "."]), max_size=1))
    return st.recursive(
        leaf, lambda child: st.builds(Tree, LABELS, st.lists(child, min_size=1, max_size=4)), max_leaves=12
    )


def control(**changes: object) -> Syntax:
    [made] = build_controls([{"syntax": {"parser": "embedded:parser", **changes}}], "test")
    assert isinstance(made, Syntax)
    return made


def read_back(symbols: list[str]) -> str:
    """Symbols -> brackets: a reader of its own."""
    pieces = []
    for symbol in symbols:
        inside = symbol[1:-1]
        if inside == ")":
            pieces[-1] += ")"
        else:
            pieces.append(inside if inside.startswith("(") else f"({inside})")
    return " ".join(pieces)


@given(trees(), st.sampled_from([None, 2, 3, 4, 5]))
@settings(max_examples=200)
def test_symbols_are_the_tree(tree: Tree, depth: int | None) -> None:
    made = control(depth=depth)
    value = made.linearized(tree)
    made.learn([value])
    assert read_back(made.symbols(value)) == value
    assert set(made.symbols(value)) <= set(made.vocabulary())


def test_the_root_is_no_level() -> None:
    tree = Tree.from_brackets("(ROOT (S (NP (DT A) (NN dog)) (VP (VBZ runs)) (. .)))")
    assert control(depth=2).linearized(tree) == "(S (NP) (VP) (.))"
    assert control().linearized(tree) == "(S (NP (DT) (NN)) (VP (VBZ)) (.))"
    assert control(depth=2).linearized(tree.children[0]) == "(S (NP) (VP) (.))"  # type: ignore[arg-type]


def test_frequent_trees_do_not_depend_on_the_order() -> None:
    values = ["(S)", "(NP)", "(NP)", "(VP)"]
    for order in (values, values[::-1]):
        made = control(templates=2)
        made.learn(order)
        assert made.frequent == [("(NP)", 2), ("(S)", 1)]


@pytest.fixture(scope="module")
def learned() -> tuple[Syntax, Parsers]:
    made, parsers = control(depth=3), Parsers("cpu")
    found = made.measure([("", "A dog runs."), ("", "Two men sit on a bench.")], parsers)
    made.learn([found[0], found[0], found[1]])
    return made, parsers


def test_exemplar_tree_and_template_give_the_same(learned: tuple[Syntax, Parsers]) -> None:
    made, parsers = learned
    [wanted] = made.wanted("exemplar", ["A dog runs."], parsers)
    tree, pairs = made.frequent[0]
    assert wanted == tree and pairs == 2
    assert made.wanted("tree", [tree, f"(ROOT {tree})"], parsers) == [wanted, wanted]
    assert made.wanted("template", ["1"], parsers) == [wanted]


def test_a_label_that_no_pair_had(learned: tuple[Syntax, Parsers]) -> None:
    made, parsers = learned
    symbols = made.symbols(made.wanted("exemplar", ["Quickly and happily, they ran."], parsers)[0])
    assert f"<{OTHER}>" in symbols or f"<({OTHER}>" in symbols
    assert set(symbols) <= set(made.vocabulary())
    [reason] = made.wanted("tree", ["(S (QQ))"], parsers)
    assert isinstance(reason, Failure) and "'QQ'" in reason.reason and "NP" in reason.reason


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("exemplar", " ", "exemplar ' ' cannot be parsed (no tree: empty), expected a sentence."),
        ("tree", "S NP", "is no tree (brackets: 'S' at position 0 outside of any bracket), expected for example (S"),
        ("tree", "", "is no tree"),
        ("tree", "(S (NP)", "is no tree"),
        ("template", "3", "expected a number from 1 to 2."),
        ("template", "one", "expected a number from 1 to 2."),
    ],
)
def test_wishes_that_are_none(learned: tuple[Syntax, Parsers], kind: str, text: str, said: str) -> None:
    made, parsers = learned
    [failure] = made.wanted(kind, [text], parsers)
    assert isinstance(failure, Failure) and said in failure.reason


@pytest.mark.parametrize(("kind", "word"), [("exemplar", "dog "), ("tree", "(S ")])
def test_a_long_wish_is_not_said_again_as_a_whole(learned: tuple[Syntax, Parsers], kind: str, word: str) -> None:
    made, parsers = learned
    [failure] = made.wanted(kind, [400 * word], parsers)
    assert isinstance(failure, Failure) and failure.reason.startswith(f"{kind} '{word}{word}")
    assert "...' " in failure.reason and "expected" in failure.reason and len(failure.reason) < 300


def test_figures_of_obedience(learned: tuple[Syntax, Parsers]) -> None:
    made, _ = learned
    first, second = (tree for tree, _ in made.frequent)
    judged = made.judge(["1", "2"], [[first, first], [first, second]])["codes"]
    assert (judged[0]["mean"], judged[0]["share"]) == (0, 1) and judged[0]["others"] > 0
    assert judged[1]["share"] == 0.5 and judged[1]["mean"] == judged[1]["others"] > 0


def test_distance_to_what_is_wanted(learned: tuple[Syntax, Parsers]) -> None:
    made, _ = learned
    assert made.apart("(S (NP))", "(S (NP))") == 0
    assert made.apart("(S (NP) (VP))", "(S (NP))") == 1


def test_a_template_without_an_output_has_no_share() -> None:
    made = control()
    made.learn(["(S (NP) (VP))", "(NP)"])
    judged = made.judge(["1", "2"], [[], ["(S (NP) (VP))"]])["codes"]
    assert judged[1]["share"] == 1 and judged[1]["mean"] == 0
    assert judged[0] == {"code": "1", "mean": None, "low": None, "high": None, "others": None, "share": None}
