"""How fast each part of a run's work goes: measured here, or recorded on another machine and read from a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from idist.errors import UserError

FORMAT = "idist-rates-1"
DTYPES = ("float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Rate:
    """Seconds of one worker for one item of a part.

    Attributes:
        part: ``STAGE/PART``: ``pairs/entailment``.
        models: that do the work, as the config names them.
        unit: of an item: ``sample``, ``sentence``, ``pair``, ``source``.
        seconds: for one item.
        how: what was measured, for the assumptions.
    """

    part: str
    models: list[str]
    unit: str
    seconds: float
    how: str


@dataclass
class Rates:
    """Rates of all parts of a config, and where they were measured.

    Attributes:
        rates: by part.
        machine: `idist.provenance.hardware`, with ``device`` and ``dtype``.
        took: seconds of measuring; 0 for rates from a file.
        words: mean words of a sentence that was measured with.
        slowdown: wall seconds for each second of processor time while measuring; None: not known.
        source: ``measured here`` or the file.
    """

    rates: dict[str, Rate]
    machine: dict[str, Any]
    took: float = 0.0
    words: float | None = None
    slowdown: float | None = None
    source: str = "measured here"
    remarks: list[str] = field(default_factory=list)

    def of(self, part: str, models: list[str]) -> Rate:
        """The rate of a part of the work with these models.

        Raises:
            UserError: there is none, or one of other models.
        """
        rate = self.rates.get(part)
        if rate is None:
            raise UserError(
                f"{self.source} has no rate of {part!r}, expected one that this config needs; it has "
                f"{', '.join(sorted(self.rates)) or 'none'}."
            )
        if rate.models != models:
            raise UserError(
                f"{self.source} has the rate of {part!r} with {_named(rate.models)}, this config has {_named(models)}; "
                "measure again with --save-rates."
            )
        return rate

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "format": FORMAT,
            "machine": self.machine,
            "words": self.words,
            "took": round(self.took, 1),
            "slowdown": self.slowdown,
            "remarks": self.remarks,
            "rates": [asdict(rate) for rate in self.rates.values()],
        }


def read_rates(path: Path) -> Rates:
    """Rates that `Rates.to_dict` gave.

    Raises:
        UserError: the file is missing or not of that form.
    """
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"Rates {path} cannot be read: {error.strerror or error}.") from None
    except ValueError:
        raise UserError(f"Rates {path} is not JSON, expected a file that --save-rates wrote.") from None
    if not isinstance(tree, Mapping) or tree.get("format") != FORMAT:
        raise UserError(f"Rates {path} has no format {FORMAT!r}, expected a file that --save-rates wrote.")
    try:
        rates = [_checked(entry) for entry in tree["rates"]]
        machine, words = dict(tree["machine"]), tree["words"]
        if machine["dtype"] not in DTYPES or not isinstance(machine["device"], str):
            raise ValueError(f"{machine['dtype']} on {machine['device']}")
        remarks = [str(remark) for remark in tree.get("remarks", [])]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"Rates {path} is damaged ({error!r} in it), expected a file that --save-rates wrote."
        ) from None
    return Rates({rate.part: rate for rate in rates}, machine, 0.0, words, None, str(path), remarks)


def _checked(entry: Mapping[str, Any]) -> Rate:
    rate = Rate(**entry)
    if not isinstance(rate.seconds, int | float) or not 0 <= rate.seconds < float("inf"):
        raise ValueError(f"seconds of {rate.part}: {rate.seconds}")
    return rate


def _named(models: list[str]) -> str:
    return ", ".join(models) or "no model"
