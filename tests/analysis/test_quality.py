"""The table of dataset quality, from files to Markdown, on the embedded models."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from idist.analysis.pair_data import open_pairs
from idist.analysis.quality import Measures, Settings
from idist.analysis.quality_report import MEASURES, table, write_report
from idist.analysis.resampling import Estimate
from idist.critics.encoding import PooledEncoder
from idist.errors import UserError
from idist.models import load_parser
from idist.trees import Tree, tree_edit_distance

ROOT = Path(__file__).parents[2]
SUBJECTS = ["A man", "Two women", "The old dog", "A child in red", "Some people"]
ACTIONS = ["is riding a bike", "walk down the street", "sleeps on a bench", "plays with a ball", "are at the beach"]


@pytest.fixture(scope="module")
def pairs() -> list[tuple[str, str]]:
    """100 pairs of 25 sources."""
    rows = []
    for subject in SUBJECTS:
        for action in ACTIONS:
            source = f"{subject} {action}."
            rows += [(source, f"{other}, {action}, {subject.lower()}.") for other in ("Now", "Here", "Today")]
            rows.append((source, source))
    return rows


@pytest.fixture(scope="module")
def dataset(pairs: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in a file."""
    path = tmp_path_factory.mktemp("data") / "pairs.tsv"
    path.write_text("source\ttarget\n" + "".join(f"{x}\t{y}\n" for x, y in pairs))
    return path


@pytest.fixture(scope="module")
def measured(dataset: Path) -> Any:
    """All pairs are in the sample."""
    return Measures(Settings(sample=1000, segment=20), progress=False).measure(open_pairs(f"ours={dataset}"))


def test_every_measure_is_that_of_a_plain_computation(measured: Any, pairs: list[tuple[str, str]]) -> None:
    words = {text: re.findall(r"\w+|[^\w\s]", text.lower()) for pair in pairs for text in pair}
    for n in (2, 3):
        grams = Counter(
            gram
            for pair in pairs
            for text in pair
            for gram in zip(*[words[text][place:] for place in range(n)], strict=False)
        )
        shares = [count / grams.total() for count in grams.values()]
        assert measured.figures[f"h{n}"].value == pytest.approx(-sum(p * math.log2(p) for p in shares))
    shared = [len(set(words[x]) & set(words[y])) / len(set(words[x]) | set(words[y])) for x, y in pairs]
    assert measured.figures["jaccard"].value == pytest.approx(100 * np.mean(shared))
    vectors = PooledEncoder("embedded:encoder").embed([text for pair in pairs for text in pair])[0]
    assert measured.figures["cosine"].value == pytest.approx(
        100 * (vectors[::2] * vectors[1::2]).sum(1).mean(), abs=1e-3
    )
    parser = load_parser("embedded:parser", "cpu")
    texts = list(words)
    trees = {text: tree for text, tree in zip(texts, parser.parse(texts), strict=True) if isinstance(tree, Tree)}
    full = [tree_edit_distance(trees[x], trees[y]) for x, y in pairs]
    assert measured.figures["ted_f"].value == pytest.approx(np.mean(full))
    assert 0 < measured.figures["ted_3"].value < measured.figures["ted_f"].value
    assert measured.words == sum(len(words[text]) for pair in pairs for text in pair)


def test_intervals_stand_beside_what_was_sampled(measured: Any) -> None:
    for name in ("cosine", "msttr", "ted_3", "ted_f"):
        figure = measured.figures[name]
        assert figure.low <= figure.value <= figure.high, name
    assert measured.figures["ted_f"].units == 25, "sources, not pairs, are drawn again"
    assert measured.figures["h2"].low is None
    assert (measured.read.pairs, measured.read.equal, measured.sample) == (100, 25, 100)


def test_a_part_of_the_pairs(dataset: Path) -> None:
    """The part does not depend on the sample, and the same seed draws the same."""
    found = [
        Measures(Settings(sample=sample, pairs=40), progress=False).measure(open_pairs(str(dataset)))
        for sample in (10, 30)
    ]
    assert [one.measured for one in found] == [40, 40]
    assert found[0].figures["h2"] == found[1].figures["h2"]
    assert found[0].read.pairs == 100


