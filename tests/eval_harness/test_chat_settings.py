"""What decides a chat model's answers and how they are read; and where its key goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eval_harness import specs
from eval_harness.systems.chat import Chat, is_refusal, unquoted
from eval_harness.systems.chat_client import _retry_after
from eval_harness.tasks.base import Example, TaskData
from idist.errors import UserError
from tests.eval_harness.chat_server import KEY, Server, examples
from tests.eval_harness.tiny_models import Toy


def test_retry_after_that_cannot_be_read() -> None:
    assert _retry_after("soon") == _retry_after(None) == _retry_after("-3") == 0
    assert _retry_after("Sun, 06 Nov 1994 08:49:37 GMT") == 0
    assert _retry_after("2.5") == 2.5


def test_key_is_nowhere(server: Server, make: Callable[..., Chat], tmp_path: Path, capsys: Any, caplog: Any) -> None:
    caplog.set_level("DEBUG")
    system = make()
    system.predict(examples(2))
    told = [repr(system), json.dumps(system.settings()), system.fingerprint(), caplog.text, *capsys.readouterr()]
    told += [path.read_text() for path in tmp_path.rglob("*.json")]
    assert len(told) == 8 and not any(KEY in text for text in told)


def test_stored_token_is_never_sent_to_another_server(
    server: Server, make: Callable[..., Chat], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("HF_TOKEN", "hf_of_another_place")
    make().predict(examples(1))
    assert server.keys == {"Bearer none"}


def test_key_from_a_named_variable(server: Server, make: Callable[..., Chat], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "abc")
    make(api_key_env="MY_KEY").predict(examples(1))
    assert server.keys == {"Bearer abc"}
    with pytest.raises(UserError, match="The environment variable NO_SUCH_KEY is not set"):
        make(api_key_env="NO_SUCH_KEY", seed=1).predict(examples(1))


def test_bad_settings(make: Callable[..., Chat], monkeypatch: pytest.MonkeyPatch) -> None:
    for settings, message in (
        ({"base_url": "http://me:secret@host/v1"}, "user name, password or query"),
        ({"base_url": "http://host/v1?key=secret"}, "user name, password or query"),
        ({"base_url": "host:80"}, "expected an address"),
        ({"api_key_env": "sk-abc"}, "expected that of an environment variable"),
        ({"concurrency": 0}, "concurrency is 0"),
        ({"shots": 9}, "expected 0 to 5"),
        ({"prompt": "sumary"}, "did you mean 'summary'"),
    ):
        with pytest.raises(UserError, match=message) as caught:
            make(**settings)
        assert "secret" not in str(caught.value) and "sk-abc" not in str(caught.value)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(UserError, match="HF_TOKEN is not set"):
        make(base_url=None).predict(examples(1))


def test_settings_name_what_decides_the_answer(make: Callable[..., Chat]) -> None:
    settings = make().settings()
    assert set(settings) == {
        "model", "base_url", "prompt", "prompt_digest", "shots", "temperature", "top_p", "max_tokens", "seed"
    }  # fmt: skip
    assert make(concurrency=1, timeout=3.0).fingerprint() == make().fingerprint()
    prints = {make(**s).fingerprint() for s in ({}, {"seed": 1}, {"shots": 1}, {"prompt": "summary"}, {"top_p": 0.5})}
    assert len(prints) == 5


def test_spec_string(server: Server) -> None:
    spec = specs.parse(f"chat:org/model:8b,base_url={server.url},temperature=none,shots=3")
    system = specs.construct(Chat, spec)
    assert (system.model, system.temperature, system.shots) == ("org/model:8b", None, 3)


def test_prompt_follows_the_purpose_of_the_task(server: Server, make: Callable[..., Chat]) -> None:
    data = TaskData.of(examples(1), "local")
    for purpose, word in (("summary", "Summarize"), ("paraphrase", "Rewrite")):
        system = make()
        system.begin(Toy(purpose=purpose), data)
        system.predict(data.examples)
        assert server.requests[-1]["messages"][0]["content"].startswith(word)
    named = make(prompt="summary")
    named.begin(Toy(), data)
    named.predict(examples(2))
    assert server.requests[-1]["messages"][0]["content"].startswith("Summarize")
    row = Example("x", "A dog sleeps.", ("r",), exemplar="There is a cat.")
    make().predict([row])
    assert server.requests[-1]["messages"][-1]["content"] == "Sentence: A dog sleeps.\nExample: There is a cat."


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        ("I'm sorry, but I can't assist with that.", "A man.", True),
        ("I’m unable to provide a paraphrase.", "A man.", True),
        ("As an AI language model, I cannot comply.", "A man.", True),
        ("I cannot find my keys.", "My keys are lost.", False),
        ("I'm sorry that I could not help you move.", "I am sorry I didn't help with the move.", False),
        ("A man says that he is sorry and cannot help.", "A man.", False),
    ],
)
def test_refusals_are_told_from_answers(text: str, source: str, expected: bool) -> None:
    assert is_refusal(text, source) is expected


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        ('"A dog."', "A cat.", "A dog."),
        ("“A dog.”", "A cat.", "A dog."),
        ('"A dog." said "Bo"', "A cat.", '"A dog." said "Bo"'),
        ('"A dog."', '"A cat."', '"A dog."'),
        ('""', "A cat.", '""'),
        ("A dog", "A cat.", "A dog"),
    ],
)
def test_quotation_marks_around_an_answer(text: str, source: str, expected: str) -> None:
    assert unquoted(text, source) == expected
