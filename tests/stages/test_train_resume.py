"""Stage `train`: kills, full disks, and several processes."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from idist.config import TrainConfig
from idist.errors import UserError
from idist.stages import train as stage
from idist.stages.train import train
from tests.stages.student import CONFIG, ROOT, log, make_pairs, same_weights, save_tiny_student


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_tiny_student(tmp_path_factory.mktemp("tiny"))


def test_a_killed_training_ends_as_an_undisturbed_one(tiny: str, tmp_path: Path) -> None:
    config = replace(CONFIG, model=tiny, epochs=8, evaluations=12, patience=0)
    pq.write_table(make_pairs(32), tmp_path / "pairs.parquet")
    undisturbed = train([tmp_path / "pairs.parquet"], config, tmp_path / "undisturbed", 1, "cpu", progress=False)

    killed = tmp_path / "killed"
    code = (
        "from pathlib import Path; from idist.config import TrainConfig; from idist.stages.train import train\n"
        f"train([Path({str(tmp_path / 'pairs.parquet')!r})], {config!r}, Path({str(killed)!r}), 1, 'cpu')"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while len(list(killed.glob("checkpoints/*/complete.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (killed / "training.json").exists()
    whole = max(int(path.parent.name.split("-")[1]) for path in killed.glob("checkpoints/*/complete.json"))
    unfinished = killed / f"checkpoints/checkpoint-{whole + 1}"  # as a kill in the middle of writing would leave it
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(killed / f"checkpoints/checkpoint-{whole}", unfinished)
    os.truncate(unfinished / "optimizer.pt", 1000)

    # the folder moves, too: what checkpoints remember of their place must not matter
    moved = tmp_path / "moved"
    killed.rename(moved)
    resumed = train([tmp_path / "pairs.parquet"], config, moved, 1, "cpu", progress=False)
    assert resumed.resumed_from == whole
    assert same_weights(undisturbed.model, resumed.model)
    assert log(tmp_path / "undisturbed") == log(moved)
    assert (undisturbed.steps, undisturbed.eval_loss) == (resumed.steps, resumed.eval_loss)


def test_a_training_killed_before_its_summary_trains_no_further(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(CONFIG, model=tiny, patience=1, learning_rate=0.0, epochs=6)

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stage, "leave_summary", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train(make_pairs(10), config, tmp_path / "a", 0, "cpu", progress=False)
    resumed = train(make_pairs(10), config, tmp_path / "a", 0, "cpu", progress=False)
    undisturbed = train(make_pairs(10), config, tmp_path / "b", 0, "cpu", progress=False)
    assert resumed.resumed_from == resumed.steps == undisturbed.steps
    assert log(tmp_path / "a") == log(tmp_path / "b")
    assert same_weights(resumed.model, undisturbed.model)


@pytest.mark.parametrize("limit", [30_000, 300_000])  # bytes a file: the optimizer's state, the weights
def test_full_disk_is_one_sentence_and_loses_nothing(limit: int, tiny: str, tmp_path: Path) -> None:
    config = replace(CONFIG, model=tiny)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))  # writing more fails as on a full disk
    try:
        with pytest.raises(UserError, match="could not be written: no space left; make room"):
            train(make_pairs(10), config, tmp_path / "run", 0, "cpu", progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert train(make_pairs(10), config, tmp_path / "run", 0, "cpu", progress=False).steps


def in_two_processes(config: TrainConfig, pairs: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """A training under `accelerate launch`, into ``folder``."""
    script = folder.with_suffix(".py")
    script.write_text(
        "from pathlib import Path; from idist.config import TrainConfig; from idist.stages.train import train\n"
        f"result = train([Path({str(pairs)!r})], {config!r}, Path({str(folder)!r}), 0, 'cpu')\n"
        "print('done', result.steps)"
    )
    # `--cpu` would start one process (accelerate leaves more to MPI); `--multi_gpu` starts two, without GPUs over gloo
    launch = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"]
    port = ["--main_process_port", "0", "--mixed_precision", "no", "--dynamo_backend", "no"]
    return subprocess.run(
        [sys.executable, *launch, *port, str(script)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(("dropout", "tolerance"), [(0.1, 0.05), (0.0, 1e-4)])
def test_two_processes_under_accelerate_launch(dropout: float, tolerance: float, tmp_path: Path) -> None:
    config = replace(CONFIG, model=save_tiny_student(tmp_path / "tiny", dropout=dropout))
    pairs = tmp_path / "pairs.parquet"
    pq.write_table(make_pairs(12), pairs)
    done = in_two_processes(config, pairs, tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("done") == 2
    summary = json.loads((tmp_path / "two/training.json").read_text())
    assert summary["processes"] == 2 and not (tmp_path / "two/checkpoints").exists()
    one = train([pairs], config, tmp_path / "one", 0, "cpu", progress=False)
    assert summary["steps"] == one.steps and one.model.is_dir() and (tmp_path / "two/model").is_dir()
    # the same batches, cut in two: the losses of one process, save that each process draws a dropout of its own
    for ours, theirs in zip(log(tmp_path / "one"), log(tmp_path / "two"), strict=True):
        key = "loss" if "loss" in ours else "eval_loss"
        assert theirs[key] == pytest.approx(ours[key], rel=tolerance)
