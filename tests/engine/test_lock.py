"""One process at a time in the folder of a run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from idist.engine.lock import alone
from idist.errors import UserError

HOLD = """
import sys
from pathlib import Path
from idist.engine.lock import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None and other.stdout.readline() == "held\n"
    with pytest.raises(UserError, match="Another process is working in"), alone(tmp_path):
        pass
    other.kill()
    other.communicate()
    with alone(tmp_path):
        pass


def test_the_process_that_holds_it_may_enter_again(tmp_path: Path) -> None:
    with alone(tmp_path):
        with alone(tmp_path):
            pass
        refused = subprocess.run([sys.executable, "-c", HOLD, str(tmp_path)], capture_output=True, text=True)
        assert "Another process is working in" in refused.stderr  # the inner one let go of nothing
    done = subprocess.run([sys.executable, "-c", HOLD, str(tmp_path)], input="", capture_output=True, text=True)
    assert done.stdout == "held\n"
