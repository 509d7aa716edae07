"""A run that is killed, whenever, ends with the rows of an undisturbed one; so does one of several workers."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from idist.errors import UserError
from idist.stages import contexts, pairs, self_distil
from tests.stages.conftest import put_student
from tests.stages.tiny import config, contents, run_program

# Where the process is killed, one after the other, each time resuming what the last one left.
KILLS = [
    "contexts/contexts/00001.parquet",  # in the contexts
    "pairs/candidates/00001.parquet",  # in the scoring: one table of the shard is there, the other not
    "scored/receipts/00002.json",  # rows written, receipt not
    "pairs/selected/00001.parquet",  # in the selection
    "pairs/manifest.json",  # all rows written, manifest not
]


def test_a_run_killed_five_times_gives_the_same_bytes(undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    finished: dict[str, bytes] = {}
    for kill in KILLS:
        done = run_program(folder, ["contexts", "pairs"], kill_at=kill)
        assert done.returncode == -signal.SIGKILL, f"{kill}: {done.stdout}{done.stderr}"
        assert list(folder.rglob("*.tmp")), kill  # it was really killed in the middle of a write
        assert not (folder / "pairs" / "manifest.json").exists()
        now = contents(folder)
        assert finished.items() <= now.items(), kill  # nothing lost, nothing changed
        finished = now
    contexts.run(config(), folder, progress=False)
    assert pairs.run(config(), folder, progress=False).made == 0
    for stage in ("contexts", "pairs"):
        assert contents(folder, stage=stage) == contents(undisturbed, stage=stage)
    assert not list(folder.rglob("*.tmp"))


def test_self_distillation_killed_three_times_gives_the_same_bytes(distilled: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    put_student(folder)
    for kill in ("sources/00000.parquet", "self_distil/candidates/00001.parquet", "self_distil/selected/00000.parquet"):
        done = run_program(folder, ["self_distil"], kill_at=kill)
        assert done.returncode == -signal.SIGKILL, f"{kill}: {done.stdout}{done.stderr}"
    self_distil.run(config(), folder, progress=False)
    assert contents(folder, stage="self_distil") == contents(distilled, stage="self_distil")


def test_two_workers_give_the_same_bytes(undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(undisturbed / "contexts", folder / "contexts")
    done = run_program(folder, ["pairs"], {"engine.workers": 2})
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(folder, stage="pairs") == contents(undisturbed, stage="pairs")


def test_a_damaged_shard_is_named_and_only_it_is_made_anew(copy_of: Path) -> None:
    before = contents(copy_of)
    file = copy_of / "pairs" / "candidates" / "00002.parquet"
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(UserError, match=r"candidates/00002\.parquet is damaged .*delete this file"):
        pairs.run(config(), copy_of, progress=False)
    file.unlink()
    assert pairs.run(config(), copy_of, progress=False).made == 1
    assert contents(copy_of) == before


def test_a_shard_changed_in_place_is_found_when_it_is_read(copy_of: Path) -> None:
    file = copy_of / "contexts" / "contexts" / "00000.parquet"
    content = bytearray(file.read_bytes())
    content[20] ^= 255
    file.write_bytes(content)
    (copy_of / "pairs" / "sentences" / "00000.parquet").unlink()
    with pytest.raises(UserError, match=r"contexts/00000\.parquet is damaged \(its checksum"):
        pairs.run(config(), copy_of, progress=False)
