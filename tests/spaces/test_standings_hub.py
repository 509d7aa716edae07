"""How to submit, as the page tells it: scored, published to a Hub on loopback, shown from there by name."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from standings.pages.submit import SUBMIT
from standings.settings import VARIABLES, found, read
from tests.eval_harness.result_files import examples
from tests.hub.mini_hub import MiniHub
from tests.small_run import recipe
from tests.spaces.test_hub import online

ROOT = Path(__file__).parents[2]
SPACE = ROOT / "spaces" / "leaderboard"
READ = """
import json, sys
from standings.shelf import Shelf
now = Shelf(lambda: sys.argv[1:]).current()
told = {board.name: [[row.label, row.result.path.with_suffix(".parquet").is_file()] for row in board.rows]
        for board in now.boards.values()}
print(json.dumps([told, now.left_out]))
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[MiniHub]:
    from tests.hub.made import USERS

    with MiniHub(tmp_path / "hub_data", USERS).running() as running:
        yield running


def commands(program: str) -> list[list[str]]:
    """The arguments of each command of the page that begins so, in its order."""
    blocks = re.findall(r"^```\n(.*?)^```", SUBMIT, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line.removeprefix(program)) for line in lines if line.startswith(program)]


def test_the_commands_of_the_page_work(hub: MiniHub, tmp_path: Path) -> None:
    known = online(hub, tmp_path)
    _, handed_in = commands("idist-eval ")
    (tmp_path / "outputs.txt").write_text("\n".join(example.source for example in examples(220)) + "\n")
    command = [sys.executable, "-m", "eval_harness", *handed_in, "--metrics", "rouge_l", "--resamples", "20"]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    dry, real = (
        [word.replace("you/", "acme/") for word in line] for line in commands("python recipes/publish_results")
    )
    assert "would be made" in recipe("publish_results", *dry[1:], folder=tmp_path, **known).stdout
    sent = recipe("publish_results", *real[1:], folder=tmp_path, **known)
    assert sent.returncode == 0, sent.stderr
    alone = recipe("publish_results", "results", "--push", "acme/alone", folder=tmp_path, **known)
    assert alone.returncode == 0, alone.stderr
    told, left_out = shown(known, tmp_path, "acme/results")
    assert told == {"scenes-paper": [["predictions:outputs.txt", True]]} and left_out == []
    told, left_out = shown(known, tmp_path, "acme/alone", "acme/none")
    assert told == {"scenes-paper": [["predictions:outputs.txt", False]]}
    assert len(left_out) == 1 and "acme/none" in left_out[0]
    [space] = commands("python recipes/push_space.py ")
    arguments = [word.replace("you/", "acme/").replace("other/", "acme/") for word in space]
    pushed = recipe("push_space", *arguments, "--dry-run", folder=tmp_path, **known)
    assert "space acme/leaderboard v1.0.0 would be made" in pushed.stdout, pushed.stderr


def shown(known: dict[str, str], folder: Path, *names: str) -> list:
    """Boards with (system, whether its examples are there), and what is left out, in a process that reaches the Hub."""
    path = os.pathsep.join(str(ROOT / place) for place in ("", "spaces", "spaces/leaderboard"))
    env = os.environ | known | {"PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", READ, *names], cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_results_and_runs_are_found_and_named_ones_go_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLES["results"], raising=False)
    places = read(SPACE, Path("runs"))
    assert places() == []
    for folder in ("results", "runs/mini/evaluation", "runs/other/evaluation"):
        Path(folder).mkdir(parents=True)
    assert places() == ["results", "runs/mini/evaluation", "runs/other/evaluation"] == found(Path("runs"))
    monkeypatch.setenv(VARIABLES["results"], "you/results, here,you/results")
    assert read(SPACE, Path("runs"))() == ["you/results", "here"]


def test_without_results_baselines_are_scored_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from eval_harness import results
    from standings import baselines

    said: list[str] = []
    monkeypatch.setattr(baselines, "TASKS", ("scenes-summary",))
    baselines.score_if_nothing(["somewhere"], tmp_path / "results", said.append)
    assert said == [] and not (tmp_path / "results").exists()
    baselines.score_if_nothing([], tmp_path / "results", said.append)
    assert [results.read(path).system for path in results.find(tmp_path / "results")] == ["copy-input", "lead"]
    (tmp_path / "file").write_text("")
    baselines.score_if_nothing([], tmp_path / "file", said.append)
    assert said[-1].startswith("left out: ") and len(said) == 3
