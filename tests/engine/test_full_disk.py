"""A full disk: one sentence, nothing half-written, finished shards kept. The failing writes are the system's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from idist.config import EngineConfig
from idist.engine import Job, Shard, run_job, write_bytes
from idist.engine.shards import unfinished, write_shard
from idist.errors import UserError
from tests.engine.work import Squares, shards_made

ROOT = Path(__file__).parents[2]

# Files of more than LIMIT bytes fail in this process; the third shard is larger than that.
PROGRAM = """
import resource, sys
from pathlib import Path
from idist.config import EngineConfig
from idist.engine import Job, run_job
from idist.errors import UserError
from tests.engine.work import Squares

if __name__ == "__main__":
    folder, notes, workers = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    try:
        run_job(Job(folder, "squares", Squares(notes, large_at=2), [4] * 5), EngineConfig(workers=workers), False)
    except UserError as error:
        print(error)
        sys.exit(2)
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_no_space_left_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "00000.parquet"
    beside = unfinished(file)
    beside.symlink_to("/dev/full")  # every write to it fails as on a full disk
    with pytest.raises(UserError, match=r"00000\.parquet could not be written: No space left on device; make room"):
        write_bytes(file, b"rows")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_on_a_full_disk_stops_and_goes_on_later(tmp_path: Path, workers: int) -> None:
    notes, stage = tmp_path / "notes", tmp_path / "stage"
    notes.mkdir()
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(script), str(stage), str(notes), str(workers)],
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    assert "00002.parquet could not be written" in done.stdout and done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert not list(stage.rglob("00002.parquet.*"))
    kept = {path: path.stat().st_mtime_ns for path in stage.glob("squares/*.parquet")}
    assert len(kept) >= 3 - workers  # the other worker is ended where it is
    report = run_job(Job(stage, "squares", Squares(str(notes), large_at=2), [4] * 5), EngineConfig(), False)
    assert report.shards == 5 and report.made == 5 - len(kept)
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    assert not list(stage.rglob("*.tmp"))
    assert shards_made(notes).count(2) == 2


def test_other_errors_of_the_system_are_not_called_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "squares").write_text("a file where a folder should be")
    with pytest.raises(FileExistsError):
        write_shard(tmp_path, "squares", 0, Shard({"squares": pa.table({"a": [1]})}), 0.0)
