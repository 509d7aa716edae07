"""A folder that appears whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from idist.engine import folders
from idist.engine.folders import link_or_copy, whole_folder


def make(folder: Path, text: str) -> None:
    with whole_folder(folder) as beside:
        (beside / "a.txt").write_text(text)


@pytest.mark.parametrize("swaps", [True, False])
def test_it_takes_its_place_at_the_end(tmp_path: Path, swaps: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not swaps:  # a system that cannot let two folders change places
        monkeypatch.setattr(folders, "_exchange", lambda one, other: False)
    folder = tmp_path / "deep/release"
    make(folder, "one")
    with whole_folder(folder) as beside:
        (beside / "b.txt").write_text("two")
        assert (folder / "a.txt").read_text() == "one"
    assert [path.name for path in folder.iterdir()] == ["b.txt"] and list((tmp_path / "deep").iterdir()) == [folder]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    make(tmp_path / "release", "one")
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "release"):
        raise RuntimeError
    assert (tmp_path / "release/a.txt").read_text() == "one" and len(list(tmp_path.iterdir())) == 1


def test_a_kill_between_two_renames_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "release", "one")
    (tmp_path / "release").rename(tmp_path / ".release.old")  # where folders cannot change places at once
    (tmp_path / ".release.new").mkdir()
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "release"):
        assert (tmp_path / "release/a.txt").read_text() == "one"
        raise RuntimeError
    assert (tmp_path / "release/a.txt").read_text() == "one" and len(list(tmp_path.iterdir())) == 1


def test_a_link_or_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weights").write_text("w")
    link_or_copy(tmp_path / "weights", tmp_path / "to/linked")
    assert (tmp_path / "to/linked").samefile(tmp_path / "weights")

    def no_links(*_: Path) -> None:
        raise OSError

    monkeypatch.setattr(folders.os, "link", no_links)
    link_or_copy(tmp_path / "weights", tmp_path / "to/copied")
    assert (tmp_path / "to/copied").read_text() == "w" and not (tmp_path / "to/copied").samefile(tmp_path / "weights")
