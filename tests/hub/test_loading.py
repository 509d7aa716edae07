"""What was published is loaded back by the libraries that people use, by name, revision and folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from idist.errors import UserError
from idist.hub import FolderTarget, HubTarget, download, read_lineage, seal
from tests.hub.conftest import child
from tests.hub.made import NAME, OTHER_TOKEN, TOKEN, make_dataset, make_release
from tests.hub.mini_hub import MiniHub

LOAD = """
import json, sys
import datasets
from huggingface_hub import snapshot_download
name, found = sys.argv[1], {}
for revision in ("v1.0.0", "v1.1.0", "main"):
    for config in ("default", "teacher"):
        by_name = datasets.load_dataset(name, config, revision=revision)
        folder = snapshot_download(name, repo_type="dataset", revision=revision)
        by_path = datasets.load_dataset(folder, config)
        assert {split: rows["x"][:] for split, rows in by_name.items()} == {
            split: rows["x"][:] for split, rows in by_path.items()}
        found[f"{revision} {config}"] = {split: rows["x"][0] for split, rows in by_path.items()}
found["plain"] = datasets.load_dataset(name)["train"]["x"][0]
streamed = datasets.load_dataset(name, split="validation", revision="v1.0.0", streaming=True)
found["streamed"] = [row["x"] for row in streamed]
print(json.dumps(found))
"""

MODEL = """
import json, sys
import transformers
name, texts = sys.argv[1], ["A dog runs."]
found = []
for revision in ("v1.0.0", "main"):
    tokenizer = transformers.AutoTokenizer.from_pretrained(name, revision=revision)
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(name, revision=revision)
    output = model(**tokenizer(texts, return_tensors="pt"), labels=tokenizer(texts, return_tensors="pt").input_ids)
    found.append(float(output.loss.detach()))
