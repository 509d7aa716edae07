"""The recipes that come after a controlled student: a report, a task of held-out pairs, writing on request."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from idist.config import build_config, to_dict
from idist.controls import Controls
from idist.errors import UserError
from idist.stages._control_student import prepare_student
from recipes import control_report, control_task, control_write
from tests.stages.student import save_tiny_student

PARSER = "embedded:parser"
COMPOSITION: list[dict[str, Any]] = [{"syntax": {"depth": 2, "parser": PARSER, "templates": 0}}, {"length_ratio": {}}]
SENTENCES = ["A man rides a bike.", "In the park, a dog sleeps.", "Two dogs run home.", "A girl sings a song."]
CRITICS = [{"entailment": {"min": 0.4, "model": "embedded:entailment"}}]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with two held-out contexts of which one shares a sentence with training, and a tiny controlled student."""
    run = tmp_path_factory.mktemp("runs") / "a: run"
    settings = {"name": "tiny", "pairs": {"model": "embedded:teacher", "critics": CRITICS}}
    own = {"control": {"controls": COMPOSITION}, "train_control": {"held_out": 0.5, "model": "embedded:student"}}
    config = build_config(settings | own)
    (run / "control" / "control").mkdir(parents=True)
    (run / "config.yaml").write_text(yaml.safe_dump(to_dict(config)))
    (run / "control" / "manifest.json").write_text("{}")
    write_pairs(run, [(f"c{n}", SENTENCES[n % 4], SENTENCES[(n + 1) % 4]) for n in range(8)])
    made = Controls(COMPOSITION, "cpu")
    made.learn(made.measure([(x, y) for x in SENTENCES for y in SENTENCES if x != y]))
    student = save_tiny_student(run / "tiny")
    prepare_student(student, made.to_json(), made.vocabulary(), run / "made", 0)
    (run / "train_control").mkdir()
    (run / "made" / "student").rename(run / "train_control" / "model")
    return run


def write_pairs(run: Path, pairs: list[tuple[str, str, str]], end: str = "") -> None:
    """The table of stage `control`."""
    rows = [
        {"id": f"{context}-{n}{end}", "context_id": context, "x": x, "y": y, "input": x, "target": y}
        for n, (context, x, y) in enumerate(pairs)
    ]
    pq.write_table(pa.Table.from_pylist(rows), run / "control" / "control" / "00000.parquet")


def call(module: Any, monkeypatch: pytest.MonkeyPatch, *arguments: object, stdin: str = "") -> None:
    """The recipe's main, as on the command line."""
    monkeypatch.setattr(sys, "argv", ["recipe", *map(str, arguments)])
    monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
    module.main()


def sides(run: Path) -> tuple[list[str], list[str]]:
    """Contexts that are trained on, and held out."""
    from idist.stages._training_data import read_pairs, split_by_context

    rows = read_pairs([run / "control" / "control" / "00000.parquet"])
    first, second = split_by_context(rows, 0.5, 0)
    return sorted(set(first["context_id"].to_pylist())), sorted(set(second["context_id"].to_pylist()))


