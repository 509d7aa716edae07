"""What `recipes/ablations.py` compares: a config, and the same with one thing taken away or put in another's place.

Each variant is a config of its own in a folder of its own, run by the stages of every other run. What decides which
critics there are to take away is the config's own list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from idist.config import PairsConfig, RunConfig
from idist.critics import build_cascade
from idist.errors import UserError
from idist.stages.scoring import cascade_of
from idist.stages.self_distil import check_rule

DISTILLATION = ("contexts", "pairs", "train", "self_distil", "train_final")
FIRST, LAST = "train", "train_final"
FULL = "full"
CORPUS = ("source", "source_files", "source_column", "target_column")  # keys of `pairs` that name another corpus

Critics = list[dict[str, dict[str, Any]]]


@dataclass(frozen=True, eq=False)
class Variant:
    """One row of the table: the student of one training of one run."""

    name: str  # for --only
    title: str
    run: str  # name of the run: two variants may be two students of one
    config: RunConfig
    stages: tuple[str, ...]
    student: str  # the training that leaves it

    @property
    def taught_by(self) -> str:
        """The stage whose kept pairs the student learned from last."""
        return "pairs" if self.student == FIRST else "self_distil"


def variants(config: RunConfig, corpus: RunConfig | None = None) -> list[Variant]:
    """The rows of the table (paper, table 6, and one for each critic), the whole method first.

    Args:
        config: of the whole method.
        corpus: a config whose `pairs.source` names another corpus; None: no rows with another corpus.

    Raises:
        UserError: a config that the critics or their order do not allow; ``corpus`` names none; ``config`` does.
    """
    if config.pairs.source is not None:
        raise UserError(f"{config.name}: pairs.source is {config.pairs.source!r}, expected a config with a teacher.")
    made = [
        Variant(FULL, "the whole method", FULL, config, DISTILLATION, LAST),
        Variant("no-self-distillation", "without self-distillation", FULL, config, DISTILLATION, FIRST),
    ]
    for critic in _names(config.pairs.critics):
        changed = without_critic(config, critic)
        if changed is not None:
            name = f"no-{critic}"
            made.append(Variant(name, f"without {critic}", name, changed, DISTILLATION, LAST))
    return made if corpus is None else made + _of_corpus(config, corpus)


def without_critic(config: RunConfig, critic: str) -> RunConfig | None:
    """The config less one critic, in both stages that have critics; None where it is the only one.

    What the critic settled for others stays: diversity keeps the entailment critic's model. Where
    `self_distil.keep` goes by its scores, one of a source's pairs is drawn instead.

    Raises:
        UserError: the composition is not valid.
    """
    pairs = _less(_explicit(config, config.pairs.critics), critic)
    own = config.self_distil.critics
    last = None if own is None else _less(_explicit(config, own), critic)
    changed = replace(
        config,
        name=f"no-{critic}",
        pairs=replace(config.pairs, critics=pairs),
        self_distil=replace(config.self_distil, critics=last),
    )
    if not pairs or not changed.self_distil_critics():
        return None
    try:
        check_rule(changed, cascade_of(changed, changed.self_distil_critics()))
    except UserError:
        changed = replace(changed, self_distil=replace(changed.self_distil, keep="random"))
    return changed


def _of_corpus(config: RunConfig, corpus: RunConfig) -> list[Variant]:
    """Another corpus in the teacher's place: alone, with self-distillation, with the critics."""
    if corpus.pairs.source is None:
        raise UserError(f"--corpus {corpus.name}: pairs.source is not set, expected a config that names a corpus.")
    source: Mapping[str, Any] = {key: getattr(corpus.pairs, key) for key in CORPUS}

    def variant(run: str, pairs: PairsConfig) -> RunConfig:
        own = replace(config.self_distil, critics=config.self_distil_critics())
        return replace(config, name=run, pairs=replace(pairs, **source), self_distil=own)

    plain = variant("corpus", replace(config.pairs, critics=[]))
    filtered = variant("corpus-critics", config.pairs)
    first, whole = ("pairs", "train"), DISTILLATION[1:]  # no contexts
    name = corpus.name
    return [
        Variant("corpus", name, "corpus", plain, first, FIRST),
        Variant("corpus-self-distillation", f"{name} + self-distillation", "corpus", plain, whole, LAST),
        Variant("corpus-critics", f"{name} + critics", "corpus-critics", filtered, first, FIRST),
    ]


def _names(critics: Sequence[Mapping[str, Any]]) -> list[str]:
    return [next(iter(critic)) for critic in critics]


def _less(critics: Critics, name: str) -> Critics:
    return [critic for critic in critics if name not in critic]


def _explicit(config: RunConfig, critics: Critics) -> Critics:
    """The same critics with their models written out: some take theirs from another one of the composition."""
    built = {critic.name: critic for critic in build_cascade(critics, order=config.pairs.order).critics}
    found = []
    for critic in critics:
        ((name, settings),) = critic.items()
        known = {field.name for field in fields(built[name])}
        models = {key: model for key, model in built[name].model_names().items() if key in known}
        found.append({name: models | (settings or {})})
    return found
