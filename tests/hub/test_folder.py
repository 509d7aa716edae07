"""Publishing to a folder where the disk does not play along."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from idist.errors import UserError
from idist.hub import FolderTarget
from tests.hub.conftest import InFolder
from tests.hub.made import make_release

LARGE = b"PAR1" * (1 << 19)
NOBODY = 65534


@contextlib.contextmanager
def small_files() -> Iterator[None]:
    """Files of more than 200 bytes fail in this process, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def ordinary_user() -> Iterator[None]:
    """Root may write everywhere: be nobody for a while."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    place = InFolder(tmp_path / "published")
    folder = make_release(tmp_path / "new")
    place.target.publish(folder, "dataset", "dimple")
    before = place.files()
    make_release(folder, {"data/more.txt": "x" * 5000})
    with small_files(), pytest.raises(UserError, match=r"File too large at .*more\.txt: .* is as it was; run the same"):
        place.target.publish(folder, "dataset", "dimple")
    assert place.files() == before and place.files("v1.0.0") == before
    assert not list((tmp_path / "published" / "datasets").glob(".*"))
    assert place.target.publish(folder, "dataset", "dimple").tag == "v1.1.0"


def test_a_disk_that_fails_in_the_exchange_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = InFolder(tmp_path / "published")
    folder = make_release(tmp_path / "new")
    place.target.publish(folder, "dataset", "dimple")
    before, rename = place.files(), Path.rename

    def fail(path: Path, other: Path) -> Path:
        if path.name.endswith(".new"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return rename(path, other)

    make_release(folder, {"data/more.txt": "x"})
    with monkeypatch.context() as broken, pytest.raises(UserError, match="No space left on device at .* is as it was"):
        broken.setattr("idist.engine.folders._exchange", lambda *_: False)  # as where the system cannot
        broken.setattr(Path, "rename", fail)
        place.target.publish(folder, "dataset", "dimple")
    assert place.files() == before and not list((tmp_path / "published" / "datasets").glob(".*"))


def test_a_folder_that_may_not_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "/no/token")  # root's own is not nobody's to read
    with tempfile.TemporaryDirectory() as base:
        Path(base).chmod(0o755)
        root = Path(base) / "published"
        root.mkdir(mode=0o555)
        folder = make_release(Path(base) / "new")
        with ordinary_user(), pytest.raises(UserError, match=r"Permission denied at .*published"):
            FolderTarget(root).publish(folder, "dataset", "dimple")
        assert not list(root.iterdir())
        root.chmod(0o755)


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "published").write_text("x")
    with pytest.raises(UserError, match=r"Not a directory at .*published"):
        FolderTarget(tmp_path / "published").publish(make_release(tmp_path / "new"), "dataset", "dimple")


def test_large_files_are_one_on_the_disk_and_small_ones_are_not(tmp_path: Path) -> None:
    root = tmp_path / "published"
    FolderTarget(root).publish(make_release(tmp_path / "new", {"data/a.parquet": LARGE}), "dataset", "dimple")
    newest, tagged = root / "datasets" / "dimple", root / "tags" / "v1.0.0" / "datasets" / "dimple"
    assert (newest / "data" / "a.parquet").samefile(tagged / "data" / "a.parquet")
    assert not (newest / "README.md").samefile(tagged / "README.md")


def test_copies_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_link(*args: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", no_link)
    place = InFolder(tmp_path / "published")
    place.target.publish(make_release(tmp_path / "new", {"data/a.parquet": LARGE}), "dataset", "dimple")
    assert place.files()["data/a.parquet"] == place.files("v1.0.0")["data/a.parquet"] == LARGE


def test_kinds_and_names_do_not_mix(tmp_path: Path) -> None:
    target, folder = FolderTarget(tmp_path / "published"), make_release(tmp_path / "new")
    for kind, name in (("dataset", "a"), ("dataset", "b"), ("model", "a"), ("space", "a")):
        assert target.publish(folder, kind, name, "v1.0.0").made
    root = tmp_path / "published"
    folders = {path.parent.relative_to(root).as_posix() for path in root.rglob("README.md")}
    expected = {"datasets/a", "datasets/b", "models/a", "spaces/a"}
    assert folders == expected | {f"tags/v1.0.0/{path}" for path in expected}
