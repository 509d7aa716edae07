"""The chat system against a server on loopback that answers, refuses, stalls, hangs up and talks nonsense."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from eval_harness.systems.chat import Chat
from eval_harness.tasks.base import Example
from idist.errors import UserError
from tests.eval_harness.chat_server import KEY, Server, completion, examples


def test_order_is_kept_and_concurrency_bounded(server: Server, make: Callable[..., Chat]) -> None:
    server.script = lambda source, number: 0.12 if source.endswith("0.") else 0.03
    rows = examples(24)
    assert make(concurrency=4).predict(rows) == [row.source.upper() for row in rows]
    assert 2 <= server.most_at_once <= 4


def test_request_holds_prompt_and_decoding(server: Server, make: Callable[..., Chat]) -> None:
    make(shots=2, top_p=0.9, seed=5).predict(examples(1))
    (body,) = server.requests
    assert [message["role"] for message in body["messages"]] == ["system", *["user", "assistant"] * 2, "user"]
    assert (body["model"], body["temperature"], body["top_p"], body["seed"], body["max_tokens"]) == (
        "m",
        0,
        0.9,
        5,
        256,
    )
    assert server.keys == {f"Bearer {KEY}"}
    make(temperature=None, max_tokens=None).predict(examples(1))
    assert not {"temperature", "max_tokens", "top_p", "seed"} & set(server.requests[-1])


@pytest.mark.parametrize(
    "fault",
    [
        (429, {"error": {"message": "slow down"}}, {}),
        (500, {"error": "oops"}, {}),
        (500, ["a list"], {}),
        (502, b"<html>bad gateway</html>", {"Content-Type": "text/html"}),
        (503, b"", {}),
        "drop",
        b"{not JSON",
        b"[]",
        {"choices": []},
        {"choices": [{"message": None}]},
        {"error": "in a 200"},
        b"\xff\xfe",
    ],
    ids=str,
)
def test_passing_faults_are_asked_again(server: Server, make: Callable[..., Chat], fault: Any) -> None:
    server.script = lambda source, number: fault if number <= 2 else completion(source.upper())
    system = make()
    rows = examples(3)
    assert system.predict(rows) == [row.source.upper() for row in rows]
    assert not system.failures
    assert system.usage() == {"requests": 9, "retries": 6, "tokens": 21}


def test_slow_answers_run_into_the_timeout(server: Server, make: Callable[..., Chat]) -> None:
    server.script = lambda source, number: 0.8 if number == 1 else completion("fast")
    start = time.monotonic()
    assert make(timeout=0.2).predict(examples(1)) == ["fast"]
    assert time.monotonic() - start < 0.8


@pytest.mark.parametrize("date", [False, True])
def test_retry_after_holds_for_all_threads(server: Server, make: Callable[..., Chat], date: bool) -> None:
    # a date has whole seconds: two of them are at least one
    header = (lambda: formatdate(time.time() + 2, usegmt=True)) if date else (lambda: "1")
    server.script = lambda source, number: (
        (429, b"", {"Retry-After": header()}) if len(server.requests) == 1 else completion("x")
    )
    make(concurrency=1).predict(examples(3))
    assert server.times[1] - server.times[0] > 0.9
    assert len(server.times) == 4


def test_server_that_asks_for_too_long_a_wait(server: Server, make: Callable[..., Chat]) -> None:
    server.script = lambda source, number: (429, {"error": "daily limit"}, {"Retry-After": "86400"})
    with pytest.raises(UserError, match=r"chat:m at http.*HTTP 429: daily limit; the server asks to wait for 86400 s"):
        make().predict(examples(2))


def test_answers_are_cached_by_request(server: Server, make: Callable[..., Chat]) -> None:
    rows = examples(4)
    first = make().predict(rows)
    again = make()
    assert again.predict(rows) == first
    assert len(server.requests) == 4 and again.usage() == {"cached": 4}
    for other in ({"temperature": 0.5}, {"seed": 1}, {"shots": 1}, {"max_tokens": 9}):
        make(**other).predict(rows[:1])
    assert len(server.requests) == 8


def test_damaged_cache_is_asked_again(server: Server, make: Callable[..., Chat], tmp_path: Path) -> None:
    make().predict(examples(3))
    files = sorted((tmp_path / "cache").rglob("*.json"))
    for file, content in zip(files, ("{", "[]", '{"request": 1, "answer": "x"}'), strict=True):
        file.write_text(content)
    assert make().predict(examples(3)) == [row.source.upper() for row in examples(3)]
    assert len(server.requests) == 6


def test_same_source_is_asked_once(server: Server, make: Callable[..., Chat]) -> None:
    rows = [Example("a", "same.", ("r",)), Example("b", "same.", ("r",))]
    assert make().predict(rows) == ["SAME.", "SAME."]
    assert len(server.requests) == 1


def test_interrupted_run_keeps_what_came(server: Server, make: Callable[..., Chat]) -> None:
    server.script = lambda source, number: (
        completion("kept") if source.endswith(("0.", "1.", "2.")) else (401, {"error": "expired"}, {})
    )
    with pytest.raises(UserError, match="HTTP 401: expired"):
        make(concurrency=1).predict(examples(6))
    server.script = lambda source, number: completion("new")
    before = len(server.requests)
    assert make().predict(examples(6)) == ["kept"] * 3 + ["new"] * 3
    assert len(server.requests) == before + 3


def test_refusals_and_empty_answers_are_counted_and_asked_again(server: Server, make: Callable[..., Chat]) -> None:
    replies = [
        completion("", "content_filter"),
        completion(None, refusal="I must decline."),
        completion("  "),
        completion("I'm sorry, but I can't assist with that request."),
        (400, {"error": {"message": "The response was filtered: content management policy"}}, {}),
        completion('"Quoted text."'),
    ]
    server.script = lambda source, number: replies[int(source.split()[-1].rstrip("."))]
    system = make(concurrency=1)
    assert system.predict(examples(6)) == [""] * 5 + ["Quoted text."]
    assert {identifier: reason.split()[0] for identifier, reason in system.failures.items()} == {
        "e0": "refused:",
        "e1": "refused:",
        "e2": "empty",
        "e3": "refused:",
        "e4": "refused:",
    }
    assert (system.counts["refused"], system.counts["empty"]) == (4, 1)
    server.script = lambda source, number: completion("better now")
    again = make()
    assert again.predict(examples(6)) == ["better now"] * 5 + ["Quoted text."]
    assert not again.failures


def test_one_bad_request_is_one_failure(server: Server, make: Callable[..., Chat]) -> None:
    server.script = lambda source, number: (
        (400, {"error": {"message": "too long"}}, {}) if "number 1." in source else completion("ok")
    )
    system = make()
    assert system.predict(examples(4)) == ["ok", "", "ok", "ok"]
    assert list(system.failures) == ["e1"] and "HTTP 400" in system.failures["e1"]
    assert server.seen["sentence number 1."] == 1  # not repeated


def test_request_that_never_succeeds_is_one_failure(server: Server, make: Callable[..., Chat]) -> None:
    server.script = lambda source, number: (500, b"", {}) if "number 2." in source else completion("ok")
    system = make(retries=2)
    assert system.predict(examples(4)) == ["ok", "ok", "", "ok"]
    assert system.failures == {"e2": "no answer after 3 tries: HTTP 500"}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_wrong_key_or_model_stops_at_once(server: Server, make: Callable[..., Chat], status: int) -> None:
    server.script = lambda source, number: (status, {"error": {"message": f"no good: {KEY}"}}, {})
    with pytest.raises(UserError, match=f"HTTP {status}") as caught:
        make(concurrency=2).predict(examples(40))
    assert KEY not in str(caught.value) and "***" in str(caught.value)
    assert len(server.requests) < 10


def test_server_that_always_fails_stops_the_run(server: Server, make: Callable[..., Chat]) -> None:
    server.script = lambda source, number: (400, {"error": {"message": "temperature is not supported"}}, {})
    with pytest.raises(UserError, match="temperature is not supported"):
        make(concurrency=1).predict(examples(40))
    assert len(server.requests) == 5


def test_no_server_there(server: Server, make: Callable[..., Chat]) -> None:
    with pytest.raises(UserError, match=r"gives no answers: no answer after 2 tries: the connection failed"):
        make(base_url="http://127.0.0.1:9/v1", retries=1, concurrency=1).predict(examples(9))


def test_offline_is_said(server: Server, make: Callable[..., Chat], monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="HF_HUB_OFFLINE=1 forbids"):
        make().predict(examples(1))
