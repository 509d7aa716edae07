"""Tasks, metrics and systems by name: ours, another package's, a file's, and what is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eval_harness import results
from eval_harness.builtin import BUILT_IN
from eval_harness.metrics.base import Metric
from eval_harness.registry import KINDS, Kind, Registry, discover, summary
from eval_harness.systems.base import System
from eval_harness.tasks.base import Task
from eval_harness.tasks.file_task import FileTask
from idist.errors import UserError

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
FILE = """
from __future__ import annotations
from dataclasses import dataclass
import numpy as np
from eval_harness.metrics.base import Metric
from eval_harness.systems.base import System

@dataclass
class Words(Metric):
    '''Words of the prediction.'''
    least: int = 1
    def signature(self):
        return f"least:{self.least}"
    def statistics(self, examples):
        return np.array([[len([w for w in p.split() if len(w) >= self.least])] for p in examples.predictions], float)

@dataclass
class Echo(System):
    '''The source twice.'''
    times: int = 2
    def predict(self, examples):
        return [" ".join([example.source] * self.times) for example in examples]

IDIST_EVAL = {
    "metrics": {"words": Words},
    "systems": {"echo": Echo, "copy-again": "eval_harness.systems.copy_input:CopyInput"},
    "tasks": {"days": "days.yaml"},
}
"""
TASK = """
name: days
description: Days of the week
purpose: paraphrase
metrics: [words]
bundled: days.tsv
columns: {source: source, references: target}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the package; needs no network."""
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copytree(HERE / "plugin", folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    options = ["--no-build-isolation", "--no-deps", "--target", str(folder / "site"), str(folder / "source")]
    subprocess.run(command + options, check=True, capture_output=True, timeout=300)
    return folder / "site"


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A file with a metric, two systems and a task beside it."""
    (tmp_path / "days.yaml").write_text(TASK)
    (tmp_path / "days.tsv").write_text("source\ttarget\nOn Monday it rains\tIt rains on Monday\n")
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


