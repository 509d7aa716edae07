"""Prompt files, and the causal models that are prompted with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eval_harness.systems.hf_causal import HfCausal, _end
from eval_harness.systems.hf_seq2seq import HfSeq2Seq
from eval_harness.systems.prompts import FOLDER, fill, load_prompt
from idist.errors import UserError
from tests.eval_harness.tiny_models import rows


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        (" A dog. It sleeps.\nMore", " A dog. It sleeps.", " A dog."),
        ("\n\nA dog\nMore", "\n\nA dog", "\n\nA dog"),
        ("A dog", None, None),
        ("A dog.", None, "A dog."),
        ("", None, None),
        ("\n", None, None),
        ("Mr. Bo sleeps. Yes", None, "Mr. Bo sleeps."),
    ],
)
def test_where_an_answer_ends(text: str, line: str | None, sentence: str | None) -> None:
    for stop, expected in (("line", line), ("sentence", sentence)):
        end = _end(text, stop)
        assert (None if end is None else text[:end]) == expected


@pytest.mark.parametrize("stop", ["line", "sentence"])
def test_stopping_early_changes_nothing(stop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The teacher writes documents of several sentences; its answers are those of a run that never stops early."""
    scene = tmp_path / "scene.yaml"  # in the teacher's own language: a document that goes on
    scene.write_text('instruction: "A park."\ninput: "{source}"\noutput: "A woman"\n')
    settings = {"max_new_tokens": 60, "stop": stop, "do_sample": True, "device": "cpu"}
    system = HfCausal("embedded:teacher", prompt=str(scene), **settings)
    examples = rows(["A man is standing in the street."] * 6)
    lengths: list[int] = []
    whole = system.load("embedded:teacher", _load_causal)[0]
    generate = whole.generate

    def counted(**inputs: Any) -> Any:
        output = generate(**inputs)
        lengths.append(output.shape[1])
        return output

    monkeypatch.setattr(whole, "generate", counted)
    answers = system.predict(examples)
    monkeypatch.setattr(system, "_ended", lambda text: False)
    assert system.predict(examples) == answers
    assert all("\n" not in answer for answer in answers) and len(set(answers)) > 3
    if stop == "sentence":
        assert lengths[0] < lengths[1]


def _load_causal(name: str, device: str, dtype: str) -> Any:
    from idist.models import load_causal_lm

    return load_causal_lm(name, device, dtype)


def test_prompts_that_do_not_fit(tiny: dict[str, str]) -> None:
    with pytest.raises(UserError, match=r"max_new_tokens is 200 and the longest prompt has \d+ tokens.* 256 positions"):
        HfCausal(tiny["gpt2"], shots=5, max_new_tokens=200, device="cpu").predict(rows(["A dog."]))
    with pytest.raises(UserError, match="only 64 positions"):
        HfSeq2Seq(tiny["bart"], max_new_tokens=64, device="cpu").predict(rows(["A dog."]))


def test_chat_template(tiny: dict[str, str]) -> None:
    system = HfCausal(tiny["gpt2"], max_new_tokens=5, chat_template=True, device="cpu")
    with pytest.raises(UserError, match="has no chat template"):
        system.predict(rows(["A dog."]))
    _, tokenizer = system._loaded[tiny["gpt2"]]
    tokenizer.chat_template = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>"
    ids = system._encode(tokenizer, rows(["A dog."])[0])
    told = load_prompt("paraphrase").instruction
    assert tokenizer.decode(ids) == f"<system>{told}<user>Sentence: A dog.<assistant>"
    assert len(system.predict(rows(["A dog."]))) == 1


def test_shipped_prompts() -> None:
    for name in ("paraphrase", "syntax", "summary"):
        prompt = load_prompt(name)
        example = rows(["A {source} dog."], "An {exemplar}." if name == "syntax" else None)[0]
        text = prompt.completion(example, 5)
        assert len(prompt.shots) == 5 and text.count(prompt.output) == 6 and text.endswith(prompt.output)
        assert "A {source} dog." in text  # braces in a text stay
        assert prompt.completion(example, 0).count(prompt.output) == 1
        messages = prompt.messages(example, 5)
        assert [m["role"] for m in messages] == ["system", *["user", "assistant"] * 5, "user"]
        for shot in prompt.shots:
            assert shot.target in text and (shot.exemplar is None) == (name != "syntax")
            if name == "summary":
                assert len(shot.target) < 0.8 * len(shot.source)


def test_shots_are_not_in_the_bundled_benchmark() -> None:
    bundled = "\n".join(
        path.read_text(encoding="utf-8").lower() for path in (FOLDER.parent / "data").glob("scenes_*.tsv")
    )
    assert bundled
    for name in ("paraphrase", "syntax", "summary"):
        for shot in load_prompt(name).shots:
            assert shot.source.lower() not in bundled and shot.target.lower() not in bundled


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- a list", "holds list, expected the keys instruction, input, output, shots"),
        ("instruction: a\ninput: '{source}'\n", "output is None, expected a text"),
        ("instruction: a\ninput: b\noutput: c", "expected {source} in it"),
        ("instruction: a\ninput: '{source}'\noutput: c\nshot: []", "did you mean 'shots'"),
        ("instruction: a\ninput: '{source}'\noutput: c\nshots: 3", "shots is 3, expected a list"),
        ("instruction: a\ninput: '{source}'\noutput: c\nshots: [x]", r"shots\[0\] is 'x'"),
        ("instruction: a\ninput: '{source}'\noutput: c\nshots: [{source: a}]", r"shots\[0\].target is None"),
        ("instruction: [", "is not YAML"),
    ],
)
def test_malformed_prompt_files(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        load_prompt(str(path))


def test_own_prompt_file_decides_the_fingerprint(tmp_path: Path, tiny: dict[str, str]) -> None:
    paths = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    for path, word in zip(paths, ("Say", "Tell"), strict=True):
        path.write_text(f'instruction: {word} it\ninput: "In: {{source}}"\noutput: "Out:"\n')
    systems = [HfCausal(tiny["gpt2"], prompt=str(path)) for path in paths]
    assert load_prompt(str(paths[0])).completion(rows(["x"])[0], 0) == "Say it\n\nIn: x\nOut:"
    assert systems[0].settings()["prompt_digest"] != systems[1].settings()["prompt_digest"]
    assert fill("{source} {other}", rows(["{exemplar}"])[0], "t") == "{exemplar} {other}"
