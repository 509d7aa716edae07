"""Parts of a stage that is still running: those that are finished, in the form in which they will be published."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from idist.errors import UserError
from idist.release import partial_mark, partial_parts
from tests.release.conftest import config


def test_parts_appear_shard_by_shard(copy_of: Path) -> None:
    receipts = copy_of / "pairs/_engine/selected/receipts"
    shutil.move(receipts / "00002.json", copy_of / "kept.json")
    (copy_of / "pairs/manifest.json").unlink()
    parts = partial_parts(config(), copy_of, "pairs")
    assert sorted(parts()) == [
        *(f"sentences/train-{n:05d}.parquet" for n in range(4)),
        *(f"teacher/train-{n:05d}.parquet" for n in (0, 1, 3)),
    ]
    shutil.move(copy_of / "kept.json", receipts / "00002.json")
    assert "teacher/train-00002.parquet" in parts()
    assert "candidates/train-00002.parquet" in partial_parts(config({"hub.candidates": True}), copy_of, "pairs")()
    assert partial_parts(config(), copy_of, "train")() == {}
    assert partial_parts(config(), copy_of / "nothing", "contexts")() == {}


def test_parts_are_the_rows_of_the_release(whole: Path, release: Path, tmp_path: Path) -> None:
    for stage, config_name in (("contexts", "contexts"), ("pairs", "sentences"), ("pairs", "candidates")):
        parts = partial_parts(config({"hub.candidates": True}), whole, stage)()
        own = {path: make() for path, make in parts.items() if path.startswith(f"{config_name}/")}
        for path, data in own.items():
            (tmp_path / path).parent.mkdir(exist_ok=True, parents=True)
            (tmp_path / path).write_bytes(data)
            assert b"huggingface" in pq.read_schema(pa.BufferReader(data)).metadata
        told = load_dataset(str(tmp_path / config_name), split="train", cache_dir=str(tmp_path / "cache"))
        expected = load_dataset(str(release), config_name, split="train", streaming=True)
        assert list(told) == list(expected) and told.features == expected.features


def test_a_part_of_a_damaged_shard_is_refused(copy_of: Path) -> None:
    make = partial_parts(config(), copy_of, "contexts")()["contexts/train-00000.parquet"]
    shard = copy_of / "contexts/contexts/00000.parquet"
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    with pytest.raises(UserError, match="is damaged"):
        make()


def test_the_mark_is_of_the_stage_and_those_before_it() -> None:
    one = partial_mark(config(), "pairs")
    assert partial_mark(config({"train.epochs": 7, "engine.workers": 3, "hub.title": "x"}), "pairs") == one
    assert (
        partial_mark(config({"contexts.top_p": 0.5}), "pairs") != one != partial_mark(config({"pairs.k": 5}), "pairs")
    )
