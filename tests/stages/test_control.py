"""Stage `control`: codes for the pairs of a real small run, and the student that will read them."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idist.controls import CONTROLS_FILE, Control, Failure, load_controls
from idist.controls.parsing import Parsers
from idist.errors import UserError
from idist.models import load_parser, load_student
from idist.stages import control
from idist.stages._practice import damaged, renamed
from idist.stages._training_data import read_pairs
from idist.stages.samples import row_rng
from tests.stages.tiny import config, contents, rows, run_program

SYNTAX = {
    "control.controls": [{"syntax": {"depth": 3, "parser": "embedded:parser"}}],
    "train_control.model": "embedded:student",
}
MORE = SYNTAX | {
    "control.with_teacher": True,
    "control.both_ways": True,
    "control.thresholds": [
        {"rouge_l": {"max": 0.9}},
        {"entailment": {"min": 0.2}},
        {"diversity": {"min": 1.0}},
    ],
    # the two stages of the small run were scored with different floors
    "self_distil.critics": [
        {"rouge_l": {"max": 0.95}},
        {"entailment": {"min": 0.1, "floor": 0.05, "model": "embedded:entailment"}},
    ],
}


@dataclass
class Short(Control):
    """Whether y is short; has no value for a y with an "s" in it."""

    kind: ClassVar[str] = "string"

    def measure(self, pairs: Sequence[tuple[str, str]], parsers: Parsers) -> list[Any]:
        return [Failure("an s") if "s" in y else "yes" if len(y) < 30 else "no" for _, y in pairs]

    def codes(self) -> list[str]:
        return ["yes", "no"]


PICKY = {"control.controls": [{f"{__name__}:Short": {}}], "train_control.model": "embedded:student"}


@pytest.fixture
def folder(distilled: Path, tmp_path: Path) -> Path:
    """A copy of a small run with its pairs."""
    return Path(shutil.copytree(distilled, tmp_path / "run"))


def test_each_pair_gets_the_code_of_its_y(folder: Path) -> None:
    result = control.run(config(SYNTAX), folder, progress=False)
    pairs, coded = rows(folder, "self_distil", "selected"), rows(folder, "control", "control")
    assert [(row["id"], row["x"], row["y"], row["rouge_l"]) for row in coded] == [
        (row["id"], row["x"], row["y"], row["rouge_l"]) for row in pairs
    ]
    assert result.rows == {"control": len(pairs)} and result.counts["of_self_distil"] == len(pairs) > 0
    known = load_controls(str(folder / "control" / "student"), "cpu")
    parser = load_parser("embedded:parser", "cpu")
    for row, tree in zip(coded, parser.parse([row["y"] for row in coded]), strict=True):
        assert row["syntax"] == tree.children[0].linearize(3)  # type: ignore[union-attr]
        assert row["prefix"] == known.prefix({"syntax": row["syntax"]}) and row["failure"] is None


def test_candidates_are_cut_again_and_turned_around(folder: Path) -> None:
    kept = control.run(config(SYNTAX), folder, progress=False).rows["control"]
    shutil.rmtree(folder / "control")
    result = control.run(config(MORE), folder, progress=False)
    coded = rows(folder, "control", "control")
    assert len(coded) == result.counts["of_pairs"] + result.counts["of_self_distil"] > 2 * kept
    by_id = {row["id"]: row for row in coded}
    assert len(by_id) == len(coded)
    for row in coded:
        context, first, second = row["id"].rsplit("-", 2)
        turned = by_id[f"{context}-{second}-{first}"]
        assert (turned["x"], turned["y"]) == (row["y"], row["x"])
        assert (turned["entailment_xy"], turned["rouge_l"]) == (row["entailment_yx"], row["rouge_l"])
        assert max(row["rouge_l"] - 0.9, 0.2 - row["entailment_xy"], 0.2 - row["entailment_yx"]) < 1e-6


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"control.thresholds": [{"rouge_l": {"max": 0.99}}]}, "rouge_l.max is 0.99, beyond the floor 0.95"),
        ({"control.thresholds": [{"rouge": {"max": 0.5}}]}, "has no critic 'rouge' to be cut at; did you mean"),
        ({"control.controls": ["length_ration"]}, "did you mean 'length_ratio'?"),
        ({"train_control.model": "run:train_final"}, "run the stage 'train_final' first"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(folder: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as refused:
        control.run(config(SYNTAX | changes), folder, progress=False)
    assert said in str(refused.value)


def test_a_pair_without_a_code_is_kept_counted_and_not_trained_on(folder: Path) -> None:
    result = control.run(config(PICKY), folder, progress=False)
    coded = rows(folder, "control", "control")
    without = [row for row in coded if row["failure"]]
    assert 0 < len(without) == result.counts["failures"] < len(coded)
    assert all("s" in row["y"] and row["prefix"] is None and row["failure"] == "Short: an s" for row in without)
    table = read_pairs(sorted((folder / "control" / "control").glob("*.parquet")))
    trained = {row["id"]: row for row in table.to_pylist()}
    assert sorted(trained) == sorted(row["id"] for row in coded if not row["failure"])
    for row in coded:
        if not row["failure"]:
            assert trained[row["id"]]["x"] == f"<Short={row['Short']}> {row['x']}"


@pytest.mark.parametrize(("drop", "left_out"), [(1.0, 1.0), (0.5, 0.5)])
def test_codes_are_left_out_by_chance(folder: Path, drop: float, left_out: float) -> None:
    control.run(config(SYNTAX | {"control.drop": drop}), folder, progress=False)
    coded = rows(folder, "control", "control")
    share = sum(row["prefix"] == "" for row in coded) / len(coded)
    assert share == left_out if drop == 1 else 0 < share < 1
    assert all(row["syntax"] for row in coded)


def test_sentences_are_rebuilt_out_of_their_own_words(folder: Path) -> None:
    result = control.run(config(SYNTAX | {"control.rebuilt": 21}), folder, progress=False)
    sources = {row["id"]: row["x"] for row in rows(folder, "self_distil", "sources")}
    again = [row for row in rows(folder, "control", "control") if row["id"].endswith("-rebuilt")]
    assert len(again) == result.counts["of_rebuilt"] == 21
    assert [row["context_id"] for row in again] == sorted(sources)[:21]
    for row in again:
        assert row["y"] == sources[row["context_id"]] and row["prefix"] and row["rouge_l"] is None
        assert not Counter(row["x"].lower().rstrip(".").split()) - Counter(row["y"].lower().rstrip(".").split())
    assert sum(row["x"] != row["y"] for row in again) > 15


@given(st.text("abc XI.?!", max_size=60), st.integers(0, 9))
def test_a_damaged_sentence_has_words_and_its_end(sentence: str, seed: int) -> None:
    text = damaged(sentence, row_rng(seed, "s", "rebuilt"))
    assert bool(text) == bool(sentence)
    assert text[-1:] == sentence[-1:] or not sentence.rstrip(".?! ") or sentence[-1:].isalnum()
    assert not Counter(text.lower()) - Counter(sentence.lower() + " " * len(sentence))


def test_some_rows_are_taught_with_invented_words(folder: Path) -> None:
    control.run(config(SYNTAX | {"control.renamed": 0.8}), folder, progress=False)
    coded = rows(folder, "control", "control")
    assert 0.3 < sum(row["target"] != row["y"] for row in coded) / len(coded) < 1
    for row in coded:
        assert row["input"].startswith(row["prefix"])
        assert len(row["input"].removeprefix(row["prefix"]).split()) == len(row["x"].split())
        assert len(row["target"].split()) == len(row["y"].split())


@given(st.integers(0, 99))
def test_words_are_renamed_alike_on_both_sides(seed: int) -> None:
    x, y = "The dancing girls jumped over a Red puddle, over and over.", "Dancing girls jumped over puddles."
    first, second = renamed(x, y, row_rng(seed, "s", "renamed"))
    names = dict(zip(x.rstrip(".").split(), first.rstrip(".").split(), strict=True))
    again = dict(zip(y.rstrip(".").split(), second.rstrip(".").split(), strict=True))
    assert all(names[word] == again[word] for word in ("girls", "jumped", "over"))
    assert names["girls"].endswith("s") and names["jumped"].endswith("ed")
    assert (names["The"], names["a"], names["Red"], names["and"], again["puddles"]) == (
        "The",
        "a",
        "Red",
        "and",
        "puddles",
    )


def test_the_student_has_a_token_for_each_symbol(folder: Path) -> None:
    import torch

    control.run(config(SYNTAX), folder, progress=False)
    own = folder / "control" / "student"
    known = load_controls(str(own), "cpu")
    (old, _), (new, tokenizer) = load_student("embedded:student", "cpu", "float32"), load_student(str(own), "cpu")
    row = rows(folder, "control", "control")[0]
    symbols = known.controls[0].symbols(row["syntax"])
    ids = tokenizer(row["prefix"] + row["x"]).input_ids
    assert tokenizer.convert_ids_to_tokens(ids[: len(symbols)]) == symbols
    assert tokenizer.decode(ids, skip_special_tokens=True).split() == row["x"].split()
    before, after = (model.get_input_embeddings().weight for model in (old, new))
    assert len(after) == len(before) + len(known.vocabulary())
    assert torch.equal(after[: len(before)], before) and len(torch.unique(after, dim=0)) == len(after)


def test_what_is_there_is_not_made_again_but_for_another_student(folder: Path) -> None:
    assert control.run(config(SYNTAX), folder, progress=False).made > 1
    first = contents(folder, stage="control")
    assert control.run(config(SYNTAX), folder, progress=False).made == 0
    with pytest.raises(UserError, match=r"add --from control"):
        control.run(config(SYNTAX | {"control.both_ways": True}), folder, progress=False)
    shutil.copytree(folder / "control" / "student", folder / "other")
    (folder / "other" / CONTROLS_FILE).write_text("{}")
    again = config(SYNTAX | {"train_control.model": str(folder / "other")})
    assert control.run(again, folder, progress=False).made == 1
    assert load_controls(str(folder / "control" / "student"), "cpu").vocabulary()
    assert contents(folder, stage="control") == first


def test_workers_and_a_kill_change_no_row(folder: Path) -> None:
    control.run(config(MORE), folder, progress=False)
    first = contents(folder, stage="control")
    shutil.rmtree(folder / "control")
    changes = MORE | {"engine.workers": 2}
    assert run_program(folder, ["control"], MORE, kill_at="measured/00001.parquet").returncode == -9
    assert run_program(folder, ["control"], changes).returncode == 0
    assert contents(folder, stage="control") == first


def test_the_trained_student_keeps_what_it_can_be_asked_for(folder: Path) -> None:
    from recipes.pipeline import train_stage

    settings = MORE | {
        "train_control.epochs": 0.2,
        "train_control.batch_size": 4,
        "train_control.held_out": 0.0,
        "train_control.max_source_tokens": 96,
    }
    control.run(config(settings), folder, progress=False)
    result = train_stage("train_control")(config(settings), folder, progress=False)
    model = folder / "train_control" / "model"
    assert result.rows["pairs"] == len(rows(folder, "control", "control"))
    known, first = load_controls(str(model), "cpu"), load_controls(str(folder / "control" / "student"), "cpu")
    assert known.to_json() == first.to_json()
    assert len(load_student(str(model), "cpu", "float32")[1]) == 4096 + len(known.vocabulary())


def test_a_code_that_leaves_no_source_is_not_trained_on(folder: Path) -> None:
    first = control.run(config(SYNTAX), folder, progress=False)
    known = load_controls(str(folder / "control" / "student"), "cpu")
    sizes = sorted(len(known.symbols({"syntax": row["syntax"]})) for row in rows(folder, "control", "control"))
    assert first.counts["no_room"] == 0
    limit = sizes[len(sizes) // 2] + 1  # the end mark and a code of the middle
    short = control.run(config(SYNTAX | {"train_control.max_source_tokens": limit}), folder, progress=False)
    coded = rows(folder, "control", "control")
    left_out = [row for row in coded if row["failure"]]
    assert 0 < len(left_out) == short.counts["no_room"] == sum(size > limit - 2 for size in sizes) < len(coded)
    assert all(f"this student reads {limit}" in row["failure"] and row["input"] is None for row in left_out)
    trained = read_pairs(sorted((folder / "control" / "control").glob("*.parquet")))
    assert trained.num_rows == len(coded) - len(left_out)
