"""A config and its yields -> the parts of every stage with their numbers of items, and the rows that come out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from idist.config import FIRST_STUDENT, RunConfig, TrainConfig
from idist.errors import UserError
from idist.planning.clock import worker_count
from idist.planning.yields import Yields
from idist.stages.generation import SOURCE_SAMPLES
from idist.stages.rounds import base, in_order, writer
from idist.stages.scoring import cascade_of
from idist.stages.sources import SOURCES_PER_CONTEXT

if TYPE_CHECKING:
    from idist.critics import Cascade

START = "start"  # the part that every stage's workers have in common, with one rate
STAGES = ("contexts", "pairs", "train", "self_distil", "train_final")  # `recipes/distill.py`'s; in rounds more


@dataclass(frozen=True)
class Part:
    """One kind of work of a stage.

    Attributes:
        name: ``start``, ``samples``, ``sentences``, ``rewriting``, ``training`` or a critic's.
        unit: of an item.
        items: how many.
        models: that do it.
    """

    name: str
    unit: str
    items: float
    models: list[str]


@dataclass
class StageWork:
    """What a stage has to do and what it leaves.

    Attributes:
        stage: its folder's name.
        main: what the stage counts, ``600 contexts``: number and unit.
        parts: in order.
        rows: table -> rows, of what the stage stores.
        sequential: it is one process, whatever `engine.workers` says.
    """

    stage: str
    main: tuple[float, str]
    parts: list[Part]
    rows: dict[str, float] = field(default_factory=dict)
    sequential: bool = False


def count(config: RunConfig, yields: Yields) -> list[StageWork]:
    """The work of every stage of `recipes/distill.py`, in order.

    Raises:
        UserError: pairs come from another corpus, whose size a plan cannot know; what `build_cascade` raises.
    """
    if config.pairs.source is not None:
        raise UserError(
            f"pairs.source is {config.pairs.source!r}: how many pairs a corpus has is known once it is read, expected "
            "a config whose teacher writes them."
        )
    works: list[StageWork] = []
    kept: dict[str, float] = {}  # stage -> pairs
    for stage in in_order(STAGES, config.self_distil.rounds):
        kind = base(stage)
        if kind == "contexts":
            work = _contexts(config, yields)
        elif kind == "pairs":
            work = _pairs(config, yields)
        elif kind == "self_distil":
            work = _self_distil(config, yields, stage)
        else:
            work = _training(config, yields, stage, kept)
        kept[stage] = work.rows.get("selected", 0.0)
        works.append(work)
    return works


def critics_of(config: RunConfig, stage: str) -> Cascade:
    """The composition that judges in ``pairs`` or ``self_distil``, built and not loaded."""
    return cascade_of(config, config.pairs.critics if stage == "pairs" else config.self_distil_critics())


def kind_of(critic: object) -> str:
    """Name of a critic's kind among those that ship; of another its class's name."""
    from idist.critics.registry import BUILT_IN

    own = f"{type(critic).__module__}:{type(critic).__qualname__}"
    return next((point.name for point in BUILT_IN if point.value == own), type(critic).__qualname__)


def models_of(critic: object) -> list[str]:
    """Names of a critic's models, each once."""
    return list(dict.fromkeys(critic.model_names().values()))  # type: ignore[attr-defined]


def student_of(config: RunConfig, stage: str) -> str:
    """The model whose shape the student of a round has: training changes weights and not shapes."""
    training = writer(config, stage)
    while training != "train" and getattr(config, base(training)).model == FIRST_STUDENT:
        training = "train"
    model: str = getattr(config, base(training)).model
    return model


def groups_pairs(config: RunConfig, yields: Yields) -> float:
    """Candidate pairs of one context."""
    settings = config.pairs
    sentences = settings.k * yields.get("pairs.distinct")
    if settings.generation == "sequential":
        return sentences
    once = settings.pairing == "unordered" or critics_of(config, "pairs").judged_once
    return sentences * max(0.0, sentences - 1) / (2 if once else 1)


def _start(config: RunConfig, jobs: int) -> list[Part]:
    """Several workers are processes of their own in each job; one is the recipe's process."""
    workers = worker_count(config.engine)
    return [Part(START, "worker", workers * jobs, [])] if workers > 1 else []


