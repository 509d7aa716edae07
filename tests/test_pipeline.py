"""The stages in order: what a plan says of trainings, and who does what under `accelerate launch`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from idist.config import RunConfig, build_config, load_config
from idist.engine import write_json
from idist.errors import UserError
from recipes.command import Request
from recipes.pipeline import check, plan, run_stages, train_stage
from tests.stages.student import make_pairs, save_tiny_student

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunConfig, Path]:
    """A run with pairs and a finished training of a tiny student."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    put_pairs(folder, contexts=8)
    training = {"model": save_tiny_student(folder.parent / "tiny"), "batch_size": 8, "epochs": 1, "evaluations": 1}
    config = build_config({"train": training, "device": "cpu"})
    train_stage("train")(config, folder, progress=False)
    return config, folder


def put_pairs(folder: Path, contexts: int) -> None:
    (folder / "pairs" / "selected").mkdir(parents=True, exist_ok=True)
    pq.write_table(make_pairs(contexts), folder / "pairs" / "selected" / "00000.parquet")
    write_json(folder / "pairs" / "manifest.json", {})


def state(config: RunConfig, folder: Path) -> str:
    """What the plan says of stage `train`."""
    said = plan(Request(config, folder, ("train", "train_final"), None, True, None))
    where, first, last = said.splitlines()[1:]
    assert where == "Shards of up to 32 contexts or 320 sources run with: local, workers auto"
    assert first.startswith("train ") and last.split()[:3] == ["train_final", "to", "do"]
    return first[13:30].strip()


def test_the_plan_knows_a_training_of_another_config(trained: tuple[RunConfig, Path]) -> None:
    config, folder = trained
    assert state(config, folder) == "finished"
    assert state(replace(config, dtype="float32"), folder) == "finished"  # what `auto` stands for
    other = replace(config, train=replace(config.train, learning_rate=0.5))
    assert state(other, folder) == "of another config"
    assert state(config, folder.parent / "none") == "to do"


def test_the_plan_knows_a_training_on_other_pairs_and_an_unfinished_one(
    trained: tuple[RunConfig, Path], tmp_path: Path
) -> None:
    config, folder = trained[0], Path(shutil.copytree(trained[1], tmp_path / "run"))
    put_pairs(folder, contexts=9)
    assert state(config, folder) == "of another config"
    put_pairs(folder, contexts=8)
    (folder / "train" / "training.json").unlink()
    assert state(config, folder) == "begun"


# Stages that only write down who ran them and when; what the first process does alone takes its time.
PROGRAM = """
import os, sys, time
from pathlib import Path
from idist.config import build_config
from idist.stages.runs import StageResult
from recipes import pipeline
from recipes.command import Request
from recipes.distill import DISTILLATION

folder = Path(sys.argv[1])

def note(what):
    with (folder / "log.txt").open("a") as log:
        log.write(f"{os.environ['RANK']} {what}\\n")

def remake(*given):
    time.sleep(1)
    note("deleted")
    return ["contexts"]

def runner(stage):
    def run(config, folder, limit):
        time.sleep(0 if stage in pipeline.TRAININGS else 1)
        note(stage)
        return StageResult(stage, folder, 1, {})
    return run

pipeline.remake, pipeline._runner = remake, runner
config = build_config({"device": "cpu"})
pipeline.run_stages(Request(config, folder, DISTILLATION, None, False, "contexts"))
"""


def test_under_accelerate_launch_all_train_and_the_first_does_the_rest(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(PROGRAM)
    # without GPUs `--multi_gpu` starts two processes over gloo
    launch = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"]
    port = ["--main_process_port", "0", "--mixed_precision", "no", "--dynamo_backend", "no"]
    environment: dict[str, Any] = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, *launch, *port, str(tmp_path / "script.py"), str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    log = (tmp_path / "log.txt").read_text().splitlines()
    alone = ["0 deleted", "0 contexts", "0 pairs", "0 self_distil"]
    assert [line for line in log if line in alone] == alone and len(log) == 8
    assert set(log[3:5]) == {"0 train", "1 train"} and set(log[6:]) == {"0 train_final", "1 train_final"}
    assert done.stdout.count("Deleted") == 1


def test_what_a_config_cannot_do_is_found_before_any_work(tmp_path: Path) -> None:
    rows = tmp_path / "pairs.tsv"
    rows.write_text("source\ttarget\none\ttwo\nthree\n", encoding="utf-8")
    with pytest.raises(UserError, match="line 3"):
        check(mini(f"evaluation.tasks=[{rows}]"))
    check(mini(f"evaluation.tasks=[{rows}]", "evaluation.limit=1"))
    with pytest.raises(UserError, match=r"self_distil.keep is 'most_entailed'"):
        check(mini("self_distil.critics=[{rouge_l: {max: 0.75}}]"))
    with pytest.raises(UserError, match=r"train.epochs is 0"):
        mini("train.epochs=0")


def mini(*overrides: str) -> RunConfig:
    return load_config(ROOT / "recipes/configs/mini.yaml", overrides)


def test_what_another_process_works_on_is_not_deleted(trained: tuple[RunConfig, Path], tmp_path: Path) -> None:
    config, folder = trained
    folder = Path(shutil.copytree(folder, tmp_path / "run"))
    hold = "import sys; from pathlib import Path; from idist.engine.lock import alone\n"
    hold += "with alone(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    other = subprocess.Popen([sys.executable, "-c", hold, str(folder)], cwd=ROOT, text=True, **pipes)
    assert other.stdout is not None and other.stdout.readline() == "held\n"
    with pytest.raises(UserError, match="Another process is working in"):
        run_stages(Request(config, folder, ("train",), None, False, "train"))
    other.kill()
    other.communicate()
    assert (folder / "train" / "training.json").is_file()