print(json.dumps(found))
"""


@pytest.fixture
def two_releases(hub: MiniHub, tmp_path: Path) -> HubTarget:
    target = HubTarget(hub.url, TOKEN)
    target.publish(make_dataset(tmp_path / "old", "old"), "dataset", NAME)
    target.publish(make_dataset(tmp_path / "new", "new", rows=9), "dataset", NAME)
    return target


def test_two_configs_and_two_splits_at_two_revisions(hub: MiniHub, two_releases: HubTarget, tmp_path: Path) -> None:
    ran = child(LOAD, hub, tmp_path / "home", NAME)
    assert ran.returncode == 0, ran.stderr
    expected = {
        f"{revision} {config}": {split: f"{word} {config} {split} 0" for split in ("train", "validation")}
        for revision, word in (("v1.0.0", "old"), ("v1.1.0", "new"), ("main", "new"))
        for config in ("default", "teacher")
    }
    streamed = ["old default validation 0", "old default validation 1"]
    assert json.loads(ran.stdout) == expected | {"plain": "new default train 0", "streamed": streamed}


def test_a_model_of_random_weights_at_two_revisions(hub: MiniHub, tmp_path: Path) -> None:
    from tests.eval_harness.tiny_models import save_tiny

    target = HubTarget(hub.url, TOKEN)
    for seed in (0, 1):
        folder = tmp_path / f"model{seed}"
        save_tiny("t5", folder, seed)
        (folder / "README.md").write_text("---\nlibrary_name: transformers\n---\n# Tiny\n")
        seal(folder, {"kind": "model", "name": "acme/tiny"})
        assert target.publish(folder, "model", "acme/tiny").tag == f"v1.{seed}.0"
    ran = child(MODEL, hub, tmp_path / "home", "acme/tiny")
    assert ran.returncode == 0, ran.stderr
    old, new = json.loads(ran.stdout)
    assert old != new

    published = FolderTarget(tmp_path / "published")
    for seed in (0, 1):
        published.publish(tmp_path / f"model{seed}", "model", "acme/tiny")
    from transformers import AutoModelForSeq2SeqLM

    models = tmp_path / "published" / "tags" / "v1.0.0" / "models" / "tiny", tmp_path / "published" / "models" / "tiny"
    first, second = (AutoModelForSeq2SeqLM.from_pretrained(folder).state_dict() for folder in models)
    assert first.keys() == second.keys() and any((first[key] != second[key]).any() for key in first)


def test_a_folder_loads_like_a_repository(tmp_path: Path) -> None:
    import datasets

    target = FolderTarget(tmp_path / "published")
    for word in ("old", "new"):
        target.publish(make_dataset(tmp_path / word, word), "dataset", NAME)
        shutil.rmtree(tmp_path / word)  # what was published does not need it
    root = tmp_path / "published"
    for folder, word in ((root, "new"), (root / "tags" / "v1.0.0", "old"), (root / "tags" / "v1.1.0", "new")):
        loaded = datasets.load_dataset(
            str(folder / "datasets" / "dimple"), "teacher", cache_dir=str(tmp_path / "cache")
        )
        assert loaded["train"]["x"][0] == f"{word} teacher train 0" and len(loaded["validation"]) == 2


def test_download_gives_the_files_of_a_revision(two_releases: HubTarget, hub: MiniHub) -> None:
    repo = hub.repo("datasets", NAME)
    for revision in ("v1.0.0", "v1.1.0", None):
        folder = download("dataset", NAME, revision, endpoint=hub.url, token=TOKEN)
        assert folder.name == repo.resolve(revision or "main")
        assert (folder / "README.md").read_text() == repo.text(folder.name, "README.md")
    with pytest.raises(UserError, match=r"dataset acme/dimple at v1\.0\.0 on http.* holds no data/nothing\*"):
        download("dataset", NAME, "v1.0.0", ["data/nothing*"], endpoint=hub.url, token=TOKEN)


def test_without_the_hub_a_revision_is_the_one_that_was_downloaded(
    two_releases: HubTarget, hub: MiniHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (download("dataset", NAME, tag, endpoint=hub.url, token=TOKEN) for tag in ("v1.0.0", "v1.1.0"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    asked = len(hub.requests)
    assert download("dataset", NAME, "v1.0.0", endpoint=hub.url) == old
    assert download("dataset", NAME, "v1.1.0", ["README.md"], endpoint=hub.url) == new
    assert read_lineage(f"{NAME}@v1.0.0", endpoint=hub.url) == json.loads((old / "lineage.json").read_text())
    with pytest.raises(UserError, match=r"at v9\.9\.9 on http.*was not downloaded before"):
        download("dataset", NAME, "v9.9.9", endpoint=hub.url)
    assert len(hub.requests) == asked


def test_lineage_by_name_revision_and_folder(two_releases: HubTarget, hub: MiniHub, tmp_path: Path) -> None:
    old, new = (json.loads((tmp_path / word / "lineage.json").read_text()) for word in ("old", "new"))
    assert read_lineage(f"{NAME}@v1.0.0", endpoint=hub.url, token=TOKEN) == old == read_lineage(tmp_path / "old")
    assert read_lineage(NAME, endpoint=hub.url, token=TOKEN) == new == read_lineage(str(tmp_path / "new"))


def test_lineage_of_a_model(hub: MiniHub, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    HubTarget(hub.url, TOKEN).publish(folder, "model", NAME)
    assert read_lineage(NAME, endpoint=hub.url, token=TOKEN) == json.loads((folder / "lineage.json").read_text())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "holds no lineage.json"),
        ("{", "is not valid JSON"),
        ("[]", "has no number 'schema'"),
        ('{"schema": 99, "files": {}}', "has schema 99, this version reads up to 1"),
        ('{"schema": 1}', "has no listing 'files'"),
        ('{"schema": 1, "files": {"../x": {}}}', "expected a path inside the repository"),
        ('{"schema": 1, "files": {"x": {}}}', "lists x without 'sha256' and 'bytes'"),
    ],
)
def test_a_lineage_that_is_none(hub: MiniHub, tmp_path: Path, content: str | None, sentence: str) -> None:
    from huggingface_hub import HfApi

    api, folder = HfApi(hub.url, TOKEN), tmp_path / "folder"
    folder.mkdir()
    api.create_repo(NAME, repo_type="dataset")
    if content is not None:
        (folder / "lineage.json").write_text(content)
        api.upload_folder(repo_id=NAME, folder_path=folder, repo_type="dataset")
    for source in (folder, NAME):
        with pytest.raises(UserError, match=sentence):
            read_lineage(source, endpoint=hub.url, token=TOKEN)


def test_nothing_of_that_name(hub: MiniHub) -> None:
    with pytest.raises(UserError, match="acme/none is neither a folder here nor a repository on .*, or it is private"):
        read_lineage("acme/none", endpoint=hub.url, token=TOKEN)
    with pytest.raises(UserError, match="no such repository, or it is private: to see your own, set HF_TOKEN"):
        download("dataset", "acme/none", endpoint=hub.url, token=TOKEN)
    with pytest.raises(UserError, match="'a/b/c' is no repository name"):
        read_lineage("a/b/c", endpoint=hub.url)


def test_no_such_revision(two_releases: HubTarget, hub: MiniHub) -> None:
    with pytest.raises(UserError, match=r"dataset acme/dimple at v9 on http.*: it has no such revision\."):
        read_lineage(f"{NAME}@v9", endpoint=hub.url, token=TOKEN)


def test_a_private_repository_is_not_read_without_its_token(hub: MiniHub, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    HubTarget(hub.url, TOKEN, private=True).publish(folder, "dataset", NAME)
    for token in (None, OTHER_TOKEN):
        with pytest.raises(UserError, match="there is no such repository, or it is private"):
            download("dataset", NAME, endpoint=hub.url, token=token)
    assert download("dataset", NAME, endpoint=hub.url, token=TOKEN).is_dir()
    ran = child("import datasets, sys; datasets.load_dataset(sys.argv[1])", hub, tmp_path / "home", NAME, token="")
    assert "DatasetNotFoundError" in ran.stderr
