"""Shards through the executor: same rows whatever the workers, resume, failures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from idist.config import EngineConfig
from idist.engine import Job, Shard, read_table, run_job, run_stream, table_path
from idist.engine.shards import write_shard
from idist.errors import UserError
from tests.engine.work import Squares, shards_made

HERE = Path(__file__).parent


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def job(tmp_path: Path, notes: Path, **settings: object) -> Job:
    return Job(tmp_path / "stage", "squares", Squares(str(notes), **settings), [4] * 5)  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("squares/*.parquet"))}


def test_rows_counts_and_one_opening(tmp_path: Path, notes: Path) -> None:
    report = run_job(job(tmp_path, notes), EngineConfig(), progress=False)
    assert (report.shards, report.made) == (5, 5)
    assert report.rows == {"squares": 20} and report.counts == {"numbers": 20}
    assert len(list(notes.glob("open-*"))) == 1
    rows = [row for rank in range(5) for row in read_table(tmp_path / "stage", "squares", "squares", rank).to_pylist()]
    assert rows == [{"number": n, "square": n * n} for n in range(20)]
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_finished_job_is_not_opened_again(tmp_path: Path, notes: Path) -> None:
    run_job(job(tmp_path, notes), EngineConfig(), progress=False)
    report = run_job(job(tmp_path, notes), EngineConfig(), progress=False)
    assert report.made == 0 and report.rows == {"squares": 20}
    assert shards_made(notes) == [0, 1, 2, 3, 4]


def test_two_workers_give_the_same_files(tmp_path: Path, notes: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_job(job(tmp_path, notes), EngineConfig(), progress=False)
    other = tmp_path / "other"
    report = run_job(Job(other, "squares", Squares(str(notes)), [4] * 5), EngineConfig(workers=2), progress=False)
    assert report.made == 5
    assert contents(other) == contents(tmp_path / "stage")
    assert len(list(notes.glob("open-*"))) <= 3  # this process once, each worker once
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err == ""


@pytest.mark.parametrize("workers", [1, 2])
def test_a_user_error_keeps_its_sentence_and_the_finished_shards(tmp_path: Path, notes: Path, workers: int) -> None:
    with pytest.raises(UserError, match=r"^Row 7 of x.txt is null, expected text.$"):
        run_job(job(tmp_path, notes, fail_at=4, how="user"), EngineConfig(workers=workers), progress=False)
    kept = contents(tmp_path / "stage")
    assert len(kept) >= 5 - workers  # the other worker is ended where it is
    assert run_job(job(tmp_path, notes), EngineConfig(), progress=False).made == 5 - len(kept)
    assert {name: contents(tmp_path / "stage")[name] for name in kept} == kept


def test_a_bug_in_a_worker_shows_where_it_was(tmp_path: Path, notes: Path) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        run_job(job(tmp_path, notes, fail_at=2, how="bug"), EngineConfig(workers=2), progress=False)
    assert "work.py" in str(caught.value.__cause__) and "_fail" in str(caught.value.__cause__)


@pytest.mark.parametrize("handler", [signal.default_int_handler, signal.SIG_IGN])
def test_a_killed_worker_is_told_not_waited_for(tmp_path: Path, notes: Path, handler: Any) -> None:
    before = signal.signal(signal.SIGINT, handler)  # ignored: a program that a script starts in the background
    try:
        _lose_a_worker(tmp_path, notes)
    finally:
        signal.signal(signal.SIGINT, before)


def _lose_a_worker(tmp_path: Path, notes: Path) -> None:
    with pytest.raises(UserError, match="worker process of shard 3 was killed"):
        run_job(job(tmp_path, notes, fail_at=3, how="kill"), EngineConfig(workers=2), progress=False)
    report = run_job(job(tmp_path, notes), EngineConfig(), progress=False)
    assert report.rows == {"squares": 20}


def test_ctrl_c_leaves_nothing_half_written(tmp_path: Path, notes: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_job(job(tmp_path, notes, fail_at=2, how="interrupt"), EngineConfig(), progress=False)
    assert sorted(contents(tmp_path / "stage")) == ["00000.parquet", "00001.parquet"]
    assert not list(tmp_path.rglob("*.tmp"))
    assert run_job(job(tmp_path, notes), EngineConfig(), progress=False).made == 3


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_their_parent(tmp_path: Path, notes: Path, how: signal.Signals) -> None:
    program = (
        "import signal\nfrom pathlib import Path\nfrom tests.engine.work import Squares\n"
        "from idist.config import EngineConfig\nfrom idist.engine import Job, run_job\n"
        "if __name__ == '__main__':\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # these tests may run where it is ignored
        f"    work = Squares({str(notes)!r}, fail_at=1, how='sleep')\n"
        f"    run_job(Job(Path({str(tmp_path / 'stage')!r}), 'squares', work, [4] * 5), EngineConfig(workers=2))\n"
    )
    script = tmp_path / "program.py"
    script.write_text(program)
    environment = dict(os.environ, PYTHONPATH=str(HERE.parents[1]))
    parent = subprocess.Popen(
        [sys.executable, str(script)], env=environment, stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + 30
    while len(shards_made(notes)) < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert shards_made(notes) == [0, 1, 2, 3, 4]
    if how == signal.SIGINT:
        os.killpg(parent.pid, how)  # as a terminal does
    else:
        parent.kill()
    assert parent.wait(20) != 0
    deadline = time.monotonic() + 20
    while _there(parent.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _there(parent.pid)
    errors = parent.stderr.read().decode() if parent.stderr else ""
    assert "Process SpawnPoolWorker" not in errors
    assert run_job(job(tmp_path, notes), EngineConfig(), progress=False).rows == {"squares": 20}


def _there(group: int) -> bool:
    """Whether a process of the group is still there."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_bar_moves_inside_shards_and_tells_rate_and_time(
    tmp_path: Path, notes: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_job(job(tmp_path, notes), EngineConfig(), progress=True)
    captured = capfd.readouterr()
    assert "20/20" in captured.err and "stage/squares" in captured.err and "contexts/s" in captured.err
    assert captured.out == ""


