"""Shards as Hugging Face Jobs: what is launched, what travels, what comes back.

Without an account: `run_uv_job` is answered here, by a Job that has a folder of its own and meets this one only in the
bucket (a file system in memory).
"""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dill
import fsspec
import huggingface_hub
import pytest
from datatrove.executor.jobs import JobsPipelineExecutor

from idist.config import EngineConfig
from idist.engine import Job, claim, hf_jobs, run_job
from idist.errors import UserError
from tests.engine.work import Squares, shards_made

TOKEN = "hf_thisisasecret"
ENGINE = {
    "executor": "hf_jobs",
    "hf_folder": "memory://bucket/runs",
    "hf_flavor": "t4-small",
    "hf_timeout": "30m",
    "hf_dependencies": ["idist @ git+https://example.com/idist@abc"],
}


class Jobs:
    """Runs what is launched, one at a time, in ``folder``, as another machine would."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.launched, self.stages = folder, [], {}  # type: ignore[var-annotated]

    def run_uv_job(self, script: str, *, script_args: list[str], env: dict[str, str], **more: Any) -> Any:
        self.launched.append({"script": script, "script_args": script_args, "env": env, **more})
        here, before = Path.cwd(), os.environ.copy()
        name = str(len(self.launched))
        (self.folder / name).mkdir(parents=True)
        os.chdir(self.folder / name)
        os.environ.update(env)
        try:
            with fsspec.open(script_args[0], "rb") as handle:
                dill.load(handle).run()
            self.stages[name] = "COMPLETED"
        except Exception:
            self.stages[name] = "ERROR"
        finally:
            os.chdir(here)
            os.environ.clear()
            os.environ.update(before)
        return SimpleNamespace(id=name, url="")

    def inspect_job(self, job_id: str, **_: Any) -> Any:
        return SimpleNamespace(status=SimpleNamespace(stage=self.stages[job_id]))


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    there = Jobs(tmp_path / "containers")
    memory = fsspec.filesystem("memory")
    if memory.exists("/bucket"):
        memory.rm("/bucket", recursive=True)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(huggingface_hub, "run_uv_job", there.run_uv_job)
    monkeypatch.setattr(huggingface_hub, "inspect_job", there.inspect_job)
    known = JobsPipelineExecutor.__init__
    monkeypatch.setattr(JobsPipelineExecutor, "__init__", lambda *a, **k: known(*a, **k, poll_interval=0))
    (tmp_path / "here").mkdir()
    (tmp_path / "notes").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return there


def job(tmp_path: Path, **settings: object) -> Job:
    """Of a folder that is relative, as the recipes have it."""
    folder = Path("runs/mini/pairs")
    claim(folder, "squares", {"k": 3}, {})
    return Job(folder, "squares", Squares(str(tmp_path / "notes"), **settings), [4] * 3)  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("squares/*.parquet"))}


def test_jobs_make_the_rows_of_one_process_and_see_the_run(
    jobs: Jobs, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    one = Job(tmp_path / "one", "squares", Squares(str(tmp_path / "notes")), [4] * 3)
    run_job(one, EngineConfig(), progress=False)
    Path("runs/mini/contexts/contexts").mkdir(parents=True)
    Path("runs/mini/contexts/contexts/00000.parquet").write_bytes(b"earlier")
    Path("runs/mini/train/checkpoints").mkdir(parents=True)
    Path("runs/mini/train/checkpoints/large.bin").write_bytes(b"not needed")
    report = run_job(job(tmp_path), EngineConfig(**ENGINE), progress=False)
    assert report.made == 3 and contents(Path("runs/mini/pairs")) == contents(tmp_path / "one")
    for name in "123":
        seen = jobs.folder / name / "runs/mini"
        assert (seen / "contexts/contexts/00000.parquet").read_bytes() == b"earlier"
        assert not (seen / "train").exists()
    assert capfd.readouterr().err.startswith(
        "HF Jobs: 3 shards of pairs/squares in memory://bucket/runs/idist-mini-pairs"
    )
    assert run_job(job(tmp_path), EngineConfig(**ENGINE), progress=False).made == 0 and len(jobs.launched) == 3


def test_what_is_launched_and_where_the_token_is(jobs: Jobs, tmp_path: Path) -> None:
    run_job(job(tmp_path), EngineConfig(**ENGINE), progress=False)
    first = jobs.launched[0]
    assert (first["flavor"], first["timeout"]) == ("t4-small", "30m")
    assert first["dependencies"] == ["idist @ git+https://example.com/idist@abc", "datatrove[io]"]
    assert first["script_args"][0].endswith("/datatrove/executor.pik")
    assert first["env"]["DATATROVE_JOB_ARRAY_INDEX"] == "0" and first["secrets"] == {"HF_TOKEN": TOKEN}
    plain = {key: value for key, value in first.items() if key not in ("secrets", "token")}
    assert TOKEN not in repr(plain)
    memory = fsspec.filesystem("memory")
    sent = memory.find("/bucket")
    assert any(name.endswith("executor.pik") for name in sent) and any(name.endswith("executor.json") for name in sent)
    assert not [name for name in sent if TOKEN.encode() in memory.cat_file(name)]
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]


def test_an_error_comes_back_and_finished_shards_too(jobs: Jobs, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^Row 7 of x.txt is null, expected text.$"):
        run_job(job(tmp_path, fail_at=1, how="user"), EngineConfig(**ENGINE), progress=False)
    assert list(contents(Path("runs/mini/pairs"))) == ["00000.parquet", "00002.parquet"]
    report = run_job(job(tmp_path), EngineConfig(), progress=False)  # the rest here
    assert report.made == 1 and report.rows == {"squares": 12}


def test_what_jobs_finished_after_the_recipe_was_stopped_is_taken(jobs: Jobs, tmp_path: Path) -> None:
    work = job(tmp_path)
    run_job(work, EngineConfig(**ENGINE), progress=False)
    for path in Path("runs").rglob("*0000[12]*"):
        path.unlink()
    whole = len(shards_made(tmp_path / "notes"))
    run_job(work, EngineConfig(**ENGINE), progress=False)
    assert len(contents(Path("runs/mini/pairs"))) == 3 and len(shards_made(tmp_path / "notes")) == whole
    claim(Path("runs/mini/pairs"), "squares", {"k": 4}, {}, remake=True)  # another config: nothing of that
    run_job(
        Job(Path("runs/mini/pairs"), "squares", Squares(str(tmp_path / "notes")), [4] * 3),
        EngineConfig(**ENGINE),
        False,
    )
    assert len(shards_made(tmp_path / "notes")) == whole + 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hf_folder": None}, "engine.hf_folder is None, expected a folder of a bucket"),
        ({"hf_folder": "/tmp/runs"}, "engine.hf_folder is '/tmp/runs', expected a folder of a bucket"),
        ({"hf_dependencies": []}, "engine.hf_dependencies is empty, expected what a Job installs"),
    ],
)
def test_settings_that_are_missing(jobs: Jobs, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        run_job(job(tmp_path), EngineConfig(**(ENGINE | changes)), progress=False)


def test_without_a_token(jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    with pytest.raises(UserError, match="there is no token: set HF_TOKEN or run `hf auth login`"):
        run_job(job(tmp_path), EngineConfig(**ENGINE), progress=False)
    assert hf_jobs.ARRAY_INDEX_ENV_VAR not in os.environ
