"""What a run is asked for, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval_harness.environment import check_device
from eval_harness.metrics.base import PROTOCOLS, Protocol
from idist.errors import UserError


@dataclass(frozen=True)
class Run:
    """What is asked for.

    Attributes:
        tasks: names, or paths of YAML files.
        systems: specs.
        metrics: specs; none: each task's own.
        protocol: ``paper`` or ``standard``, for every metric that knows protocols.
        data_dir: where the tasks' local files are; None: as the task says (bundled, or the Hub).
        limit: at most so many examples of each task.
        seed, resamples, confidence: of the bootstrap intervals; equal seeds give equal resamples for every system.
        out: folder of the results.
        cache: folder of the predictions; None: ``.cache`` in ``out``.
        device: for systems and metrics that run models: ``auto``, ``cpu``, ``cuda``, ``mps``.
        overwrite: replace results that are there.
        decontaminate: data whose overlap with the tasks is put into the results.
        progress: whether to show progress bars.
    """

    tasks: Sequence[str]
    systems: Sequence[str]
    metrics: Sequence[str] = ()
    protocol: Protocol = "paper"
    data_dir: Path | None = None
    limit: int | None = None
    seed: int = 0
    resamples: int = 1000
    confidence: float = 0.95
    out: Path = Path("results")
    cache: Path | None = None
    device: str = "auto"
    overwrite: bool = False
    decontaminate: str | None = None
    progress: bool = True

    def __post_init__(self) -> None:
        """Raises UserError for a number out of range, an unknown protocol or device, a task or system twice or none."""
        if self.protocol not in PROTOCOLS:
            raise UserError(f"--protocol is {self.protocol!r}, expected one of: {', '.join(PROTOCOLS)}.")
        for name, value in (("--limit", self.limit), ("--resamples", self.resamples)):
            if value is not None and value < 1:
                raise UserError(f"{name} is {value}, expected 1 or more.")
        check_device(self.device)
        if self.seed < 0:
            raise UserError(f"--seed is {self.seed}, expected 0 or more.")
        if not 0.0 < self.confidence < 1.0:
            raise UserError(f"The confidence is {self.confidence}, expected a number between 0 and 1.")
        for kind, asked in (("task", self.tasks), ("system", self.systems)):
            if not asked:
                raise UserError(f"No {kind} is named, expected at least one.")
            twice = [one for position, one in enumerate(asked) if one in asked[:position]]
            if twice:
                raise UserError(f"The {kind} {twice[0]!r} is named twice, expected each once.")
