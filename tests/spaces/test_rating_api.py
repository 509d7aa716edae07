"""The human evaluation over HTTP: a crowd, a killed server, sentences for bad input, no name of a system anywhere."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eval_harness.human.store import Store, read_ratings
from eval_harness.human.study import write_study
from rating.desk import Desk
from tests.eval_harness.human_study import study
from tests.spaces.rating_server import call, serving

ROOT = Path(__file__).parents[2]
PEOPLE = 50
THREES = [{"fluency": 3, "faithfulness": 3, "dissimilarity": 3}] * 3


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Desk]]:
    with serving(tmp_path_factory.mktemp("answers"), study(items=20, annotators=4)) as found:
        yield found


def test_fifty_people_at_once_lose_nothing(served: tuple[str, Desk]) -> None:
    address, desk = served
    start, outcomes = threading.Barrier(PEOPLE), []

    def one(number: int) -> None:
        start.wait()
        for _ in range(2):
            status, told = call(address, "next_item", f"crowd {number}")
            if status == 200 and told["item"] is not None:
                status, done = call(address, "answer", f"crowd {number}", told["item"], THREES)
                outcomes.append((number, told["item"], status == 200 and done["stored"]))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(PEOPLE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = {(f"crowd {number}", item) for number, item, done in outcomes if done}
    kept = Counter((one.annotator, one.item) for one in desk.store.ratings())
    assert stored == kept.keys() and set(kept.values()) == {9} and len(outcomes) == len(stored) == 80
    assert set(Counter(item for _, item in stored).values()) == {4}
    assert call(address, "next_item", "too late")[1]["item"] is None


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("next_item", [""], "is empty"),
        ("next_item", ["x" * 10_000], "10,000 characters"),
        ("answer", ["anna", "item-000", THREES], "not given to you"),
        ("answer", ["crowd 1", None, "text"], "no list of objects"),
    ],
)
def test_bad_input_comes_back_as_a_sentence(served: tuple[str, Desk], name: str, values: list[Any], said: str) -> None:
    status, told = call(served[0], name, *values)
    assert status != 200 and said in json.dumps(told) and "Traceback" not in json.dumps(told)


def test_nothing_that_is_sent_names_a_system(served: tuple[str, Desk]) -> None:
    import httpx

    sent = [str(call(served[0], name, *values)) for name, values in (("next_item", ["crowd 3"]), ("progress", []))]
    sent += [httpx.get(f"{served[0]}{place}", timeout=120).text for place in ("", "config", "gradio_api/info")]
    assert "middling" in served[1].study.systems and not any("middling" in text for text in sent)


def test_what_is_documented_is_what_there_is(served: tuple[str, Desk]) -> None:
    import httpx

    named = re.findall(r"`/(\w+)`", (ROOT / "docs" / "human_eval.md").read_text(encoding="utf-8"))
    there = httpx.get(f"{served[0]}gradio_api/info", timeout=120).json()["named_endpoints"]
    assert {f"/{name}" for name in named} == set(there)


def test_a_server_that_is_killed_right_after_an_answer_has_it(tmp_path: Path) -> None:
    told = study()
    write_study(tmp_path / "study.json", told)
    answers = tmp_path / "answers"
    known = {"IDIST_STUDY": str(tmp_path / "study.json"), "IDIST_ANSWERS": str(answers), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, str(ROOT / "spaces" / "annotate" / "app.py")]
    process = subprocess.Popen(command, env=os.environ | known, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = next(filter(None, (re.search(r"https?://\S+:\d+", line) for line in process.stdout)))
        address = f"{found.group()}/"
        item = call(address, "next_item", "anna")[1]["item"]
        assert call(address, "answer", "anna", item, THREES)[1]["stored"]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    finally:
        process.kill()
    assert {(one.annotator, one.item) for one in read_ratings(answers, told)} == {("anna", item)}
    view = Desk(told, Store(answers, told)).start("anna")
    assert view is not None and (view.number, view.finished) == (2, 1)


def test_a_folder_that_cannot_be_used_stops_the_app_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    command = [sys.executable, str(ROOT / "spaces" / "annotate" / "app.py")]
    done = subprocess.run(
        command, env=os.environ | {"IDIST_ANSWERS": str(tmp_path / "file" / "x")}, capture_output=True, text=True
    )
    assert done.returncode == 2 and "cannot be made" in done.stderr and "Traceback" not in done.stderr
