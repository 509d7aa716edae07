"""What a person meets: help, plans, and mistakes that end in one sentence and exit code 2."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ("distill", "contexts", "pairs", "train", "self_distil", "control")


def recipe(name: str, *arguments: str, runs: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a recipe as a person does, from the checkout, with the Hub out of reach."""
    command = [sys.executable, str(ROOT / "recipes" / f"{name}.py"), *arguments]
    if runs is not None:
        command += ["--runs", str(runs)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The error message, after checking that it is all there is."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip() and "%|" not in line]  # a bar is no message
    assert len(lines) == 1 and lines[0].startswith("error: "), done.stderr
    return lines[0]


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


@pytest.mark.parametrize("name", RECIPES)
def test_help_is_quick(name: str) -> None:
    best = min(_seconds(name) for _ in range(5))  # the least: the machine may be busy
    assert best < 1.0


def _seconds(name: str) -> float:
    start = time.perf_counter()
    done = recipe(name, "--help")
    assert done.returncode == 0 and "--dry-run" in done.stdout
    return time.perf_counter() - start


def test_dry_run_lists_stages_and_writes_nothing(tmp_path: Path) -> None:
    done = recipe("distill", "--dry-run", "--limit", "3", runs=tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    for word in ("contexts", "pairs", "train", "self_distil", "train_final", "embedded:teacher", "3 contexts"):
        assert word in done.stdout
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("config", ["dimple-news", "dimple-biomed"])
def test_paper_scale_plans_need_no_model_and_no_network(config: str, tmp_path: Path) -> None:
    done = recipe("distill", "--config", config, "--dry-run", runs=tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    assert "roberta" not in done.stderr and "t5-large" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "minni"], "did you mean 'mini'?"),
        (["--config", "nowhere.yaml"], "nowhere.yaml cannot be read"),
        (["--set", "pairs.kk=3"], "unknown key 'pairs.kk'; did you mean 'k'?"),
        (["--set", "pairs.k=1"], "pairs.k is 1, expected 2 or more"),
        (["--executor", "rya"], "engine.executor is 'rya', expected one of: local, ray, slurm, hf_jobs."),
        (["--set", "engine.workers=0"], "engine.workers is 0, expected 1 or more"),
        (["--set", "pairs.critics.rouge_l.max=1.5"], "max is 1.5"),
        (["--set", "pairs.critics.rouge_l.maxx=0.5"], "'max'"),
        (["--set", "pairs.critics.rouge.max=0.5"], "did you mean 'rouge_l'?"),
        (["--set", "pairs.critics=[roug_l]"], "'rouge_l'"),
        (["--set", "contexts.prefixes=nws"], "news"),
        (["--limit", "0"], "--limit is 0"),
        (["--set", "device=cuda"], "device is cuda"),
        (["--from", "pair"], "did you mean 'pairs'?"),
        (["--set", "train.model=embedded:studnt"], "did you mean 'student'?"),
        (["--set", "evaluation.tasks=[/no/such.tsv]"], "such.tsv does not exist"),
        (["--set", "evaluation.tasks=[scene]"], "did you mean 'scenes'?"),
        (["--set", "evaluation.tasks=[gigaword]"], "gigaword"),
        (["--set", "evaluation.metrics=[blue]"], "did you mean 'bleu'?"),
        (["--set", "evaluation.baselines=[copyinput]"], "did you mean 'copy-input'?"),
        (["--set", "pairs.source=missing.tsv"], "missing.tsv does not exist"),
    ],
)
def test_mistakes_are_one_sentence(arguments: list[str], message: str, tmp_path: Path) -> None:
    if "device=cuda" in arguments and _has_cuda():
        pytest.skip("there is a CUDA device here")
    assert message in one_sentence(recipe("distill", *arguments, "--dry-run", runs=tmp_path))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "contexts.model=embedded:teachr"], "did you mean 'teacher'?"),
        (["--set", "contexts.model=nobody/nothing"], "HF_HUB_OFFLINE=1"),
        (["--set", "contexts.model=./no/folder"], "does not exist"),
        (["--set", "contexts.source=missing.txt"], "missing.txt"),
    ],
)
def test_contexts_that_cannot_be_made(arguments: list[str], message: str, tmp_path: Path) -> None:
    assert message in one_sentence(recipe("contexts", *arguments, "--limit", "2", runs=tmp_path))


@pytest.mark.parametrize(("content", "message"), [(b"", "empty"), (b"Fine.\n\xff\xfe bad\n", "UTF-8")])
def test_own_text_that_is_no_text(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    found = one_sentence(recipe("contexts", "--set", f"contexts.source={path}", runs=tmp_path / "runs"))
    assert "mine.txt" in found and message in found


def test_a_runs_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be made" in one_sentence(recipe("contexts", "--limit", "2", runs=tmp_path / "file"))


def test_a_name_is_a_word_whatever_yaml_thinks(tmp_path: Path) -> None:
    done = recipe("contexts", "--name", "1", "--dry-run", runs=tmp_path)
    assert done.returncode == 0 and "Run '1'" in done.stdout, done.stderr


def test_a_refused_config_does_not_replace_the_runs_own(tmp_path: Path) -> None:
    small = ["--limit", "2", "--set", "engine.workers=1"]
    assert recipe("contexts", *small, runs=tmp_path).returncode == 0
    before = (tmp_path / "mini" / "config.yaml").read_text()
    one_sentence(recipe("contexts", *small, "--set", "seed=5", runs=tmp_path))
    assert (tmp_path / "mini" / "config.yaml").read_text() == before


def test_a_stage_before_its_input_names_what_to_run(tmp_path: Path) -> None:
    assert "contexts" in one_sentence(recipe("pairs", runs=tmp_path))
    assert "pairs" in one_sentence(recipe("train", runs=tmp_path))


def test_a_run_of_another_config_is_refused_and_kept(tmp_path: Path) -> None:
    small = ["--limit", "2", "--set", "engine.workers=1"]
    done = recipe("contexts", *small, runs=tmp_path)
    assert done.returncode == 0, done.stderr
    files = {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")}
    assert files
    found = one_sentence(recipe("contexts", *small, "--set", "contexts.top_p=0.5", runs=tmp_path))
    assert "top_p" in found and "--from contexts" in found
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")} == files
    again = recipe("contexts", *small, runs=tmp_path)
    assert again.returncode == 0 and "already there" in again.stdout
