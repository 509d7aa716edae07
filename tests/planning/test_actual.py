"""A finished run: what is learned from it, and how it stands beside a plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from idist.errors import UserError
from idist.planning.actual import compare, learn, manifests
from idist.planning.estimate import make_plan
from idist.planning.rates import Rate, Rates, read_rates
from idist.planning.report import comparison, table
from idist.planning.work import count, part_key
from idist.planning.yields import Yields
from tests.planning.finished_run import config, make


def rates_of(own, seconds: float = 3.6) -> Rates:
    """The same rate for every part."""
    found = {}
    for work in count(own, Yields()):
        for part in work.parts:
            name = part_key(work.stage, part.name)
            found[name] = Rate(name, part.models, part.unit, seconds, "by hand")
    return Rates(found, {"device": "cpu", "dtype": "float32", "cpu": "X", "cores": 2, "gpu": None}, words=12.0)


def test_shares_are_learned_as_they_are_in_the_folder(tmp_path: Path) -> None:
    run = make(tmp_path / "run")
    yields = Yields()
    learn(run, config(), yields)
    values = {key: value for key, (value, _) in yields.values.items()}
    assert values["contexts.samples"] == 1.5
    assert values["pairs.distinct"] == 0.75
    assert values["pairs.rouge_l.kept"] == pytest.approx(18 / 30)
    assert values["pairs.rouge_l.scored"] == pytest.approx(20 / 30)  # 20 have a score of entailment
    assert values["pairs.entailment.kept"] == pytest.approx(4 / 18)
    assert values["pairs.entailment.second"] == pytest.approx(5 / 20)
    assert values["self_distil.samples"] == 1.5
    assert values["self_distil.distinct"] == 0.3
    assert values["self_distil.one"] == 0.75
    assert values["pairs.words"] == 3.0
    assert values["train.epochs"] == 5.0
    assert {source for _, source in yields.values.values()} == {str(run)}


def test_planned_stands_beside_actual(tmp_path: Path) -> None:
    run, own, yields = make(tmp_path / "run"), config(), Yields()
    learn(run, own, yields)
    found = compare(run, own, make_plan(own, rates_of(own), yields))
    rows = {row.stage: row for row in found.stages}
    assert rows["contexts"].hours_taken == pytest.approx(36.0 / 2 / 3600)  # seconds of two workers
    assert rows["contexts"].hours == pytest.approx((2 + 15) * 3.6 / 2 / 3600)
    assert (rows["pairs"].work, rows["pairs"].work_done) == (pytest.approx(30), 30)
    assert rows["train"].hours_taken == pytest.approx(0.001) and rows["train"].work_done == 60
    assert rows["pairs"].disk_taken == sum(file.stat().st_size for file in (run / "pairs").rglob("*.parquet"))
    assert found.total.hours_taken == pytest.approx(sum(row.hours_taken for row in found.stages))
    text = comparison(found)
    assert "does not say on which machine" in text
    assert json.loads(json.dumps(found.to_dict()))["total"]["hours_taken"] == found.total.hours_taken


def test_another_machine_is_named(tmp_path: Path) -> None:
    run, own = make(tmp_path / "run"), config()
    path = run / "pairs" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"hardware": [{"cpu": "Y", "gpu": None}]}))
    found = compare(run, own, make_plan(own, rates_of(own), Yields()))
    assert "The run was made on Y; the rates are of X." in found.remarks


@pytest.mark.parametrize("gone", ["contexts/manifest.json", "train_final/training.json"])
def test_an_unfinished_run_is_one_sentence(tmp_path: Path, gone: str) -> None:
    run = make(tmp_path / "run")
    (run / gone).unlink()
    with pytest.raises(UserError, match=f"no finished run: .*{gone} is missing"):
        manifests(run, 1)


def test_rates_come_back_from_their_file(tmp_path: Path) -> None:
    rates = rates_of(config())
    path = tmp_path / "rates.json"
    path.write_text(json.dumps(rates.to_dict()))
    again = read_rates(path)
    assert again.rates == rates.rates and again.machine == rates.machine and again.words == 12.0
    plan = make_plan(config(), again, Yields(), price=2.0, currency="EUR")
    text = table(plan)
    assert str(path) in text and "EUR" in text and "Assumptions" in text
    assert plan.to_dict()["total"]["money"] == pytest.approx(2.0 * plan.hours)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("nonsense", "is not JSON"),
        ("[]", "has no format"),
        ('{"format": "idist-rates-1", "rates": []}', "is damaged"),
        ('{"format": "idist-rates-1", "rates": [], "machine": {"device": "cpu", "dtype": "int4"}, "words": 1}', "int4"),
        ('{"format": "idist-rates-1", "rates": [{"part": "a"}], "machine": {}, "words": 1}', "is damaged"),
    ],
)
def test_a_file_that_holds_no_rates_is_one_sentence(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "rates.json"
    path.write_text(content)
    with pytest.raises(UserError, match=said):
        read_rates(path)


def test_rates_of_other_models_are_refused() -> None:
    other = config({"train": {"model": "t5-small"}})
    with pytest.raises(UserError, match=r"with embedded:student, this config has t5-small"):
        make_plan(other, rates_of(config()), Yields())


def test_a_part_without_a_rate_is_named() -> None:
    rates = rates_of(config())
    del rates.rates["pairs/rouge_l"]
    with pytest.raises(UserError, match="no rate of 'pairs/rouge_l'"):
        make_plan(config(), rates, Yields())