def test_a_damaged_shard_is_named_and_made_anew_once_deleted(tmp_path: Path, notes: Path) -> None:
    run_job(job(tmp_path, notes), EngineConfig(), progress=False)
    whole = contents(tmp_path / "stage")
    file = table_path(tmp_path / "stage", "squares", 2)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(UserError, match=r"00002\.parquet is damaged \(100 bytes, expected \d+\); delete this file"):
        run_job(job(tmp_path, notes), EngineConfig(), progress=False)
    file.unlink()
    assert run_job(job(tmp_path, notes), EngineConfig(), progress=False).made == 1
    assert contents(tmp_path / "stage") == whole


def test_a_shard_that_vanishes_during_the_run_is_told(tmp_path: Path, notes: Path) -> None:
    first = table_path(tmp_path / "stage", "squares", 0)
    with pytest.raises(UserError, match=r"1 of 5 shards of 'squares' \(first 00000\) are not there after the run"):
        run_job(job(tmp_path, notes, remove_at=4, remove=str(first)), EngineConfig(), progress=False)
    assert run_job(job(tmp_path, notes), EngineConfig(), progress=False).made == 1


def test_changed_bytes_are_found_when_read(tmp_path: Path, notes: Path) -> None:
    run_job(job(tmp_path, notes), EngineConfig(), progress=False)
    file = table_path(tmp_path / "stage", "squares", 2)
    content = bytearray(file.read_bytes())
    content[50] ^= 1
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"00002\.parquet is damaged \(its checksum"):
        read_table(tmp_path / "stage", "squares", "squares", 2)


def test_a_stream_resumes_without_writing_finished_shards_again(tmp_path: Path, notes: Path) -> None:
    work = Squares(str(notes))

    def stream(stop: int) -> object:
        for rank in range(5):
            if rank == stop:
                raise KeyboardInterrupt
            yield work.shard("opened", rank, lambda items: None)

    streamed = Job(tmp_path / "stage", "squares", work, [20])
    with pytest.raises(KeyboardInterrupt):
        run_stream(streamed, stream(3), progress=False)  # type: ignore[arg-type]
    first = table_path(tmp_path / "stage", "squares", 0).stat().st_mtime_ns
    report = run_stream(streamed, stream(9), progress=False)  # type: ignore[arg-type]
    assert (report.shards, report.made) == (5, 2)
    assert table_path(tmp_path / "stage", "squares", 0).stat().st_mtime_ns == first

    def never() -> object:
        raise AssertionError("a finished stream is not read")
        yield Shard({})

    assert run_stream(streamed, never(), progress=False).made == 0  # type: ignore[arg-type]
    assert pq.read_table(table_path(tmp_path / "stage", "squares", 4)).num_rows == 4


def test_a_job_may_be_asked_for_with_fewer_shards_than_it_has(tmp_path: Path, notes: Path) -> None:
    run_job(job(tmp_path, notes), EngineConfig(), progress=False)
    whole = contents(tmp_path / "stage")
    table_path(tmp_path / "stage", "squares", 1).unlink()
    fewer = Job(tmp_path / "stage", "squares", Squares(str(notes)), [4] * 3)
    report = run_job(fewer, EngineConfig(), progress=True)
    assert (report.shards, report.made, report.rows) == (3, 1, {"squares": 12})
    assert contents(tmp_path / "stage") == whole


def test_more_items_make_the_short_last_shard_and_new_ones(tmp_path: Path, notes: Path) -> None:
    short = Job(tmp_path / "stage", "squares", Squares(str(notes)), [4, 4, 3])
    run_job(short, EngineConfig(), progress=False)
    report = run_job(job(tmp_path, notes), EngineConfig(), progress=True)
    assert (report.shards, report.made, report.rows) == (5, 3, {"squares": 20})
    assert shards_made(notes) == [0, 1, 2, 2, 3, 4]


def test_a_stream_that_goes_on_writes_only_what_has_changed(tmp_path: Path) -> None:
    folder = tmp_path / "stage"

    def stream(rows: int) -> object:
        for first in range(0, rows, 4):
            last = min(first + 4, rows)
            counts = {"read": 5 if last == rows else 4}  # the last shard counts what the stream ended with
            yield Shard({"squares": pa.table({"number": list(range(first, last))})}, counts)

    for rows, made in ((8, 2), (8, 0), (18, 4), (20, 1)):
        if made:
            (folder / "_engine" / "squares" / "ended.json").unlink(missing_ok=True)  # as `claim` does
        streamed = Job(folder, "squares", Squares(""), [rows])
        report = run_stream(streamed, stream(rows), progress=False)  # type: ignore[arg-type]
        assert (report.made, report.rows) == (made, {"squares": rows})
        assert report.counts == {"read": 4 * report.shards + 1}


def test_a_shard_without_rows_loads_as_a_dataset(tmp_path: Path) -> None:
    rows = pa.table({"square": pa.array([], pa.int64())})
    write_shard(tmp_path, "squares", 0, Shard({"squares": rows}), 0.0)
    write_shard(tmp_path, "squares", 1, Shard({"squares": pa.table({"square": [1, 4]})}), 0.0)
    files = [str(table_path(tmp_path, "squares", rank)) for rank in (0, 1)]
    loaded = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded["square"][:] == [1, 4]
    assert read_table(tmp_path, "squares", "squares", 0).equals(rows)
