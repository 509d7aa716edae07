"""What stages note of where they were made, and that runs of before they did so go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from idist import provenance
from idist.provenance import commit, hardware, hub_commits, versions
from idist.release.lineage import lineage_of
from idist.release.stages import finished_stages
from idist.stages import contexts, pairs, runs
from recipes.pipeline import train_stage
from tests.release.conftest import config

COMMIT, OTHER = "a" * 40, "b" * 40


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the Hub that knows two repositories."""
    from huggingface_hub import constants

    for folder, revision in (("models--gpt2-xl", "main"), ("models--org--nli", "v1"), ("datasets--org--news", "main")):
        refs = tmp_path / "hub" / folder / "refs"
        refs.mkdir(parents=True)
        (refs / revision).write_text(COMMIT)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_commits_are_those_in_the_cache(cache: Path) -> None:
    marks: dict[str, Any] = {
        "contexts": {"contexts": {"weights": "gpt2-xl@main", "text": "org/news@main", "source": "org/news"}},
        "scored": {"student": {"prompt": "a@b", "weights": "folder:0123"}},
        "train": {"student": "org/other@main", "train": {"prompt": "x@main"}},
    }
    scores = {
        "critics": {"entailment": {"models": {"model": "org/nli@v1"}}, "trees": {"models": {"parser": "stanza:en"}}}
    }
    assert hub_commits(scores, marks, {"pairs": {"weights": f"org/pinned@{OTHER}"}}) == {
        "org/nli@v1": COMMIT,
        "gpt2-xl@main": COMMIT,
        "datasets/org/news@main": COMMIT,
        "org/other@main": None,
        f"org/pinned@{OTHER}": OTHER,
    }
    assert hub_commits(None, {"weights": "folder:0123", "text": "file:0123"}) == {}


def test_every_stage_notes_commit_hardware_and_versions(whole: Path) -> None:
    for file in ("contexts/manifest.json", "pairs/manifest.json", "train/training.json", "self_distil/manifest.json"):
        told = json.loads((whole / file).read_text())
        assert set(told["hardware"][0]) == {"cpu", "cores", "memory_mib", "gpu"} and told["commits"] == {}
        assert (
            told["libraries"]["torch"]
            and told["commit"] == json.loads((whole / "contexts/manifest.json").read_text())["commit"]
        )


def test_hub_models_reach_the_lineage_at_their_commits(copy_of: Path) -> None:
    """As in a run whose teacher and entailment model are the Hub's."""
    for file in ("manifest.json", "_engine/scored/claim.json"):
        path = copy_of / "pairs" / file
        told = json.loads(path.read_text())
        mark = told["jobs"]["scored"]["fingerprint"] if "jobs" in told else told["fingerprint"]
        mark["pairs"]["weights"] = "gpt2-xl@main"
        if "jobs" in told:
            told["config"]["scores"]["critics"]["entailment"]["models"]["model"] = "org/nli@v1"
            told["config"]["pairs"]["model"] = "gpt2-xl"
            told["commits"] = {"gpt2-xl@main": COMMIT, "org/nli@v1": None}
        path.write_text(json.dumps(told))
    own = config({"pairs.model": "gpt2-xl"})
    stages = finished_stages(own, copy_of, ("contexts", "pairs"))
    roles = {entry["role"]: entry for entry in lineage_of("dataset", "x", own, stages)["models"]}
    assert roles["pairs.model"] == {"role": "pairs.model", "name": "gpt2-xl", "revision": COMMIT}
    assert roles["pairs.critics.entailment.model"]["revision"] is None


def forget_where(path: Path) -> None:
    """As manifests were before they said where they were made."""
    told = json.loads(path.read_text())
    for key in ("commit", "hardware", "commits"):
        del told[key]
    path.write_text(json.dumps(told))


def test_runs_of_before_go_on(copy_of: Path) -> None:
    for stage in ("contexts", "pairs", "self_distil"):
        forget_where(copy_of / stage / "manifest.json")
    forget_where(copy_of / "train/training.json")
    before = {path: path.read_bytes() for path in copy_of.glob("*/*.json")}
    assert contexts.run(config(), copy_of, progress=False).made == 0
    assert pairs.run(config(), copy_of, progress=False).made == 0
    assert train_stage("train")(config(), copy_of, None, False).made == 0
    assert {path: path.read_bytes() for path in copy_of.glob("*/*.json")} == before
    lineage = lineage_of("dataset", "x", config(), finished_stages(config(), copy_of, ("contexts", "pairs")))
    assert lineage["toolkit"]["commit"] is None and lineage["hardware"] == []
    pairs.run(config({"pairs.critics.rouge_l.max": 0.8}), copy_of, progress=False)
    assert len(json.loads((copy_of / "pairs/manifest.json").read_text())["hardware"]) == 1


def test_cutting_again_elsewhere_keeps_the_machine_that_scored(copy_of: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = {"cpu": "another", "cores": 1, "memory_mib": 1, "gpu": None}
    monkeypatch.setattr(provenance, "hardware", lambda: elsewhere)
    first = json.loads((copy_of / "pairs/manifest.json").read_text())["hardware"]
    pairs.run(config({"pairs.critics.rouge_l.max": 0.8}), copy_of, progress=False)
    assert json.loads((copy_of / "pairs/manifest.json").read_text())["hardware"] == [*first, elsewhere]


def test_versions_hardware_and_commit() -> None:
    assert set(versions(("pyarrow", "no-such-library"))) == {"python", "pyarrow"}
    assert hardware()["cores"] >= 1 and hardware()["memory_mib"] > 0
    assert commit() is None or len(commit().split("-")[0]) == 40
    assert runs.library_versions()["transformers"]
