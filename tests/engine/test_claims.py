"""Fingerprints: what is compared, and what a difference says."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from idist.engine import Shard, claim, compare, difference, digest, finished, forget, has_results, peek, table_path
from idist.engine.shards import write_shard
from idist.errors import UserError

MARK = {"version": 1, "pairs": {"k": 100, "critics": [{"rouge_l": {"max": 0.75}}], "banned": []}}


def changed(**pairs: object) -> dict[str, object]:
    return {"version": 1, "pairs": MARK["pairs"] | pairs}  # type: ignore[operator]


def test_the_first_differing_key_is_found_in_order() -> None:
    assert difference(MARK, MARK) is None
    assert difference(MARK, changed(k=50)) == ("pairs.k", 100, 50)
    assert difference(MARK, changed(critics=[{"rouge_l": {"max": 0.6}}])) == ("pairs.critics[0].rouge_l.max", 0.75, 0.6)
    assert difference(MARK, changed(banned=["x"]))[0] == "pairs.banned[0]"  # type: ignore[index]
    assert difference({**MARK, "old": 1}, MARK) == ("old", 1, None)


def test_a_key_whose_value_is_null_differs_from_no_key() -> None:
    assert difference({"a": None}, {}) == ("a", None, None)


def test_the_digest_forgets_order_and_nothing_else() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": 1.5})


def test_a_claim_is_kept_with_its_layout(tmp_path: Path) -> None:
    folder = tmp_path / "pairs"
    assert peek(folder, "scored") is None
    assert claim(folder, "scored", MARK, {"shard_size": 8}) == {"shard_size": 8}
    assert claim(folder, "scored", MARK, {"shard_size": 32}) == {"shard_size": 8}


def test_another_fingerprint_is_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "pairs"
    claim(folder, "scored", MARK, {})
    write_shard(folder, "scored", 0, Shard({"candidates": pa.table({"a": [1]})}), 0.0)
    with pytest.raises(UserError) as caught:
        claim(folder, "scored", changed(k=50), {})
    assert "was made with pairs.k = 100, this run asks for 50; add --from pairs" in str(caught.value)
    assert "another name" in str(caught.value)


def test_a_start_that_failed_binds_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "pairs"
    claim(folder, "scored", MARK, {"shard_size": 8})
    assert not has_results(folder, "scored")
    assert claim(folder, "scored", changed(k=50), {"shard_size": 9}) == {"shard_size": 9}
    assert claim(folder, "scored", changed(k=50), {"shard_size": 3}) == {"shard_size": 9}


@pytest.mark.parametrize("trace", ["checkpoints/step-10/state.json", "training.json"])
def test_a_training_that_left_something_binds(tmp_path: Path, trace: str) -> None:
    folder = tmp_path / "train"
    claim(folder, "train", MARK, {})
    claim(folder, "train", changed(k=50), {})  # nothing there yet
    (folder / trace).parent.mkdir(parents=True, exist_ok=True)
    (folder / trace).write_text("{}")
    with pytest.raises(UserError, match=r"made with pairs\.k = 50, this run asks for 100"):
        claim(folder, "train", MARK, {})


def test_a_job_that_may_be_remade_forgets_its_shards(tmp_path: Path) -> None:
    folder = tmp_path / "pairs"
    claim(folder, "selected", MARK, {"shard_size": 8})
    write_shard(folder, "selected", 0, Shard({"selected": pa.table({"a": [1]})}), 0.0)
    write_shard(folder, "scored", 0, Shard({"candidates": pa.table({"a": [1]})}), 0.0)
    assert claim(folder, "selected", changed(k=50), {"shard_size": 9}, remake=True) == {"shard_size": 9}
    assert finished(folder, "selected") == {} and not table_path(folder, "selected", 0).exists()
    assert list(finished(folder, "scored")) == [0]


def test_forgetting_half_done_is_done_by_forgetting_again(tmp_path: Path) -> None:
    claim(tmp_path, "selected", MARK, {})
    write_shard(tmp_path, "selected", 0, Shard({"selected": pa.table({"a": [1]})}), 0.0)
    table_path(tmp_path, "selected", 0).unlink()
    forget(tmp_path, "selected")
    assert peek(tmp_path, "selected") is None and finished(tmp_path, "selected") == {}


def test_a_damaged_receipt_is_named(tmp_path: Path) -> None:
    write_shard(tmp_path, "scored", 0, Shard({"candidates": pa.table({"a": [1]})}), 0.0)
    receipt = tmp_path / "_engine" / "scored" / "receipts" / "00000.json"
    receipt.write_text(receipt.read_text()[:20])
    with pytest.raises(UserError, match=r"00000\.json is damaged"):
        finished(tmp_path, "scored")


def test_only_a_larger_count_and_nothing_else_lets_a_job_go_on() -> None:
    begun = {"fingerprint": MARK}
    assert compare(begun, MARK, "pairs.k") == "same"
    assert compare(begun, changed(k=101), "pairs.k") == "less"
    assert compare(begun, changed(k=99), "pairs.k") == "other"
    assert compare(begun, changed(k=101), "") == compare(begun, changed(k=101), "version") == "other"
    assert compare(begun, changed(k=101, banned=["x"]), "pairs.k") == "other"
    assert compare({"fingerprint": {"a": 1}}, {"a": 1, "b": 2}, "b") == "other"


def test_a_job_that_goes_on_keeps_its_shards_and_layout(tmp_path: Path) -> None:
    folder = tmp_path / "pairs"
    claim(folder, "scored", MARK, {"shard_size": 8}, grows="pairs.k")
    write_shard(folder, "scored", 0, Shard({"candidates": pa.table({"a": [1]})}), 0.0)
    assert claim(folder, "scored", changed(k=200), {"shard_size": 9}, grows="pairs.k") == {"shard_size": 8}
    assert list(finished(folder, "scored")) == [0]
    with pytest.raises(UserError, match=r"made with pairs\.k = 200, this run asks for 100; add --from pairs"):
        claim(folder, "scored", MARK, {}, grows="pairs.k")
