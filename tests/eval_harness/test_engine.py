"""CTranslate2 as an engine: greedy texts are transformers'; what it cannot do is said when it is asked for."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from eval_harness.registry import discover
from eval_harness.systems import engine as engine_module
from eval_harness.systems.hf_seq2seq import HfSeq2Seq
from eval_harness.systems.local_model import load_encoder_decoder
from eval_harness.systems.student import Student
from idist.errors import UserError
from tests.eval_harness.tiny_models import SOURCES, rows

needs_package = pytest.mark.skipif(importlib.util.find_spec("ctranslate2") is None, reason="pip install ctranslate2")
SENTENCES = [
    "A man in a red shirt is playing the guitar on a street corner while people are watching.",
    "Two dogs run through the snow.",
    "A woman is waiting for the bus with her children.",
    "Three boys are playing football.",
]


@needs_package
@pytest.mark.parametrize("ngram", [0, 3])
def test_greedy_texts_are_those_of_transformers(ngram: int) -> None:
    settings: dict[str, Any] = {"num_beams": 1, "max_new_tokens": 12, "no_repeat_ngram_size": ngram, "device": "cpu"}
    asked = [*rows(SENTENCES + SOURCES), *discover().task("scenes").load(limit=16).examples]
    expected = HfSeq2Seq("embedded:student", **settings).predict(asked)  # some reach the limit, one has no source
    assert HfSeq2Seq("embedded:student", engine="ctranslate2", **settings).predict(asked) == expected
    assert len(set(expected)) > 15


@needs_package
def test_a_student_searches_with_beams() -> None:
    told: list[int] = []
    system = Student("embedded:student", engine="ctranslate2", max_new_tokens=24, device="cpu")
    system.watch(told.append)
    assert system.predict(rows(SENTENCES)) == Student("embedded:student", max_new_tokens=24, device="cpu").predict(
        rows(SENTENCES)
    )
    assert sum(told) == len(SENTENCES)
    system.close()
    assert not system._loaded
    assert system.predict(rows(SENTENCES[1:2]))[0]


@needs_package
def test_models_that_it_does_not_serve(tiny: dict[str, str]) -> None:
    with pytest.raises(UserError, match="serves models of the families mt5, t5 here, .* is of bart"):
        HfSeq2Seq(tiny["bart"], engine="ctranslate2").predict(rows(["x"]))
    with pytest.raises(UserError, match="is of gpt2"):
        Student(tiny["gpt2"], engine="ctranslate2").predict(rows(["x"]))


@needs_package
def test_a_generation_config_that_it_does_not_heed(tiny: dict[str, str]) -> None:
    system = HfSeq2Seq(tiny["t5"], engine="ctranslate2", device="cpu")
    system.load(tiny["t5"], load_encoder_decoder)[0].generation_config.min_new_tokens = 4
    with pytest.raises(UserError, match="sets min_new_tokens, which engine ctranslate2 does not heed"):
        system.predict(rows(["x"]))


def test_the_engine_is_part_of_the_signature_where_it_is_not_the_usual_one(
    tiny: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "find_spec", lambda name: object())
    usual, other = HfSeq2Seq(tiny["t5"]), HfSeq2Seq(tiny["t5"], engine="ctranslate2")
    assert "engine" not in usual.settings() and other.settings()["engine"] == "ctranslate2"
    assert usual.fingerprint() != other.fingerprint()


def test_mistakes_are_found_before_a_model_is_loaded(tiny: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="engine is 'vllm', expected transformers or ctranslate2"):
        HfSeq2Seq(tiny["t5"], engine="vllm")
    with pytest.raises(UserError, match="does not sample"):
        HfSeq2Seq(tiny["t5"], engine="ctranslate2", do_sample=True)
    monkeypatch.setattr(engine_module, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'idist\[ctranslate2\]'"):
        HfSeq2Seq(tiny["t5"], engine="ctranslate2")
