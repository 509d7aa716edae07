"""Summaries are a composition: the same stages as paraphrases, other critics, another card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from idist.config import load_config, to_dict
from idist.critics import build_cascade
from recipes.evaluation import registered

CONFIGS = Path(__file__).resolve().parents[1] / "recipes" / "configs"
TASK = {"name", "pairs.critics", "self_distil.keep", "hub.title", "hub.dataset_card", "hub.model_card"}
SCORES = {"evaluation.tasks", "evaluation.baselines", "evaluation.metrics"}


def flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return found


@pytest.mark.parametrize("domain", ["news", "biomed"])
def test_the_paper_s_summaries_differ_from_its_paraphrases_in_critics_and_cards(domain: str) -> None:
    paraphrases, summaries = (
        flat(to_dict(load_config(CONFIGS / f"{name}-{domain}.yaml"))) for name in ("dimple", "dimsum")
    )
    assert {key for key in summaries if summaries[key] != paraphrases[key]} == TASK | SCORES


@pytest.mark.parametrize("name", ["mini-summary", "dimsum-news", "dimsum-biomed"])
def test_summary_critics_are_one_way_and_strictly_shorter(name: str) -> None:
    config = load_config(CONFIGS / f"{name}.yaml")
    critics = {name: settings for critic in config.pairs.critics for name, settings in critic.items()}
    assert critics["length_ratio"] == {"max": 0.8} and critics["diversity"] == {"min": 0.75}
    assert critics["entailment"]["directions"] == "forward" and critics["entailment"]["min"] == 0.75
    cascade = build_cascade(config.pairs.critics)
    assert not cascade.judged_once
    assert cascade.score_columns[-3:] == ["entailment_xy", "diversity_xy", "diversity_yx"]
    assert [type(critic).__name__ for critic in cascade.critics][:: len(cascade.critics) - 1] == [
        "LengthRatio",
        "Diversity",
    ]
    registry, tasks = registered(config.evaluation)
    assert tasks == ["scenes-summary"] and registry.task(tasks[0]).purpose == "summary"
    assert {"copy-input", "lead"} == set(config.evaluation.baselines)
    assert (config.hub.dataset_card, config.hub.model_card) == ("dimsum", "impossible-t5-summary")
