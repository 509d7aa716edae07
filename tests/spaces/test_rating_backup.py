"""The copy of the answers on a Hub on loopback: sent while people rate, completed at the end, harmless when it fails."""

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
def hub(tmp_path: Path) -> Iterator[MiniHub]:
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


def test_answers_are_copied_once_and_completed_after_a_restart(
    hub: MiniHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
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


def test_a_hub_that_fails_loses_no_answer(hub: MiniHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with backup(
        Store(tmp_path, study()), "acme/answers", every=0.05, endpoint="http://127.0.0.1:9", token=TOKEN, waits=()
    ):
        store = rated(tmp_path, study())
    assert len(store.ratings()) == 6 * 2 * 9


def test_a_name_that_is_none_stops_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(UserError), backup(Store(tmp_path, study()), "no name", token=TOKEN):
        pass
