"""Rates measured in earnest, in a second or so, on models that ship: with their weights, and by their shapes alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from idist.critics import Group, build_cascade
from idist.critics.loading import Models
from idist.planning import shapes
from idist.planning.bench import Bench
from idist.planning.estimate import make_plan
from idist.planning.measuring import measure
from idist.planning.standins import StandIns
from idist.planning.work import count, part_key
from idist.planning.yields import Yields
from tests.planning.finished_run import config

PLUGIN = "tests.planning.critics_of_others"


def test_every_part_of_the_work_gets_a_rate_and_a_plan_adds_them_up() -> None:
    own, yields = config(), Yields()
    rates = measure(own, yields, 0.5)
    for work in count(own, yields):
        for part in work.parts:
            assert rates.of(part_key(work.stage, part.name), part.models).seconds > 0, part
    assert rates.rates["pairs/sentences"].how == "its own weights"
    assert yields.used["pairs.words"][1] == "the teacher, measuring"
    plan = make_plan(own, rates, yields, price=3.0)
    training = next(stage for stage in plan.stages if stage.stage == "train")
    seconds = training.parts[0].items * rates.rates["train/training"].seconds
    assert training.hours == pytest.approx(seconds / 3600)
    pairs = next(stage for stage in plan.stages if stage.stage == "pairs")
    drawn = 40 * rates.rates["pairs/sentences"].seconds / 2  # two workers
    assert pairs.parts[1].hours == pytest.approx(drawn / 3600)
    assert sum(stage.money for stage in plan.stages) == pytest.approx(3.0 * plan.hours)
    assert all(stage.memory > 0 for stage in plan.stages) and all(stage.disk > 0 for stage in plan.stages)


def test_models_measured_by_shape_need_no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "REAL_AT_MOST", 0)
    yields = Yields()
    rates = measure(config(), yields, 0.5)
    for part in ("contexts/samples", "pairs/sentences", "pairs/entailment", "self_distil/entailment"):
        assert "random weights in the shape of embedded:" in rates.rates[part].how
        assert rates.rates[part].seconds > 0
    assert yields.used["pairs.words"][1] == "ours, for news"


def test_stand_ins_count_the_tokens_that_the_model_would_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "REAL_AT_MOST", 0)
    critics = [{"entailment": {"directions": "forward", "model": "embedded:entailment"}}]
    stand_ins = StandIns(Bench(config(), Yields(), 1.0, "cpu", "float32", tmp_path))
    changed = stand_ins.composition(critics, build_cascade(critics).critics)
    [critic] = build_cascade(changed).critics
    models = Models("cpu", "float32")
    critic.load(models)
    stand_ins.watch(models.loaded())
    sentences = ["A man rides a bike.", "A dog sleeps.", "Two girls play in the park near a house."]
    pairs = np.array([(0, 1), (2, 0)])
    critic.score_groups([(Group("c0", sentences), pairs)])
    tokenizer = models.entailment(changed[0]["entailment"]["model"]).tokenizer
    wanted: Counter[int] = Counter()
    for i, j in pairs:
        length = len(tokenizer(sentences[i], sentences[j])["input_ids"])
        wanted[length] += length
    seen = {length: tokens for (_, length), tokens in stand_ins.tokens.items()}
    # a pair near a threshold goes through alone once more
    assert set(seen) == set(wanted) and all(seen[length] % length == 0 for length in seen)
    assert all(seen[length] >= wanted[length] for length in wanted)


def test_critics_of_other_packages_are_measured_or_taken_at_their_word() -> None:
    critics = [{f"{PLUGIN}:Quick": {}}, {f"{PLUGIN}:Broken": {}}]
    own = config({"pairs": {"critics": critics}, "self_distil": {"keep": "random"}})
    rates = measure(own, Yields(), 0.5)
    assert rates.rates[f"pairs/{PLUGIN}:Quick"].how == "its own code"
    broken = rates.rates[f"pairs/{PLUGIN}:Broken"]
    assert broken.seconds == 0.25 and broken.how == "the critic's own cost"
    assert any("250 ms a pair" in remark for remark in rates.remarks)
