"""How fast each critic judges, in groups like the run's: its own code on sentences of the teacher, or like them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from idist.errors import UserError
from idist.planning.bench import Bench
from idist.planning.rates import Rate
from idist.planning.reading import token_seconds
from idist.planning.standins import StandIns
from idist.planning.texts import sentences as invented
from idist.planning.work import Part, critics_of, kind_of, models_of

if TYPE_CHECKING:
    import numpy as np

    from idist.critics import Group

PAIRS = 4000  # candidates in the groups that are measured, or
WARM = 10
GROUPS = 6  # so many contexts if that is less
SOURCES = 30


@dataclass
class Judging:
    """Groups of one stage, and how many pairs each critic is to see of them.

    Attributes:
        stage: ``pairs`` or ``self_distil``.
        groups: with the (P, 2) pairs that are still under way in each.
        written: the teacher wrote them, so that what critics leave of them is what they will leave in the run.
        seen: critic -> share of all candidates that it will score.
    """

    stage: str
    groups: list[tuple[Group, np.ndarray]]
    written: bool
    seen: dict[str, float]


def rates(bench: Bench, stage: str, parts: Sequence[Part], texts: list[list[str]], budget: float) -> list[Rate]:
    """``STAGE/CRITIC`` for every critic of a stage.

    Args:
        parts: of the stage's work; the first critic's items are all candidates.
        texts: sentences that the teacher wrote, a list a context; none: they are made up.
    """
    from idist.critics import build_cascade

    asked = _groups(bench, stage, parts, texts)
    given = critics_of(bench.config, stage)
    stand_ins = StandIns(bench)
    settings = bench.config.pairs.critics if stage == "pairs" else bench.config.self_distil_critics()
    pairs = bench.config.pairs
    cascade = build_cascade(
        stand_ins.composition(settings, given.critics),
        bench.config.device,
        bench.config.dtype,
        bench.config.seed,
        pairs.order,
        pairs.pairing,
    )
    names = {critic.name: models_of(critic) for critic in given.critics}
    found = []
    for critic in cascade.critics:
        found.append(_rate(bench, asked, critic, names[critic.name], stand_ins, budget / len(cascade.critics)))
    return found


def _rate(bench: Bench, asked: Judging, critic: Any, models: list[str], stand_ins: StandIns, budget: float) -> Rate:
    from idist.critics.loading import Models

    batch = _still_under_way(asked, critic)
    count = sum(len(pairs) for _, pairs in batch)
    part = f"{asked.stage}/{critic.name}"
    loaded = Models(bench.config.device, bench.config.dtype)
    try:
        critic.load(loaded)
        stand_ins.watch(loaded.loaded())
        critic.score_groups([(group, pairs[:WARM]) for group, pairs in _fresh(batch[:1])])  # compiles, reads tables
        stand_ins.tokens.clear()
        answers: list[Any] = []
        seconds = bench.clock.least(lambda: answers.append(_once(critic, batch, stand_ins)), budget)
    except UserError as error:
        bench.remark(
            f"{part} could not be measured ({error}): the critic's own cost, {critic.cost:g} ms a pair, stands."
        )
        return Rate(part, models, "pair", critic.cost / 1000, "the critic's own cost")
    per_pair = seconds / count
    deep = {folder: shape for folder, shape in stand_ins.shapes.items() if folder in loaded.loaded()}
    if not deep:
        _leave(asked, critic, batch, answers[0][0])
        return Rate(part, models, "pair", per_pair, _measured_with(models, models_of(critic)))
    asked.written = False  # stand-ins leave what chance leaves
    twice = 1.0 + _second(bench, asked.stage, critic)
    for (folder, length), tokens in sorted(_by_length(answers[-1][1]).items()):
        per_pair += twice * tokens / count * token_seconds(bench, deep[folder], length, budget)
    said = ", ".join(f"random weights in the shape of {s.name} (from {s.known_from})" for s in deep.values())
    return Rate(part, models, "pair", per_pair, said)


def _measured_with(models: list[str], used: list[str]) -> str:
    """How, where no shape stands for a model: ``used`` are those that were there."""
    others = [name for name in used if name not in models]
    if any(name not in used for name in models):
        return f"{', '.join(others)} in the place of {', '.join(name for name in models if name not in used)}"
    return "its own models" if models else "its own code"


def _once(critic: Any, batch: Any, stand_ins: StandIns) -> tuple[list[Any], Counter[tuple[str, int]]]:
    """Answers about fresh groups (a model remembers those it knows), and the tokens that were read."""
    before = Counter(stand_ins.tokens)
    answers = critic.score_groups(_fresh(batch))
    return answers, stand_ins.tokens - before


def _fresh(batch: Sequence[tuple[Group, np.ndarray]]) -> list[tuple[Group, np.ndarray]]:
    from idist.critics import Group

    return [(Group(group.id, group.sentences, group.pairs), pairs) for group, pairs in batch]


def _by_length(tokens: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], float]:
    """Of each stand-in all tokens, at the mean length of its inputs."""
    total: Counter[str] = Counter()
    inputs: Counter[str] = Counter()
    for (folder, length), count in tokens.items():
        total[folder] += count
        inputs[folder] += count // max(1, length)
    return {(folder, max(1, round(count / max(1, inputs[folder])))): count for folder, count in total.items()}


def _second(bench: Bench, stage: str, critic: Any) -> float:
    """Share of the pairs whose other direction is asked, too: a stand-in hardly ever finds a first one entailed."""
    if critic.whole_groups or not any(column.endswith("_yx") for column in critic.columns):
        return 0.0
    kinds = [kind_of(one) for one in critics_of(bench.config, stage).critics]
    return bench.yields.share(stage, critic.name, kind_of(critic), kinds, "second")


def _still_under_way(asked: Judging, critic: Any) -> list[tuple[Group, np.ndarray]]:
    """What this critic is shown: what those before it left, or as many pairs drawn by chance."""
    import numpy as np

    if asked.written and any(len(pairs) for _, pairs in asked.groups):
        return [(group, pairs) for group, pairs in asked.groups if len(pairs)]
    rng = np.random.default_rng(0)
    drawn = []
    for group, _ in asked.groups:
        pairs = _all_pairs(group)
        drawn.append((group, pairs[rng.random(len(pairs)) < asked.seen[critic.name]]))
    under_way = [(group, pairs) for group, pairs in drawn if len(pairs)]
    return under_way or [(group, _all_pairs(group)[:1]) for group, _ in asked.groups[:1]]


def _leave(asked: Judging, critic: Any, batch: Sequence[tuple[Group, np.ndarray]], answers: Sequence[Any]) -> None:
    """What the critic's floor leaves of sentences that the teacher wrote."""
    import numpy as np

    if not asked.written or critic.whole_groups:
        return
    left = []
    for (group, pairs), answer in zip(batch, answers, strict=True):
        scores = {name: answer.scores[:, n].astype(np.float32) for n, name in enumerate(critic.columns)}
        left.append((group, pairs[critic.within(group.sentences, pairs, scores, "floor")]))
    asked.groups = left
    asked.written = any(len(pairs) for _, pairs in left)


