"""One process a GPU: each worker of this machine sees one, told before torch is imported."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from idist.config import EngineConfig
from idist.engine import Job, machine, run_job
from idist.engine.executors import local_workers
from tests.engine.work import Devices


@pytest.mark.parametrize(
    ("variable", "found"),
    [("0,1", ["0", "1"]), ("3", ["3"]), ("GPU-ab, MIG-cd", ["GPU-ab", "MIG-cd"]), ("", []), ("0,-1,2", ["0"])],
)
def test_what_the_environment_names(variable: str, found: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", variable)
    assert machine.gpus() == found


def test_what_torch_or_the_driver_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    torch = SimpleNamespace(cuda=SimpleNamespace(device_count=lambda: 3))
    monkeypatch.setitem(machine.sys.modules, "torch", torch)
    assert machine.gpus() == ["0", "1", "2"]
    monkeypatch.delitem(machine.sys.modules, "torch")
    monkeypatch.setattr(machine, "DRIVER", tmp_path)
    assert machine.gpus() == []
    (tmp_path / "0000:01:00.0").mkdir()
    assert machine.gpus() == ["0"]


def test_a_process_a_gpu_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6")
    assert [local_workers(EngineConfig(workers=workers), 9) for workers in (None, 1, 5)] == [3, 1, 5]
    assert local_workers(EngineConfig(), 2) == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert local_workers(EngineConfig(), 9) == 1


def test_each_worker_sees_one_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    (tmp_path / "notes").mkdir()
    job = Job(tmp_path / "stage", "devices", Devices(str(tmp_path / "notes"), 2), [1, 1])
    report = run_job(job, EngineConfig(), progress=False)
    assert sorted(note["gpus"] for note in report.notes) == ["5", "7"]
    job = Job(tmp_path / "three", "devices", Devices(str(tmp_path / "notes"), 5), [1, 1, 1])
    report = run_job(job, EngineConfig(workers=3), progress=False)  # one more than GPUs: two share one
    assert sorted(note["gpus"] for note in report.notes) == ["5", "5", "7"]