def test_a_report_of_codes_with_and_without_values(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sources.txt").write_text("\n".join(SENTENCES[:2]))
    call(control_report, monkeypatch, run, "--sources", tmp_path / "sources.txt", "--candidates", 2)
    said = capsys.readouterr().out
    assert "2 sources, the nearest of 2 candidates each" in said
    assert "syntax: left out, it has no codes" in said and "length_ratio" in said
    report = json.loads((run / "control_report" / "report.json").read_text())
    codes = report["controls"]["length_ratio"]["codes"]
    assert report["candidates"] == 2 and report["controls"]["syntax"]["codes"] == []
    assert [row["code"] for row in codes] == ["1", "2", "3"]
    lines = [json.loads(line) for line in (run / "control_report" / "outputs.jsonl").read_text().splitlines()]
    assert len(lines) == 6 and {line["source"] for line in lines} == set(SENTENCES[:2])


def test_a_row_without_a_value_is_printed_and_not_drawn(tmp_path: Path) -> None:
    nothing = {"code": "1", "share": None, "faithfulness": None, "failures": 2, "mean": None, "low": None, "high": None}
    some = nothing | {"code": "2", "share": 0.5, "faithfulness": 90.0, "failures": 0, "mean": 1, "low": 0, "high": 2}
    report = {
        "sources": 2,
        "candidates": 1,
        "controls": {"length": {"codes": [nothing, some]}, "none": {"codes": [nothing]}},
    }
    said = control_report.table(report).splitlines()
    assert said[3].split() == ["code", "1", "2", "without", "a", "value"]
    assert said[4].split() == ["code", "2", "1.00", "0.00", "to", "2.00", "50%", "90.0"]
    assert control_report.draw(report, tmp_path) == ["control_report.png", "control_report.svg"]
    assert control_report.draw({"controls": {"none": report["controls"]["none"]}}, tmp_path) == []  # type: ignore[index]


def test_a_model_that_is_not_there_leaves_the_last_report(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = run / "control_report" / "outputs.jsonl"
    report.parent.mkdir(exist_ok=True)
    report.write_text("before")
    monkeypatch.setattr(control_report, "_held_out", lambda run: SENTENCES)
    with pytest.raises(UserError, match="Model 'embedded:nothing' does not ship"):
        call(control_report, monkeypatch, run, "--entailment", "embedded:nothing")
    assert report.read_text() == "before"


@pytest.mark.parametrize(("text", "said"), [("\n", "0 sources, expected 2"), ("A man.\n", "1 sources, expected 2")])
def test_too_few_sources(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    (tmp_path / "sources.txt").write_text(text)
    with pytest.raises(UserError, match=said):
        call(control_report, monkeypatch, run, "--sources", tmp_path / "sources.txt")


def test_held_out_pairs_are_not_of_training(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trained, held = sides(run)
    new = [(context, f"A {word} sits.", f"There sits a {word}.") for context, word in zip(held, WORDS, strict=False)]
    old = [(context, "A cook eats.", "There is a cook.") for context in trained]
    write_pairs(run, [*old, *new, (held[0], "A dog sits.", "A cook eats."), (held[1], "There is a cook.", "A cat.")])
    pairs, seen = control_task.held_out_pairs(run)
    assert seen == 2 and sorted(pairs) == sorted(new)
    call(control_task, monkeypatch, run, "--limit", 2, "--parser", PARSER)
    assert f"2 of {2 + len(new)} held-out pairs are left out" in capsys.readouterr().out
    task = yaml.safe_load((run / "held-out-syntax" / "held-out-syntax.yaml").read_text())
    assert task["description"] == "Held-out pairs of the run a: run, each with an exemplar of the reference's syntax"
    rows = [line.split("\t") for line in (run / "held-out-syntax" / "exemplars.tsv").read_text().splitlines()[1:]]
    assert len(rows) == 2 and all(exemplar != reference for _, reference, exemplar in rows)

    write_pairs(run, [*old, *((context, "A cook eats.", "A new one.") for context in held)])
    with pytest.raises(UserError, match="the training has a sentence of each"):
        control_task.held_out_pairs(run)
    write_pairs(run, [*old, *new], end="-rebuilt")
    with pytest.raises(UserError, match="only sentences to be rebuilt are held out"):
        control_task.held_out_pairs(run)


WORDS = ("man", "woman", "dog", "cat", "girl", "boy", "bird", "horse")


def test_exemplars_are_drawn_before_distances(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_task, "CANDIDATES", 4)
    pairs = [(f"c{n}", f"A {word} sits.", f"There sits a {word}.") for n, word in enumerate(WORDS)]
    first = control_task.with_exemplars(pairs, PARSER, 3, 0)
    assert len(first) == 3 and control_task.with_exemplars(pairs, PARSER, 3, 0) == first
    assert len({text for x, y, exemplar in first for text in (y, exemplar)}) <= 4


def test_a_sentence_is_written_for_each_source(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = run / "train_control" / "model"
    text = f"{SENTENCES[0]}\n\n{SENTENCES[1]}\n"
    call(control_write, monkeypatch, model, "--control", "length_ratio:1", "--beams", 1, "--device", "cpu", stdin=text)
    said = capsys.readouterr()
    assert len(said.out.split("\n")) == 4 and said.out.split("\n")[1] == ""
    assert said.err.splitlines()[-2:] == [
        "source 2: the source is empty, expected a sentence.",
        "1 of 3 sources have no text: their lines are empty.",
    ]
    call(control_write, monkeypatch, model, "--list")
    assert "length_ratio:1" in capsys.readouterr().out


def test_a_line_that_is_no_text_is_kept_with_its_reason(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sources.txt"
    path.write_bytes(f"{SENTENCES[0]}\n".encode() + b"A caf\xe9.\n" + f"{SENTENCES[1]}\n".encode())
    model = run / "train_control" / "model"
    monkeypatch.setattr(sys, "argv", ["recipe", str(model), "--beams", "1", "--device", "cpu"])
    with path.open(encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdin", file)
        control_write.main()
    said = capsys.readouterr()
    assert len(said.out.split("\n")) == 4 and said.out.split("\n")[1] == ""
    assert said.err.splitlines()[-2:] == [
        "source 2: the source is not UTF-8 text.",
        "1 of 3 sources have no text: their lines are empty.",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["A man.", " "], "Source 2 of 2 is empty, expected a sentence"),
        ([], "nothing to rewrite"),
        (["A man.", "--control", "template:1"], "another wish: this student has none"),
        (["A man.", "--control", "exemplar:He left; she stayed."], "for a semicolon within a value"),
        (["A man.", "--control", "exemplar"], "'exemplar' has no value, expected KIND:VALUE"),
        (["A man.", "--control", " ; "], "Control is empty, expected KIND:VALUE"),
        (["A man.", "--candidates", "8"], "nothing is asked for, expected --control"),
        (["A \udcff man."], "the source is not UTF-8 text"),
    ],
)
def test_what_cannot_be_written(run: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        call(control_write, monkeypatch, run / "train_control" / "model", *arguments, "--device", "cpu")
