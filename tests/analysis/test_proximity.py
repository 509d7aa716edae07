"""Paraphrastic proximity on the embedded models, against a computation without any of our machinery."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from idist.analysis.proximity import JudgeWork, judge, judged_rows, read_contexts
from idist.analysis.proximity_curves import ALL, BLEU, EQUAL, EQUIVALENT, SURE, count_pairs, curves
from idist.analysis.self_bleu import self_bleu
from idist.config import RunConfig, build_config
from idist.engine import table_path
from idist.errors import UserError
from idist.stages import contexts

ROOT = Path(__file__).parents[2]
SETTINGS: dict[str, Any] = {
    "name": "tiny",
    "seed": 4,
    "contexts": {
        "model": "embedded:teacher",
        "count": 7,
        "max_sentences": 3,
        "max_new_tokens": 60,
        "banned_tokens": ["\n", "<|endoftext|>"],
    },
    "pairs": {
        "model": "embedded:teacher",
        "k": 8,
        "temperature": 0.5,
        "no_repeat_ngram_size": 0,
        "max_new_tokens": 24,
        "critics": [{"entailment": {"decide": "argmax", "min": 0.75, "model": "embedded:entailment"}}],
    },
    "engine": {"shard_size": 3},
}


def config(**pairs: Any) -> RunConfig:
    """`SETTINGS` with settings of `pairs` changed."""
    return build_config({**SETTINGS, "pairs": {**SETTINGS["pairs"], **pairs}})


def draw_contexts(folder: Path, count: int = 7) -> None:
    """Documents of three sentences, as the recipe makes them."""
    own = build_config({**SETTINGS, "contexts": {**SETTINGS["contexts"], "min_sentences": 3, "count": count}})
    contexts.run(own, folder, progress=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run at temperatures 0.5 and 0.9."""
    folder = tmp_path_factory.mktemp("proximity") / "run"
    draw_contexts(folder)
    judge(config(), folder, [0.9], progress=False)
    return folder


def test_decisions_are_those_of_the_model_asked_pair_by_pair(made: Path) -> None:
    """Every pair of different sentences, both ways, one at a time, through transformers alone."""
    import torch

    from idist.models import label_index, load_classifier

    model, tokenizer = load_classifier("embedded:entailment", "cpu")
    label = label_index(model, "entail")

    def entails(a: str, b: str) -> float:
        with torch.inference_mode():
            return float(model(**tokenizer(a, b, return_tensors="pt")).logits.softmax(-1)[0, label])

    def decides(a: str, b: str) -> bool:
        with torch.inference_mode():
            return int(model(**tokenizer(a, b, return_tensors="pt")).logits.argmax()) == label

    found = 0
    for row in judged_rows(made, 0.5)[:4]:
        sentences = row["sentences"]
        assert len(set(sentences)) == len(sentences) and sum(row["counts"]) <= 8
        kept = {tuple(sorted(pair)) for pair in zip(row["x"], row["y"], strict=True)}
        for i, j in combinations(range(len(sentences)), 2):
            both = decides(sentences[i], sentences[j]) and decides(sentences[j], sentences[i])
            assert both == ((i, j) in kept), (sentences[i], sentences[j])
        for i, j, forward, backward in zip(row["x"], row["y"], row["entailment_xy"], row["entailment_yx"], strict=True):
            assert forward == pytest.approx(entails(sentences[i], sentences[j]), abs=1e-5)
            assert backward == pytest.approx(entails(sentences[j], sentences[i]), abs=1e-5)
        pairs = np.array([row["x"], row["y"]]).T
        assert row["self_bleu"] == pytest.approx(self_bleu(sentences, pairs), abs=1e-4)
        found += len(kept)
    assert found, "a test without any equivalent pair tests nothing"


def test_pairs_of_samples_are_counted_as_if_listed(made: Path) -> None:
    for row in judged_rows(made, 0.5):
        samples = [index for index, count in enumerate(row["counts"]) for _ in range(count)]
        kept = {frozenset(pair): place for place, pair in enumerate(zip(row["x"], row["y"], strict=True))}
        expected: Counter[int] = Counter()
        for a, b in combinations(samples, 2):
            expected[ALL] += 1
            expected[EQUAL] += a == b
            place = kept.get(frozenset((a, b)))
            if a != b and place is not None:
                expected[EQUIVALENT] += 1
                expected[BLEU] += row["self_bleu"][place]
                expected[SURE] += min(row["entailment_xy"][place], row["entailment_yx"][place]) >= 0.75
        sums = count_pairs(row, 0.75)
        for column in (ALL, EQUAL, EQUIVALENT, BLEU, SURE):
            assert sums[column] == pytest.approx(expected[column], abs=1e-3)


def test_lengths_take_turns_and_end_where_the_document_ends(made: Path) -> None:
    rows = read_contexts(config(), made)
    assert [row["num_sentences"] for row in rows] == [1, 2, 3, 1, 2, 3, 1]
    whole = [row for rank in range(3) for row in contexts_table(made, rank)]
    for row, document in zip(rows, whole, strict=True):
        assert document["context"].endswith(row["context"])


def contexts_table(folder: Path, rank: int) -> list[dict[str, Any]]:
    """Rows of the stage `contexts`."""
    import pyarrow.parquet as pq

    return pq.read_table(table_path(folder / "contexts", "contexts", rank)).to_pylist()


