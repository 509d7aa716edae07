"""Ablations: what is taken away, and what the table says of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from idist.config import PAPER_CRITICS, RunConfig, build_config
from idist.errors import UserError
from recipes.ablation_report import Difference, Line, Score, Table, table
from recipes.ablation_variants import FULL, variants
from recipes.ablations import choose, runs_of
from tests.small_run import SMALL, recipe

NOUNS = ("dog", "cat", "horse", "bird", "child", "woman", "man", "boy")
PLACES = ("on the grass", "near the river", "in the street", "behind the house", "under a tree")


def named(critics: list[dict[str, dict[str, object]]]) -> list[str]:
    return [next(iter(critic)) for critic in critics]


def corpus(source: str = "pairs.tsv") -> RunConfig:
    return build_config({"name": "other", "pairs": {"source": source, "source_column": "a", "target_column": "b"}})


def test_the_papers_composition_loses_one_critic_at_a_time() -> None:
    found = {variant.name: variant for variant in variants(RunConfig())}
    critics = named(PAPER_CRITICS)
    assert list(found) == ["full", "no-self-distillation", *(f"no-{name}" for name in critics)]
    for name in critics:
        config = found[f"no-{name}"].config
        assert named(config.pairs.critics) == [other for other in critics if other != name]
        assert named(config.self_distil_critics()) == [x for x in critics if x not in (name, "diversity")]
    assert found["no-self-distillation"].config is found[FULL].config
    assert (found["no-self-distillation"].student, found[FULL].student) == ("train", "train_final")
    assert found["no-self-distillation"].taught_by == "pairs" and found[FULL].taught_by == "self_distil"


def test_what_a_critic_settled_for_others_stays() -> None:
    critics = [{"rouge_l": {"max": 0.7}}, {"entailment": {"model": "embedded:entailment"}}, {"diversity": {}}]
    config = build_config({"pairs": {"critics": critics}, "self_distil": {"keep": "most_entailed"}})
    found = {variant.name: variant.config for variant in variants(config)}
    without = found["no-entailment"]
    assert without.pairs.critics == [{"rouge_l": {"max": 0.7}}, {"diversity": {"model": "embedded:entailment"}}]
    assert without.self_distil.keep == "random" and found["no-diversity"].self_distil.keep == "most_entailed"


def test_critics_of_self_distillation_lose_it_too() -> None:
    own = [{"rouge_l": {"max": 0.5}}, {"entailment": {"min": 0.9}}]
    config = build_config({"self_distil": {"critics": own, "keep": "random"}})
    found = {variant.name: variant.config for variant in variants(config)}
    assert named(found["no-entailment"].self_distil_critics()) == ["rouge_l"]
    assert named(found["no-rouge_l"].self_distil_critics()) == ["entailment"]
    assert named(found["no-tree_edit_distance"].self_distil_critics()) == ["rouge_l", "entailment"]


def test_the_only_critic_is_not_taken_away() -> None:
    config = build_config({"pairs": {"critics": [{"rouge_l": {}}, {"diversity": {"model": "embedded:entailment"}}]}})
    # without rouge_l, self-distillation would have none
    assert [variant.name for variant in variants(config)] == ["full", "no-self-distillation", "no-diversity"]


def test_another_corpus_takes_the_teachers_place() -> None:
    config = build_config({"pairs": {"k": 7}, "train": {"epochs": 5}})
    found = {variant.name: variant for variant in variants(config, corpus()) if variant.name.startswith("corpus")}
    assert list(found) == ["corpus", "corpus-self-distillation", "corpus-critics"]
    for variant in found.values():
        assert (variant.config.pairs.source, variant.config.pairs.source_column) == ("pairs.tsv", "a")
        assert variant.config.train.epochs == 5 and "contexts" not in variant.stages
        assert variant.config.self_distil_critics() == config.self_distil_critics()
    assert found["corpus"].config.pairs.critics == [] and found["corpus"].title == "other"
    assert found["corpus-critics"].config.pairs.critics == config.pairs.critics
    assert found["corpus-critics"].stages == ("pairs", "train")


def test_one_run_goes_as_far_as_its_last_student_needs(tmp_path: Path) -> None:
    found = variants(RunConfig(), corpus())
    alone = runs_of(choose(found, "corpus"), tmp_path, None)
    assert list(alone) == ["full", "corpus"] and alone["corpus"].stages == ("pairs", "train")
    both = runs_of(choose(found, "corpus,corpus-self-distillation"), tmp_path, 3)
    assert both["corpus"].stages == ("pairs", "train", "self_distil", "train_final") and both["corpus"].limit == 3
    assert both["corpus"].folder == tmp_path / "corpus"


def test_wrong_rows_and_configs() -> None:
    with pytest.raises(UserError, match="did you mean 'no-rouge_l'"):
        choose(variants(RunConfig()), "no-rouge")
    with pytest.raises(UserError, match="expected a config that names a corpus"):
        variants(RunConfig(), RunConfig(name="mini"))
    with pytest.raises(UserError, match="expected a config with a teacher"):
        variants(corpus())


def test_the_table_marks_what_is_more_than_chance() -> None:
    lines = [
        Line("full", "the whole method", 1200, 90, {"a": Score(50.0, 48.0, 52.0), "b": Score(1.0, 0.5, 1.5)}),
        Line(
            "no-x",
            "without x",
            30,
            8,
            {
                "a": Score(45.0, 43.0, 47.0, Difference(-5.0, -6.0, -4.0, 0.0021)),
                "b": Score(0.9, 0.4, 1.4, Difference(-0.1, -0.3, 0.1, 0.3)),
            },
        ),
    ]
    shown = table([Table("scenes", 220, {"a": "A", "b": "B"}, {"a": "s", "b": "s"}, lines)])
    assert "## scenes, 220 examples" in shown
    rows = {
        row.split("|")[1].strip(): [cell.strip() for cell in row.split("|")[2:-1]] for row in shown.splitlines()[2:6]
    }
    assert rows["the whole method"] == ["1,200", "90", "50.0 [48.0, 52.0]", "", ""]
    assert rows["without x"] == ["30", "8", "45.0 [43.0, 47.0]", "-5.0 [-6.0, -4.0]", r"0.0021\*"]
    assert "| without x        | 0.9 |" in shown


def test_a_table_of_real_runs(distilled: tuple[Path, str], tmp_path: Path) -> None:
    """The whole method is there; a corpus is trained on; the critics leave none of its pairs, which is said, and the
    other rows come all the same."""
    folder = tmp_path / "runs" / "small"
    shutil.copytree(distilled[0], folder / "full")
    unrelated = [f"A {noun} sits {place}.\tThe {noun} was sold last week.\n" for noun in NOUNS for place in PLACES]
    (tmp_path / "own.tsv").write_text("a\tb\n" + "".join(unrelated))
    (tmp_path / "own.yaml").write_text("pairs: {source: own.tsv, source_column: a, target_column: b}\n")
    settings = SMALL | {"evaluation.metrics": "[bert_ibleu, self_bleu]"}
    arguments = [
        "--config",
        "mini",
        "--name",
        "small",
        "--corpus",
        "own.yaml",
        "--only",
        "no-self-distillation,corpus,corpus-critics",
    ]
    changes = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    done = recipe("ablations", *arguments, *changes, folder=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: Not in the table: corpus-critics: ")

    (found,) = json.loads((folder / "ablations.json").read_text())["tasks"]
    assert (found["task"], found["examples"]) == ("scenes", 12) and list(found["titles"]) == ["bert_ibleu", "self_bleu"]
    lines = {line["name"]: line for line in found["lines"]}
    assert list(lines) == ["copy-input", "full", "no-self-distillation", "corpus"]
    assert lines["corpus"]["pairs"] == len(unrelated) and lines["full"]["pairs"] > 0
    whole = lines.pop("full")
    for metric, score in whole["scores"].items():
        assert score["difference"] is None
        for line in lines.values():
            own = line["scores"][metric]
            other = own["difference"]
            assert other["value"] == pytest.approx(own["value"] - score["value"])
            assert other["low"] <= other["value"] <= other["high"] and 0 < other["p"] <= 1
    assert lines["copy-input"]["scores"]["bert_ibleu"]["value"] == 0
    assert "| without self-distillation " in (folder / "ablations.md").read_text()
    assert (folder / "ablations.png").stat().st_size > 5000 and (folder / "ablations.svg").is_file()
    _agrees_with_compare(folder, lines)


def _agrees_with_compare(folder: Path, lines: dict[str, dict[str, Any]]) -> None:
    """The harness's own comparison, and Holm's correction over the whole table."""
    from eval_harness.comparison import compare
    from eval_harness.registry import discover
    from eval_harness.results import find, read
    from eval_harness.statistics import holm

    results = {}
    for path in find(folder / "evaluation"):
        result = read(path)
        model = str(result.meta["system"]["settings"].get("model", "copy-input"))
        results["/".join(model.split("/")[-3:])] = result
    names = {"copy-input": "copy-input", "no-self-distillation": "full/train/model", "corpus": "corpus/train/model"}
    registry, whole = discover(), results["full/train_final/model"]
    p_values = []
    for name, place in names.items():
        for line in compare(results[place], whole, registry, test="randomization", examples=0).lines:
            p_values.append((lines[name]["scores"][line.metric]["difference"]["p"], line.paired.p_value))
    stated, own = zip(*p_values, strict=True)
    assert list(stated) == pytest.approx(holm(np.array(own)).tolist())
