"""Answers: stored before they are acknowledged, seats handed out once, nothing lost to a kill or a full disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from eval_harness.human import store as stores
from eval_harness.human.store import Store, read_ratings
from eval_harness.human.study import write_study
from idist.errors import UserError
from tests.eval_harness.human_study import answers, rated, study

ROOT = Path(__file__).parents[2]
ITEMS = [f"item-{number:03}" for number in range(5)]
CHILD = """
import sys, time
from pathlib import Path
from eval_harness.human.store import Store
from eval_harness.human.study import read_study
told = read_study(sys.argv[1])
store = Store(Path(sys.argv[2]), told)
for number in range(1000):
    item = store.take("anna", 1)
    store.save("anna", item, {unit: 3 for unit in told.units}, done=True)
    print(item, flush=True)
"""


def test_the_item_with_the_fewest_people_comes_first_and_nobody_sees_one_twice(tmp_path: Path) -> None:
    store = Store(tmp_path, study(items=5, annotators=3))
    counts: Counter[str] = Counter()
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for turn in range(30):
        person = f"person {turn % 4}"
        item = store.take(person, 3)
        if item is None:
            assert all(one in seen[person] or counts[one] == 3 for one in ITEMS)
            continue
        assert item not in seen[person]
        assert counts[item] == min(counts[one] for one in ITEMS if one not in seen[person])
        counts[item] += 1
        seen[person].add(item)
    assert set(counts.values()) <= {2, 3} and sum(counts.values()) >= 14


def test_two_people_do_not_both_take_the_last_seat(tmp_path: Path) -> None:
    store, start = Store(tmp_path, study(items=3)), threading.Barrier(12)
    other = Store(tmp_path, store.study)  # as another process has it
    found: list[str | None] = []

    def come(number: int) -> None:
        start.wait()
        found.append((store if number % 2 else other).take(f"person {number}", 2))

    threads = [threading.Thread(target=come, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(Counter(found).values()) == {2: 3, 6: 1} and found.count(None) == 6


def test_a_seat_that_is_left_is_free_again_and_its_answers_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = study(items=1, annotators=1)
    store = Store(tmp_path, told)
    assert store.take("anna", 1) == "item-000" and store.take("bert", 1) is None
    store.save("anna", "item-000", {("good", "fluency"): 2}, done=False)
    monkeypatch.setattr(stores, "HELD", -1.0)
    assert store.take("bert", 1) == "item-000"
    store.save("anna", "item-000", answers(told), done=True)
    assert {rating.annotator for rating in store.ratings()} == {"anna"}


def test_a_changed_answer_counts_and_the_old_one_stays_in_the_journal(tmp_path: Path) -> None:
    told = study(items=1)
    store = Store(tmp_path, told)
    store.take("anna", 2)
    store.save("anna", "item-000", answers(told, 1), done=True)
    store.save("anna", "item-000", answers(told, 1) | {("good", "fluency"): 3}, done=True)
    assert store.answers("anna", "item-000")["good", "fluency"] == 3
    assert len(store.ratings()) == 9 and len(store.journal(1, 99)) == 10
    assert store.cut() == [(1, 10)] == store.cut()


def test_an_unfinished_item_and_a_strangers_answer_do_not_count(tmp_path: Path) -> None:
    store = Store(tmp_path, study())
    item = store.take("anna", 2)
    assert item is not None
    store.save("anna", item, {("good", "fluency"): 2}, done=False)
    assert store.ratings() == [] and store.answers("anna", item) == {("good", "fluency"): 2}
    with pytest.raises(UserError, match="not given to this person"):
        store.save("bert", item, {("good", "fluency"): 2}, done=False)
    assert store.answers("bert", item) == {}


def test_a_kill_right_after_an_answer_loses_nothing(tmp_path: Path) -> None:
    told = study(items=400, annotators=1)
    write_study(tmp_path / "study.json", told)
    command = [sys.executable, "-c", CHILD, str(tmp_path / "study.json"), str(tmp_path)]
    child = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    said = [child.stdout.readline().strip() for _ in range(25)]
    os.kill(child.pid, signal.SIGKILL)
    said += child.stdout.read().split()
    child.wait()
    kept = Counter(rating.item for rating in read_ratings(tmp_path, told))
    assert set(said) <= kept.keys() and set(kept.values()) == {9} and len(kept) <= len(said) + 1
    assert Store(tmp_path, told).take("anna", 1) not in kept


@pytest.mark.parametrize(
    ("trouble", "end", "said"),
    [
        ("PRAGMA query_only=1", "PRAGMA query_only=0", "read-only"),
        ("PRAGMA max_page_count=1", "PRAGMA max_page_count=100000", "disk is full"),
    ],
)
def test_a_database_that_takes_nothing_is_told_and_keeps_what_it_has(
    tmp_path: Path, trouble: str, end: str, said: str
) -> None:
    told = study(items=300)
    store = Store(tmp_path, told)
    first = store.take("anna", 2)
    assert first is not None
    store.save("anna", first, answers(told), done=True)
    store._base.execute(trouble)
    item = None
    with pytest.raises(UserError, match=said):
        for _ in range(300):
            item = store.take("anna", 2)
            assert item is not None
            store.save("anna", item, answers(told), done=True)
    before = len(store.ratings())
    assert before >= 9 and before % 9 == 0
    store._base.execute(end)
    again = item or store.take("anna", 2)
    assert again is not None
    store.save("anna", again, answers(told), done=True)
    assert len(store.ratings()) in (before, before + 9)
    assert set(Counter(rating.item for rating in store.ratings()).values()) == {9}


def test_a_folder_or_file_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    told = study()
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be made"):
        Store(tmp_path / "file" / "below", told)
    stores.place(tmp_path, told).write_bytes(b"no database at all" * 100)
    with pytest.raises(UserError, match="cannot be opened: file is not a database"):
        Store(tmp_path, told)
    with pytest.raises(UserError, match="cannot be read"):
        read_ratings(tmp_path, told)
    with pytest.raises(UserError, match="There are no answers to this study"):
        read_ratings(tmp_path, study(seed=9))


def test_a_report_may_be_read_while_the_server_writes(tmp_path: Path) -> None:
    store = rated(tmp_path, study())
    assert sorted(read_ratings(tmp_path, store.study), key=str) == sorted(store.ratings(), key=str)