def test_both_curves(made: Path) -> None:
    rows = {temperature: judged_rows(made, temperature) for temperature in (0.5, 0.9)}
    found = curves(rows, 0.5, 0.75, seed=0)
    assert [point.at for point in found["length"]] == [1, 2, 3]
    assert [point.at for point in found["temperature"]] == [0.5, 0.9]
    assert sum(point.contexts for point in found["length"]) == found["temperature"][0].contexts == 7
    assert sum(point.pairs for point in found["length"]) == found["temperature"][0].pairs
    for point in [*found["length"], *found["temperature"]]:
        assert point.ratio_with_equal.value >= point.equal.value  # type: ignore[operator]
        assert point.ratio_sure.value <= point.ratio.value  # type: ignore[operator]
        assert 0 <= point.ratio.low <= point.ratio.value <= point.ratio.high <= 100  # type: ignore[operator]


def test_a_context_without_equivalent_pairs_has_no_self_bleu() -> None:
    row = {"counts": [1, 1], "x": [], "y": [], "entailment_xy": [], "entailment_yx": [], "self_bleu": []}
    found = curves({0.7: [row | {"num_sentences": 2}]}, 0.7, 0.75, seed=0)["length"][0]
    assert found.ratio.value == 0.0 and found.self_bleu.value is None and found.self_bleu_with_equal.value is None


def test_a_stopped_run_goes_on_and_ends_with_the_same_bytes(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(made, folder)
    expected = {path: path.read_bytes() for path in sorted(folder.glob("proximity/t0.9/*.parquet"))}
    first, *others = expected
    first.unlink()
    times = [path.stat().st_mtime_ns for path in others]
    reports = judge(config(), folder, [0.9], progress=False)
    assert reports[0.9].made == 1 and reports[0.5].made == 0
    assert {path: path.read_bytes() for path in expected} == expected
    assert [path.stat().st_mtime_ns for path in others] == times


def test_rows_do_not_depend_on_workers(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(made / "contexts", folder / "contexts")
    both = build_config({**SETTINGS, "engine": {"shard_size": 3, "workers": 2}})
    judge(both, folder, [], progress=False)
    names = sorted(path.name for path in (made / "proximity" / "t0.5").glob("*"))
    for name in names:
        place = Path("proximity", "t0.5", name)
        assert (folder / place).read_bytes() == (made / place).read_bytes()


def test_more_contexts_go_on_after_those_that_are_there(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(made, folder)
    before = judged_rows(folder, 0.5)
    draw_contexts(folder, 9)
    reports = judge(config(), folder, [], progress=False)
    assert reports[0.5].made == 1
    after = judged_rows(folder, 0.5)
    assert after[:7] == before and len(after) == 9


def test_other_settings_are_refused(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(made, folder)
    with pytest.raises(UserError, match=r"made with pairs\.k = 8, this run asks for 9; add --from proximity"):
        judge(config(k=9), folder, [], progress=False)


def test_what_is_missing_is_said(made: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"pairs\.critics has no entailment"):
        judge(config(critics=[{"rouge_l": {}}]), made, [], progress=False)
    with pytest.raises(UserError, match="directions is 'forward', expected 'both'"):
        judge(config(critics=[{"entailment": {"directions": "forward"}}]), made, [], progress=False)
    with pytest.raises(UserError, match=r"has 0 contexts, none of them with 3 sentences"):
        judge(config(), tmp_path, [], progress=False)


def test_work_travels_to_other_processes() -> None:
    import copy

    work = JudgeWork(config(), Path("x"), 0.7, [1])
    assert copy.deepcopy(work) == work


def recipe(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`recipes/proximity.py` in a process of its own."""
    script = ROOT / "recipes" / "proximity.py"
    return subprocess.run(
        [sys.executable, str(script), "--runs", str(folder), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )


def test_the_recipe_on_a_person_s_own_text(tmp_path: Path) -> None:
    text = tmp_path / "my.txt"
    lines = [f"A man walks {n}. A dog runs to him. They play with a ball. It is getting dark." for n in ("in", "by")]
    text.write_text("\n".join(lines) + "\nToo short.\n")
    path = tmp_path / "tiny.yaml"
    path.write_text(json.dumps({**SETTINGS, "contexts": {"source": str(text), "max_sentences": 3, "count": 5}}))
    done = recipe(tmp_path, "--config", str(path), "--temperatures", "0.5")
    assert done.returncode == 0, done.stderr
    assert "| 1 | 1 | 28 |" in done.stdout, done.stdout
    written = json.loads((tmp_path / "tiny" / "proximity.json").read_text())
    assert [point["at"] for point in written["length"]] == [1, 2]
    assert written["made_with"]["self_bleu"].startswith("mean-sentence-both-ways")
    for name in ("proximity.md", "proximity.png", "proximity.svg"):
        assert (tmp_path / "tiny" / name).stat().st_size > 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--temperatures", "hot"], "--temperatures is 'hot', expected numbers from 0 to 10"),
        (["--limit", "0"], "--limit is 0, expected 1 or more"),
        (["--config", "proximty"], "did you mean 'proximity'?"),
        (["--set", "pairs.kk=3"], "unknown key 'pairs.kk'"),
        (["--set", "contexts.source=nowhere.txt"], "nowhere.txt does not exist"),
    ],
)
def test_bad_input_ends_with_one_sentence(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = recipe(tmp_path, *arguments)
    assert done.returncode == 2 and message in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_a_dry_run_makes_nothing(tmp_path: Path) -> None:
    done = recipe(tmp_path / "runs", "--dry-run", "--config", "proximity-gpt2-xl")
    assert done.returncode == 0, done.stderr
    assert "1,000 contexts" in done.stdout and "4,950,000 pairs" in done.stdout
    assert not (tmp_path / "runs").exists()
