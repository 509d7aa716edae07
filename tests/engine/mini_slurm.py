"""A Slurm of one machine: `sbatch`, `squeue` and `scancel` on the path, that run arrays as these options ask for.

    with mini_slurm(tmp_path) as slurm: ...

Tasks run one after the other in the background. What sbatch was called with is in ``slurm / "calls"``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

SBATCH = r"""
import os, re, subprocess, sys
from pathlib import Path
state = Path(os.environ["MINI_SLURM"])
script = Path(sys.argv[-1]).read_text()
if "--partition=none" in script:
    sys.exit("sbatch: error: invalid partition specified: none")
number = len(list(state.glob("*.sh"))) + 1
(state / f"{number}.sh").write_text(script)
with (state / "calls").open("a") as calls:
    calls.write(" ".join(sys.argv[1:-1]) + "\n")
runner = [sys.executable, "-S", str(state / "runner.py"), str(number)]
null = subprocess.DEVNULL
process = subprocess.Popen(runner, stdin=null, stdout=null, stderr=null, start_new_session=True)
(state / f"{number}.running").write_text(str(process.pid))
print("Submitted batch job", number)
"""

RUNNER = r"""
import os, re, subprocess, sys, time
from pathlib import Path
state, number = Path(os.environ["MINI_SLURM"]), sys.argv[1]
running = state / f"{number}.running"
while not running.is_file():
    time.sleep(0.01)
script = (state / f"{number}.sh").read_text()
first, last = map(int, re.search(r"--array=(\d+)-(\d+)", script).groups())
output = re.search(r"--output=([^'\n]+)", script).group(1)
for task in range(first, last + 1):
    while (state / "hold").exists():
        time.sleep(0.05)
    environment = os.environ | {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_JOB_ID": number}
    with open(output.replace("%A", number).replace("%a", str(task)), "w") as log:
        subprocess.run(["bash", str(state / f"{number}.sh")], env=environment, stdout=log, stderr=log)
running.unlink()
"""

SQUEUE = r"""
import os, re, sys
from pathlib import Path
number = next(re.search(r"\d+", word).group() for word in sys.argv if word.startswith("--jobs"))
if not (Path(os.environ["MINI_SLURM"]) / f"{number}.running").exists():
    sys.exit("slurm_load_jobs error: Invalid job id specified")
print("RUNNING")
"""

SCANCEL = r"""
import os, signal, sys
from pathlib import Path
running = Path(os.environ["MINI_SLURM"]) / f"{sys.argv[1]}.running"
os.killpg(int(running.read_text()), signal.SIGKILL)
running.unlink()
"""


def mini_slurm(folder: Path) -> dict[str, str]:
    """Put the commands into ``folder``; the environment in which they are found."""
    folder.mkdir()
    (folder / "runner.py").write_text(RUNNER)
    for name, program in {"sbatch": SBATCH, "squeue": SQUEUE, "scancel": SCANCEL}.items():
        command = folder / name
        command.write_text(f"#!{sys.executable} -S\n{program}")
        command.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "MINI_SLURM": str(folder)}


def cancel_all(folder: Path) -> None:
    """End what is still at work."""
    import contextlib
    import signal

    for running in folder.glob("*.running"):
        with contextlib.suppress(ProcessLookupError, ValueError):
            os.killpg(int(running.read_text()), signal.SIGKILL)
