"""The recipe as a person calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.planning.finished_run import config, make
from tests.planning.test_actual import rates_of
from tests.test_recipes import one_sentence, recipe


def test_recorded_rates_give_a_plan_without_measuring(tmp_path: Path) -> None:
    run = make(tmp_path / "run")
    rates, out = tmp_path / "rates.json", tmp_path / "plan.json"
    rates.write_text(json.dumps(rates_of(config()).to_dict()))
    arguments = ("--config", str(run / "config.yaml"), "--rates", str(rates), "--json", str(out), "--price", "2.5")
    done = recipe("plan", *arguments, "--currency", "EUR", "--assume", "pairs.distinct=0.5")
    assert done.returncode == 0, done.stderr
    assert "EUR" in done.stdout and "pairs.distinct = 0.5 (given)" in done.stdout
    plan = json.loads(out.read_text())
    assert plan["stages"][1]["rows"]["candidates"] == pytest.approx(10)  # 2 sentences of each of 10 contexts
    assert plan["total"]["money"] == pytest.approx(2.5 * plan["total"]["hours"])


def test_planned_against_actual(tmp_path: Path) -> None:
    run, rates = make(tmp_path / "run"), tmp_path / "rates.json"
    rates.write_text(json.dumps(rates_of(config()).to_dict()))
    done = recipe("plan", "--run", str(run), "--like", str(run), "--rates", str(rates))
    assert done.returncode == 0, done.stderr
    assert "Ratio: planned over actual." in done.stdout and str(run) in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--price", "-1"), "--price is -1, expected 0 or more."),
        (("--config", "dimple-new"), "'dimple-news'"),
        (("--seconds", "0"), "--seconds is 0"),
        (("--run", "nowhere"), "nowhere has no config.yaml"),
        (("--rates", "README.md"), "is not JSON"),
        (("--set", "teacher=nobody/nothing"), "shape of model 'nobody/nothing'"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: tuple[str, ...], said: str) -> None:
    assert said in one_sentence(recipe("plan", *arguments))
