"""The page and its pictures out of results."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from benchmarks import record as recording
from benchmarks.record import Curve, Figure, Share, revision, times
from benchmarks.report import MOST_BYTES, draw, page, read
from idist.errors import UserError

OLD = {"claim": "an old one", "unit": "s", "ours": 5.3, "other": None, "ratio": None, "target": None, "reached": None}


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One result as it is recorded today, one of before there were limits."""
    share = Share(30.0, 60.0, "GFLOP/s", "matrix rate")
    figures = [times("writing", "texts a second", 20.0, 4.0, 6, "on one core", share), Figure("memory", "MiB", 1234.0)]
    lines = {"idist": [(10, 3.0), (100, 9.0)], "generate": [(10, 1.0), (100, 1.5)]}
    curve = Curve("against_k", "Rate against k", "one context", "k", "texts a second", lines, True)
    limits = [{"dtype": "float32", "matrix": 60e9, "copy": 20e9, "read": 10e9}]
    monkeypatch.setattr(recording, "revision", lambda: ("0123456789abcdef", ["idist/models.py"]))
    recording.record("new", figures, True, limits, [curve], tmp_path)
    content = json.loads((tmp_path / "new.json").read_text(encoding="utf-8"))
    for key in ("limits", "curves", "changed"):
        del content[key]
    old = content | {"figures": [OLD | {"note": ""}], "commit": "fedcba9876543210-dirty"}
    (tmp_path / "old.json").write_text(json.dumps(old), encoding="utf-8")
    return tmp_path


def test_a_row_a_figure_with_what_was_reached(results: Path) -> None:
    text = page(read(results))
    assert (
        "| writing | 20 | 4 | texts a second | **5** | 30 of 60 GFLOP/s, 50% (matrix rate) | at least 6 times: **no** |"
        in text
    )
    assert "| memory | 1,234 |  | MiB |  | no model |  |" in text
    assert "| an old one | 5.3 |  | s |  |  |  |" in text
    assert "![Rate against k: one context](results/against_k.png)" in text
    assert "Limits: 60 GFLOP/s in float32, 20 GB/s copied, 10 GB/s read." in text


def test_the_page_names_the_commit_and_changed_files(results: Path) -> None:
    text = page(read(results))
    assert "commit 0123456789 with changes in idist/models.py" in text
    assert "commit fedcba9876 with changes," in text


def test_pictures_are_small_and_the_same_again(results: Path) -> None:
    draw(read(results), results)
    pictures = sorted(results.glob("*.png"))
    assert [path.name for path in pictures] == ["against_k.png", "ratios.png"]
    assert all(2000 < path.stat().st_size <= MOST_BYTES for path in pictures)
    before = [path.read_bytes() for path in pictures]
    draw(read(results), results)
    assert [path.read_bytes() for path in pictures] == before


def test_no_results_and_bad_ones_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no figures"):
        read(tmp_path)
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"bad\.json is no JSON"):
        read(tmp_path)


def test_recorded_figures_have_all_fields(results: Path) -> None:
    content = json.loads((results / "new.json").read_text(encoding="utf-8"))
    assert content["figures"][1] == asdict(Figure("memory", "MiB", 1234.0))


def test_only_code_that_differs_counts(tmp_path: Path) -> None:
    """A result that is recorded, and a page that is made of it, change nothing that is measured."""

    def git(*arguments: str) -> Any:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        return subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    for name in ("idist/models.py", "benchmarks/results/one.json", "benchmarks/README.md", "docs/scale.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a", encoding="utf-8")
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "all")
    commit, changed = revision(tmp_path)
    assert commit is not None and len(commit) == 40
    for name in ("benchmarks/results/one.json", "benchmarks/README.md", "docs/scale.md"):
        (tmp_path / name).write_text("b", encoding="utf-8")
    (tmp_path / "idist/new.py").write_text("untracked", encoding="utf-8")
    assert (changed, revision(tmp_path)) == ([], (commit, []))
    (tmp_path / "idist/models.py").write_text("b", encoding="utf-8")
    assert revision(tmp_path) == (commit, ["idist/models.py"])


def test_outside_of_a_checkout_there_is_no_commit(tmp_path: Path) -> None:
    assert revision(tmp_path) == (None, [])
