"""Shards as arrays of Slurm jobs. The recipe stays and waits: one array for each job of a stage.

The recipe may run on a login node, in `tmux`, or as a Slurm job of its own. Killed or stopped it leaves the array at
work; the same command waits for that array and goes on. Receipts on the shared disk say what is finished.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from datatrove.executor.base import DistributedEnvVars
from datatrove.executor.slurm import SlurmPipelineExecutor

import idist
from idist.config import EngineConfig
from idist.engine.elsewhere import NotingStep, forget_failures, raise_failure, unmade
from idist.engine.local import ShardStep
from idist.engine.queue import forget_queued, remember, wait
from idist.errors import UserError

SETTLE = 30.0  # seconds that a network disk may take to show what a job wrote at its end
ARRAY = "SLURM_ARRAY_TASK_ID"


class SlurmExecutor(SlurmPipelineExecutor):
    """One task of an array for each rank that is not marked as complete; `run` waits until the array has ended."""

    def __init__(self, settings: EngineConfig, step: ShardStep, ranks: int, logs: Path) -> None:
        _check_options(settings.slurm_options)
        super().__init__(
            [NotingStep(step.job)],
            tasks=ranks,
            time="",
            partition="",
            cpus_per_task=settings.cpus,
            gpus_per_task=settings.gpus or 0,
            workers=settings.workers or -1,
            job_name=_name(step),
            job_id_retriever=job_number,
            logging_dir=str(logs.absolute()),
        )
        self.job, self.logs, self.options = step.job, logs.absolute(), settings.slurm_options
        self.submitted = False

    def run(self) -> None:
        """Here: submit and wait. In a task of the array: make its shard.

        Raises:
            UserError: no Slurm here, or shards that could not be made.
        """
        if self.submitted:
            if ARRAY not in os.environ:
                raise UserError(f"{ARRAY} is not set: {self.logs / 'launch_script.slurm'} is for sbatch.")
            super().run()
            return
        ranks = self.get_incomplete_ranks()
        forget_failures(self.job)
        self._submit()
        print(f"Slurm job {self.job_id}: {len(ranks)} shards of {self.job.label}", file=sys.stderr, flush=True)
        remember(self.logs, str(self.job_id))
        wait(str(self.job_id), lambda: not unmade(self.job, ranks))
        forget_queued(self.logs)
        missing = self._settled(ranks)
        if missing:
            log = f"{self.slurm_logs_folder}/{self.job_id}_{ranks.index(missing[0]) % self.max_array_size}.out"
            raise_failure(self.job, missing, f"Slurm job {self.job_id}", log)

    def _submit(self) -> None:
        self.submitted = True  # of the copy that the tasks read
        script = self.logs / "launch_script.slurm"
        try:
            self.launch_job()
        except FileNotFoundError as error:
            if error.filename != "sbatch":
                raise
            raise UserError(
                "engine.executor is slurm, but there is no sbatch on this machine; run it on a node of the cluster "
                f"that has it (the launch file is {script})."
            ) from None
        except subprocess.CalledProcessError as error:
            raise UserError(f"sbatch refused {script} (exit code {error.returncode}).") from None
        finally:
            self.submitted = False

    def _settled(self, ranks: list[int]) -> list[int]:
        deadline = time.monotonic() + SETTLE
        while unmade(self.job, ranks) and not any((self.job.folder / "_engine" / self.job.name).glob("failures/*")):
            if time.monotonic() > deadline:
                break
            time.sleep(1)
        return unmade(self.job, ranks)

    def launch_merge_stats(self) -> None:
        """datatrove's counts of documents: shards have none."""

    def get_distributed_env(self, node_rank: int = -1) -> DistributedEnvVars:
        """datatrove's asks Slurm for its nodes; a shard has one."""
        return DistributedEnvVars(
            datatrove_node_ips="localhost",
            datatrove_cpus_per_task=str(self.cpus_per_task),
            datatrove_mem_per_cpu="-1",
            datatrove_gpus_on_node=str(self.gpus_per_task),
            datatrove_executor="SLURM",
        )

    def get_sbatch_args(self, max_array: int = 1) -> dict[str, Any]:
        """What the launch file asks for; `engine.slurm_options` follow."""
        logs = Path(self.slurm_logs_folder)
        logs.mkdir(parents=True, exist_ok=True)
        at_once = f"%{self.workers}" if self.workers != -1 else ""
        options: dict[str, Any] = {
            "job-name": self.job_name,
            "array": f"0-{max_array - 1}{at_once}",
            "cpus-per-task": self.cpus_per_task,
            "output": logs / "%A_%a.out",
            "requeue": "",
        }
        return options | ({"gpus": self.gpus_per_task} if self.gpus_per_task else {})

    def get_launch_file_contents(self, sbatch_args: dict[str, Any], run_script: str) -> str:
        """The launch file: this Python, this code, this folder; ``run_script`` is datatrove's and needs its commands on
        the path."""
        asked = [f"--{key}={value}" if value != "" else f"--{key}" for key, value in sbatch_args.items()]
        here, code, pickled = Path.cwd(), Path(idist.__file__).parents[1], self.logs / "executor.pik"
        launch = [sys.executable, "-m", "datatrove.tools.launch_pickled_pipeline", str(pickled)]
        return "\n".join(
            [
                "#!/bin/bash",
                *(f"#SBATCH {shlex.quote(option)}" for option in [*asked, *self.options]),
                "set -e",
                f"cd {shlex.quote(str(here))}",
                f'export PYTHONPATH={shlex.quote(str(code))}"${{PYTHONPATH:+:$PYTHONPATH}}" PYTHONUNBUFFERED=1',
                f"exec {shlex.join(launch)}",
                "",
            ]
        )


def job_number(said: str) -> str:
    """``Submitted batch job 17`` or ``Submitted batch job 17 on cluster a`` -> ``17``.

    Raises:
        UserError: sbatch said something else.
    """
    found = re.search(r"\d+", said)
    if found is None:
        raise UserError(f"sbatch said {said.strip()!r}, expected the number of a job.")
    return found.group()


def _name(step: ShardStep) -> str:
    return re.sub(r"[^\w.-]+", "-", f"idist-{step.job.folder.parent.name}-{step.job.label}")


def _check_options(options: list[str]) -> None:
    for option in options:
        if not option.startswith("-") or "\n" in option:
            raise UserError(f"engine.slurm_options has {option!r}, expected options of sbatch such as --partition=gpu.")
