"""Encoder-decoders and students by name."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from eval_harness.registry import discover
from eval_harness.systems.hf_causal import HfCausal
from eval_harness.systems.hf_seq2seq import HfSeq2Seq
from eval_harness.systems.student import Student, student_tokens
from idist.config import TrainConfig
from idist.errors import UserError
from tests.eval_harness.tiny_models import SOURCES, rows, save_tiny


def test_template_and_limit(tiny: dict[str, str]) -> None:
    long = " ".join(["The old dog walks home."] * 30)
    plain = HfSeq2Seq(tiny["t5"], max_new_tokens=6, max_source_tokens=16, device="cpu")
    assert plain.predict(rows([long])) == plain.predict(rows([long + " Snow falls."]))
    templated = HfSeq2Seq(tiny["t5"], max_new_tokens=6, template="two {source} of {exemplar}", device="cpu")
    by_hand = HfSeq2Seq(tiny["t5"], max_new_tokens=6, device="cpu")
    assert templated.predict(rows(["dogs"], "cats")) == by_hand.predict(rows(["two dogs of cats"]))
    with pytest.raises(UserError, match="shows an exemplar"):
        templated.predict(rows(["dogs"]))
    with pytest.raises(UserError, match="expected {source}"):
        HfSeq2Seq(tiny["t5"], template="no slot")


def test_models_of_the_wrong_kind_or_missing(tiny: dict[str, str]) -> None:
    with pytest.raises(UserError, match="has no encoder; for a causal language model use hf-causal:"):
        HfSeq2Seq(tiny["gpt2"]).predict(rows(["x"]))
    with pytest.raises(UserError, match="is an encoder-decoder.* use hf-seq2seq:"):
        HfCausal(tiny["t5"]).predict(rows(["x"]))
    with pytest.raises(UserError, match="did you mean 'student'"):
        HfSeq2Seq("embedded:studnet")
    with pytest.raises(UserError, match="does not exist"):
        HfSeq2Seq("./no/such/folder")
    with pytest.raises(UserError, match="dtype is 'int8'"):
        HfSeq2Seq(tiny["t5"], dtype="int8")


def test_close_frees_and_a_later_prediction_loads_again(tiny: dict[str, str]) -> None:
    system = HfSeq2Seq(tiny["t5"], max_new_tokens=5, device="cpu")
    first = system.predict(rows(SOURCES[:2]))
    system.close()
    assert not system._loaded
    assert system.predict(rows(SOURCES[:2])) == first


def test_tokenizer_without_its_package(tiny: dict[str, str]) -> None:
    def load(*_: str) -> Any:
        raise ImportError("\nMarianTokenizer requires the SentencePiece library.\nmore")

    with pytest.raises(UserError, match=r"MarianTokenizer requires the SentencePiece library; try: pip install"):
        HfSeq2Seq(tiny["t5"]).load(tiny["t5"], load)


def test_student_takes_prompt_and_limits_from_its_training(tmp_path: Path, tiny: dict[str, str]) -> None:
    from idist.models import load_student
    from idist.stages._training_data import encode_sources

    trained = TrainConfig(prompt="rewrite: ", max_source_tokens=14, max_target_tokens=9)
    long = [*SOURCES, " ".join(["the old dog walks home"] * 9)]
    for kind in ("t5", "gpt2"):
        folder = Path(save_tiny(kind, tmp_path / kind / "model"))
        summary = {"config": dataclasses.asdict(trained), "pairs": 3}
        (folder.parent / "training.json").write_text(json.dumps(summary))
        system = Student(str(folder), num_beams=2, device="cpu")
        assert system.settings() == {
            "model": str(folder),
            "template": "rewrite: {source}",
            "max_source_tokens": 14,
            "do_sample": False,
            "num_beams": 2,
            "max_new_tokens": 9,
            "no_repeat_ngram_size": 3,
            "dtype": "float32",
        }
        loaded = load_student(str(folder), "cpu")
        expected = encode_sources(loaded[1], long, trained, kind == "t5")
        assert student_tokens(loaded, ["rewrite: " + source for source in long], 14) == expected
        by_hand = system.write(loaded, expected, [example.id for example in rows(long)])
        assert system.predict(rows(long)) == [" ".join(text.split()) for text in by_hand]


def test_student_without_a_summary(tiny: dict[str, str]) -> None:
    system = Student("embedded:student", device="cpu")
    settings = system.settings()
    assert (settings["template"], settings["max_source_tokens"], settings["max_new_tokens"]) == ("{source}", 128, 128)
    source = "A man is playing the guitar."
    assert system.predict(rows([source])) == [source]  # a denoiser copies what is clean
    changed = Student(tiny["t5"], template="x {source}", max_source_tokens=20, max_new_tokens=7).settings()
    assert (changed["template"], changed["max_source_tokens"], changed["max_new_tokens"]) == ("x {source}", 20, 7)


def test_student_does_not_go_round_in_circles() -> None:
    """On text unlike its training data, beams fill with one phrase again and again."""
    examples = discover().task("scenes-summary").load().examples
    source = next(example for example in examples if "bus company" in example.source)
    tokens = {}
    for size in (0, 3):
        system = Student("embedded:student", no_repeat_ngram_size=size, device="cpu")
        tokens[size] = system.predict([source])[0].split()
    trigrams = {size: list(zip(words, words[1:], words[2:], strict=False)) for size, words in tokens.items()}
    assert len(trigrams[0]) > 2 * len(set(trigrams[0]))
    assert len(trigrams[3]) == len(set(trigrams[3]))
    assert Student("embedded:student").decoding().no_repeat_ngram_size == 3


def test_student_with_a_damaged_summary(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "training.json").write_text("[1]")
    with pytest.raises(UserError, match="cannot be read as the summary of a training"):
        Student(str(folder))
