"""What is not in a config but decides how much work it makes: what samples give, and what each critic leaves.

From a finished run where one is named; else from a run of `mini` with the models that ship; a person's own values go
before both. Every value carries where it is from, because a plan is no better than these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from idist._schema import nearest
from idist.errors import UserError

OURS = "a run of mini with the models that ship"
UNKNOWN = "not known: all are left"

# Shares of what each sees. `scored`: within the floors of that run, which decide what the next critic has to score;
# `kept`: within its thresholds; `second`: pairs of which the other direction was asked, too.
_CRITICS: dict[str, dict[str, dict[str, float]]] = {
    "pairs": {
        "rouge_l": {"scored": 0.981, "kept": 0.942},
        "similarity": {"scored": 0.236, "kept": 0.211},
        "tree_edit_distance": {"scored": 0.849, "kept": 0.800},
        "entailment": {"scored": 0.0516, "kept": 0.0303, "second": 0.0955},
        "diversity": {"scored": 1.0, "kept": 0.276},
    },
    "self_distil": {
        "rouge_l": {"scored": 0.556, "kept": 0.326},
        "similarity": {"scored": 0.920, "kept": 0.880},
        "tree_edit_distance": {"scored": 0.852, "kept": 0.845},
        "entailment": {"scored": 0.203, "kept": 0.154, "second": 0.288},
    },
}
# Shares that were measured after another critic had removed what this one would have removed as well: where that one is
# not in the composition, its share is part of this one's.
_AFTER = {"entailment": "similarity"}
_PLAIN: dict[str, tuple[float, str]] = {
    "contexts.samples": (1.0, OURS),  # drawn for one context
    "pairs.distinct": (0.83, OURS),  # share of the k samples that are different sentences
    "pairs.words": (20.0, "ours, for news"),  # of a sentence
    "self_distil.samples": (1.0, OURS),  # drawn for one source, before rounding up to whole shards
    "self_distil.distinct": (0.31, OURS),  # share of a source's candidates that are different, and not the source
    "self_distil.one": (0.81, OURS),  # share of the kept pairs that are left when one is kept a source
    "train.epochs": (7.0, OURS),  # after which patience ends a training, if it has more
    "tokens": (1.3, "ours, for English words of large vocabularies"),  # of a word
}


@dataclass
class Yields:
    """Values by key, each with where it is from.

    Attributes:
        values: ``KEY -> (value, source)``; keys are ``pairs.distinct``, ``pairs.rouge_l.kept`` and the like.
        used: keys that were asked for, in order: the assumptions to be printed.
    """

    values: dict[str, tuple[float, str]] = field(default_factory=dict)
    used: dict[str, tuple[float, str]] = field(default_factory=dict)

    def get(self, key: str) -> float:
        """A value that is there for every config."""
        self.used[key] = self.values.get(key) or _PLAIN[key]
        return self.used[key][0]

    def set(self, key: str, value: float, source: str) -> None:
        """A better value; one that a person gave stays."""
        if self.values.get(key, (0.0, ""))[1] != "given":
            self.values[key] = (value, source)

    def share(self, stage: str, critic: str, kind: str, kinds: Sequence[str], what: str) -> float:
        """Share of a critic's pairs that is ``scored`` further, ``kept``, or asked about in the ``second`` direction.

        Args:
            stage: ``pairs`` or ``self_distil``.
            critic: its name in the composition; kind: its name among the critics that ship.
            kinds: of the whole composition.
        """
        key = f"{stage}.{critic}.{what}"
        self.used[key] = self.values.get(key) or _default(stage, kind, kinds, what)
        return self.used[key][0]


def _default(stage: str, kind: str, kinds: Sequence[str], what: str) -> tuple[float, str]:
    ours = _CRITICS[stage].get(kind, {}).get(what)
    if ours is None:
        return (0.0, UNKNOWN) if what == "second" else (1.0, UNKNOWN)
    before = _AFTER.get(kind)
    if before is None or before in kinds:
        return ours, OURS
    return ours * _CRITICS[stage][before]["kept" if what == "kept" else "scored"], f"{OURS}, {before} counted in"


def given(texts: Sequence[str], known: Sequence[str]) -> Mapping[str, float]:
    """``KEY=VALUE`` of a person -> values.

    Args:
        known: keys that the plan's config has.

    Raises:
        UserError: no such key, no number, out of range.
    """
    values = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"--assume {text!r} has no '=', expected KEY=VALUE.")
        if key not in known:
            raise UserError(f"--assume {key!r} is no assumption of this plan; {nearest(key, list(known))}")
        try:
            values[key] = float(value)
        except ValueError:
            raise UserError(f"--assume {key} is {value!r}, expected a number.") from None
        most = 1.0 if is_share(key) else float("inf")
        if not 0 <= values[key] <= most or values[key] == float("inf"):
            expected = "0 to 1" if most == 1.0 else "0 or more"
            raise UserError(f"--assume {key} is {value}, expected {expected}.")
    return values


def is_share(key: str) -> bool:
    """Whether a key's value lies between 0 and 1."""
    return key.rpartition(".")[2] in ("scored", "kept", "second", "distinct", "one")
