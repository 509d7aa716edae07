"""The harness asks a controlled student: exemplars of a task, one wish for all, rows that have no code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eval_harness.registry import discover
from eval_harness.systems.student import Student
from eval_harness.tasks.base import Example, TaskData
from idist.controls import Controls
from idist.errors import UserError
from idist.stages._control_student import prepare_student
from tests.stages.student import save_tiny_student

EXAMPLES = [
    Example("a", "A man rides a bike.", ("",), exemplar="In the park, a dog sleeps."),
    Example("b", "Two dogs run.", ("",), exemplar=" "),
    Example("c", "A girl sings a song.", ("",), exemplar="A boy eats."),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny student with tokens for codes of syntax and of length."""
    folder = tmp_path_factory.mktemp("controlled")
    made = Controls([{"syntax": {"depth": 3, "parser": "embedded:parser"}}, {"length_ratio": {}}], "cpu")
    made.learn(made.measure([(e.source, "A boy eats.") for e in EXAMPLES] + [("A cat.", "A cat sleeps here.")]))
    prepare_student(save_tiny_student(folder / "tiny"), made.to_json(), made.vocabulary(), folder, 0)
    return str(folder / "student")


def read(student: Student, examples: list[Example]) -> list[str]:
    wanted = student._wanted(examples)
    return student._inputs([example for example in examples if example.id in wanted], wanted)


def test_each_example_is_asked_for_its_exemplar(model: str) -> None:
    student = Student(model, control="exemplar", device="cpu", max_new_tokens=8)
    predictions = student.predict(EXAMPLES)
    assert list(student.failures) == ["b"] and "cannot be parsed" in student.failures["b"]
    assert predictions[1] == "" and len(predictions) == 3
    alone = Student(model, control="exemplar", device="cpu", max_new_tokens=8)
    assert alone.predict(EXAMPLES[2:]) == predictions[2:]


def test_an_example_without_an_exemplar_is_a_failure(model: str) -> None:
    student = Student(model, control="exemplar", device="cpu", max_new_tokens=8)
    assert student.predict([Example("e", "A man rides a bike.", ("",))]) == [""]
    assert student.failures == {"e": "exemplar '' cannot be parsed (no tree: empty), expected a sentence."}
    first, third = read(student, EXAMPLES)
    assert (
        first.startswith("<(S><") and first.endswith(" A man rides a bike.") and third.endswith(" A girl sings a song.")
    )


def test_one_wish_for_all(model: str) -> None:
    student = Student(model, control="template:1;length_ratio:2", device="cpu", max_new_tokens=8)
    texts = read(student, EXAMPLES)
    assert len({text.removesuffix(example.source) for text, example in zip(texts, EXAMPLES, strict=True)}) == 1
    assert "<length_ratio=2> A man" in texts[0]


def test_the_nearest_candidate_is_taken(model: str) -> None:
    settings: dict[str, Any] = {"control": "exemplar", "device": "cpu", "max_new_tokens": 8}
    one, many = Student(model, **settings), Student(model, candidates=12, **settings)
    alone, chosen = one.predict(EXAMPLES), many.predict(EXAMPLES)
    assert many.predict(EXAMPLES) == chosen and chosen[1] == "" and one.fingerprint() != many.fingerprint()
    kept = [number for number in (0, 2) if chosen[number]]
    wanted = [one._wanted(EXAMPLES)[EXAMPLES[number].id] for number in kept]
    before, after = (
        one._controls.apart(wanted, [(EXAMPLES[number].source, texts[number]) for number in kept])
        for texts in (alone, chosen)
    )
    assert all(near <= far for near, far in zip(after, before, strict=True)) and chosen != alone


def test_the_critic_comes_before_the_distance(model: str) -> None:
    student = Student(model, control="exemplar", candidates=3, critic="embedded:entailment", device="cpu")
    example, far, near = EXAMPLES[2], "A girl sings a song in the park.", "A boy eats."
    faithful = "A girl is singing."
    said = student._nearest([example], student._wanted([example]), {"c": [far, near, faithful]})["c"]
    assert said[0] == faithful and said[-1] != faithful
    plain = Student(model, control="exemplar", candidates=3, device="cpu")
    assert plain._nearest([example], plain._wanted([example]), {"c": [far, near, faithful]})["c"][0] == near


def test_only_failures_need_no_model(model: str) -> None:
    student = Student(model, control="exemplar", device="cpu")
    assert student.predict(EXAMPLES[1:2]) == [""] and "b" in student.failures


def test_what_decides_the_output_is_in_the_fingerprint(model: str) -> None:
    plain, asked = Student(model, device="cpu"), Student(model, device="cpu", control="exemplar")
    assert "control" not in plain.settings() and asked.settings()["control"] == "exemplar"
    assert plain.fingerprint() != asked.fingerprint()
    assert asked.models() == {"model": model, "parser": "embedded:parser", "parser_encoder": "embedded:encoder"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"control": "template:99"}, "expected a number from 1 to"),
        ({"control": "tree:(S"}, "is no tree"),
        ({"control": "length_ratio:9"}, "expected one of: 1, 2"),
        ({"control": "exemplars"}, "expected KIND:VALUE"),
        ({"control": "exemplr:A dog."}, "did you mean 'exemplar'?"),
        ({"parser": "embedded:parser"}, "set control=exemplar"),
        ({"candidates": 4}, "candidates is set but no control"),
        ({"control": "exemplar", "critic": "embedded:entailment"}, "nothing to choose from; set candidates=8"),
        ({"control": "exemplar", "candidates": 0}, "candidates is 0, expected 1 or more"),
    ],
)
def test_wishes_that_no_example_can_have_are_refused_at_once(model: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as refused:
        Student(model, device="cpu", **settings)
    assert said in str(refused.value)


def test_a_student_without_controls_cannot_be_asked() -> None:
    with pytest.raises(UserError, match="trained without controls"):
        Student("embedded:student", control="exemplar")


def test_a_task_without_exemplars(model: str, tmp_path: Path) -> None:
    registry = discover()
    student = registry.system(f"idist:{model},control=exemplar")
    for name, fits in (("scenes-syntax", True), ("scenes", False)):
        task = registry.task(name)
        data = task.load(tmp_path, 2)
        assert isinstance(data, TaskData)
        if fits:
            student.begin(task, data)
        else:
            with pytest.raises(UserError, match="Task 'scenes' has no exemplars"):
                student.begin(task, data)


def test_a_code_that_leaves_no_source_is_a_failure(model: str) -> None:
    wish = {"control": "template:1", "device": "cpu", "max_new_tokens": 4}
    plain = Student(model, **wish)
    symbols = plain._controls.symbols(plain._wanted(EXAMPLES[:1])["a"])
    enough = Student(model, max_source_tokens=len(symbols) + 2, **wish)  # one token of the source and the end mark
    assert enough.predict(EXAMPLES[:1]) and not enough.failures
    short = Student(model, max_source_tokens=len(symbols) + 1, **wish)
    assert short.predict(EXAMPLES[:1]) == [""]
    said = f"the code has {len(symbols)} tokens, this student reads {len(symbols) + 1}"
    assert short.failures["a"].startswith(said)
