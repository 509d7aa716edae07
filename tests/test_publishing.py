"""Publishing a run by the recipes, to a folder and to a Hub on loopback, and loading it back as a stranger would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from idist.models import EMBEDDED
from tests.hub.made import TOKEN, USERS
from tests.hub.mini_hub import MiniHub
from tests.small_run import recipe

SHOW = """
import sys
from datasets import load_dataset, get_dataset_config_names
from huggingface_hub import snapshot_download
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

data, model, tag = sys.argv[1:]
for config in sorted(get_dataset_config_names(data)):
    loaded = load_dataset(data, config)
    print(config, {split: len(rows) for split, rows in loaded.items()})
print("default", load_dataset(data)["train"].column_names[:4])
print("stream", next(iter(load_dataset(data, split="train", streaming=True)))["id"])
if tag:
    pinned = snapshot_download(data, repo_type="dataset", revision=tag)
    print("pinned", len(load_dataset(pinned, split="train")))
tokenizer, student = AutoTokenizer.from_pretrained(model), AutoModelForSeq2SeqLM.from_pretrained(model)
ids = student.generate(**tokenizer("A man is walking.", return_tensors="pt"), max_new_tokens=8)
print("student", bool(tokenizer.decode(ids[0], skip_special_tokens=True)))
"""


@pytest.fixture
def run(distilled: tuple[Path, str], tmp_path: Path) -> Path:
    return Path(shutil.copytree(distilled[0], tmp_path / "runs" / "mini"))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[MiniHub]:
    with MiniHub(tmp_path / "hub", USERS).running() as running:
        yield running


def _online(hub: MiniHub, folder: Path, token: str = TOKEN) -> dict[str, str]:
    return {
        "HF_HUB_OFFLINE": "0",
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": token,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": str(folder / "home"),
    }


def _show(data: str, model: str, tag: str, folder: Path, **environment: str) -> list[str]:
    """What a stranger's program sees."""
    known = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "stranger")} | environment
    if "HF_HOME" in environment:
        known["HF_HOME"] = str(folder / "stranger")
    command = [sys.executable, "-c", SHOW, data, model, tag]
    done = subprocess.run(command, env=known, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_without_an_account_a_folder_is_published(run: Path, tmp_path: Path) -> None:
    done = recipe("publish", "runs/mini", "--candidates", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "dataset mini v1.0.0" in done.stdout and "model mini-student v1.0.0" in done.stdout
    seen = _show("runs/mini/hub/datasets/mini", "runs/mini/hub/models/mini-student", "", tmp_path)
    assert [line.split()[0] for line in seen[:6]] == [
        "candidates",
        "contexts",
        "default",
        "sentences",
        "student_candidates",
        "teacher",
    ]
    assert "'validation'" in seen[2] and "'validation'" not in seen[1] and "student True" in seen[-1]
    again = recipe("publish", "runs/mini", "--candidates", folder=tmp_path)
    assert again.stdout.count("already published") == 2
    assert sorted(path.name for path in (run / "hub" / "tags").iterdir()) == ["v1.0.0"]
    card = (run / "hub" / "models" / "mini-student" / "README.md").read_text()
    assert "BERT-iBLEU" in card and "model-index" in card
    assert not list(run.glob(".release*"))
    # however it is called, the same release is the same
    assert (
        recipe("publish", "runs/mini", "--dry-run", "--candidates", folder=tmp_path).stdout.count("nothing to do") == 2
    )
    assert "already published" in recipe("publish", "runs/mini", "--only", "model", folder=tmp_path).stdout
    assert "config `default`" in card and "release `v1.0.0`" in card


def test_a_dry_run_leaves_nothing(run: Path, tmp_path: Path) -> None:
    before = sorted(run.rglob("*"))
    done = recipe("publish", "runs/mini", "--dry-run", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "would be made" in done.stdout and "data/train-00000-of-00001.parquet" in done.stdout
    assert sorted(run.rglob("*")) == before


def test_a_run_is_pushed_loaded_pinned_and_rebuilt(run: Path, hub: MiniHub, tmp_path: Path) -> None:
    online = _online(hub, tmp_path)
    dry = recipe("publish", "runs/mini", "--push", "acme/dimple", "--dry-run", folder=tmp_path, **online)
    assert dry.returncode == 0 and "dataset acme/dimple v1.0.0 would be made" in dry.stdout, dry.stderr
    assert not hub.counted("POST", "commit")
    done = recipe("publish", "runs/mini", "--push", "acme/dimple", folder=tmp_path, **online)
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    seen = _show("acme/dimple", "acme/dimple-student", "v1.0.0", tmp_path, **_online(hub, tmp_path, ""))
    assert any(line.startswith("pinned") for line in seen) and "student True" in seen[-1]
    lineage = json.loads((hub.root / "lineage.json").read_text()) if (hub.root / "lineage.json").exists() else None
    assert lineage is None  # the Hub keeps its files by their hashes
    again = recipe("publish", "runs/mini", "--push", "acme/dimple", folder=tmp_path, **online)
    assert again.stdout.count("already published") == 2
    assert len(hub.titles("datasets", "acme/dimple")) == 2  # the empty repository, the release
    # the config of the release gives the run that lies here: nothing is left to be made
    rebuilt = recipe("distill", "--from-hub", "acme/dimple@v1.0.0", "--dry-run", folder=tmp_path, **online)
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert rebuilt.stdout.count("finished") == 5
    # another licence is another release, and needs another tag
    mit = ["--set", "hub.license=mit", "--push", "acme/dimple"]
    refused = recipe("publish", "runs/mini", *mit, "--tag", "v1.0.0", folder=tmp_path, **online)
    assert refused.returncode == 2 and "v1.0.0" in refused.stderr and "--overwrite" in refused.stderr
    assert "Traceback" not in refused.stderr
    second = recipe("publish", "runs/mini", *mit, folder=tmp_path, **online)
    assert second.returncode == 0 and "acme/dimple v1.1.0" in second.stdout


def test_stages_push_what_they_make(run: Path, hub: MiniHub, tmp_path: Path) -> None:
    online = _online(hub, tmp_path)
    settings = json.loads((run / "pairs" / "manifest.json").read_text())["config"]
    assert settings["pairs"]["k"] == 24
    push = ["--config", "runs/mini/config.yaml", "--push", "acme/parts"]
    pairs = recipe("pairs", *push, folder=tmp_path, **online)
    assert pairs.returncode == 0, pairs.stderr
    assert "dataset acme/parts v1.0.0" in pairs.stdout
    student = recipe("train", *push[:-1], "acme/student", folder=tmp_path, **online)
    assert student.returncode == 0 and "model acme/student v1.0.0" in student.stdout, student.stderr
    assert not hub.counted("POST", "commit/partial")  # the stage had ended before
    fresh = ["--runs", "fresh", "--limit", "6", "--set", "engine.shard_size=2", "--push", "acme/fresh"]
    contexts = recipe("contexts", *fresh, folder=tmp_path, **online)
    assert contexts.returncode == 0 and "contexts: 6 train" in contexts.stdout, contexts.stderr
    assert hub.counted("POST", "commit/partial") == 1
    refs = hub.repo("datasets", "acme/fresh").load()
    assert list(refs["branches"]) == ["main"] and list(refs["tags"]) == ["v1.0.0"]
    hidden = recipe("pairs", *push[:-1], "acme/hidden", "--private", folder=tmp_path, **online)
    assert hidden.returncode == 0, hidden.stderr
    stranger = recipe("pairs", "--from-hub", "acme/hidden", "--dry-run", folder=tmp_path, **_online(hub, tmp_path, ""))
    assert stranger.returncode == 2 and "acme/hidden" in stranger.stderr and "Traceback" not in stranger.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["runs/mini", "--push", "dimple"], "has no owner"),
        (["runs/mini", "--push", "a/b/c"], "no repository name"),
        (["runs/mini", "--push", "acme/x", "--tag", "main"], "Tag 'main' is not allowed"),
        (["runs/mini", "--private"], "--private says nothing without --push"),
        (["runs/nothing"], "has no config.yaml"),
        (["runs/mini", "--set", "pairs.k=3"], "expected a key of hub"),
        (["runs/mini", "--set", "hub.dataset_card=dimpel"], "dimple"),
        (["runs/mini", "--push", "acme/x"], "token"),
    ],
)
def test_mistakes_are_one_sentence(run: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    plain = {"HF_TOKEN": "", "HF_HOME": str(tmp_path / "home")}
    done = recipe("publish", *arguments, folder=tmp_path, **plain)
    assert done.returncode == 2 and message in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and done.stderr.count("error:") == 1


def test_results_are_published_and_read_back(run: Path, tmp_path: Path) -> None:
    from datasets import load_dataset

    from eval_harness.results import find, read

    done = recipe("publish_results", "runs/mini/evaluation", "--examples", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    place = run / "hub" / "datasets" / "evaluation"
    rows = load_dataset(str(place), split="train", cache_dir=str(tmp_path / "cache"))
    assert {row["metric"] for row in rows} >= {"bert_ibleu", "ibleu"} and len(set(rows["system"])) == 3
    assert str(tmp_path) not in json.dumps(rows.to_list())
    copied = [read(path) for path in find(place / "results")]
    assert len(copied) == 3 and copied[0].statistics("ibleu").shape[0] == 12
    again = recipe("publish_results", "runs/mini/evaluation", "--examples", folder=tmp_path)
    assert "already published" in again.stdout


def test_nothing_but_its_files_leaves_with_a_model(tmp_path: Path) -> None:
    model = Path(shutil.copytree(EMBEDDED / "entailment", tmp_path / "critic"))
    for name in (".env", "notes.log", "training_args.bin", "trainer_state.json", "checkpoint-5/model.safetensors"):
        (model / name).parent.mkdir(exist_ok=True)
        (model / name).write_text(f"HF_TOKEN={TOKEN} {tmp_path}")
    done = recipe("publish_model", "critic", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    release = tmp_path / "hub" / "models" / "critic"
    assert sorted(path.name for path in release.iterdir()) == [
        "ABOUT.md",
        "README.md",
        "config.json",
        "lineage.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert "license: cc-by-sa-4.0" in (release / "README.md").read_text()
    (model / "notes.json").write_text(json.dumps({"token": TOKEN}))
    refused = recipe("publish_model", "critic", "--tag", "v2.0.0", folder=tmp_path)
    assert refused.returncode == 2 and "holds an access token" in refused.stderr and TOKEN not in refused.stderr


def test_a_damaged_release_is_one_sentence(run: Path, tmp_path: Path) -> None:
    assert recipe("publish", "runs/mini", "--only", "dataset", folder=tmp_path).returncode == 0
    place = run / "hub" / "datasets" / "mini" / "lineage.json"
    lineage = json.loads(place.read_text())
    for damage in ({"models": [{}]}, {"toolkit": None}, {"config": 3}):
        place.write_text(json.dumps(lineage | damage))
        done = recipe("distill", "--from-hub", "runs/mini/hub/datasets/mini", "--dry-run", folder=tmp_path)
        assert done.returncode == 2 and done.stderr.count("error:") == 1 and "Traceback" not in done.stderr
