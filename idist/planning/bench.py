"""What all measurements share: the machine, the clock, the time that each may take, and what sentences are like."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from idist.config import RunConfig
from idist.planning.clock import Clock
from idist.planning.yields import Yields

FEW_ROWS = 32  # decoded together where a large model is measured on a CPU, which is then at its limit


@dataclass
class Bench:
    """Where and with what rates are measured.

    Attributes:
        config: the run.
        yields: lengths are read from it; what the teacher's own sentences are like is written to it.
        seconds: of measuring, in all; parts take shares of it.
        device, dtype: as the run would choose them here.
        scratch: a folder for stand-ins, empty.
        remarks: what a reader of the rates should know.
    """

    config: RunConfig
    yields: Yields
    seconds: float
    device: str
    dtype: str
    scratch: Path
    remarks: list[str] = field(default_factory=list)
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = Clock(self.device)

    @property
    def tokens(self) -> int:
        """In a sentence."""
        return max(2, round(self.yields.get("pairs.words") * self.yields.get("tokens")))

    def remark(self, sentence: str) -> None:
        """Each once."""
        if sentence not in self.remarks:
            self.remarks.append(sentence)
