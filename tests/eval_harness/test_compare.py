"""``compare``: what it prints of two results, what it refuses, all without a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval_harness import results
from eval_harness.__main__ import main
from eval_harness.comparison import compare
from eval_harness.metrics import Bleu, Compression, IBleu, Metric, RougeL
from eval_harness.pairs import read_pairs
from eval_harness.registry import discover
from eval_harness.scoring import aligned
from eval_harness.statistics import holm, paired_test
from eval_harness.tasks.base import Example, TaskData

N = 40
Make = Callable[..., Path]


def examples(n: int = N) -> list[Example]:
    sources, targets = read_pairs(limit=n)
    return [Example(f"e{i:03d}", s, (t,)) for i, (s, t) in enumerate(zip(sources, targets, strict=True))]


def halves(rows: list[Example], share: float) -> list[str]:
    """The first words of the references."""
    return [" ".join(row.references[0].split()[: int(share * len(row.references[0].split()))]) for row in rows]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a result; keywords change its metadata (``task.name=...`` as ``task__name``)."""

    def write(
        system: str,
        predictions: list[str],
        metrics: list[Metric] | None = None,
        rows: list[Example] | None = None,
        **changes: Any,
    ) -> Path:
        rows = rows or examples()
        metrics = metrics or [Bleu("standard"), IBleu("standard"), RougeL(), Compression()]
        seen = aligned(rows, predictions)
        statistics = {metric.name: metric.statistics(seen) for metric in metrics}
        meta: dict[str, Any] = {
            "created": "2026-11-21T12:00:00Z",
            "task": {
                "name": "scenes",
                "purpose": "paraphrase",
                "origin": "bundled",
                "examples": len(rows),
                "fingerprint": TaskData.of(rows, "bundled").fingerprint,
            },
            "system": {"name": system, "spec": system, "settings": {}, "fingerprint": system, "reported": False},
            "protocol": "standard",
            "seed": 0,
            "resamples": 1000,
            "confidence": 0.95,
            "scores": {
                metric.name: {
                    "title": metric.title,
                    "value": metric.score(statistics[metric.name]),
                    "low": 0.0,
                    "high": 100.0,
                    "n": len(rows),
                    "higher_is_better": metric.higher_is_better,
                    "signature": metric.signature(),
                    "spec": metric.name,
                }
                for metric in metrics
            },
            "versions": {},
            "hardware": {},
            "seconds": {},
            "failures": 0,
        }
        for key, value in changes.items():
            *parts, last = key.split("__")
            place = meta
            for part in parts:
                place = place[part]
            place[last] = value
        scores = {metric.name: metric.per_example(statistics[metric.name]) for metric in metrics}
        path = tmp_path / "results" / f"{system}.json"
        results.write(path, meta, results.table(rows, predictions, {}, scores, statistics))
        return path

    return write


@pytest.fixture
def pair(make: Make) -> tuple[Path, Path]:
    """Nine tenths of every reference, and a half, but for one example where A has nothing and B all."""
    rows = examples()
    a, b = halves(rows, 0.9), halves(rows, 0.5)
    a[7], b[7] = "", rows[7].references[0]
    return make("long", a), make("short", b)


def test_numbers_are_those_of_the_paired_test(pair: tuple[Path, Path]) -> None:
    a, b = (results.read(path) for path in pair)
    for test in ("bootstrap", "randomization"):
        comparison = compare(a, b, discover([]), test=test, resamples=300, seed=4)
        assert [line.metric for line in comparison.lines] == ["bleu", "ibleu", "rouge_l", "compression"]
        metrics = {"bleu": Bleu("standard"), "ibleu": IBleu("standard"), "rouge_l": RougeL()}
        for line in comparison.lines[:3]:
            metric = metrics[line.metric]
            matrices = a.statistics(line.metric), b.statistics(line.metric)
            assert line.paired == paired_test(metric, *matrices, test, 300, 4)
            assert line.paired.a == pytest.approx(a.meta["scores"][line.metric]["value"])
            assert line.better == "A"
        p_values = np.array([line.paired.p_value for line in comparison.lines])
        assert [line.p_corrected for line in comparison.lines] == holm(p_values).tolist()
        assert comparison.lines[3].better is None  # neither side is


