"""Which models the demo finds by itself, where their critics come from, what it tells of a dataset."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo import made
from demo.origin import EMBEDDED, critics_of, fetch
from demo.page import shown
from demo.settings import VARIABLES, from_runs, read
from idist.config import load_config
from idist.errors import UserError
from recipes.publish import config_of
from recipes.publishing import TEMPLATES

SPACE = Path(__file__).parents[2] / "spaces" / "impossible_t5"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)


def test_the_finished_run_is_found(distilled: tuple[Path, str]) -> None:
    run = distilled[0]
    found = read(SPACE, run.parent)
    assert (found.model, found.dataset) == (str(run / "train_final" / "model"), str(run))
    assert found.syntax_model is found.attribute_model is found.summary_model is None
    assert critics_of(str(found.model)) == load_config(run / "config.yaml").self_distil_critics()


def test_what_is_named_goes_before_runs(distilled: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDIST_MODEL", "embedded:student")
    found = read(SPACE, distilled[0].parent)
    assert found.model == "embedded:student" and found.dataset is None
    assert critics_of(fetch("embedded:student")) == EMBEDDED


def test_without_a_student_the_command_says_how_to_get_one(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.yaml").write_text("{")
    assert from_runs(tmp_path).model is None
    with pytest.raises(UserError, match="make distill"):
        read(SPACE, tmp_path)
    known = {name: value for name, value in os.environ.items() if name not in VARIABLES.values()}
    done = subprocess.run(
        [sys.executable, str(SPACE / "app.py")], cwd=tmp_path, env=known, capture_output=True, text=True
    )
    assert done.returncode == 2 and "make distill" in done.stderr and "Traceback" not in done.stderr


def test_a_run_and_its_release_tell_the_same(distilled: tuple[Path, str], tmp_path: Path) -> None:
    from idist.release import build_dataset, build_model

    run = distilled[0]
    config = config_of(run, [])
    build_dataset(config, run, tmp_path / "data", "small", "v1.0.0", TEMPLATES)
    own, released = made.read(str(run)), made.read(str(tmp_path / "data"))
    assert own.stages == released.stages and set(own.stages) == {"pairs", "self_distil"}
    texts = [{(pair["x"], pair["context"]) for pair in one.pairs["pairs"]} for one in (own, released)]
    assert texts[1] <= texts[0] and all(context for _, context in texts[0])
    build_model(config, run, "train_final", tmp_path / "model", "small-student", "v1.0.0", TEMPLATES, None, [])
    assert critics_of(str(tmp_path / "model")) == critics_of(str(run / "train_final" / "model"))


def test_no_dataset_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="lineage"):
        made.read(str(tmp_path))


def test_no_folder_of_this_machine_is_shown() -> None:
    assert shown("/home/someone/work/runs/mini/train_final/model") == "mini/train_final"
    assert (shown("you/mini-student"), shown("embedded:student")) == ("you/mini-student", "embedded:student")
