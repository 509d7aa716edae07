"""Critics by name: ours, another package's, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from idist.critics import build_cascade
from idist.errors import UserError

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
RUN = """
import json, sys
import yaml
from idist.critics import Group, build_cascade
from idist.errors import UserError

try:
    cascade = build_cascade(yaml.safe_load(sys.stdin))
    kept, funnel = cascade.select(cascade.score([Group("c", ["a dog runs", "the dog runs", "a cat", "rain"])]))
    print(json.dumps([[k.i, k.j, k.scores] for k in kept] + [funnel.to_dict()]))
except UserError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the plugin; needs no network."""
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copytree(HERE / "plugin", folder / "source")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    options = ["--no-build-isolation", "--no-deps", "--target", str(folder / "site"), str(folder / "source")]
    subprocess.run(command + options, check=True, capture_output=True, timeout=300)
    return folder / "site"


def run(composition: str, *path: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [REPOSITORY, *path]))}
    command = [sys.executable, "-c", RUN]
    done = subprocess.run(
        command, input=composition, env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("name", ["shared_words", "shared_words:SharedWords"])
def test_critic_of_another_package_is_named_in_yaml(installed: Path, name: str) -> None:
    answer = run(f"- {{rouge_l: {{max: 0.9}}}}\n- {{'{name}': {{min: 2}}}}\n", installed)
    *kept, funnel = json.loads(answer)
    assert [sorted(pair[:2]) for pair in kept] == [[0, 1]]
    assert kept[0][2][name] == 2
    assert [(step["name"], step["seen"], step["removed"]) for step in funnel["steps"]] == [
        ("rouge_l", 6, 0),
        (name, 6, 5),
    ]


def test_its_settings_are_checked_like_ours(installed: Path) -> None:
    assert "'shared_words.mn'; did you mean 'min'?" in run("- shared_words: {mn: 2}", installed)
    assert "expected 0 or more" in run("- shared_words: {min: -1}", installed)
    assert "did you mean 'shared_words'?" in run("- shared_word: {}", installed)


def test_without_the_package_the_name_is_unknown() -> None:
    assert run("- shared_words: {}").startswith("critics: unknown critic 'shared_words'; expected one of: classifier")


def test_two_critics_of_one_name_are_refused(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(installed, tmp_path / "site")
    [information] = (tmp_path / "site").glob("*.dist-info")
    points = information / "entry_points.txt"
    points.write_text("[idist.critics]\nrouge_l = shared_words:SharedWords\n", encoding="utf-8")
    answer = run("- rouge_l: {}", tmp_path / "site")
    assert answer.startswith("Two critics are called 'rouge_l'")
    assert "shared_words:SharedWords" in answer


@pytest.mark.parametrize(
    ("composition", "expected"),
    [
        ([{"rouge_1": {}}], "unknown critic 'rouge_1'; did you mean 'rouge_l'?"),
        ([{"rouge_l": {"maks": 1}}], "unknown key 'rouge_l.maks'; did you mean 'max'?"),
        ([{"rouge_l": {"max": 1.5}}], "rouge_l.max is 1.5, expected a value from 0 to 1"),
        ([{"rouge_l": {"max": float("nan")}}], "rouge_l.max is nan"),
        ([{"entailment": {"min": "high"}}], "entailment.min is 'high', expected a number"),
        ([{"entailment": {"directions": "back"}}], "expected one of: both, forward"),
        ([{"rouge_l": {"max": 0.7, "floor": 0.6}}], "rouge_l.floor is 0.6, stricter than rouge_l.max; expected 0.7"),
        ([{"entailment": {"floor": 0.8}}], "stricter than entailment.min; expected 0.75 or less"),
        ([{"length_ratio": {"min": 0.5, "ceiling": 0.7}}], "length_ratio.ceiling is 0.7, stricter"),
        ([{"diversity": {"floor": 0.9}}], "stricter than diversity.min"),
        ([{"entailment": {"model": "embedded:nli"}}], "critics.entailment.model: Model 'embedded:nli' does not ship"),
        ([{"entailment": {"model": "./nowhere"}}], "Model folder './nowhere' does not exist"),
        ([{"rouge_l": {}}, {"rouge_l": {}}], "'rouge_l' is named twice"),
        ([{"rouge_l": {}, "numbers": {}}], "expected NAME: {settings}"),
        ([{"no.such.module:Critic": {}}], "cannot be imported"),
        ([{"idist.errors:UserError": {}}], "is no critic"),
    ],
)
def test_refused(composition: list[dict[str, dict]], expected: str) -> None:
    with pytest.raises(UserError) as error:
        build_cascade(composition)
    assert expected in str(error.value)


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(UserError) as error:
        build_cascade([{"rouge": {}}, {"numbers": {"max": -1}}, {"diversity": {"sides": "z"}}])
    for word in ("'rouge'", "numbers.max", "diversity.sides"):
        assert word in str(error.value)