def test_examples_that_differ_most_come_first(pair: tuple[Path, Path]) -> None:
    a, b = (results.read(path) for path in pair)
    comparison = compare(a, b, discover([]), ["rouge_l", "bleu"], resamples=50, examples=N)
    differences = [abs(one.score_a - one.score_b) for one in comparison.contrasts]
    assert differences == sorted(differences, reverse=True)
    assert differences[-1] > 0.0
    first, row = comparison.contrasts[0], examples()[7]
    assert (first.id, first.source, first.references) == ("e007", row.source, list(row.references))
    assert (first.a, first.b, first.score_a, first.score_b) == ("", row.references[0], 0.0, 100.0)
    assert [line.metric for line in comparison.lines] == ["rouge_l", "bleu"]


def test_printed_table(pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    main(["compare", *map(str, pair), "--resamples", "200", "--examples", "1"])
    out = capsys.readouterr().out
    assert out.startswith("scenes (40 examples, bundled), protocol standard\nA  long\nB  short\n")
    header, *table = out.split("\n\n")[1].splitlines()
    assert header.split() == ["A", "B", "A", "-", "B", "95%", "interval", "p", "p", "(Holm)", "better"]
    assert [line.split("  ")[0] for line in table] == ["BLEU", "iBLEU", "ROUGE-L", "Compression"]
    assert all(" 0.0050 " in line for line in table)  # none of 200 resamples
    assert "paired bootstrap, 200 resamples, seed 0; p as in sacreBLEU, corrected over 4 metrics (Holm)" in out
    assert f"rouge_l      {RougeL().signature()}" in out
    assert "The example that differs most in BLEU:" in out
    assert "\ne007: BLEU 0.0 (A), 100.0 (B)\n" in out
    assert "\n  A          (empty)\n" in out


def test_json_holds_the_same(pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    main(["compare", *map(str, pair), "--json", "--metric", "bleu", "--test", "randomization", "--examples", "2"])
    found = json.loads(capsys.readouterr().out)
    assert (found["test"], found["resamples"], found["seed"]) == ("randomization", 10_000, 0)
    assert (found["a"]["system"]["spec"], found["b"]["system"]["spec"]) == ("long", "short")
    bleu = found["metrics"].pop("bleu")
    assert found["metrics"] == {}
    assert bleu["difference"] == pytest.approx(bleu["a"] - bleu["b"])
    assert bleu["low"] < bleu["difference"] < bleu["high"]
    assert (bleu["p_corrected"], bleu["better"]) == (bleu["p_value"], "A")
    assert found["examples"][0]["id"] == "e007"
    assert len(found["examples"]) == 2


def test_a_result_beside_itself(pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    main(["compare", str(pair[0]), str(pair[0])])
    out = capsys.readouterr().out
    assert out.count("[0.0, 0.0]   1.0000     1.0000        -") == 4
    assert "differ" not in out


def test_what_cannot_be_compared_is_left_out_and_said(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    rows = examples()
    a = make("a", halves(rows, 0.9), [Bleu("standard"), RougeL(), Compression()])
    b = make("b", halves(rows, 0.5), [RougeL(), Bleu("standard")], scores__bleu__signature="another")
    main(["compare", str(a), str(b)])
    out = capsys.readouterr().out
    assert "left out: bleu was computed in two ways" in out
    assert f"left out: {b} has no metric 'compression'" in out
    assert "corrected over 1 metric (Holm)" in out
    assert_refused(capsys, a, b, "bleu was computed in two ways", "--metric", "bleu")
    assert_refused(capsys, a, b, "b.json has no metric 'compression'", "--metrics", "rouge_l", "compression")
    assert_refused(capsys, a, b, "a.json has no metric 'rouge'; did you mean 'rouge_l'?", "--metric", "rouge")


PLUGIN = """
import numpy as np
from eval_harness.metrics.base import Metric
class Words(Metric):
    name = title = "words"
    def signature(self):
        return "unit:words"
    def statistics(self, examples):
        return np.array([[float(len(text.split()))] for text in examples.predictions])
IDIST_EVAL = {"metrics": {"words": Words}}
"""


def test_metrics_of_plug_ins_need_their_plug_in(make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "plugin.py").write_text(PLUGIN, encoding="utf-8")
    plugin = ["--plugin", str(tmp_path / "plugin.py")]
    words = discover([plugin[1]]).metric("words")
    a, b = (make(name, halves(examples(), share), [words, RougeL()]) for name, share in (("a", 0.9), ("b", 0.5)))
    main(["compare", str(a), str(b), *plugin])
    assert "words    unit:words" in capsys.readouterr().out
    main(["compare", str(a), str(b)])
    assert "left out: words: " in capsys.readouterr().out
    assert_refused(capsys, a, b, "words", "--metric", "words")
    only = [make(name, halves(examples(), 0.5), [words]) for name in ("c", "d")]
    assert_refused(capsys, *only, "c.json can be compared. words: ")


def assert_refused(capsys: pytest.CaptureFixture[str], a: Path, b: Path, message: str, *options: str) -> None:
    """One sentence on stderr, exit code 2."""
    with pytest.raises(SystemExit) as caught:
        main(["compare", str(a), str(b), *options])
    out, error = capsys.readouterr()
    assert caught.value.code == 2
    assert out == ""
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error


def test_results_of_other_things_are_refused(
    make: Make, pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = examples()
    texts = halves(rows, 0.5)
    a = pair[0]
    swapped = [*rows[1:], rows[0]]
    other = [Example("x000", rows[0].source, rows[0].references), *rows[1:]]
    assert_refused(capsys, a, make("task", texts, task__name="mrpc"), "of the task 'scenes'")
    assert_refused(capsys, a, make("protocol", texts, protocol="paper"), "by the protocol 'standard'")
    assert_refused(capsys, a, make("few", texts[:30], rows=rows[:30]), "has 40 examples")
    assert_refused(capsys, a, make("data", texts, task__fingerprint="0" * 16), "are of different data of the task")
    assert_refused(capsys, a, make("order", halves(swapped, 0.5), rows=swapped), "are of different data")
    same = results.read(a).meta["task"]["fingerprint"]
    assert_refused(capsys, a, make("ids", texts, rows=other, task__fingerprint=same), "are of different data")
    assert_refused(capsys, a, make("paper", texts, system__reported=True), "figures reported in a paper")
    assert_refused(capsys, a, make("none", texts, [IBleu()], scores__ibleu__signature="x"), "no metric in common")
    assert_refused(capsys, a, make("value", texts, scores__bleu__value=3.25), "its JSON says 3.2500")
    assert_refused(capsys, a, a.with_name("nothing.json"), "nothing.json does not exist")


def test_numbers_out_of_range_are_named(pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert_refused(capsys, *pair, "resamples is 0, expected 1 or more", "--resamples", "0")
    assert_refused(capsys, *pair, "seed is -1, expected 0 or more", "--seed", "-1")
    assert_refused(capsys, *pair, "examples is -3, expected 0 or more", "--examples", "-3")


def test_terminal_escapes_in_predictions_are_not_printed(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    rows = examples()
    a = make("a", [f"\x1b[31m{row.references[0]}\n\tx" for row in rows])
    b = make("b", halves(rows, 0.5))
    main(["compare", str(a), str(b)])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\t" not in out


def test_one_example(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    rows = examples(1)
    a, b = make("a", [rows[0].references[0]], rows=rows), make("b", [rows[0].source], rows=rows)
    main(["compare", str(a), str(b), "--json"])
    for metric in json.loads(capsys.readouterr().out)["metrics"].values():
        assert (metric["low"], metric["high"]) == pytest.approx((metric["difference"], metric["difference"]))
        assert (metric["p_value"], metric["p_corrected"], metric["better"]) == (1.0, 1.0, None)
