"""A model release: loads by `from_pretrained`, says where it came from, and nothing of the machine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from idist.errors import UserError
from idist.hub.facts import DatasetReference, ModelResult
from idist.hub.releases import read_release
from idist.release import Built, build_model
from idist.release.model import without_places
from tests.release.conftest import TEMPLATES, config, contents

DATA = DatasetReference("you/dimple", "d" * 40, "v1.0.0")
RESULT = ModelResult("scenes", "scenes", "test", "bleu", "BLEU", 19.2, 17.0, 21.0, 220, "bleu|v1", "paper")


def build(run: Path, folder: Path, stage: str = "train_final") -> Built:
    return build_model(config(), run, stage, folder, "you/student", "v1.0.0", TEMPLATES, DATA, [RESULT])


@pytest.mark.parametrize("stage", ["train", "train_final"])
def test_it_loads_and_writes_as_the_run_s_own(whole: Path, tmp_path: Path, stage: str) -> None:
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    build(whole, tmp_path / "release", stage)
    written = []
    for folder in (whole / stage / "model", tmp_path / "release"):
        model, tokenizer = AutoModelForSeq2SeqLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
        inputs = tokenizer("A man is playing the guitar.", return_tensors="pt")
        written.append(tokenizer.decode(model.generate(**inputs, num_beams=2, max_new_tokens=16)[0]))
    assert written[0] == written[1]
    parameters = sum(weights.numel() for weights in model.parameters())
    assert f"{parameters:,} parameters" in (tmp_path / "release/README.md").read_text()


def test_weights_are_not_copied_and_all_is_listed(whole: Path, tmp_path: Path) -> None:
    built = build(whole, tmp_path / "release")
    assert (tmp_path / "release/model.safetensors").samefile(whole / "train_final/model/model.safetensors")
    listed = read_release(tmp_path / "release").files
    assert {"README.md", "config.json", "tokenizer.json", "training.json", "training_log.jsonl"} < set(listed)
    assert listed["training_curve.png"].bytes and built.bytes == sum(entry.bytes for entry in listed.values())


def test_lineage_and_training_say_where_it_came_from(whole: Path, tmp_path: Path) -> None:
    build(whole, tmp_path / "release")
    lineage = json.loads((tmp_path / "release/lineage.json").read_text())
    assert list(lineage["stages"]) == ["contexts", "pairs", "train", "self_distil", "train_final"]
    assert lineage["dataset"] == {"name": "you/dimple", "revision": "d" * 40, "tag": "v1.0.0", "config": "default"}
    training = json.loads((tmp_path / "release/training.json").read_text())
    own = json.loads((whole / "train_final/training.json").read_text())
    assert training["config"]["model"] == "run:train" and own["config"]["model"] != "run:train"
    own["config"]["model"] = "run:train"
    assert training == own
    card = (tmp_path / "release/README.md").read_text()
    assert "you/dimple" in card and "19.2" in card and "embedded:student" in card


def test_the_same_bytes_in_another_place_and_no_path_in_them(copy_of: Path, whole: Path, tmp_path: Path) -> None:
    build(whole, tmp_path / "a")
    build(copy_of, tmp_path / "elsewhere/b")
    assert contents(tmp_path / "a") == contents(tmp_path / "elsewhere/b")
    for words in (str(tmp_path), str(whole), str(Path.home()), str(Path.cwd())):
        assert not [name for name, data in contents(tmp_path / "a").items() if words.encode() in data]


def test_places_are_taken_out_of_settings() -> None:
    settings = {
        "_name_or_path": "org/model",
        "is_local": True,
        "tokenizer_file": "/home/me/tokenizer.json",
        "text": {
            "name_or_path": "x",
            "vocab_file": "C:\\me\\vocab",
            "cache": "file:///home/me",
            "sizes": [1, {"d": "~/a/b"}],
        },
        "eos_token": "</s>",
        "added_tokens_decoder": {"7": {"content": "/", "special": True}},
    }
    assert without_places(settings) == {
        "text": {"sizes": [1, {}]},
        "eos_token": "</s>",
        "added_tokens_decoder": {"7": {"content": "/", "special": True}},
    }


def test_what_cannot_be_published_is_refused(copy_of: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Stage 'pairs' makes no model, expected one of: train,"):
        build(copy_of, tmp_path / "release", "pairs")
    shutil.move(copy_of / "train_final/training.json", tmp_path / "kept.json")
    with pytest.raises(UserError, match=r"train_final has no training\.json: run the stage 'train_final'"):
        build(copy_of, tmp_path / "release")
    shutil.move(tmp_path / "kept.json", copy_of / "train_final/training.json")
    (copy_of / "self_distil/manifest.json").unlink()
    with pytest.raises(UserError, match="Stage 'self_distil', whose pairs stage 'train_final' learns from, has not"):
        build(copy_of, tmp_path / "release")
    assert not (tmp_path / "release").exists()
