"""Shards as Slurm arrays: the launch file, a run that waits for its array, one that finds it at work, errors."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from idist.config import EngineConfig
from idist.engine import Job, forget, run_job, slurm
from idist.engine.queue import QUEUED
from idist.engine.shards import state_folder
from idist.errors import UserError
from tests.engine.mini_slurm import cancel_all, mini_slurm
from tests.engine.work import Squares, shards_made

ROOT = Path(__file__).resolve().parents[2]
ENGINE = {"executor": "slurm", "slurm_options": ["--time=00:10:00", "--partition=gpu"]}


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "cluster"
    for key, value in mini_slurm(folder).items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(slurm, "SETTLE", 1.0)
    yield folder
    cancel_all(folder)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def job(folder: Path, notes: Path, shards: int = 2, **settings: object) -> Job:
    return Job(folder, "squares", Squares(str(notes), **settings), [4] * shards)  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("squares/*.parquet"))}


def logs(folder: Path) -> Path:
    return state_folder(folder, "squares") / "datatrove"


def test_an_array_makes_the_rows_of_one_process(
    cluster: Path, tmp_path: Path, notes: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_job(job(tmp_path / "one", notes), EngineConfig(), progress=False)
    report = run_job(job(tmp_path / "stage", notes), EngineConfig(**ENGINE), progress=False)
    assert report.made == 2 and contents(tmp_path / "stage") == contents(tmp_path / "one")
    assert capfd.readouterr().err == "Slurm job 1: 2 shards of stage/squares\n"
    assert len((cluster / "calls").read_text().splitlines()) == 1  # no job for counts that shards do not have
    assert not list(tmp_path.rglob(QUEUED))


def test_the_launch_file_and_a_shard_by_hand(tmp_path: Path, notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # no sbatch
    folder = tmp_path / "a run" / "stage"
    settings = EngineConfig(**ENGINE, workers=3, cpus=4, gpus=1)
    with pytest.raises(UserError, match=r"there is no sbatch on this machine.*launch file is .*launch_script\.slurm"):
        run_job(job(folder, notes, shards=5), settings, progress=False)
    script = logs(folder) / "launch_script.slurm"
    asked = [line.removeprefix("#SBATCH ").strip("'") for line in script.read_text().splitlines() if "#SBATCH" in line]
    for option in (
        "--job-name=idist-a-run-stage-squares",
        "--array=0-4%3",
        "--cpus-per-task=4",
        "--gpus=1",
        "--requeue",
        "--time=00:10:00",
        "--partition=gpu",
        f"--output={logs(folder)}/slurm_logs/%A_%a.out",
    ):
        assert option in asked, option
    subprocess.run(["bash", "-n", str(script)], check=True)
    by_hand = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"SLURM_ARRAY_TASK_ID": "3"}
    subprocess.run(["bash", str(script)], env=by_hand, cwd="/", check=True, capture_output=True)
    assert list(contents(folder)) == ["00003.parquet"] and shards_made(notes) == [3]
    assert run_job(job(folder, notes, shards=5), EngineConfig(), progress=False).made == 4  # the same run, here


def test_an_error_of_the_work_is_said_here_and_what_is_finished_stands(
    cluster: Path, tmp_path: Path, notes: Path
) -> None:
    with pytest.raises(UserError, match=r"^Row 7 of x.txt is null, expected text.$"):
        run_job(job(tmp_path, notes, fail_at=1, how="user"), EngineConfig(**ENGINE), progress=False)
    assert list(contents(tmp_path)) == ["00000.parquet"]
    with pytest.raises(UserError, match=r"Shard 1 of Slurm job 2 failed, ZeroDivisionError: a bug .* see .*2_0\.out"):
        run_job(job(tmp_path, notes, fail_at=1, how="bug"), EngineConfig(**ENGINE), progress=False)
    assert "--array=0-0" in (cluster / "2.sh").read_text()
    log = logs(tmp_path) / "slurm_logs" / "2_0.out"
    assert "in _fail" in log.read_text()
    with pytest.raises(
        UserError, match=r"Slurm job 3 has ended without 1 of 2 shards of .* \(first 00001\); see .*3_0"
    ):
        run_job(job(tmp_path, notes, fail_at=1, how="kill"), EngineConfig(**ENGINE), progress=False)


def test_an_array_left_at_work_is_waited_for_and_not_disturbed(cluster: Path, tmp_path: Path, notes: Path) -> None:
    (cluster / "hold").touch()
    program = tmp_path / "driver.py"
    program.write_text(
        "from pathlib import Path\nfrom tests.engine.work import Squares\nfrom idist.config import EngineConfig\n"
        "from idist.engine import Job, run_job\n"
        f"work = Job(Path({str(tmp_path / 'stage')!r}), 'squares', Squares({str(notes)!r}), [4] * 2)\n"
        f"run_job(work, EngineConfig(**{ENGINE!r}), progress=False)\n"
    )
    driver = subprocess.Popen([sys.executable, str(program)], env=os.environ | {"PYTHONPATH": str(ROOT)})
    deadline = time.monotonic() + 60
    while not list(tmp_path.rglob(QUEUED)) and time.monotonic() < deadline:
        time.sleep(0.05)
    driver.kill()
    driver.wait()
    stage = tmp_path / "stage"
    with pytest.raises(
        UserError, match=r"Slurm job 1 of an earlier call is still at work in .*stage; .* with scancel 1\.$"
    ):
        run_job(job(stage, notes), EngineConfig(), progress=False)
    with pytest.raises(UserError, match="Slurm job 1 of an earlier call is still at work"):
        forget(stage, "squares")
    (cluster / "hold").unlink()
    report = run_job(job(stage, notes), EngineConfig(**ENGINE), progress=False)
    assert report.made == 0 and report.rows == {"squares": 8} and shards_made(notes) == [0, 1]
    assert len(list(cluster.glob("*.sh"))) == 1
    forget(stage, "squares")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--partition=none"], r"^sbatch refused .*launch_script\.slurm \(exit code 1\)\.$"),
        (
            ["partition=gpu"],
            r"engine.slurm_options has 'partition=gpu', expected options of sbatch such as --partition",
        ),
    ],
)
def test_what_sbatch_does_not_take(
    cluster: Path, tmp_path: Path, notes: Path, options: list[str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        run_job(job(tmp_path, notes), EngineConfig(executor="slurm", slurm_options=options), progress=False)


def test_the_number_of_a_job() -> None:
    assert slurm.job_number("Submitted batch job 17 on cluster a1\n") == "17"
    with pytest.raises(UserError, match=re.escape("sbatch said 'later', expected the number of a job.")):
        slurm.job_number("later\n")
