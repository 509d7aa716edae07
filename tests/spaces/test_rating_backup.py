"""The copy of the answers on a Hub on loopback: sent once, read back by an empty server, harmless when it fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval_harness.human.store import Store
from idist.errors import UserError
from rating.backup import backup
from tests.eval_harness.human_study import answers, rated, study
from tests.hub.made import TOKEN, USERS
from tests.hub.mini_hub import MiniHub


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MiniHub]:
    """With a cache of its own: what an earlier test downloaded is not this Hub's."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    with MiniHub(tmp_path / "hub", USERS).running() as running:
        yield running


def sent(hub: MiniHub, store: Store) -> list[dict[str, object]]:
    """Rows on the branch."""
    from huggingface_hub import HfApi

    api = HfApi(endpoint=hub.url, token=TOKEN)
    told = {"repo_type": "dataset", "revision": f"study-{store.study.fingerprint}"}
    names = [name for name in api.list_repo_files("acme/answers", **told) if name.endswith(".jsonl")]
    texts = [Path(api.hf_hub_download("acme/answers", name, **told)).read_text() for name in sorted(names)]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def test_answers_are_copied_once_and_completed_after_a_restart(hub: MiniHub, tmp_path: Path) -> None:
    told = study(items=2)
    store = Store(tmp_path, told)
    target = {"endpoint": hub.url, "token": TOKEN}
    for name in ("anna", "bert"):
        with backup(store, "acme/answers", every=60.0, **target):
            item = store.take(name, 2)
            assert item is not None
            store.save(name, item, answers(told), done=True)
    assert sent(hub, store) == store.journal(1, 99) and len(store.journal(1, 99)) == 18
    assert len(hub.titles("datasets", "acme/answers", f"study-{told.fingerprint}")) == 3


def test_a_server_that_lost_its_disk_reads_the_copy_back(hub: MiniHub, tmp_path: Path) -> None:
    told = study(items=3)
    store = Store(tmp_path / "first", told)
    target = {"endpoint": hub.url, "token": TOKEN}
    with backup(store, "acme/answers", **target):
        first, second = store.take("anna", 2), store.take("anna", 2)
        assert first is not None and second is not None
        store.save("anna", first, answers(told, 3), done=True)
        store.save("anna", second, {("good", "fluency"): 2}, done=False)
        store.save("anna", first, answers(told, 3) | {("good", "fluency"): 1}, done=True)
    fresh = Store(tmp_path / "second", told)
    with backup(fresh, "acme/answers", **target):
        assert sorted(map(str, fresh.ratings())) == sorted(map(str, store.ratings())) and len(fresh.ratings()) == 9
        assert fresh.seats("anna") == {first: True, second: False} and fresh.cut() == []
        assert fresh.answers("anna", second) == {("good", "fluency"): 2}
        fresh.save("anna", second, answers(told), done=True)
    assert fresh.cut() == [(12, 19)] and len(sent(hub, store)) == 19  # one of nine was known


def test_a_hub_that_fails_loses_no_answer(hub: MiniHub, tmp_path: Path) -> None:
    with backup(
        Store(tmp_path, study()), "acme/answers", every=0.05, endpoint="http://127.0.0.1:9", token=TOKEN, waits=()
    ):
        store = rated(tmp_path, study())
    assert len(store.ratings()) == 6 * 2 * 9


def test_a_name_that_is_none_stops_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(UserError), backup(Store(tmp_path, study()), "no name", token=TOKEN):
        pass
