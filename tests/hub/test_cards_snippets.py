"""The Python on a card does what the card says when it is pasted: in a folder, and on a Hub, newest and pinned."""

from __future__ import annotations

from pathlib import Path

import pytest

from idist.controls import Controls
from idist.hub import HubTarget
from tests.hub.card_facts import dataset_facts, model_facts, results_facts
from tests.hub.card_releases import run_snippets, snippets, write_dataset, write_model
from tests.hub.made import TOKEN
from tests.hub.mini_hub import MiniHub

SENTENCE = "A man is playing the guitar on a street corner."
OFFLINE = {"HF_HUB_OFFLINE": "1"}


def online(hub: MiniHub) -> dict[str, str]:
    return {"HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "0", "HF_TOKEN": TOKEN}


def controls() -> str:
    """A ``control.json`` as training with this control leaves it."""
    made = Controls([{"length_ratio": {}}])
    made.learn({"length_ratio": [0.5, 0.8, 1.0, 1.2, 1.5]})
    return made.to_json()


def test_a_dataset_in_a_folder(tmp_path: Path) -> None:
    facts = dataset_facts(name="dimple", folder="runs/mini/hub/datasets/dimple")
    hub = tmp_path / "runs" / "mini" / "hub"
    newest = write_dataset(hub / "datasets" / "dimple", facts, "newest")
    write_dataset(hub / "tags" / "v1.0.0" / "datasets" / "dimple", facts, "first")
    results = write_dataset(tmp_path / "datasets" / "results", results_facts(name="results", tag=None), "of")
    told = run_snippets([*snippets(newest), *snippets(results)], tmp_path, OFFLINE)
    assert [one["first"]["x"] for one in told[:2]] == ["newest default", "first default"]
    assert "'x': 'newest default'" in told[0]["printed"]
    assert len(told) == 3 and told[2]["first"]["system"] == "of default" and "0  of default" in told[2]["printed"]


def test_a_dataset_of_a_hub_newest_and_pinned(hub: MiniHub, target: HubTarget, tmp_path: Path) -> None:
    first = write_dataset(tmp_path / "first", dataset_facts(), "first")
    target.publish(first, "dataset", "acme/dimple", "v1.0.0")
    second = write_dataset(tmp_path / "second", dataset_facts(tag="v1.1.0"), "newest")
    target.publish(second, "dataset", "acme/dimple", "v1.1.0")
    checks = f"from huggingface_hub import DatasetCard\nDatasetCard.load({str(first / 'README.md')!r}).validate()"
    other = 'from datasets import load_dataset\nrows = load_dataset("acme/dimple", "teacher")'
    assert '`load_dataset("acme/dimple", "teacher")`' in (first / "README.md").read_text()
    told = run_snippets([*snippets(first), other, checks], tmp_path, online(hub))
    assert [one["first"] and one["first"]["x"] for one in told] == [
        "newest default",
        "first default",
        "newest teacher",
        None,
    ]
    assert hub.counted("POST", "/api/validate-yaml") >= 3  # two pushes and the check
    downloaded = {path for method, path, _ in hub.requests if method == "GET" and "/resolve/v1.0.0/" in path}
    assert not [path for path in downloaded if "/teacher/" in path]
    assert run_snippets(snippets(first)[1:], tmp_path, OFFLINE)[0]["first"]["x"] == "first default"


def test_results_of_a_hub(hub: MiniHub, target: HubTarget, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "results", results_facts(), "of")
    target.publish(folder, "dataset", "acme/results", "v1.0.0")
    told = run_snippets(snippets(folder), tmp_path, online(hub))
    assert [one["first"]["system"] for one in told] == ["of default", "of default"]


def test_models_in_folders(tmp_path: Path) -> None:
    plain = {"tag": None, "results": [], "max_source_tokens": 32}
    students = {
        "impossible-t5": model_facts(name="plain", **plain),
        "impossible-t5-summary": model_facts(name="summary", prompt="summary: {source}", **plain),
        "impossible-t5-control": model_facts(
            name="control",
            lineage={"config": {"control": {"controls": [{"length_ratio": {}}]}}},
            prompt="{control}{source}",
            **plain,
        ),
    }
    folders = [
        write_model(tmp_path / "models" / facts.name, facts, "student", template)
        for template, facts in students.items()
    ]
    (tmp_path / "models" / "control" / "control.json").write_text(controls())
    decoder = model_facts(
        name="decoder",
        seq2seq=False,
        prompt="{source}\n",
        generation={"max_new_tokens": 5, "do_sample": False},
        **plain,
    )
    critic = model_facts(name="critic", **plain)
    folders.append(write_model(tmp_path / "models" / "decoder", decoder, "teacher", "model"))
    folders.append(write_model(tmp_path / "models" / "critic", critic, "entailment", "critic"))
    pieces = [piece for folder in folders for piece in snippets(folder)]
    written, summary, control, continued, chances = [one["printed"] for one in run_snippets(pieces, tmp_path, OFFLINE)]
    assert "length_ratio:1  below" in control.splitlines()[0]
    assert written.strip() == SENTENCE  # the shipped student repairs sentences and leaves whole ones alone
    assert summary.strip() and control.strip()
    assert continued.strip() and "guitar on a street corner" not in continued
    labels = dict(line.split(": ") for line in chances.splitlines())
    assert set(labels) == {"entailment", "neutral", "contradiction"}
    assert sum(map(float, labels.values())) == pytest.approx(1, abs=0.002)


def test_a_model_of_a_hub(hub: MiniHub, target: HubTarget, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model", model_facts(), "student")
    target.publish(folder, "model", "acme/impossible-t5", "v1.0.0")
    (piece,) = snippets(folder)
    assert 'revision="v1.0.0"' in (folder / "README.md").read_text()
    pinned = piece.replace("from_pretrained(name)", 'from_pretrained(name, revision="v1.0.0")')
    check = f"from huggingface_hub import ModelCard\nModelCard.load({str(folder / 'README.md')!r}).validate()"
    told = run_snippets([piece, pinned, check], tmp_path, online(hub))
    assert [one["printed"].strip() for one in told] == [SENTENCE, SENTENCE, ""]
    assert hub.counted("GET", "/revision/v1.0.0")
