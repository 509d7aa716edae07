"""A Space as it is pushed: whole, with the names that were set, and it runs from there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recipes.push_space import SPACES, names
from tests.small_run import recipe

ROOT = SPACES.parent


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder, and what the recipe said."""
    place = tmp_path_factory.mktemp("pushed")
    done = recipe("push_space", "impossible_t5", "--set", "dataset=you/mini", folder=place)
    assert done.returncode == 0, done.stderr
    return place / "hub" / "spaces" / "impossible_t5", done.stdout


@pytest.mark.parametrize("name", names())
def test_a_space_has_a_small_app_a_head_and_the_librarys_requirements(name: str) -> None:
    from huggingface_hub import RepoCard

    folder = SPACES / name
    assert len((folder / "app.py").read_text(encoding="utf-8").splitlines()) <= 100
    head = RepoCard.load(folder / "README.md").data
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert (head.sdk, head.app_file) == ("gradio", "app.py") and f"gradio=={head.sdk_version}" in pinned
    lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    own = re.search(r"^dependencies = \[(.*?)^\]", project, re.DOTALL | re.MULTILINE)
    assert own and [line for line in lines if not line.startswith("#")] == re.findall(r'"(.+)"', own.group(1))


def test_everything_lies_in_one_folder(pushed: tuple[Path, str]) -> None:
    folder, said = pushed
    assert "v1.0.0" in said
    for part in ("README.md", "requirements.txt", "app.py", "demo/page.py", "space_kit/style.css", "idist/critics"):
        assert (folder / part).exists()
    assert json.loads((folder / "settings.json").read_text())["dataset"] == "you/mini"
    assert (folder / "README.md").read_text().startswith("---\ntitle: Impossible-T5\n")
    assert not (folder / "idist" / "embedded" / "teacher").exists() and not list(folder.rglob("__pycache__"))


def test_it_starts_from_there_alone(pushed: tuple[Path, str], tmp_path: Path) -> None:
    known = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PYTHONSAFEPATH": ""}
    done = subprocess.run(
        [sys.executable, str(pushed[0] / "app.py")], cwd=tmp_path, env=known, capture_output=True, text=True
    )
    assert done.returncode == 2 and "IDIST_MODEL" in done.stderr
    asked = "import sys; sys.path.insert(0, '.'); import idist, space_kit; print(idist.__file__, space_kit.__file__)"
    done = subprocess.run([sys.executable, "-c", asked], cwd=pushed[0], env=known, capture_output=True, text=True)
    assert all(Path(path).is_relative_to(pushed[0]) for path in done.stdout.split())


def test_the_human_evaluation_is_whole_too(tmp_path: Path) -> None:
    done = recipe("push_space", "annotate", "--set", "study=you/my-study", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "hub" / "spaces" / "annotate"
    assert json.loads((folder / "settings.json").read_text())["study"] == "you/my-study"
    for part in ("rating/page.py", "rating/style.css", "space_kit/style.css", "eval_harness/human/store.py"):
        assert (folder / part).exists()
    known = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"IDIST_STUDY": "none.json"}
    command = [sys.executable, str(folder / "app.py")]
    done = subprocess.run(command, cwd=tmp_path, env=known, capture_output=True, text=True)
    assert done.returncode == 2 and "Study none.json does not exist" in done.stderr


def test_the_leaderboard_is_served_from_its_own_folder(tmp_path: Path) -> None:
    pytest.importorskip("gradio", reason="gradio is not installed")
    import httpx

    done = recipe("push_space", "leaderboard", "--set", "results=you/results", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "hub" / "spaces" / "leaderboard"
    assert json.loads((folder / "settings.json").read_text())["results"] == "you/results"
    known = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    known |= {"IDIST_RESULTS": "none", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "app.py"]
    process = subprocess.Popen(command, cwd=folder, env=known, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = next(filter(None, (re.search(r"https?://\S+:\d+", line) for line in process.stdout)))
        assert "Paraphrase leaderboard" in httpx.get(f"{found.group()}/config", timeout=120).text
    finally:
        process.terminate()
        process.wait()


def test_a_second_time_nothing_is_done_and_a_dry_run_leaves_nothing(pushed: tuple[Path, str], tmp_path: Path) -> None:
    place = pushed[0].parents[2]
    again = recipe("push_space", "impossible_t5", "--set", "dataset=you/mini", folder=place)
    assert "already published" in again.stdout
    dry = recipe("push_space", "impossible_t5", "--dry-run", folder=tmp_path)
    assert "would be made" in dry.stdout and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["impossible_t6"], "did you mean 'impossible_t5'"),
        (["impossible_t5", "--set", "modell=you/x"], "no setting 'modell'"),
        (["impossible_t5", "--set", "model"], "expected KEY=VALUE"),
        (["impossible_t5", "--set", "model=./here"], "folder of this machine"),
    ],
)
def test_bad_arguments_are_a_sentence(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = recipe("push_space", *arguments, folder=tmp_path)
    assert done.returncode == 2 and said.lower() in done.stderr.lower() and "Traceback" not in done.stderr
