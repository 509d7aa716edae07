"""Copying, leading, prediction files."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from eval_harness import specs
from eval_harness.builtin import BUILT_IN
from eval_harness.registry import discover
from eval_harness.systems.copy_input import CopyInput
from eval_harness.systems.lead import Lead
from eval_harness.systems.predictions import Predictions
from eval_harness.tasks.base import TaskData
from idist.errors import UserError
from tests.eval_harness.tiny_models import SOURCES, Toy, rows


def test_copy_input() -> None:
    system = CopyInput()
    assert system.predict(rows(SOURCES)) == SOURCES
    assert system.settings() == {} and len(system.fingerprint()) == 16


def test_lead_cuts_where_the_published_one_does() -> None:
    source = "officials   in the northern province said on thursday that the bridge would be closed again"
    (seventy_five,) = Lead().predict(rows([source]))
    assert seventy_five == source[:75] and len(seventy_five) == 75
    assert Lead(words=4).predict(rows([source])) == ["officials in the northern"]
    assert Lead(characters=10).predict(rows([source, "short", ""])) == ["officials", "short", ""]
    assert Lead().settings() == {"characters": 75} and Lead(words=8).settings() == {"words": 8}
    for wrong in ({"words": 3, "characters": 3}, {"words": 0}, {"characters": -1}):
        with pytest.raises(UserError, match="expected"):
            Lead(**wrong)


def test_every_system_registers_and_says_what_it_is() -> None:
    registry = discover()
    for name in BUILT_IN["system"]:
        kind = registry.load("system", name)
        assert dataclasses.is_dataclass(kind) and kind.__doc__
    assert registry.system("lead,words=8").settings() == {"words": 8}
    assert list(specs.dials(Lead)) == ["words", "characters"]
    for name in ("hf-seq2seq", "hf-causal", "back-translation", "idist", "chat"):
        assert next(iter(specs.dials(registry.load("system", name)))) == "model"


def data() -> TaskData:
    return Toy().load()


def begun(path: Path) -> Predictions:
    system = Predictions(str(path))
    system.begin(Toy(), data())
    return system


def test_predictions_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_bytes("\ufeffone\r\n\r\nthree, with \u2028 and \x85 inside\n".encode())
    system = begun(path)
    examples = data().examples
    assert system.predict(examples) == ["one", "", "three, with \u2028 and \x85 inside"]
    assert system.predict(examples[2:]) == ["three, with \u2028 and \x85 inside"]  # chunks, in any order
    assert Predictions(str(path)).predict(examples)[0] == "one"  # without a task


@pytest.mark.parametrize("ids", [True, False])
def test_predictions_in_json_lines(tmp_path: Path, ids: bool) -> None:
    path = tmp_path / "out.jsonl"
    lines = [{"id": f"e{i}", "prediction": text} for i, text in ((2, "three\n"), (0, None), (1, "zwei \ud83d"))]
    if not ids:
        lines = [{"prediction": line["prediction"]} for line in (lines[1], lines[2], lines[0])]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    system = begun(path)
    assert system.predict(data().examples) == ["", "zwei ?", "three"]
    assert system.failures == {"e0": "null in the file"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"one\ntwo\n", r"has 2 predictions, expected 3: so many examples has task 'toy'"),
        ("a.txt", b"", r"has 0 predictions, expected 3"),
        ("a.txt", b"one\n\xff\nthree", r"a.txt, line 2: not UTF-8"),
        (
            "a.jsonl",
            b'{"prediction": "1"}\n{"prediction": 2}\n{"prediction": "3"}',
            r"line 2: prediction is 2, expected",
        ),
        ("a.jsonl", b'{"prediction": "1"}\noops\n{}', r"line 2: not JSON"),
        ("a.jsonl", b'{"prediction": "1"}\n{"text": "x"}\n{}', r"line 2: found text, expected an object with"),
        ("a.jsonl", b'{"prediction": "1"}\n["x"]\n{}', r"line 2: found list"),
        ("a.jsonl", b'{"id": "e0", "prediction": "1"}\n{"prediction": "2"}\n{"prediction": "3"}', r"line 2: no id"),
        (
            "a.jsonl",
            b'{"id": "e0", "prediction": "1"}\n{"id": "e9", "prediction": "2"}\n{"id": "e1", "prediction": "3"}',
            r"line 2: task 'toy' has no example with the id 'e9'",
        ),
        (
            "a.jsonl",
            b'{"id": "e0", "prediction": "1"}\n{"id": "e1", "prediction": "2"}\n{"id": "e0", "prediction": "3"}',
            r"line 3: the id 'e0' comes a second time",
        ),
    ],
)
def test_malformed_predictions(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        begun(path)


def test_predictions_of_several_tasks(tmp_path: Path) -> None:
    (tmp_path / "toy.txt").write_text("1\n2\n3\n")
    system = Predictions(str(tmp_path / "{task}.txt"))
    system.begin(Toy(), data())
    assert system.predict(data().examples) == ["1", "2", "3"]
    with pytest.raises(UserError, match=r"other.txt cannot be read: No such file"):
        system.begin(Toy("other"), data())
    with pytest.raises(UserError, match="does not exist"):
        Predictions(str(tmp_path / "none.txt"))


def test_fingerprint_of_predictions_is_that_of_the_content(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("1\n2\n3\n")
    before = Predictions(str(path)).fingerprint()
    path.write_text("1\n2\n4\n")
    assert Predictions(str(path)).fingerprint() != before
