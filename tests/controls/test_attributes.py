"""Attributes: values against plain definitions, buckets against sorting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idist.controls import Control, Failure, build_controls
from idist.controls.obedience import correlation_interval, mean_with_interval, rank_correlation, rises
from idist.controls.parsing import Parsers
from idist.controls.quantized import Quantized
from idist.errors import UserError

NUMBERS = st.floats(-1e3, 1e3, width=32, allow_nan=False)


def control(name: str, **settings: object) -> Quantized:
    [made] = build_controls([{name: settings}], "test")
    assert isinstance(made, Quantized)
    return made


@given(st.lists(NUMBERS, min_size=2, max_size=60), st.integers(2, 6))
def test_buckets_are_cut_at_quantiles_and_every_code_is_used(values: list[float], buckets: int) -> None:
    made = control("length_ratio", buckets=buckets)
    if len(set(values)) == 1:
        with pytest.raises(UserError, match="the same value"):
            made.learn(values)
        return
    made.learn(values)
    codes = [int(made.bucket(value)) for value in values]
    assert set(codes) == set(map(int, made.codes())) and 2 <= len(made.codes()) <= buckets
    ordered = [code for _, code in sorted(zip(values, codes, strict=True))]
    assert ordered == sorted(ordered)  # a larger value never has a lower code


def test_buckets_of_different_values_are_of_equal_size() -> None:
    made = control("length_ratio", buckets=4)
    made.learn(range(100))
    counts = [sum(made.bucket(value) == code for value in range(100)) for code in made.codes()]
    assert counts == [25, 25, 25, 25] and made.edges == [25, 50, 75]


@given(st.lists(NUMBERS, min_size=3, unique=True))
def test_what_was_learned_comes_back(values: list[float]) -> None:
    made, again = control("lexical_overlap"), control("lexical_overlap")
    made.learn(values)
    again.recall(made.known())
    assert [made.symbols(value) for value in values] == [again.symbols(value) for value in values]


@pytest.mark.parametrize(
    ("name", "settings", "pair", "value"),
    [
        ("length_ratio", {}, ("abcd", "ab"), 0.5),
        ("length_ratio", {"unit": "tokens"}, ("a b c", "a b c d e f"), 2.0),
        ("lexical_overlap", {}, ("A dog runs.", "the dog, a dog"), 0.5),
        ("lexical_overlap", {}, ("A dog.", "a DOG"), 1.0),
    ],
)
def test_values(name: str, settings: dict[str, object], pair: tuple[str, str], value: float) -> None:
    assert control(name, **settings).measure([pair], Parsers()) == [pytest.approx(value)]


def test_pairs_without_a_value_say_why() -> None:
    parsers = Parsers()
    [ratio] = control("length_ratio").measure([("", "x")], parsers)
    [overlap] = control("lexical_overlap").measure([("...", "!")], parsers)
    assert ratio == Failure("x is empty") and overlap == Failure("x and y have no word")


def test_syntactic_distance_is_that_of_the_trees() -> None:
    from idist.models import load_parser
    from idist.trees import Tree, tree_edit_distance

    made = control("syntactic_distance", parser="embedded:parser")
    x, y = "A man rides a bike.", "In the park, a bike is ridden by a man."
    same, other, broken = made.measure([(x, x), (x, y), (x, "")], Parsers("cpu"))
    first, second = load_parser("embedded:parser", "cpu").parse([x, y])
    assert isinstance(first, Tree) and isinstance(second, Tree)
    assert (same, other) == (0.0, float(tree_edit_distance(first, second)))
    assert broken == Failure("no tree: empty")


def test_a_wish_for_a_code_that_is_not_there_names_the_valid_ones() -> None:
    made = control("length_ratio")
    made.learn([0.5, 1.0, 1.5])
    good, bad = made.wanted("length_ratio", ["2", "4"], Parsers())
    assert made.symbols(good) == made.symbols(1.2) == ["<length_ratio=2>"]
    assert [made.apart(good, value) for value in (0.1, 1.0, 9.0)] == [1, 0, 1]
    assert bad == Failure("length_ratio has no code '4', expected one of: 1, 2, 3.")


@given(st.lists(st.tuples(st.integers(0, 4), NUMBERS), min_size=2))
def test_rank_correlation_is_scipys(rows: list[tuple[int, float]]) -> None:
    scipy = pytest.importorskip("scipy.stats")
    asked, obtained = [row[0] for row in rows], [row[1] for row in rows]
    if len(set(asked)) == 1 or len(set(obtained)) == 1:
        assert rank_correlation(asked, obtained) == 0
    else:
        assert rank_correlation(asked, obtained) == pytest.approx(scipy.spearmanr(asked, obtained).statistic)


def test_figures_of_obedience() -> None:
    made = control("length_ratio")
    made.learn([0.2, 0.5, 0.9])
    good = made.judge(["1", "2", "3"], [[0.2, 0.3], [0.5, 0.6], [0.9, 1.0]])
    assert good["rises"] and good["correlation"] > 0.9 and [row["share"] for row in good["codes"]] == [1, 1, 1]
    bad = made.judge(["1", "2", "3"], [[0.9, 1.0], [0.5, 0.6], [0.2, 0.3]])
    assert not bad["rises"] and bad["correlation"] < -0.9 and bad["codes"][0]["share"] == 0
    assert rises([1.0, 2.0]) and not rises([1.0, 1.0])


@given(st.lists(NUMBERS, min_size=2, max_size=30))
def test_an_interval_holds_its_mean(values: list[float]) -> None:
    found = mean_with_interval(values)
    assert min(values) - 1e-3 <= found["low"] <= found["high"] <= max(values) + 1e-3
    assert found["mean"] == pytest.approx(sum(values) / len(values), abs=1e-6)


def test_a_control_without_figures_of_its_own_counts_hits() -> None:
    judged = Control().judge(["yes", "no"], [["yes", "no"], ["no", "no"]])
    assert judged == {"codes": [{"code": "yes", "share": 0.5}, {"code": "no", "share": 1.0}]}


def test_a_code_without_a_value_has_no_share() -> None:
    assert Control().judge(["yes", "no"], [[], ["no"]])["codes"][0] == {"code": "yes", "share": None}
    [made] = build_controls([{"length_ratio": {}}], "test")
    made.recall({"edges": [0.5, 0.9]})
    judged = made.judge(["1", "2"], [[], [0.6]])
    assert judged["codes"][0] == {"code": "1", "mean": None, "low": None, "high": None, "share": None}
    assert judged["codes"][1] == {"code": "2", "mean": pytest.approx(0.6), "low": None, "high": None, "share": 1}
    assert not judged["rises"] and judged["correlation"] == 0
    assert made.judge(["1"], [[]])["correlation"] == 0


def test_the_interval_of_a_correlation_holds_it_and_narrows() -> None:
    generator = np.random.default_rng(3)
    few, many = ([generator.normal(0.3 * code, 1, size) for code in range(3)] for size in (30, 300))
    widths = []
    for obtained in (few, many):
        found = correlation_interval(obtained)
        low, high = found["correlation_low"], found["correlation_high"]
        places = np.repeat(np.arange(3), [len(own) for own in obtained])
        assert low is not None and high is not None
        assert low < rank_correlation(places, np.concatenate(obtained)) < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2
    nothing = {"correlation_low": None, "correlation_high": None}
    assert correlation_interval([[1.0], [1.0, 2.0]]) == correlation_interval([]) == nothing
