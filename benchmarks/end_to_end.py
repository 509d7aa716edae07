"""Accepted pairs an hour, from contexts to filtered pairs: the toolkit against the authors' procedure (appendix A).

The procedure: `generate` k sequences of 100 new tokens after each context, cut each to its first sentence; entailment
on all pairs, ROUGE-L (`rouge_score`) and tree edit distance (`apted`) on what is left, Algorithm 1 on `networkx`. Both
sides have the models, thresholds and k of config `mini`, in one process, on the first contexts that `mini` draws, none
picked. Seconds are of the process's processor time; the toolkit takes contexts together, as its stage does.

Twice: with all of `mini`'s critics on both sides (the procedure asks for similarity last, of what is left), and
without the similarity floor, which the paper has not. That both decide alike is checked on the procedure's own
sentences, which the toolkit judges, too; what the floor loses is counted on them. Few pairs are accepted, so their
ratio has an interval, by bootstrap over contexts.

    OMP_NUM_THREADS=1 python benchmarks/end_to_end.py [--contexts 40] [--k 32] [--record]
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

from benchmarks.counts import Causal, Classifier, Tally
from benchmarks.decoding import generate_plainly
from benchmarks.filtering import MODELS, composition
from benchmarks.limits import Limits, around, as_record
from benchmarks.plain import Plain
from benchmarks.record import Figure, add_argument, command, positive, processor_seconds, record, times
from idist.config import load_config
from idist.critics import Cascade, Group, build_cascade
from idist.critics.loading import Models
from idist.decoding import Decoder, Sampling
from idist.models import load_causal_lm

HOUR = 3600
LEAST = 15.0
WITH, WITHOUT = "all of mini's critics", "without the similarity floor"
MINI = Path(__file__).resolve().parents[1] / "recipes" / "configs" / "mini.yaml"
Pairs = set[frozenset[int]]


@dataclass
class Side:
    """What one side took and made, by composition; lists have an entry a context."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {WITH: [], WITHOUT: []})
    pairs: dict[str, list[int]] = field(default_factory=lambda: {WITH: [], WITHOUT: []})
    sentences: int = 0

    def rate(self, composition: str, made: float | None = None) -> float:
        """Accepted pairs an hour, or of something else that was made."""
        return (sum(self.pairs[composition]) if made is None else made) / sum(self.seconds[composition]) * HOUR


