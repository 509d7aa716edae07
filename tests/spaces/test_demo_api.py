"""The demo's functions for programs, over its queue: plain answers, sentences for bad input, nobody lost."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from demo.studio import Studio

pytest.importorskip("gradio_client", reason="gradio is not installed")

ROOT = Path(__file__).parents[2]
DOCUMENTED = re.compile(r"`/(\w+)`")


@pytest.fixture(scope="module")
def person(address: str) -> Any:
    from gradio_client import Client

    return Client(address, verbose=False)


def test_the_answer_is_the_studios(person: Any, studio: Studio) -> None:
    asked = {"sentence": "A man rides a bike.", "candidates": 3, "temperature": 1.5, "seed": 4}
    answer, here = person.predict(**asked, api_name="/paraphrase"), studio.rewrite("paraphrase", **asked)
    assert answer | {"seconds": 0} == here | {"seconds": 0}


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("/paraphrase", {"sentence": ""}, "is empty"),
        ("/paraphrase", {"sentence": "A man rides a bike.", "candidates": 500}, "expected 1 to 10"),
        ("/syntax", {"sentence": "A man rides a bike.", "control": "tree:(S (NP"}, "no tree"),
        ("/syntax", {"sentence": "A man rides a bike.", "control": ""}, "Control is empty"),
        ("/summarize", {"sentence": "A man rides a bike."}, "recipes/distill.py"),
    ],
)
def test_bad_input_comes_back_as_a_sentence(person: Any, name: str, asked: dict[str, Any], said: str) -> None:
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError, match=said) as caught:
        person.predict(**asked, api_name=name)
    assert "Traceback" not in str(caught.value) and '.py"' not in str(caught.value)


def test_what_is_documented_is_what_there_is(person: Any) -> None:
    named = set(DOCUMENTED.findall((ROOT / "docs" / "demo.md").read_text(encoding="utf-8")))
    assert named == {name.strip("/") for name in person.view_api(return_format="dict")["named_endpoints"]}


def test_the_funnel_is_the_datasets(person: Any) -> None:
    told = person.predict(api_name="/funnel")
    steps = told["pairs"]["funnel"]["steps"]
    assert steps[0]["name"] == "rouge_l" and steps[0]["seen"] > told["pairs"]["funnel"]["kept"] > 0


def test_a_crowd_is_answered_or_refused_and_nobody_lost(address: str) -> None:
    from benchmarks.load_test import crowd

    outcomes = [outcome for outcome, _ in crowd(address, 8)]
    assert len(outcomes) == 8 and set(outcomes) <= {"answered", "told"}
    assert outcomes.count("told") >= 2  # the two that asked nothing