def command(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [REPOSITORY, *([path] if path else [])]))}
    return subprocess.run(
        [sys.executable, "-m", "eval_harness", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_package_of_its_own_is_listed_checked_and_used(installed: Path, tmp_path: Path) -> None:
    listed = command("list", path=installed).stdout
    assert "Old sayings in plain words  [package eval-extras 0.1]" in listed
    assert "Words that prediction and source share, of all words in either, in 0..100." in listed
    checked = command("validate", "proverbs", "word_overlap", "shout", path=installed)
    assert (checked.returncode, checked.stdout.splitlines()[-1]) == (0, "3 checked, no problems")
    arguments = ("run", "--task", "proverbs", "--system", "shout:?", "copy-input", "--out", str(tmp_path))
    done = command(*arguments, path=installed)
    assert done.returncode == 0, done.stderr
    assert "word overlap" in done.stdout
    result = results.read(tmp_path / "proverbs" / "paper" / "shout.json")
    assert result.rows["prediction"][1].as_py() == "BETTER LATE THAN NEVER?"
    # the last word of each saying now ends in a mark: 4, 3, 4, 3 of 6, 5, 6, 5 words are shared
    assert result.meta["scores"]["word_overlap"]["value"] == pytest.approx(100 * 14 / 22)
    assert result.meta["scores"]["word_overlap"]["signature"] == "shortest:1"


def test_its_settings_are_checked_like_ours(installed: Path) -> None:
    refused = command("validate", "word_overlap,shortest=0", "shout:!,loud=1", "words_overlap", path=installed)
    assert refused.returncode == 2
    assert "shortest is 0, expected 1 or more" in refused.stderr
    assert "unknown setting 'loud'; expected one of: mark." in refused.stderr
    assert "did you mean 'word_overlap'?" in refused.stderr


def test_without_the_package_its_names_are_unknown() -> None:
    refused = command("run", "--task", "proverbs")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: Unknown task 'proverbs'; expected one of: gigaword, mrpc")


def test_two_of_one_name_are_refused(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(installed, tmp_path / "site")
    [information] = (tmp_path / "site").glob("*.dist-info")
    points = "[idist.eval.metrics]\nbleu = eval_extras:WordOverlap\n"
    (information / "entry_points.txt").write_text(points, encoding="utf-8")
    refused = command("list", path=tmp_path / "site")
    assert refused.returncode == 2
    assert "Two metrics are called 'bleu': one of built in, one of package eval-extras 0.1" in refused.stderr


def test_a_broken_package_spoils_only_itself(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(installed, tmp_path / "site")
    (tmp_path / "site" / "eval_extras" / "__init__.py").write_text("import nothing_of_that_name\n")
    listed = command("list", path=tmp_path / "site")
    assert listed.returncode == 0
    assert "shout             cannot be used: System 'shout'" in listed.stdout
    assert "ModuleNotFoundError: No module named 'nothing_of_that_name'" in listed.stdout
    assert command("validate", "bleu", path=tmp_path / "site").returncode == 0
    checked = command("validate", path=tmp_path / "site")
    assert checked.returncode == 2 and checked.stderr.startswith("error: 3 problems in ")


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_ships_loads(kind: Kind) -> None:
    registry = discover()
    kinds = {"task": Task, "metric": Metric, "system": System}
    for entry in [entry for entry in registry.entries(kind) if entry.origin == "built in"]:
        loaded = registry.load(kind, entry.name)
        assert isinstance(loaded, Task) if kind == "task" else issubclass(loaded, kinds[kind])
        assert len(summary(entry)) > 10
    assert set(BUILT_IN[kind]) <= set(registry.names(kind))


def test_metrics_that_ship_are_called_what_they_are_registered_as() -> None:
    registry = discover()
    for name in BUILT_IN["metric"]:
        metric = registry.metric(name)
        assert metric.name == name
        assert metric.title and isinstance(metric.higher_is_better, bool | None)


def test_tasks_that_ship_can_be_scored_by_their_default_metrics() -> None:
    registry = discover()
    for name in BUILT_IN["task"]:
        task = registry.task(name)
        names = [registry.metric(spec).name for spec in task.default_metrics()]
        assert len(set(names)) == len(names) >= 3
        assert task.problems() == []


def test_file_as_plugin(plugin: Path) -> None:
    registry = discover([str(plugin)])
    [echo] = [entry for entry in registry.entries("system") if entry.name == "echo"]
    assert (summary(echo), echo.origin) == ("The source twice.", f"plug-in {plugin}")
    task = registry.task("days")
    assert isinstance(task, FileTask) and task.load().examples[0].source == "On Monday it rains"
    words = registry.metric("words:3")
    assert (words.name, words.title, words.signature()) == ("words", "words", "least:3")
    assert registry.system("echo:3").predict(task.load().examples) == [" ".join(["On Monday it rains"] * 3)]
    assert type(registry.system("copy-again")).__name__ == "CopyInput"
    assert registry.task(str(plugin.with_name("days.yaml"))) == task
    assert "echo" in discover([str(plugin), str(plugin)]).names("system")  # twice the same is one


def test_module_as_plugin(plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(plugin.parent))
    plugin.rename(plugin.with_name("my_own_plugin.py"))
    assert discover(["my_own_plugin"]).task("days").load().origin == "bundled"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("x = 1", "has no mapping IDIST_EVAL"),
        ("IDIST_EVAL = {}", "has no mapping IDIST_EVAL"),
        ("IDIST_EVAL = {'metric': {}}", "has the key 'metric'; did you mean 'metrics'?"),
        ("IDIST_EVAL = {'metrics': ['m']}", r"IDIST_EVAL\['metrics'\] is \['m'\], expected names and their targets"),
        ("IDIST_EVAL = {'metrics': {'My Metric': int}}", "'My Metric' cannot name a metric"),
        ("IDIST_EVAL = {'systems': {'lead': int}}", "Two systems are called 'lead': one of built in, one of plug-in"),
        ("1/0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("def (", "cannot be imported: SyntaxError"),
    ],
)
def test_plugins_that_are_none(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "plugin.py"
    path.write_text(content)
    with pytest.raises(UserError, match=expected):
        discover([str(path)])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nowhere.py", "Plug-in nowhere.py does not exist"),
        ("no.such.module", "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_plugins_that_are_not_there(name: str, expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        discover([name])


@pytest.mark.parametrize(
    ("kind", "target", "expected"),
    [
        ("metric", int, "is <class 'int'>, expected a class derived from eval_harness.metrics.base.Metric"),
        ("system", "eval_harness.metrics.bleu:Bleu", "expected a class derived from eval_harness.systems.base.System"),
        ("system", "eval_harness.systems.base", "names a module alone, expected module:attribute"),
        ("system", "eval_harness.systems.base:Sistem", "cannot be imported: AttributeError"),
        ("task", "eval_harness.nothing:Task", "cannot be imported: ModuleNotFoundError"),
        ("task", 3, "is 3, expected a Task or the path of its YAML"),
        ("task", Path("nowhere.yaml"), "nowhere.yaml"),
        ("task", BUILT_IN["task"]["mrpc"], "calls itself 'mrpc', expected one name in both places"),
    ],
)
def test_targets_that_are_something_else(kind: Kind, target: object, expected: str) -> None:
    registry = Registry()
    registry.register(kind, "mine", target, "a test")
    with pytest.raises(UserError) as error:
        registry.load(kind, "mine")
    assert expected in str(error.value)


def test_a_system_that_is_no_dataclass_is_refused() -> None:
    class Bare(System):
        def predict(self, examples):  # type: ignore[no-untyped-def]
            return []

    registry = Registry()
    registry.register("system", "bare", Bare, "a test")
    with pytest.raises(UserError, match="Bare is no dataclass, expected its settings as fields"):
        registry.system("bare")