def test_one_source_has_no_interval(tmp_path: Path) -> None:
    path = tmp_path / "one.tsv"
    path.write_text("x\ty\nA dog runs.\tDogs run.\nA dog runs.\tThe dog is running.\n")
    found = Measures(Settings(segment=4), progress=False).measure(open_pairs(str(path)))
    for name in ("cosine", "ted_3", "ted_f"):
        figure = found.figures[name]
        assert (figure.units, figure.low, figure.high) == (1, None, None), name
        assert f"{figure.value:.2f} [–]" in table([found], {**vars(Settings()), "pooling": "mean"})
    assert found.figures["msttr"].units == 2 and found.figures["msttr"].low is not None, "its units are segments"


def test_a_text_without_a_tree_is_counted_not_hidden(tmp_path: Path) -> None:
    path = tmp_path / "long.tsv"
    path.write_text(f"x\ty\nA dog runs.\tDogs run.\n{'very ' * 200}long.\tIt is long.\n")
    found = Measures(Settings(), progress=False).measure(open_pairs(str(path)))
    assert found.failures["ted_f"] == 1
    assert found.figures["ted_f"].value is not None
    assert "1 sampled pairs have no tree" in table([found], {**vars(Settings()), "pooling": "mean"})


def test_the_report_says_the_same_three_times(measured: Any, tmp_path: Path) -> None:
    made_with = Measures(Settings(sample=1000, segment=20), progress=False).made_with()
    paths = write_report(tmp_path / "out", [measured, measured], made_with)
    assert [path.name for path in paths] == ["quality.md", "quality.json", "quality.png", "quality.svg"]
    read = json.loads(paths[1].read_text())
    text = paths[0].read_text()
    for name, title, digits, _ in MEASURES:
        value = read["datasets"][0]["figures"][name]["value"]
        assert f"{value:.{digits}f}" in text
        assert title.format(segment=20) in text
    assert read["made_with"]["encoder_weights"].startswith("folder:")
    again = write_report(tmp_path / "again", [measured, measured], made_with)
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in again]


def test_datasets_of_other_sizes_are_told_not_to_compare(measured: Any) -> None:
    from dataclasses import replace

    made_with = {**vars(Settings()), "pooling": "mean"}
    other = replace(
        measured, words=measured.words * 3, figures={**measured.figures, "h2": Estimate(None, None, None, 0)}
    )
    assert "Entropy grows with their number" in table([measured, other], made_with)
    assert "Entropy grows" not in table([measured, measured], made_with)
    assert "| – |" in table([other], made_with)


def test_pooling_follows_the_authors_of_the_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    from idist.critics.encoding import pooling_of

    assert pooling_of("princeton-nlp/sup-simcse-roberta-large") == "pooler"
    assert pooling_of("princeton-nlp/unsup-simcse-bert-base-uncased") == "cls"
    assert pooling_of("embedded:encoder") == "mean"
    first = PooledEncoder("embedded:encoder", "cls", "cpu")
    vectors = first.embed(["A dog.", "A cat sleeps."])[0]
    ids = first.tokenizer("A dog.", return_tensors="pt")
    expected = first.model(**ids).last_hidden_state[0, 0].detach().numpy()
    assert vectors[0] == pytest.approx(expected / np.linalg.norm(expected), abs=1e-5)
    with pytest.raises(UserError, match="expected one of: auto, mean, cls, pooler"):
        PooledEncoder("embedded:encoder", "max")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.tsv"], "error: nowhere.tsv does not exist"),
        (["empty.tsv"], "has no pair with text in 'x' and 'y' (1 rows without)"),
        (["empty.tsv", "--segment", "1"], "segment is 1, expected 2 or more"),
        (["empty.tsv", "--columns", "x,z"], "has no column 'z'; it has x, y"),
        (["empty.tsv", "--encoder", "embedded:encoding"], "did you mean 'encoder'?"),
    ],
)
def test_bad_input_ends_with_one_sentence(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "empty.tsv").write_text("x\ty\n \t \n")
    script = ROOT / "recipes" / "dataset_quality.py"
    done = subprocess.run([sys.executable, str(script), *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "quality").exists()
