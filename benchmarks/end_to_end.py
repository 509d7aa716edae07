"""Accepted pairs an hour, from contexts to filtered pairs: the toolkit against the authors' procedure (appendix A).

The procedure: `generate` k sequences of 100 new tokens after each context, cut each to its first sentence; entailment
on all pairs, ROUGE-L (`rouge_score`) and tree edit distance (`apted`) on what is left, Algorithm 1 on `networkx`. Both
sides have the models, critics and thresholds of config `mini` and the paper's k, in one process, on the first contexts
that `mini` draws, none picked. Seconds are of the process's processor time; the toolkit takes contexts together, as its
stage does.

The procedure takes over a minute to judge a context, so it does that on ``--checked`` of them: the first of whose
sentences, drawn by `generate`, the toolkit accepts pairs. There every decision of both sides is compared, once with all
of `mini`'s critics (the procedure asks for similarity last) and once without the similarity floor, which the paper has
not. On the other contexts the procedure draws, and is timed, but the toolkit judges in its place, and the seconds are
those that it takes for as many pairs. The ratio has an interval, by bootstrap over contexts.

    OMP_NUM_THREADS=1 python benchmarks/end_to_end.py [--contexts 24] [--k 100] [--checked 5] [--record]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.counts import Causal, Classifier, Tally, Work
from benchmarks.decoding import generate_plainly
from benchmarks.filtering import MODELS, composition
from benchmarks.limits import Limits, around, as_record
from benchmarks.plain import Plain
from benchmarks.record import Figure, add_argument, command, positive, processor_seconds, record, times
from idist.config import load_config
from idist.critics import Cascade, Group, build_cascade
from idist.critics.loading import Models
from idist.decoding import Decoder, Sampling
from idist.errors import UserError
from idist.models import load_causal_lm

HOUR = 3600
LEAST = 15.0
PAPER_K = 100
WITH, WITHOUT = "all of mini's critics", "without the similarity floor"
MINI = Path(__file__).resolve().parents[1] / "recipes" / "configs" / "mini.yaml"
Pairs = set[frozenset[int]]


@dataclass
class Side:
    """What one side took and made; lists have an entry a context."""

    seconds: list[float] = field(default_factory=list)
    pairs: list[int] = field(default_factory=list)
    sentences: list[int] = field(default_factory=list)

    def rate(self, made: Sequence[int]) -> float:
        """So many an hour of what was made, `pairs` or `sentences`."""
        return sum(made) / sum(self.seconds) * HOUR


@dataclass
class Agreement:
    """Decisions of both sides about the same pairs of sentences.

    Attributes:
        contexts: whose pairs are compared; compared: pairs judged by both; different: kept by one alone; kept: by the
            procedure.
    """

    contexts: int = 0
    compared: int = 0
    different: int = 0
    kept: int = 0

    def add(self, sentences: int, ours: Pairs, theirs: Pairs) -> None:
        """A context's."""
        self.contexts += 1
        self.compared += sentences * (sentences - 1) // 2
        self.different += len(ours ^ theirs)
        self.kept += len(theirs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contexts", type=positive, default=24, help="how many (default: %(default)s)")
    parser.add_argument(
        "--k", type=positive, default=PAPER_K, help="samples a context (default: %(default)s, the paper's)"
    )
    parser.add_argument("--checked", type=positive, default=5, help="judged by the procedure (default: %(default)s)")
    add_argument(parser)
    arguments = parser.parse_args()
    if arguments.checked > arguments.contexts:
        raise UserError(f"--checked is {arguments.checked}, expected at most --contexts, {arguments.contexts}.")
    ids, contexts = first_contexts(arguments.contexts)
    sides = Sides(composition("mini"), ids, contexts, arguments.k)
    sides.warm_up()
    with around() as limits:
        sides.ours()
        sides.theirs(arguments.checked)
    name = "end_to_end_mini" if arguments.k == PAPER_K else f"end_to_end_mini_k{arguments.k}"
    record(name, sides.figures(limits[0]), arguments.record, as_record(limits))


def first_contexts(count: int) -> tuple[list[str], list[str]]:
    """Ids and texts of the first contexts of a run of `mini`, drawn here."""
    from idist.stages.contexts import DrawContexts

    work = DrawContexts(load_config(MINI, ["device=cpu"]), count, count)
    rows = work.shard(work.open(), 0, lambda done: None).tables["contexts"].to_pylist()
    return [row["id"] for row in rows], [row["context"] for row in rows]


class Sides:
    """Both sides with the same models, on the same contexts.

    Args:
        critics: of `mini`, similarity among them.
        ids, contexts: as `first_contexts` gives them.
        k: samples a context.
    """

    def __init__(
        self, critics: list[dict[str, dict[str, Any]]], ids: Sequence[str], contexts: Sequence[str], k: int
    ) -> None:
        model, tokenizer = load_causal_lm("embedded:teacher", "cpu")
        # both sides write up to 100 tokens, as the authors' code does; ours stops where the sentence ends
        self._decoder = Decoder(model, tokenizer, Sampling(no_repeat_ngram_size=0, max_new_tokens=100))
        models = Models("cpu")
        exact = [critic for critic in critics if "similarity" not in critic]
        self._cascades = {WITH: build_cascade(critics, models=models), WITHOUT: build_cascade(exact, models=models)}
        self._plain = Plain({name: settings for critic in critics for name, settings in critic.items()})
        judge = models.entailment(MODELS["entailment"]).model
        self._writer, self._judge = Tally(model, Causal(model)), Tally(judge, Classifier(judge))
        self._ids, self._contexts, self._k = ids, contexts, k
        self._work, self._drawn, self._drawing = Work(), [[""]], 0.0
        self.our, self.plain = Side(), Side()
        self.exact = {"ours": Side(), "plain": Side()}  # without the floor, on the checked contexts
        self.agreement = {WITH: Agreement(), WITHOUT: Agreement()}
        self.floor_loses = 0

    def warm_up(self) -> None:
        """What is loaded or compiled once."""
        sentences = ["A man rides a bike.", "Someone is riding a bicycle on a long street."]
        for cascade in self._cascades.values():
            cascade.score([Group("warm-up", sentences)])
        self._plain.official(sentences)
        self._decoder.next_sentences(["A dog runs."], ["warm-up"], 2, seed=0)

    def ours(self) -> None:
        """All contexts, drawn and judged together as stage `pairs` does; seconds are shared out evenly."""
        with self._writer.watch():
            drawn, drawing = processor_seconds(
                lambda: self._decoder.next_sentences(self._contexts, self._ids, self._k, seed=0)
            )
        self._drawn, self._drawing = [list(dict.fromkeys(row)) for row in drawn], drawing / len(drawn)
        groups = self._groups(range(len(drawn)))
        with self._judge.watch():
            kept, judging = processor_seconds(lambda: judged_by(self._cascades[WITH], groups))
        self._work = self._writer.work + self._judge.work
        count = len(groups)
        self.our = Side([(drawing + judging) / count] * count, list(map(len, kept)), list(map(len, self._drawn)))
        seconds = f"{drawing:.1f} s drawing, {judging:.1f} s judging"
        print(f"ours: {sum(self.our.pairs)} pairs of {sum(self.our.sentences)} sentences; {seconds}", flush=True)

    def theirs(self, checked: int) -> None:
        """The procedure, and what the toolkit decides about the procedure's sentences."""
        drawn = [
            processor_seconds(lambda c=context, n=number: generate_plainly(self._decoder, c, self._k, n))
            for number, context in enumerate(self._contexts)
        ]
        texts = [list(dict.fromkeys(row)) for row, _ in drawn]
        drawing = [seconds for _, seconds in drawn]
        print(f"procedure: {sum(drawing):.1f} s drawing {sum(map(len, texts))} sentences", flush=True)
        groups = [Group(name, row) for name, row in zip(self._ids, texts, strict=True)]
        kept = judged_by(self._cascades[WITH], groups)
        chosen = sorted(range(len(groups)), key=lambda number: (not kept[number], number))[:checked]
        judging = {number: self._check(groups[number], kept[number], drawing[number]) for number in chosen}
        cells = sum(len(texts[number]) ** 2 for number in chosen)
        each = sum(judging.values()) / cells  # the entailment of every ordered pair is nearly all of it
        self.plain = Side(
            [seconds + judging.get(n, each * len(texts[n]) ** 2) for n, seconds in enumerate(drawing)],
            list(map(len, kept)),
            list(map(len, texts)),
        )
        self._ours_exactly(chosen)

    def figures(self, limits: Limits) -> list[Figure]:
        """Pairs and sentences an hour, decisions."""
        what = f"mini's first {len(self._ids)} contexts, k = {self._k}"
        share = limits.share(self._work, sum(self.our.seconds))
        drawn = [side.rate(side.sentences) for side in (self.our, self.plain)]
        exact = [side.rate(side.sentences) for side in self.exact.values()]
        note = f"the {self.agreement[WITH].contexts} contexts that the procedure judged"
        made = [
            self._accepted(
                f"{what}; the procedure judged {self.agreement[WITH].contexts} that accept pairs itself", share
            ),
            times(f"sentences drawn, their pairs judged, {WITH}", "sentences an hour", *drawn, note=what),
            times(f"sentences drawn, their pairs judged, {WITHOUT}", "sentences an hour", *exact, note=note),
        ]
        for name, found in self.agreement.items():
            note = f"{found.compared:,} pairs of sentences judged by both sides, {found.kept} kept by the procedure"
            if name == WITHOUT:
                note += f"; the floor loses {self.floor_loses} of them"
            made.append(
                Figure(
                    f"different decisions, {name}", "pairs", found.different, None, None, "0", not found.different, note
                )
            )
        return made

    def _accepted(self, what: str, share: Any) -> Figure:
        claim, unit = f"accepted pairs, {WITH}", "pairs an hour"
        counts = f"{what}; {sum(self.our.pairs)} and {sum(self.plain.pairs)} pairs accepted"
        rates = self.our.rate(self.our.pairs), self.plain.rate(self.plain.pairs)
        if not rates[1]:
            return Figure(claim, unit, *rates, note=f"{counts}: no ratio", share=share)
        low, high = interval(self.our, self.plain)
        return times(claim, unit, *rates, LEAST, f"{counts}, ratio {low:.3g} to {high:.3g} (95 %, by contexts)", share)

    def _check(self, group: Group, kept: Pairs, drawing: float) -> float:
        """The procedure judges a context; seconds that it took with all critics."""
        texts = group.sentences
        (p, keep), judging = processor_seconds(lambda: self._plain.survivors(texts))
        theirs, last = processor_seconds(lambda: self._plain.finish(texts, p, keep))
        exact, last_exact = processor_seconds(lambda: self._plain.finish(texts, p, keep, similarity=False))
        [ours_exact] = judged_by(self._cascades[WITHOUT], [group])
        self.agreement[WITH].add(len(texts), kept, theirs)
        self.agreement[WITHOUT].add(len(texts), ours_exact, exact)
        self.floor_loses += len(exact - theirs)
        side = self.exact["plain"]
        side.seconds.append(drawing + judging + last_exact)
        side.sentences.append(len(texts))
        print(
            f"{group.id}: procedure {judging + last:.1f} s judging {len(texts)} sentences, {len(theirs)} pairs; "
            f"{len(exact)} without the floor; {len(kept ^ theirs) + len(ours_exact ^ exact)} decisions differ",
            flush=True,
        )
        return judging + last

    def _ours_exactly(self, numbers: Sequence[int]) -> None:
        """Our sentences of some contexts, without the floor."""
        groups, side = self._groups(numbers), self.exact["ours"]
        _, judging = processor_seconds(lambda: judged_by(self._cascades[WITHOUT], groups))
        side.seconds = [judging / len(groups) + self._drawing] * len(groups)
        side.sentences = [len(group.sentences) for group in groups]

    def _groups(self, numbers: Sequence[int]) -> list[Group]:
        """Our sentences, with a memory of their own."""
        return [Group(self._ids[number], self._drawn[number]) for number in numbers]


def judged_by(cascade: Cascade, groups: list[Group]) -> list[Pairs]:
    """Kept pairs of each group, as sets of two sentence numbers."""
    kept, _ = cascade.select(cascade.score(groups))
    found: dict[str, Pairs] = {group.id: set() for group in groups}
    for pair in kept:
        found[pair.group_id].add(frozenset((pair.i, pair.j)))
    return [found[group.id] for group in groups]


def interval(ours: Side, plain: Side, draws: int = 10_000) -> tuple[float, float]:
    """95 % interval of the ratio of pairs an hour: contexts drawn again, the same for both sides."""
    count = len(plain.pairs)
    chosen = np.random.default_rng(0).integers(0, count, size=(draws, count))

    def rates(side: Side) -> np.ndarray:
        return np.array(side.pairs)[chosen].sum(axis=1) / np.array(side.seconds)[chosen].sum(axis=1)

    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.nan_to_num(rates(ours) / rates(plain), nan=0.0, posinf=np.inf)
    low, high = np.quantile(ratios, (0.025, 0.975), method="nearest")
    return float(low), float(high)


if __name__ == "__main__":
    command(main)
