"""A dataset release of a real small run: what can be loaded, what is left out or refused, the same bytes."""

from __future__ import annotations

import getpass
import json
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from datasets import get_dataset_config_names, load_dataset

from idist.engine import Shard, claim, forget
from idist.engine.shards import write_shard
from idist.errors import UserError
from idist.release import Built, build_dataset
from idist.release.stages import finished_stages
from idist.stages import pairs, self_distil
from idist.stages._training_data import read_pairs, split_by_context
from recipes.pipeline import pair_files
from tests.release.conftest import TEMPLATES, config, contents, make_run
from tests.stages.tiny import rows

CONFIGS = ["default", "teacher", "contexts", "sentences", "candidates", "student_candidates"]


def build(run: Path, folder: Path, changes: dict[str, Any] | None = None, candidates: bool | None = None) -> Built:
    return build_dataset(config(changes), run, folder, "dimple", None, TEMPLATES, candidates)


def published(folder: Path, name: str, split: str = "train") -> list[dict[str, Any]]:
    return list(load_dataset(str(folder), name, split=split, streaming=True))


def same_row(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """NaN in the run is null in the release."""
    return one.keys() == other.keys() and all(
        one[key] == value or (isinstance(value, float) and math.isnan(value) and one[key] is None)
        for key, value in other.items()
    )


def test_every_config_and_split_loads_with_its_features(whole: Path, release: Path, tmp_path: Path) -> None:
    assert get_dataset_config_names(str(release)) == CONFIGS
    for name in CONFIGS:
        loaded = load_dataset(str(release), name, cache_dir=str(tmp_path))
        streamed = load_dataset(str(release), name, streaming=True)
        assert set(loaded) == ({"train", "validation"} if name in ("default", "teacher") else {"train"})
        for split, table in loaded.items():
            assert table.features == streamed[split].features
            assert list(table) == list(streamed[split])
    default = load_dataset(str(release), cache_dir=str(tmp_path))
    assert default["train"].features["entailment_xy"].dtype == "float32"
    assert default["train"].column_names[:4] == ["id", "context_id", "x", "y"]


@pytest.mark.parametrize(
    ("name", "stage", "training"), [("default", "self_distil", "train_final"), ("teacher", "pairs", "train")]
)
def test_splits_are_those_of_the_training(whole: Path, release: Path, name: str, stage: str, training: str) -> None:
    kept = {row["id"]: row for row in rows(whole, stage, "selected")}
    split = {part: published(release, name, part) for part in ("train", "validation")}
    settings = getattr(config(), training)
    sides = split_by_context(read_pairs(pair_files(whole, stage)), settings.held_out, config().seed)
    for part, side in zip(("train", "validation"), sides, strict=True):
        assert sorted(row["id"] for row in split[part]) == side["id"].to_pylist()
        assert all(same_row(row, kept[row["id"]]) for row in split[part])
    summary = json.loads((whole / training / "training.json").read_text())
    assert [len(part) for part in split.values()] == [summary["pairs"], summary["held_out"]]


def test_contexts_and_sentences_are_those_of_the_run(whole: Path, release: Path) -> None:
    assert published(release, "contexts") == rows(whole, "contexts", "contexts")
    expected = [
        {"context_id": row["context_id"], "i": i, "sentence": text, "count": count}
        for row in rows(whole, "pairs", "sentences")
        for i, (text, count) in enumerate(zip(row["sentences"], row["counts"], strict=True))
    ]
    found = published(release, "sentences")
    assert [{key: row[key] for key in row if key != "failure"} for row in found] == expected
    failures = {(row["context_id"], line) for row in rows(whole, "pairs", "sentences") for line in row["failures"]}
    assert {(row["context_id"], f"{row['i']}: {row['failure']}") for row in found if row["failure"]} == failures


@pytest.mark.parametrize(("name", "stage"), [("candidates", "pairs"), ("student_candidates", "self_distil")])
def test_candidates_are_joined_with_their_texts(whole: Path, release: Path, name: str, stage: str) -> None:
    texts = {row["context_id"]: row["sentences"] for row in rows(whole, stage, "sentences")}
    found, stored = published(release, name), rows(whole, stage, "candidates")
    assert len(found) == len(stored) > 30
    for row, original in zip(found, stored, strict=True):
        own = texts[row["context_id"]]
        assert (row.pop("x"), row.pop("y")) == (own[row["i"]], own[row["j"]])
        assert same_row({key: row[key] for key in original}, original)
    table = pq.read_table(release / name)
    assert table["entailment_xy"].null_count > 0  # a pair that an earlier critic removed has no such score
    assert not any(math.isnan(value) for value in table["entailment_xy"].drop_null().to_pylist())


def test_lineage_and_card_say_what_was_made(whole: Path, release: Path) -> None:
    lineage = json.loads((release / "lineage.json").read_text())
    assert lineage["schema"] == 1 and lineage["kind"] == "dataset" and lineage["seed"] == 3
    assert list(lineage["stages"]) == ["contexts", "pairs", "train", "self_distil"]
    manifest = json.loads((whole / "pairs/manifest.json").read_text())
    own = lineage["stages"]["pairs"]
    assert {key: own[key] for key in ("fingerprint", "rows", "counts", "funnel", "seconds", "commit")} == {
        key: manifest[key] for key in ("fingerprint", "rows", "counts", "funnel", "seconds", "commit")
    }
    assert lineage["hardware"] == manifest["hardware"]
    roles = {entry["role"]: entry for entry in lineage["models"]}
    assert roles["pairs.critics.diversity.model"]["name"] == "embedded:entailment"  # taken from the entailment critic
    assert roles["train.model"]["weights"].startswith("folder:")
    card = (release / "README.md").read_text()
    assert "Tiny pairs" in card and "license: cc-by-sa-4.0" in card
    first = published(release, "default") + published(release, "default", "validation")
    assert any(f"| {row['x']} | {row['y']} |" in card for row in first)


def test_candidates_are_published_on_demand_only(whole: Path, tmp_path: Path) -> None:
    built = build(whole, tmp_path / "release")
    assert list(built.configs) == CONFIGS[:4]
    assert built.bytes == sum(map(len, contents(tmp_path / "release").values()))
    assert list(build(whole, tmp_path / "release", {"hub.candidates": True}).configs) == CONFIGS


def test_the_same_bytes_twice_and_in_another_place(copy_of: Path, whole: Path, tmp_path: Path, release: Path) -> None:
    for run, folder in ((whole, tmp_path / "a"), (copy_of, tmp_path / "elsewhere/b")):
        build_dataset(config({"engine.workers": 2, "device": "cpu"}), run, folder, "dimple", "v1.0.0", TEMPLATES, True)
        assert contents(folder) == contents(release)


def reshard(folder: Path, size: int) -> None:
    """Cut a stage's rows into shards of ``size`` contexts or sources, as if it had been run with that shard size."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for job, about in manifest["jobs"].items():
        tables = {name: pq.read_table(folder / name) for name in about["rows"]}
        keys = {name: "context_id" if "context_id" in table.column_names else "id" for name, table in tables.items()}
        names = sorted({key for name, table in tables.items() for key in table[keys[name]].to_pylist()})
        forget(folder, job)
        about["shards"] = math.ceil(len(names) / size)
        for rank in range(about["shards"]):
            wanted = pa.array(names[rank * size : (rank + 1) * size])
            cut = {n: table.filter(pc.is_in(table[keys[n]], value_set=wanted)) for n, table in tables.items()}
            write_shard(folder, job, rank, Shard(cut), 1.0)
        claim(folder, job, about["fingerprint"], {"shard_size": size})
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("size", [1, 5, 100])
def test_the_same_rows_in_other_shards_give_the_same_bytes(
    copy_of: Path, release: Path, tmp_path: Path, size: int
) -> None:
    shards = {path.name for path in (copy_of / "pairs/candidates").iterdir()}
    for stage in ("contexts", "pairs", "self_distil"):
        reshard(copy_of / stage, size)
    assert {path.name for path in (copy_of / "pairs/candidates").iterdir()} != shards
    own = config({"engine.shard_size": size})
    build_dataset(own, copy_of, tmp_path / "release", "dimple", "v1.0.0", TEMPLATES, candidates=True)
    assert contents(tmp_path / "release") == contents(release)


def test_stages_that_have_not_finished_are_left_out(copy_of: Path, tmp_path: Path) -> None:
    (copy_of / "self_distil/manifest.json").unlink()
    built = build(copy_of, tmp_path / "release")
    assert list(built.configs) == ["teacher", "contexts", "sentences"] and built.left_out == ["self_distil"]
    assert load_dataset(str(tmp_path / "release"), split="train", streaming=True).features["diversity_xy"]
    for stage in ("self_distil", "train", "pairs"):
        shutil.rmtree(copy_of / stage)
    build(copy_of, tmp_path / "release")
    assert [row["id"] for row in published(tmp_path / "release", "contexts")] == [f"c{n:06d}" for n in range(7)]
    assert load_dataset(str(tmp_path / "release"), split="train", streaming=True).column_names[1] == "context"
    shutil.rmtree(copy_of / "contexts")
    with pytest.raises(UserError, match="has no finished stage to publish"):
        build(copy_of, tmp_path / "release")


def test_a_stage_that_was_begun_again_is_left_out(copy_of: Path, tmp_path: Path) -> None:
    for stage in ("train", "self_distil"):
        shutil.rmtree(copy_of / stage)
    claim = copy_of / "contexts/_engine/contexts/claim.json"
    begun = json.loads(claim.read_text())
    begun["fingerprint"]["contexts"]["count"] += 10  # more contexts were asked for, and the run was killed
    claim.write_text(json.dumps(begun))
    built = build(copy_of, tmp_path / "release")
    assert list(built.configs) == ["teacher", "sentences"] and built.left_out == ["contexts"]


def test_a_limited_run_is_published_with_its_own_counts(tmp_path: Path) -> None:
    run = make_run(tmp_path / "tiny", {"contexts.count": 3}, stages=())
    build(run, tmp_path / "release", {"contexts.count": 100})  # as after --limit 3
    lineage = json.loads((tmp_path / "release/lineage.json").read_text())
    assert lineage["config"]["contexts"]["count"] == 3 and lineage["config"]["dtype"] == "float32"


@pytest.mark.parametrize(("file", "job"), [("self_distil/selected", "default"), ("pairs/candidates", "candidates")])
def test_a_damaged_shard_is_refused_and_the_old_release_stays(
    copy_of: Path, tmp_path: Path, file: str, job: str
) -> None:
    build(copy_of, tmp_path / "release", candidates=True)
    before = contents(tmp_path / "release")
    shard = copy_of / file / "00000.parquet"
    shard.write_bytes(shard.read_bytes()[:-9] + b"123456789")
    with pytest.raises(UserError, match=r"00000\.parquet is damaged .* delete this file and run the stage"):
        build(copy_of, tmp_path / "release", candidates=True)
    shard.unlink()
    with pytest.raises(UserError, match=r"00000\.parquet is missing; run the stage"):
        build(copy_of, tmp_path / "release", candidates=True)
    assert contents(tmp_path / "release") == before and len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 4}, r"contexts was made with seed = 3, this config has 4; .* --from contexts"),
        ({"contexts.top_p": 0.5}, r"contexts was made with contexts\.top_p = 0\.9, this config has 0\.5"),
        ({"pairs.k": 17}, r"pairs was made with pairs\.k = 16, this config has 17; .* --from pairs"),
        ({"pairs.critics.rouge_l.max": 0.7}, r"pairs was made with thresholds\.critics\.rouge_l\.max = 0\.9, .* 0\.7"),
        (
            {"pairs.critics.rouge_l.max": 0.95, "pairs.critics.rouge_l.floor": 0.95},
            r"rouge_l.max is 0.95, beyond the floor 0.9",
        ),
        ({"train.epochs": 2}, r"train was made with train\.epochs = 1\.0, this config has 2\.0; .* --from train"),
        ({"self_distil.keep": "random"}, r'self_distil was made with keep = "lowest_rouge_l", .* "random"'),
        ({"dtype": "bfloat16"}, r'contexts was made with contexts\.dtype = "float32", this config has "bfloat16"'),
    ],
)
def test_a_stage_of_another_config_is_refused(
    whole: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        build(whole, tmp_path / "release", changes)
    assert not (tmp_path / "release").exists()


def test_what_does_not_change_rows_does_not_matter(whole: Path, tmp_path: Path) -> None:
    changes = {
        "pairs.critics.rouge_l.floor": 0.95,  # another floor, the same threshold: the scores serve
        "contexts.count": 20,
        "engine.shard_size": 3,
        "dtype": "float32",
    }
    assert set(finished_stages(config(changes), whole, ("contexts", "pairs", "train", "self_distil"))) == {
        "contexts",
        "pairs",
        "train",
        "self_distil",
    }


def test_a_chain_that_was_broken_is_refused(copy_of: Path, tmp_path: Path) -> None:
    changes = {"pairs.critics.rouge_l.max": 0.7}
    pairs.run(config(changes), copy_of, progress=False)  # cut again: the student learned from other pairs
    with pytest.raises(UserError, match=r"train was made from another .*pairs than the one .* --from train"):
        build(copy_of, tmp_path / "release", changes)


def test_no_path_and_no_user_is_in_any_file(tmp_path: Path) -> None:
    home = tmp_path / "home-of-somebody"
    text = home / "private notes.txt"
    home.mkdir()
    text.write_text("A man walks home. He eats lunch.\n\nTwo girls play a game. They laugh.\n")
    shutil.copytree(Path(pairs.__file__).parents[1] / "embedded/teacher", home / "my-teacher")
    changes = {
        "contexts.source": str(text),
        "contexts.count": 2,
        "pairs.model": str(home / "my-teacher"),
        "pairs.k": 4,
        "evaluation.data_dir": str(home),
        "hub.dataset_card": str(home / "card.md"),
    }
    (home / "card.md").write_text('{% extends "dimple.md" %}')
    run = make_run(home / "tiny", changes)
    build(run, tmp_path / "release", changes, candidates=True)
    words = [str(tmp_path), str(Path.home()), str(Path.cwd()), "home-of-somebody"]
    words += [getpass.getuser()] if len(getpass.getuser()) > 5 else []
    for name, data in contents(tmp_path / "release").items():
        if name.endswith(".parquet"):
            file = pq.ParquetFile(tmp_path / "release" / name)
            data += repr((file.schema_arrow.metadata, file.metadata.metadata, file.metadata.created_by)).encode()
            data += repr(file.read().to_pylist()).encode()
        assert not [word for word in words if word.encode() in data], name
    lineage = json.loads((tmp_path / "release/lineage.json").read_text())
    assert lineage["config"]["pairs"]["model"] == "local:my-teacher"
    assert lineage["config"]["contexts"]["source"] == "local:private notes.txt"
    assert {row["source"] for row in published(tmp_path / "release", "contexts")} == {"local:private notes.txt"}
    assert [entry["name"] for entry in lineage["inputs"]] == ["local:private notes.txt"]


KILLED = """
import os, pathlib, signal, sys
sys.path.insert(0, sys.argv[3])
from idist.engine import folders
from idist.release import dataset
from tests.release.conftest import TEMPLATES, config
victim, name = {"seal": (dataset, "seal"), "swap": (folders, "_replace")}[sys.argv[4]]
setattr(victim, name, lambda *arguments: os.kill(os.getpid(), signal.SIGKILL))
run, release = map(pathlib.Path, sys.argv[1:3])
dataset.build_dataset(config(), run, release, "dimple", "v2.0.0", TEMPLATES, True)
"""


@pytest.mark.parametrize("when", ["seal", "swap"])
def test_a_kill_leaves_the_old_release(whole: Path, release: Path, tmp_path: Path, when: str) -> None:
    folder = tmp_path / "dimple"
    shutil.copytree(release, folder)
    (tmp_path / "program.py").write_text(KILLED)
    root = str(Path(__file__).parents[2])
    command = [sys.executable, str(tmp_path / "program.py"), str(whole), str(folder), root, when]
    done = subprocess.run(command, cwd=root, env=dict(os.environ, PYTHONPATH=root), capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert contents(folder) == contents(release)
    build_dataset(config(), whole, folder, "dimple", "v2.0.0", TEMPLATES, True)
    assert "v2.0.0" in (folder / "README.md").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dimple", "program.py"]


def test_earlier_rounds_of_self_distillation_are_in_the_lineage(copy_of: Path, tmp_path: Path) -> None:
    two = {"self_distil.rounds": 2}
    for stage in ("self_distil", "train_final"):
        (copy_of / stage).rename(copy_of / f"{stage}_1")  # the only round is the first of two
    self_distil.run(config(two), copy_of, progress=False)
    build(copy_of, tmp_path / "dimple", two)
    lineage = json.loads((tmp_path / "dimple" / "lineage.json").read_text())
    names = ["contexts", "pairs", "train", "self_distil_1", "train_final_1", "self_distil"]
    assert list(lineage["stages"]) == names and lineage["config"]["self_distil"]["rounds"] == 2
    funnels = [lineage["stages"][name]["funnel"]["kept"] for name in ("self_distil_1", "self_distil")]
    assert all(funnels) and lineage["stages"]["train_final_1"]["counts"]["steps"] > 0
    shutil.rmtree(copy_of / "train_final_1" / "model")
    shutil.copytree(copy_of / "train" / "model", copy_of / "train_final_1" / "model")
    with pytest.raises(UserError, match=r"self_distil was made from another .*train_final_1"):
        build(copy_of, tmp_path / "dimple", two)