def _contexts(config: RunConfig, yields: Yields) -> StageWork:
    settings = config.contexts
    if settings.source is not None:
        return StageWork("contexts", (settings.count, "contexts"), [], {"contexts": settings.count})
    samples = settings.count * yields.get("contexts.samples")
    part = Part("samples", "sample", samples, [settings.model])
    return StageWork("contexts", (settings.count, "contexts"), [*_start(config, 1), part], {"contexts": settings.count})


def _pairs(config: RunConfig, yields: Yields) -> StageWork:
    contexts, settings = config.contexts.count, config.pairs
    drawn = settings.k + (SOURCE_SAMPLES if settings.generation == "sequential" else 0)
    pairs = contexts * groups_pairs(config, yields)
    parts, kept = _judging(config, yields, "pairs", pairs)
    first = Part("sentences", "sentence", contexts * drawn, [settings.model])
    rows = {"sentences": contexts * settings.k * yields.get("pairs.distinct"), "candidates": pairs, "selected": kept}
    return StageWork("pairs", (contexts, "contexts"), [*_start(config, 1), first, *parts], rows)


def _self_distil(config: RunConfig, yields: Yields, stage: str) -> StageWork:
    settings = config.self_distil
    shard = config.engine.shard_size * SOURCES_PER_CONTEXT
    drawn = math.ceil(settings.count * yields.get("self_distil.samples") / shard) * shard  # whole shards are drawn
    candidates = settings.count * settings.candidates * yields.get("self_distil.distinct")
    parts, kept = _judging(config, yields, "self_distil", candidates)
    first = [
        *_start(config, 2),  # jobs: sources, candidates
        Part("samples", "sample", drawn, [settings.model]),
        Part("rewriting", "source", settings.count, [student_of(config, stage)]),
    ]
    rows = {
        "drawn": drawn,
        "sources": settings.count,
        "sentences": settings.count + candidates,
        "candidates": candidates,
        "selected": kept * yields.get("self_distil.one"),
    }
    return StageWork(stage, (settings.count, "sources"), [*first, *parts], rows)


def _judging(config: RunConfig, yields: Yields, stage: str, pairs: float) -> tuple[list[Part], float]:
    """Parts of the critics, by what each has to score; pairs that all of them keep."""
    parts, seen, kept = [], pairs, pairs
    critics = critics_of(config, stage).critics
    kinds = [kind_of(critic) for critic in critics]
    for critic, kind in zip(critics, kinds, strict=True):
        parts.append(Part(critic.name, "pair", seen, models_of(critic)))
        loose = any(bound.floor != bound.threshold for bound in critic.bounds())
        share = yields.share(stage, critic.name, kind, kinds, "kept")
        kept *= share
        if not critic.whole_groups:
            seen *= yields.share(stage, critic.name, kind, kinds, "scored") if loose else share
    return parts, kept


def _training(config: RunConfig, yields: Yields, stage: str, kept: dict[str, float]) -> StageWork:
    settings: TrainConfig = getattr(config, base(stage))
    taught_by = stage.replace("train_final", "self_distil") if stage != "train" else "pairs"
    pairs = kept[taught_by]
    if base(stage) == "train_final" and config.self_distil.with_teacher:
        pairs += kept["pairs"]
    trained = pairs * (1 - settings.held_out)
    epochs = settings.epochs
    if settings.patience and settings.held_out:
        epochs = min(epochs, yields.get("train.epochs"))
    passed = trained * epochs
    # the held-out pairs go forwards only, a third of a step's work
    passed += pairs * settings.held_out * settings.evaluations * epochs / settings.epochs / 3
    model = settings.model if settings.model != FIRST_STUDENT else student_of(config, stage)
    part = Part("training", "pair", passed, [model])
    return StageWork(stage, (trained, "pairs"), [part], {}, sequential=True)


def part_key(stage: str, part: str) -> str:
    """Name of a part's rate."""
    return START if part == START else f"{base(stage)}/{part}"


def assumption_keys(config: RunConfig) -> list[str]:
    """Keys that a person may set for this config."""
    yields = Yields()
    count(config, yields)
    seconds = [
        f"{stage}.{critic.name}.{what}"
        for stage in ("pairs", "self_distil")
        for critic in critics_of(config, stage).critics
        for what in ("scored", "kept", "second")
    ]
    return sorted({*yields.used, *seconds, "pairs.words", "tokens"})
