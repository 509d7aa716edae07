"""One process at a time in a run's folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from idist.engine import alone
from idist.errors import UserError

pytest.importorskip("fcntl", reason="this system has no file locks of this kind")

HOLD = """
import sys
from pathlib import Path
from idist.engine import alone

with alone(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_refused_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(UserError, match=r"Another process is working in .*run; wait"), alone(folder):
            raise AssertionError("two in one folder")
        other.kill()
    with alone(folder):
        pass


def test_an_error_inside_lets_go_and_passes(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="from inside"), alone(tmp_path):
        raise OSError("from inside")
    with alone(tmp_path), alone(tmp_path / "another"):
        pass