def _all_pairs(group: Group) -> np.ndarray:
    import numpy as np

    if group.pairs is not None:
        return np.asarray(group.pairs, np.int64)
    return np.stack(np.triu_indices(len(group.sentences), 1), axis=1).astype(np.int64)


def _groups(bench: Bench, stage: str, parts: Sequence[Part], texts: list[list[str]]) -> Judging:
    import numpy as np

    from idist.critics import Group

    critics = {critic.name for critic in critics_of(bench.config, stage).critics}
    items = {part.name: part.items for part in parts if part.name in critics}
    most = max(items.values(), default=0.0)
    seen = {name: count / most if most else 1.0 for name, count in items.items()}
    config, words = bench.config, bench.yields.get("pairs.words")
    if stage == "pairs" and config.pairs.generation == "parallel":
        size = max(2, round(config.pairs.k * bench.yields.get("pairs.distinct")))
        number = max(1, min(GROUPS, round(PAIRS / (size * (size - 1) / 2))))
        own = [text for text in texts if len(text) > 1][:number]
        drawn = own or [invented(size, words, seed) for seed in range(number)]
        groups = [Group(f"c{n:06d}", sentences) for n, sentences in enumerate(drawn)]
        return Judging(stage, [(group, _all_pairs(group)) for group in groups], bool(own), seen)
    size = config.pairs.k if stage == "pairs" else config.self_distil.candidates
    share = bench.yields.get("pairs.distinct" if stage == "pairs" else "self_distil.distinct")
    others = max(1, round(size * share))
    pool = [text for group in texts for text in group]
    if len(pool) < SOURCES * (others + 1):
        pool += invented(SOURCES * (others + 1), words)
    pairs = np.array([(0, n + 1) for n in range(others)], np.int64)
    cut = [pool[n * (others + 1) : (n + 1) * (others + 1)] for n in range(SOURCES)]
    groups = [Group(f"s{n:06d}", sentences, pairs) for n, sentences in enumerate(cut)]
    return Judging(stage, [(group, pairs) for group in groups], False, seen)
