"""`recipes/funnel.py`: tables and a picture of what the critics removed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from idist.critics.funnel import Funnel, Step
from idist.errors import UserError
from recipes import funnel


def write_stage(run: Path, stage: str, told: Funnel | None) -> None:
    folder = run / stage
    folder.mkdir(parents=True)
    manifest = {"stage": stage} | ({"funnel": told.to_dict()} if told else {})
    (folder / "manifest.json").write_text(json.dumps(manifest))


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["funnel", *map(str, arguments)])
    funnel.main()


def test_every_stage_and_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    run = tmp_path / "a"
    first = Funnel(2, [Step("rouge_l", 1000, 400), Step("entailment", 600, 600)], 0)
    write_stage(run, "contexts", None)
    write_stage(run, "pairs", first)
    write_stage(run, "self_distil_1", Funnel(2, [Step("rouge_l", 10, 4)], 6))
    write_stage(run, "self_distil", Funnel(2, [Step("rouge_l", 0, 0)], 0))
    assert funnel.funnels_of(run, "a")["a: the teacher's pairs"] == first
    call(monkeypatch, run)
    said = capsys.readouterr().out
    titles = [line for line in said.splitlines() if line.startswith("a: ")]
    own = "a: the student's own pairs"
    assert titles == ["a: the teacher's pairs", f"{own} (self_distil_1)", own] and "60.0%" in said
    assert (run / "funnel.png").read_bytes()[:4] == b"\x89PNG" and b"</svg>" in (run / "funnel.svg").read_bytes()
    before = (run / "funnel.svg").read_bytes()
    call(monkeypatch, run)
    assert (run / "funnel.svg").read_bytes() == before

    write_stage(tmp_path / "b", "pairs", first)
    call(monkeypatch, run, tmp_path / "b", "--out", tmp_path / "new" / "out")
    assert (tmp_path / "new" / "out" / "funnel.png").is_file()
    with pytest.raises(UserError, match="2 runs, expected --out"):
        call(monkeypatch, run, tmp_path / "b")


def test_runs_of_one_name_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = (tmp_path / place / "mini" for place in ("one", "two"))
    for run in (one, two):
        write_stage(run, "pairs", Funnel(2, [Step("rouge_l", 10, 4)], 6))
    assert funnel.names_of([one, two, one]) == {one: str(one), two: str(two)}
    monkeypatch.chdir(one)
    assert funnel.names_of([Path()]) == {Path(): "mini"}


def test_a_wrong_folder_is_neither_made_nor_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="typo is not a folder"):
        call(monkeypatch, tmp_path / "typo")
    assert not (tmp_path / "typo").exists()
    write_stage(tmp_path / "run", "pairs", Funnel(2, [Step("rouge_l", 10, 4)], 6))
    (tmp_path / "file").write_text("text")
    with pytest.raises(UserError, match=r"The folder .*file cannot be made: File exists\."):
        call(monkeypatch, tmp_path / "run", "--out", tmp_path / "file")


def test_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere is not a folder"):
        funnel.funnels_of(tmp_path / "nowhere", "nowhere")
    write_stage(tmp_path / "run", "pairs", Funnel(2, [], 5))  # no critic: nothing was removed
    with pytest.raises(UserError, match="no finished stage with critics"):
        funnel.funnels_of(tmp_path / "run", "run")
