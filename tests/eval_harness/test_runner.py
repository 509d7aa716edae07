"""Runs: what is predicted, kept, resumed, counted and refused."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer

from eval_harness import results
from eval_harness.metrics.base import Examples, Floats, Metric
from eval_harness.registry import Registry, discover
from eval_harness.request import Run
from eval_harness.results import Result
from eval_harness.runner import run
from eval_harness.systems.base import System
from eval_harness.tasks.base import Example, Task, TaskData
from idist.errors import UserError


@dataclass
class Numbers(Task):
    """As many examples as wanted, about numbers."""

    name: str = "numbers"
    description: str = "Numbers in words and figures"
    purpose: Any = "paraphrase"
    metrics: tuple[str, ...] = ("rouge_l", "length")
    size: int = 600
    exemplars: bool = False

    def load(self, data_dir: Path | None = None, limit: int | None = None) -> TaskData:
        """``size`` examples."""
        exemplar = "this is number one" if self.exemplars else None
        rows = [Example(f"n-{i}", f"number {i} it is", (f"it is number {i}",), exemplar) for i in range(self.size)]
        return TaskData.of(rows[:limit], "local")


@dataclass
class Length(Metric):
    """Characters of the prediction."""

    name = "length"

    def signature(self) -> str:
        """Nothing to set."""
        return "characters"

    def statistics(self, examples: Examples) -> Floats:
        """(n, 1)."""
        return np.array([[len(text)] for text in examples.predictions], np.float64)


@dataclass
class Strict(Length):
    """Length that needs exemplars."""

    name = "strict"
    needs = frozenset({"exemplars"})


@dataclass
class Broken(Length):
    """Statistics or scores that are none, as asked for."""

    kind: str = "nan"

    name = "broken"

    def statistics(self, examples: Examples) -> Floats:
        """Wrong in the way asked for."""
        good = np.ones((len(examples), 1))
        return {"nan": good * np.nan, "flat": good[:, 0], "short": good[1:], "score": good}[self.kind]

    def from_sums(self, sums: Floats, n: int) -> Floats:
        """Infinite."""
        return sums[..., 0] * np.inf


@dataclass
class Recorder(System):
    """Upper case; writes down what it was asked for, and fails as told."""

    word: str = ""

    asked: ClassVar[list[str]] = []
    events: ClassVar[list[str]] = []
    interrupt_at: ClassVar[str | None] = None
    failing: ClassVar[set[str]] = set()

    def predict(self, examples: Sequence[Example]) -> list[str]:
        """Upper case."""
        if self.interrupt_at in {example.id for example in examples}:
            raise KeyboardInterrupt
        self.events.append(f"predict {self.word}")
        self.asked.extend(example.id for example in examples)
        self.failures.update({example.id: "no answer" for example in examples if example.id in self.failing})
        self.advance(len(examples))
        self.advance(5)  # a system that counts badly does not break the bar
        return ["" if example.id in self.failing else self.word + example.source.upper() for example in examples]

    def close(self) -> None:
        """Write it down."""
        self.events.append(f"close {self.word}")

    def usage(self) -> dict[str, int | float]:
        """Examples asked about, by any of these."""
        return {"asked": len(self.asked)}


@dataclass
class Odd(Recorder):
    """Predictions that are none, as asked for."""

    kind: str = "short"

    def predict(self, examples: Sequence[Example]) -> list[str]:
        """Wrong in the way asked for."""
        texts: list[Any] = [example.source for example in examples]
        if self.kind == "stranger":
            self.failures["n-999999"] = "who?"
        return {"short": texts[1:], "none": [None, *texts[1:]], "stranger": texts, "half": ["\ud83d!", *texts[1:]]}[
            self.kind
        ]


@dataclass
class Long(System):
    """Ten thousand characters for each example."""

    word: str

    keeps_cache: ClassVar[bool] = False

    def predict(self, examples: Sequence[Example]) -> list[str]:
        """Long."""
        return [(self.word + example.id).ljust(10_000, "x") for example in examples]


@pytest.fixture
def registry() -> Registry:
    Recorder.asked.clear()
    Recorder.events.clear()
    Recorder.failing.clear()
    Recorder.interrupt_at = None
    known = discover()
    known.register("task", "numbers", Numbers(), "these tests")
    known.register("task", "few", Numbers("few", size=20), "these tests")
    known.register("task", "figures", Numbers("figures", size=3, exemplars=True, purpose="syntax"), "these tests")
    for name, target in {"length": Length, "strict": Strict, "broken": Broken}.items():
        known.register("metric", name, target, "these tests")
    for name, system in {"recorder": Recorder, "odd": Odd, "long": Long}.items():
        known.register("system", name, system, "these tests")
    return known


def request(out: Path, **changes: Any) -> Run:
    fixed: dict[str, Any] = {"tasks": ["numbers"], "systems": ["recorder"], "progress": False, "resamples": 50}
    return Run(**{**fixed, "out": out, **changes})


def go(registry: Registry, out: Path, **changes: Any) -> tuple[list[Result], list[str]]:
    said: list[str] = []
    return run(request(out, **changes), registry, said.append), said


def columns(result: Result, *names: str) -> list[Any]:
    return [result.rows[name].to_pylist() for name in names]


def test_scores_equal_those_of_the_libraries(registry: Registry, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"systems": ["lead,words=3"], "protocol": "standard"}
    [result], said = go(registry, tmp_path, tasks=["few"], metrics=["bleu", "self_bleu", "rouge_l"], **changes)
    examples = Numbers(size=20).load().examples
    sources, references = [e.source for e in examples], [e.references[0] for e in examples]
    predictions = [" ".join(source.split()[:3]) for source in sources]
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    rouge = [scorer.score(r, p)["rougeL"].fmeasure for r, p in zip(references, predictions, strict=True)]
    values = {name: score["value"] for name, score in result.meta["scores"].items()}
    assert values["bleu"] == pytest.approx(sacrebleu.corpus_bleu(predictions, [references]).score, abs=1e-9)
    assert values["self_bleu"] == pytest.approx(sacrebleu.corpus_bleu(predictions, [sources]).score, abs=1e-9)
    assert values["rouge_l"] == pytest.approx(100 * np.mean(rouge), abs=1e-9)
    assert np.allclose(result.per_example("rouge_l"), 100 * np.array(rouge), atol=1e-9)
    assert all(score["low"] <= score["value"] <= score["high"] for score in result.meta["scores"].values())
    assert columns(result, "prediction") == [predictions]
    assert said == []


def test_the_files_say_how_they_were_made(registry: Registry, tmp_path: Path) -> None:
    [result], _ = go(registry, tmp_path, systems=["recorder:a"], limit=7, seed=3)
    assert result.path == tmp_path / "numbers" / "paper" / "recorder-a.json"
    meta = results.read(result.path).meta
    assert meta["task"]["limit"] == 7 and meta["task"]["examples"] == 7
    assert meta["task"]["fingerprint"] == Numbers().load(limit=7).fingerprint
    assert meta["system"]["settings"] == {"word": "a"}
    assert meta["system"]["fingerprint"] == Recorder("a").fingerprint() != Recorder("b").fingerprint()
    assert (meta["seed"], meta["resamples"], meta["protocol"]) == (3, 50, "paper")
    assert meta["versions"]["python"].startswith("3.") and "sacrebleu" in meta["versions"]
    assert meta["hardware"]["cores"] >= 1 and meta["peak_memory_mib"] > 1
    assert meta["seconds"]["predict"] >= 0 and meta["seconds"]["score"] > 0


def test_standard_protocol_is_named_everywhere(registry: Registry, tmp_path: Path) -> None:
    [result], _ = go(registry, tmp_path, tasks=["few"], metrics=["bleu", "rouge_l"], protocol="standard")
    assert result.path.parent == tmp_path / "few" / "standard"
    entry = result.meta["scores"]["bleu"]
    assert entry["spec"] == "bleu,protocol=standard" and entry["signature"].startswith("corpus|")
    assert result.meta["scores"]["rouge_l"]["spec"] == "rouge_l"
    again = registry.metric(entry["spec"])
    assert again.score(result.statistics("bleu")) == entry["value"]


def test_interrupted_run_goes_on_at_its_chunk(registry: Registry, tmp_path: Path) -> None:
    [undisturbed], _ = go(registry, tmp_path / "one")
    Recorder.asked.clear()
    Recorder.interrupt_at = "n-520"
    with pytest.raises(KeyboardInterrupt):
        go(registry, tmp_path / "two")
    assert Recorder.asked == [f"n-{i}" for i in range(512)]
    assert Recorder.events[-1] == "close "
    assert list(tmp_path.glob("two/numbers/**/*")) == []
    Recorder.asked.clear()
    Recorder.interrupt_at = None
    [resumed], _ = go(registry, tmp_path / "two")
    assert Recorder.asked == [f"n-{i}" for i in range(512, 600)]
    assert resumed.rows.equals(undisturbed.rows)
    assert resumed.meta["scores"] == undisturbed.meta["scores"]


def test_usage_is_that_of_all_chunks_whenever_they_were_made(registry: Registry, tmp_path: Path) -> None:
    Recorder.asked.append("before")
    [first], _ = go(registry, tmp_path)
    assert first.meta["system"]["usage"] == {"asked": 600}
    [again], _ = go(registry, tmp_path, metrics=["bleu"])
    assert len(Recorder.asked) == 601 and again.meta["system"]["usage"] == {"asked": 600}
    [other], _ = go(registry, tmp_path, tasks=["few"], systems=["copy-input"])
    assert other.meta["system"]["usage"] == {}


def test_a_longer_run_begins_with_the_chunks_of_a_try(registry: Registry, tmp_path: Path) -> None:
    go(registry, tmp_path, limit=512)
    Recorder.asked.clear()
    [result], said = go(registry, tmp_path)
    assert Recorder.asked == [f"n-{i}" for i in range(512, 600)]
    assert result.meta["task"]["examples"] == 600
    assert said == [f"replaced: {result.path} (a try on 512 examples)"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:50]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text(path.read_text().replace("NUMBER 300", "NUMBER 301")),
        lambda path: path.write_text("[]"),
    ],
)
def test_damaged_chunk_is_predicted_again(registry: Registry, tmp_path: Path, damage: Any) -> None:
    [first], _ = go(registry, tmp_path)
    before = first.rows
    [chunk] = [path for path in (tmp_path / ".cache").rglob("*.json") if "NUMBER 300 " in path.read_text()]
    damage(chunk)
    Recorder.asked.clear()
    [after], said = go(registry, tmp_path, overwrite=True)
    assert Recorder.asked == [f"n-{i}" for i in range(256, 512)]
    assert [line for line in said if "is damaged: its 256 examples are predicted again" in line] == said
    assert after.rows.equals(before)


def test_cache_depends_on_system_and_texts(registry: Registry, tmp_path: Path) -> None:
    go(registry, tmp_path, tasks=["few"])
    Recorder.asked.clear()
    go(registry, tmp_path, tasks=["few"], overwrite=True)
    assert Recorder.asked == []
    go(registry, tmp_path, tasks=["few"], systems=["recorder:b"])
    assert len(Recorder.asked) == 20
    cache = tmp_path / ".cache"
    go(registry, tmp_path / "elsewhere", tasks=["few"], cache=cache)
    assert len(Recorder.asked) == 20  # another folder of results, the same predictions


def test_failures_are_counted_and_asked_again(registry: Registry, tmp_path: Path) -> None:
    Recorder.failing |= {"n-3", "n-300"}
    [result], said = go(registry, tmp_path)
    assert result.meta["failures"] == 2
    [errors, predictions] = columns(result, "cached_error", "prediction")
    assert [i for i, error in enumerate(errors) if error] == [3, 300]
    assert (errors[3], predictions[3], result.per_example("length")[3]) == ("no answer", "", 0.0)
    [warning] = said
    assert "recorder gave no prediction for 2 of 600 examples of numbers" in warning and "n-3: no answer" in warning
    Recorder.asked.clear()
    Recorder.failing.clear()
    [repaired], said = go(registry, tmp_path, metrics=["bleu"])
    assert repaired.metrics == ["bleu", "rouge_l", "length"]
    assert Recorder.asked == [f"n-{i}" for i in range(512)]  # the two chunks with failures
    assert repaired.meta["failures"] == 0 and repaired.per_example("length").min() > 0
    assert said == []


def test_finished_result_is_kept(registry: Registry, tmp_path: Path) -> None:
    [first], _ = go(registry, tmp_path, tasks=["few"])
    content = first.path.read_bytes()
    [kept], said = go(registry, tmp_path, tasks=["few"])
    assert kept.meta == first.meta and first.path.read_bytes() == content
    assert said == [f"kept: {first.path} (same model, data and metrics; --overwrite makes it again)"]


def test_more_metrics_join_those_that_are_there(registry: Registry, tmp_path: Path, monkeypatch: Any) -> None:
    [first], _ = go(registry, tmp_path, tasks=["few"], metrics=["length", "bleu"])
    bleu = first.statistics("bleu")
    Recorder.asked.clear()
    monkeypatch.setattr(Length, "statistics", lambda *_: pytest.fail("it is known"))
    [second], said = go(registry, tmp_path, tasks=["few"], metrics=["rouge_l"])
    assert second.metrics == ["rouge_l", "length", "bleu"]
    assert second.meta["scores"]["length"] == first.meta["scores"]["length"]
    assert np.array_equal(second.statistics("bleu"), bleu)
    assert (Recorder.asked, said) == ([], [])
    [third], _ = go(registry, tmp_path, tasks=["few"], metrics=["rouge_l"], seed=9, resamples=60)
    assert third.metrics == second.metrics and third.meta["seed"] == 9
    assert third.meta["scores"]["length"]["value"] == second.meta["scores"]["length"]["value"]
    assert third.meta["scores"]["length"]["low"] != second.meta["scores"]["length"]["low"]


def test_metric_of_another_signature_is_scored_again(registry: Registry, tmp_path: Path, monkeypatch: Any) -> None:
    [first], _ = go(registry, tmp_path, tasks=["few"], metrics=["ibleu", "length"])
    [second], _ = go(registry, tmp_path, tasks=["few"], metrics=["ibleu,alpha=0.5"])
    assert second.meta["scores"]["ibleu"]["value"] != first.meta["scores"]["ibleu"]["value"]
    monkeypatch.setattr(Length, "signature", lambda _: "bytes")
    [third], said = go(registry, tmp_path, tasks=["few"], metrics=["rouge_l"])
    assert third.metrics == ["rouge_l", "ibleu"]
    assert said == [f"warning: {first.path} loses its metric 'length': it was made with other versions or settings"]


@pytest.mark.parametrize("suffix", [".json", ".parquet"])
def test_damaged_result_is_made_again(registry: Registry, tmp_path: Path, suffix: str) -> None:
    [first], _ = go(registry, tmp_path, tasks=["few"])
    rows = first.rows
    first.path.with_suffix(suffix).write_bytes(b"PAR1 no more")
    [again], said = go(registry, tmp_path, tasks=["few"])
    assert again.rows.equals(rows)
    assert len(said) == 1 and "damaged" in said[0] and said[0].startswith("warning: ")


def test_another_model_does_not_replace_a_result(registry: Registry, tmp_path: Path, monkeypatch: Any) -> None:
    [first], _ = go(registry, tmp_path, tasks=["few"])
    monkeypatch.setattr(Recorder, "version", 2)
    with pytest.raises(UserError, match="is of another model or other settings behind 'recorder'; give --overwrite"):
        go(registry, tmp_path, tasks=["few"])
    [again], _ = go(registry, tmp_path, tasks=["few"], overwrite=True)
    assert again.meta["system"]["fingerprint"] != first.meta["system"]["fingerprint"]


def test_fewer_data_do_not_replace_a_result(registry: Registry, tmp_path: Path) -> None:
    go(registry, tmp_path)
    Recorder.asked.clear()
    with pytest.raises(UserError, match="is of other data .600 examples, .* now 10 examples"):
        go(registry, tmp_path, limit=10, systems=["recorder:new", "recorder"])
    assert Recorder.asked == []  # found before any work
    [result], _ = go(registry, tmp_path, limit=10, overwrite=True)
    assert len(result.rows) == 10


def test_one_system_after_another(registry: Registry, tmp_path: Path) -> None:
    go(registry, tmp_path, tasks=["few", "figures"], systems=["recorder:a", "recorder:b"], metrics=["length"])
    order = ["predict a", "predict a", "close a", "predict b", "predict b", "close b"]
    assert Recorder.events == order


def test_memory_is_flat_in_the_number_of_systems(registry: Registry, tmp_path: Path) -> None:
    def peak(count: int) -> float:
        systems = [f"long:{letter}" for letter in "abcdefgh"[:count]]
        gc.collect()
        tracemalloc.start()
        done, _ = go(registry, tmp_path / str(count), systems=systems, metrics=["length"], limit=200)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(done) == count
        return most

    peak(1)  # what is imported on the way is not counted
    # the predictions of one system are 2 MB
    assert peak(5) - peak(2) < 1e6


def test_half_a_character_does_not_break_the_files(registry: Registry, tmp_path: Path) -> None:
    [result], _ = go(registry, tmp_path, tasks=["few"], systems=["odd:,kind=half"], metrics=["length"])
    assert columns(result, "prediction")[0][0] == "\ufffd!"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"systems": ["odd"]}, "System odd gave 19 predictions for 20 examples"),
        ({"systems": ["odd:,kind=none"]}, "System odd:,kind=none gave None for example 'n-0', expected a string"),
        ({"systems": ["odd:,kind=stranger"]}, "reports a failure of 'n-999999', which it was not asked for"),
        ({"metrics": ["broken"]}, r"Metric 'broken' gave \[nan\] for example 0 \(and 19 others\), expected finite"),
        ({"metrics": ["broken:flat"]}, r"statistics of shape \(20,\), expected \(20, s\)"),
        ({"metrics": ["broken:short"]}, r"statistics of shape \(19, 1\), expected \(20, s\)"),
        ({"metrics": ["broken:score"]}, "gave the score inf"),
        ({"metrics": ["strict"]}, "'strict' needs exemplars, and the task 'few' has none"),
        ({"metrics": ["bleu", "bleu"]}, "are both called 'bleu'"),
        ({"metrics": ["bleu,protocol=standard"]}, "contradicts --protocol paper; expected --protocol standard"),
        ({"metrics": ["blue"]}, "Unknown metric 'blue'; did you mean 'bleu'?"),
        ({"systems": ["recoder"]}, "Unknown system 'recoder'; did you mean 'recorder'?"),
        ({"tasks": ["number"]}, "Unknown task 'number'; did you mean 'numbers'?"),
        ({"tasks": []}, "No task is named"),
        ({"systems": ["recorder", "recorder"]}, "The system 'recorder' is named twice"),
        ({"limit": 0}, "--limit is 0, expected 1 or more"),
        ({"resamples": 0}, "--resamples is 0, expected 1 or more"),
        ({"seed": -1}, "--seed is -1, expected 0 or more"),
        ({"protocol": "papers"}, "--protocol is 'papers', expected one of: paper, standard"),
        ({"confidence": 1.0}, "expected a number between 0 and 1"),
    ],
)
def test_refused(registry: Registry, tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        go(registry, tmp_path, **{"tasks": ["few"], **changes})
    assert not list(tmp_path.rglob("*.parquet"))


def test_exemplars_reach_the_metrics_that_need_them(registry: Registry, tmp_path: Path) -> None:
    [result], _ = go(registry, tmp_path, tasks=["figures"], metrics=["strict"])
    assert columns(result, "exemplar") == [["this is number one"] * 3]
    assert result.metrics == ["strict"]


def test_overlap_with_training_data_stands_in_the_result(registry: Registry, tmp_path: Path) -> None:
    training = tmp_path / "train.tsv"
    training.write_text("source\ttarget\nnumber 3 it is\tit is number 3\nsomething\telse\n")
    [plain], _ = go(registry, tmp_path, tasks=["few"])
    assert plain.meta["decontamination"] is None
    [result], _ = go(registry, tmp_path, tasks=["few"], decontaminate=str(training))
    found = json.loads(result.path.read_text())["decontamination"]
    assert found["rows"] == 2 and found["counts"]["pair"] == 1
    [kept], said = go(registry, tmp_path, tasks=["few"], decontaminate=str(training))
    assert kept.meta == result.meta and said[0].startswith("kept: ")
    [also], _ = go(registry, tmp_path, tasks=["few"], metrics=["bleu"])
    assert also.meta["decontamination"] == found