@dataclass
class Agreement:
    """Decisions of both sides about the same pairs of sentences.

    Attributes:
        compared: pairs judged by both; different: kept by one alone; kept: by the procedure.
    """

    compared: int = 0
    different: int = 0
    kept: int = 0

    def add(self, sentences: int, ours: Pairs, theirs: Pairs) -> None:
        """A context's."""
        self.compared += sentences * (sentences - 1) // 2
        self.different += len(ours ^ theirs)
        self.kept += len(theirs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contexts", type=positive, default=40, help="how many (default: %(default)s)")
    parser.add_argument("--k", type=positive, default=32, help="samples a context (default: %(default)s, as mini)")
    add_argument(parser)
    arguments = parser.parse_args()
    ids, contexts = first_contexts(arguments.contexts)
    sides = Sides(composition("mini"))
    sides.warm_up()
    with around() as limits:
        sides.ours(ids, contexts, arguments.k)
        for number, (name, context) in enumerate(zip(ids, contexts, strict=True)):
            sides.theirs(name, context, arguments.k, seed=number)
    what = f"mini's first {len(contexts)} contexts, k = {arguments.k}"
    record("end_to_end_mini", sides.figures(what, limits[0]), arguments.record, as_record(limits))


def first_contexts(count: int) -> tuple[list[str], list[str]]:
    """Ids and texts of the first contexts of a run of `mini`, drawn here."""
    from idist.stages.contexts import DrawContexts

    work = DrawContexts(load_config(MINI, ["device=cpu"]), count, count)
    rows = work.shard(work.open(), 0, lambda done: None).tables["contexts"].to_pylist()
    return [row["id"] for row in rows], [row["context"] for row in rows]


class Sides:
    """Both sides with the same models."""

    def __init__(self, critics: list[dict[str, dict[str, Any]]]) -> None:
        model, tokenizer = load_causal_lm("embedded:teacher", "cpu")
        # both sides write up to 100 tokens, as the authors' code does; ours stops where the sentence ends
        self._decoder = Decoder(model, tokenizer, Sampling(no_repeat_ngram_size=0, max_new_tokens=100))
        models = Models("cpu")
        exact = [critic for critic in critics if "similarity" not in critic]
        self._cascades = {
            WITH: build_cascade(critics, models=models),
            WITHOUT: build_cascade(exact, models=models),
        }
        self._plain = Plain({name: settings for critic in critics for name, settings in critic.items()})
        judge = models.entailment(MODELS["entailment"]).model
        self._tallies = [Tally(model, Causal(model)), Tally(judge, Classifier(judge))]
        self._work: Any = None
        self.our, self.plain = Side(), Side()
        self.agreement = {WITH: Agreement(), WITHOUT: Agreement()}
        self.floor_loses = 0

    def warm_up(self) -> None:
        """What is loaded or compiled once."""
        sentences = ["A man rides a bike.", "Someone is riding a bicycle on a long street."]
        for cascade in self._cascades.values():
            cascade.score([Group("warm-up", sentences)])
        self._plain.official(sentences)
        self._decoder.next_sentences(["A dog runs."], ["warm-up"], 2, seed=0)

    def ours(self, ids: Sequence[str], contexts: Sequence[str], k: int) -> None:
        """All contexts, drawn and judged as many together as stage `pairs` takes; seconds are shared out evenly."""
        together = max(1, 2 * self._decoder.max_rows // k)
        for start in range(0, len(ids), together):
            part = slice(start, start + together)
            self._ours_together(ids[part], contexts[part], k)
        for name, made in self.our.pairs.items():
            seconds = sum(self.our.seconds[name])
            print(f"ours, {name}: {sum(made)} pairs of {self.our.sentences} sentences in {seconds:.1f} s", flush=True)

    def theirs(self, name: str, context: str, k: int, seed: int) -> None:
        """One context by the procedure; then our decisions on its sentences."""
        drawn, drawing = processor_seconds(lambda: generate_plainly(self._decoder, context, k, seed))
        texts = list(dict.fromkeys(drawn))
        (p, keep), judging = processor_seconds(lambda: self._plain.survivors(texts))
        self.plain.sentences += len(texts)
        group, kept = Group(name, texts), {}
        for composition_, cascade in self._cascades.items():
            floor = composition_ == WITH
            kept[composition_], last = processor_seconds(lambda f=floor: self._plain.finish(texts, p, keep, f))
            self.plain.seconds[composition_].append(drawing + judging + last)
            self.plain.pairs[composition_].append(len(kept[composition_]))
            self.agreement[composition_].add(len(texts), judged_by(cascade, [group])[0], kept[composition_])
        self.floor_loses += len(kept[WITHOUT] - kept[WITH])
        counts = ", ".join(f"{len(found)} pairs {label}" for label, found in kept.items())
        print(f"{name}: procedure {drawing:.1f} s drawing, {judging:.1f} s judging {len(texts)} sentences; {counts}")
        sys.stdout.flush()

    def figures(self, what: str, limits: Limits) -> list[Figure]:
        """Pairs an hour of both compositions, sentences an hour, decisions."""
        share = limits.share(self._work, sum(self.our.seconds[WITH]))
        made = [self._accepted(name, what, share if name == WITH else None) for name in self.agreement]
        drawn = [side.rate(WITH, side.sentences) for side in (self.our, self.plain)]
        made.append(times(f"sentences drawn, their pairs judged ({WITH})", "sentences an hour", *drawn, note=what))
        for name, found in self.agreement.items():
            note = f"{found.compared:,} pairs of the procedure's sentences judged by both, {found.kept} kept by it"
            if name == WITH:
                note += f"; the floor loses {self.floor_loses} of {self.agreement[WITHOUT].kept} pairs"
            claim, same = f"decisions that differ, {name}", not found.different
            made.append(Figure(claim, "pairs", found.different, None, None, "0", same, note))
        return made

    def _accepted(self, name: str, what: str, share: Any) -> Figure:
        counts = f"{what}; {sum(self.our.pairs[name])} and {sum(self.plain.pairs[name])} pairs accepted"
        rates = self.our.rate(name), self.plain.rate(name)
        if not rates[1]:
            return Figure(f"accepted pairs, {name}", "pairs an hour", *rates, note=f"{counts}: no ratio", share=share)
        low, high = interval(self.our, self.plain, name)
        note = f"{counts}, ratio {low:.3g} to {high:.3g} (95 %, by contexts)"
        return times(f"accepted pairs, {name}", "pairs an hour", *rates, LEAST, note, share)

    def _ours_together(self, ids: Sequence[str], contexts: Sequence[str], k: int) -> None:
        writer, judge = self._tallies
        with writer.watch():
            drawn, drawing = processor_seconds(lambda: self._decoder.next_sentences(contexts, ids, k, seed=0))
        texts = [list(dict.fromkeys(row)) for row in drawn]
        self.our.sentences += sum(map(len, texts))
        for name, cascade in self._cascades.items():
            groups = [Group(one, row) for one, row in zip(ids, texts, strict=True)]  # with a memory of their own
            with judge.watch():
                kept, judging = processor_seconds(lambda c=cascade, g=groups: judged_by(c, g))
            if name == WITH:
                work = writer.work + judge.work
                self._work = work if self._work is None else self._work + work
            self.our.seconds[name] += [(drawing + judging) / len(ids)] * len(ids)
            self.our.pairs[name] += map(len, kept)


def judged_by(cascade: Cascade, groups: list[Group]) -> list[Pairs]:
    """Kept pairs of each group, as sets of two sentence numbers."""
    kept, _ = cascade.select(cascade.score(groups))
    found: dict[str, Pairs] = {group.id: set() for group in groups}
    for pair in kept:
        found[pair.group_id].add(frozenset((pair.i, pair.j)))
    return [found[group.id] for group in groups]


def interval(ours: Side, plain: Side, name: str, draws: int = 10_000) -> tuple[float, float]:
    """95 % interval of the ratio of pairs an hour: contexts drawn again, the same for both sides."""
    count = len(plain.pairs[name])
    chosen = np.random.default_rng(0).integers(0, count, size=(draws, count))

    def rates(side: Side) -> np.ndarray:
        return np.array(side.pairs[name])[chosen].sum(axis=1) / np.array(side.seconds[name])[chosen].sum(axis=1)

    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.nan_to_num(rates(ours) / rates(plain), nan=0.0, posinf=np.inf)
    low, high = np.quantile(ratios, (0.025, 0.975), method="nearest")
    return float(low), float(high)


if __name__ == "__main__":
    command(main)
