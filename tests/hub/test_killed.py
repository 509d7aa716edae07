"""A publishing process killed at any moment: run again, the release is complete and nothing was sent twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from idist.hub import FolderTarget
from tests.hub.conftest import ROOT, InFolder, child
from tests.hub.made import NAME, TOKEN, make_release
from tests.hub.mini_hub import MiniHub
from tests.hub.mini_hub_faults import Fault
from tests.hub.test_faults import LARGE, REQUESTS, check_whole

PUBLISH = """
import os, sys
from pathlib import Path
from idist.hub import HubTarget
Path(sys.argv[3]).write_text(str(os.getpid()))
print(HubTarget().publish(Path(sys.argv[1]), "dataset", sys.argv[2], "v1.0.0").made)
"""


@pytest.mark.parametrize("moment", ["create", "tree", "preupload", "batch", "upload", "yaml", "commit", "head", "tag"])
def test_killed_then_run_again(hub: MiniHub, tmp_path: Path, moment: str) -> None:
    """``create``: nothing is there yet; ``tree`` to ``batch``: created, nothing uploaded; ``tag``: between upload and
    tag."""
    folder, pid = make_release(tmp_path / "new", {"data/a.parquet": LARGE}), tmp_path / "pid"
    hub.faults.append(Fault(*REQUESTS[moment], "drop", action=lambda: os.kill(int(pid.read_text()), signal.SIGKILL)))
    killed = child(PUBLISH, hub, tmp_path / "home", str(folder), NAME, str(pid))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    again = child(PUBLISH, hub, tmp_path / "home", str(folder), NAME, str(pid))
    assert again.stdout == "True\n", again.stderr
    check_whole(hub, folder, "v1.0.0")


def test_killed_before_the_answer_to_the_commit_arrives(hub: MiniHub, tmp_path: Path) -> None:
    folder, pid = make_release(tmp_path / "new", {"data/a.parquet": LARGE}), tmp_path / "pid"
    repo = hub.repo("datasets", NAME)
    # the first request after the commit reads what it holds: the commit is made, and nobody knows
    hub.faults.append(
        Fault(*REQUESTS["tree"], "drop", skip=1, action=lambda: os.kill(int(pid.read_text()), signal.SIGKILL))
    )
    assert child(PUBLISH, hub, tmp_path / "home", str(folder), NAME, str(pid)).returncode == -signal.SIGKILL
    assert hub.titles("datasets", NAME) == ["initial commit", "Release v1.0.0"] and not repo.load()["tags"]
    again = child(PUBLISH, hub, tmp_path / "home", str(folder), NAME, str(pid))
    assert again.stdout == "True\n", again.stderr
    check_whole(hub, folder, "v1.0.0")


# Killed by its own hand at the n-th rename, link or copy: after it, or before.
FOLDER = """
import os, signal, shutil, sys
from pathlib import Path
from idist.hub import FolderTarget
left = int(sys.argv[3])
def counted(act):
    def wrapped(*args, **options):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return act(*args, **options)
    return wrapped
Path.rename, os.link = counted(Path.rename), counted(os.link)
shutil.copyfile, shutil.rmtree = counted(shutil.copyfile), counted(shutil.rmtree)
FolderTarget(Path(sys.argv[2])).publish(Path(sys.argv[1]), "dataset", "dimple", "v2.0.0")
"""


def test_a_folder_is_whole_wherever_the_process_was_killed(tmp_path: Path) -> None:
    old = make_release(tmp_path / "old", {"data/a.parquet": LARGE})
    new = make_release(tmp_path / "new", {"data/b.parquet": LARGE[::-1]})
    whole = {path.relative_to(new).as_posix(): path.read_bytes() for path in new.rglob("*.*")}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for step in range(1, 40, 3):
        root = tmp_path / f"published-{step}"
        target = FolderTarget(root)
        target.publish(old, "dataset", "dimple", "v1.0.0")
        before = InFolder(root).files()
        (root / "datasets" / "dimple" / "notes.md").write_text("mine")
        command = [sys.executable, "-c", FOLDER, str(new), str(root), str(step)]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
        target.publish(new, "dataset", "dimple", "v2.0.0")
        assert InFolder(root).files() == whole | {"notes.md": b"mine"}
        assert InFolder(root).files("v2.0.0") == whole and InFolder(root).files("v1.0.0") == before
        assert not [path for path in root.rglob(".*") if path.name.startswith(".dimple")]
        if ended.returncode == 0:
            return
    raise AssertionError("the process never came to its end")


def test_the_token_is_the_childs_only(hub: MiniHub, tmp_path: Path) -> None:
    """What the other tests rely on: without a token the same program is refused."""
    refused = child(
        PUBLISH, hub, tmp_path / "home", str(make_release(tmp_path / "new")), NAME, str(tmp_path / "pid"), token=""
    )
    assert "needs a token of the Hub: set HF_TOKEN or run `hf auth login`" in refused.stderr
    assert refused.returncode == 1 and TOKEN not in refused.stderr
