"""Partial results: a commit per group of shards, trouble never ends the stage, the next run goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from idist.errors import UserError
from idist.hub import FolderTarget, HubTarget, PartialPublisher, drop_partial
from idist.hub.partial import INDEX
from tests.hub.conftest import InFolder, OnHub, Place
from tests.hub.made import NAME, TOKEN, make_release
from tests.hub.mini_hub import MiniHub
from tests.hub.mini_hub_faults import Fault

QUICK = 0.02


class Stage:
    """Finishes shards one by one; counts how often each one's content was asked for."""

    def __init__(self) -> None:
        self.finished = 0
        self.made: list[str] = []

    def content(self, path: str) -> bytes:
        self.made.append(path)
        return f"content of {path}".encode()

    def parts(self) -> dict[str, Callable[[], bytes]]:
        paths = [f"teacher/shard-{i:05d}.txt" for i in range(self.finished)]
        return {path: (lambda path=path: self.content(path)) for path in paths}


def held(place: Place) -> dict[str, bytes]:
    if isinstance(place, InFolder):
        folder = place.root / "branches" / "partial" / "datasets" / "dimple"
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}
    assert isinstance(place, OnHub)
    return place.files("partial")


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


def test_a_commit_per_group_and_the_rest_at_the_end(place: Place) -> None:
    stage = Stage()
    with PartialPublisher(place.target, "dataset", NAME, stage.parts, every=2, interval=QUICK) as publisher:
        for finished in (1, 2, 3, 4, 5):
            stage.finished = finished
            wait_for(lambda finished=finished: publisher.sent == finished // 2 * 2)
        assert len(held(place)) == 4 + 1
    expected = {path: f"content of {path}".encode() for path in stage.parts()}
    found = held(place)
    index = json.loads(found.pop(INDEX))
    assert found == expected and set(index["parts"]) == set(expected)
    assert sorted(stage.made) == sorted(expected)  # each one once
    if isinstance(place, OnHub):
        titles = place.hub.titles("datasets", NAME, "partial")
        assert titles == ["initial commit", *(f"Partial results: {count} parts" for count in (2, 4, 5))]


def test_the_next_run_sends_what_is_missing(place: Place) -> None:
    stage = Stage()
    stage.finished = 3
    with PartialPublisher(place.target, "dataset", NAME, stage.parts, interval=60):
        pass
    stage.made.clear()
    stage.finished = 4
    for expected in (["teacher/shard-00003.txt"], []):
        with PartialPublisher(place.target, "dataset", NAME, stage.parts, interval=60):
            pass
        assert stage.made == expected
        stage.made.clear()
    assert len(held(place)) == 4 + 1


def test_parts_of_another_config_are_dropped(place: Place) -> None:
    stage = Stage()
    for mark, finished in (("old", 3), ("new", 2)):
        stage.finished = finished
        with PartialPublisher(place.target, "dataset", NAME, stage.parts, interval=60, mark=mark):
            pass
    assert set(held(place)) == {*stage.parts(), INDEX} and len(stage.made) == 5


def test_after_the_release_the_branch_goes(place: Place, tmp_path: Path) -> None:
    assert drop_partial(place.target, "dataset", NAME) is False
    stage = Stage()
    stage.finished = 1
    with PartialPublisher(place.target, "dataset", NAME, stage.parts, interval=60):
        pass
    folder = make_release(tmp_path / "new")
    assert place.target.publish(folder, "dataset", NAME).tag == "v1.0.0"
    assert drop_partial(place.target, "dataset", NAME) is True
    assert drop_partial(place.target, "dataset", NAME) is False
    assert set(place.files()) == {"README.md", "data/train.txt", "lineage.json"}


def test_no_parts_no_repository(place: Place, tmp_path: Path) -> None:
    with PartialPublisher(place.target, "dataset", NAME, dict, interval=60):
        pass
    if isinstance(place, OnHub):
        assert not place.hub.repo("datasets", NAME).exists()
    else:
        assert not (tmp_path / "published").exists()


def test_a_stage_that_fails_is_not_held_up(place: Place) -> None:
    stage = Stage()
    stage.finished = 1
    publisher = PartialPublisher(place.target, "dataset", NAME, stage.parts, interval=60)
    with pytest.raises(RuntimeError, match="no memory"), publisher:
        raise RuntimeError("no memory")
    assert stage.made == []


@pytest.mark.parametrize("request_", [("POST", "/commit/partial$"), ("GET", "/refs$")])
@pytest.mark.parametrize("how", ["drop", "status"])
def test_trouble_is_told_once_and_the_stage_goes_on(
    hub: MiniHub, capfd: pytest.CaptureFixture[str], how: str, request_: tuple[str, str]
) -> None:
    stage = Stage()
    target = HubTarget(hub.url, TOKEN, waits=(30.0, 30.0))  # not waited for: the next look is the next try
    fault = Fault(*request_, how, times=3)
    hub.faults.append(fault)
    with PartialPublisher(target, "dataset", NAME, stage.parts, every=1, interval=QUICK) as publisher:
        stage.finished = 1
        wait_for(lambda: publisher.sent == 1)
    told = capfd.readouterr().err
    assert told.count("Partial results are not published for now, the stage goes on: ") == 1 and fault.struck == 3
    assert hub.titles("datasets", NAME, "partial") == ["initial commit", "Partial results: 1 parts"]


def test_a_hub_that_is_gone_never_ends_the_stage(hub: MiniHub, capfd: pytest.CaptureFixture[str]) -> None:
    stage = Stage()
    stage.finished = 3
    gone = HubTarget("http://127.0.0.1:9", TOKEN, waits=(0.0,))
    with PartialPublisher(gone, "dataset", NAME, stage.parts, every=1, interval=QUICK):
        time.sleep(0.3)
    told = capfd.readouterr().err
    assert told.count("Partial results are not published") == 1 and "ConnectError" in told and TOKEN not in told
    with PartialPublisher(HubTarget(hub.url, TOKEN), "dataset", NAME, stage.parts, interval=60) as publisher:
        pass
    assert publisher.sent == 3


def test_a_maker_that_fails_never_ends_the_stage(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> bytes:
        raise ValueError("damaged shard")

    with PartialPublisher(FolderTarget(tmp_path), "dataset", NAME, lambda: {"x": fail}, interval=60):
        pass
    assert "the stage goes on: ValueError: damaged shard." in capfd.readouterr().err


def test_bad_input_is_said_before_the_stage_begins(hub: MiniHub, tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match="has no owner"),
        PartialPublisher(HubTarget(hub.url, TOKEN), "dataset", "dimple", dict),
    ):
        raise AssertionError("the stage began")
    with (
        pytest.raises(UserError, match="needs a token of the Hub"),
        PartialPublisher(HubTarget(hub.url), "dataset", NAME, dict),
    ):
        raise AssertionError("the stage began")
    with pytest.raises(UserError, match="Kind 'table'"):
        PartialPublisher(FolderTarget(tmp_path), "table", NAME, dict)
