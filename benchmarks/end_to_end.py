"""Accepted pairs an hour, from contexts to filtered pairs: the toolkit against the authors' procedure (appendix A).

The procedure: `generate` 100 sequences of 100 new tokens after each context, newlines banned, cut each to its first
sentence; entailment on all pairs, ROUGE-L (`rouge_score`) and tree edit distance (`apted`) on what is left, Algorithm 1
on `networkx`. Both sides have the same models and thresholds in one process, and take turns, context by context. That
both decide alike is checked on every context's sentences of our side. Seconds are of the process's processor time.

    OMP_NUM_THREADS=1 python benchmarks/end_to_end.py [--contexts 4] [--k 100] [--composition paper|mini] [--record]

`mini` has a similarity floor, which the procedure has not: it may lose pairs, and how many it lost is printed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.decoding import generate_plainly
from benchmarks.filtering import CONTEXTS, composition
from benchmarks.plain import Plain
from benchmarks.record import Figure, add_argument, processor_seconds, record, times
from idist.critics import Cascade, Group, build_cascade
from idist.decoding import Decoder, Sampling
from idist.models import load_causal_lm

HOUR = 3600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contexts", type=int, default=4, help="how many, 1 to 8 (default: %(default)s)")
    parser.add_argument("--k", type=int, default=100, help="samples a context (default: %(default)s)")
    parser.add_argument("--composition", choices=("paper", "mini"), default="mini", help="default: %(default)s")
    add_argument(parser)
    arguments = parser.parse_args()
    critics = composition(arguments.composition)
    model, tokenizer = load_causal_lm("embedded:teacher", "cpu")
    # both sides write up to 100 tokens, as the authors' code does; ours stops where the sentence ends
    decoder = Decoder(model, tokenizer, Sampling(no_repeat_ngram_size=0, max_new_tokens=100))
    sides = Sides(decoder, build_cascade(critics, "cpu"), _plain(critics))
    sides.warm_up()
    for number, context in enumerate(CONTEXTS[: arguments.contexts]):
        sides.take(f"c{number:06d}", context, arguments.k)
    figures = sides.figures(f"{arguments.composition}, {arguments.contexts} contexts, k = {arguments.k}")
    record(f"end_to_end_{arguments.composition}", figures, arguments.record)


def _plain(critics: list[dict[str, dict[str, Any]]]) -> Plain:
    """The procedure knows the paper's critics alone."""
    known = {name: settings for critic in critics for name, settings in critic.items() if name != "similarity"}
    return Plain(known)


class Sides:
    """Both sides with their seconds and what they made."""

    def __init__(self, decoder: Decoder, cascade: Cascade, plain: Plain) -> None:
        self._decoder, self._cascade, self._plain = decoder, cascade, plain
        self.seconds = {"ours": 0.0, "plain": 0.0}
        self.sentences = {"ours": 0, "plain": 0}
        self.pairs = {"ours": 0, "plain": 0}
        self.lost = self.found = 0

    def warm_up(self) -> None:
        """What is loaded or compiled once."""
        sentences = ["A man rides a bike.", "Someone is riding a bicycle on a long street."]
        self._cascade.score([Group("warm-up", sentences)])
        self._plain.official(sentences)
        self._decoder.next_sentences(CONTEXTS[:1], ["warm-up"], 2, seed=0)

    def take(self, name: str, context: str, k: int) -> None:
        """One context on both sides; then the procedure's decisions on our sentences."""
        (group, kept), ours = processor_seconds(lambda: self._ours(name, context, k))
        (texts, pairs), plain = processor_seconds(lambda: self._theirs(context, k))
        for side, seconds, sentences, made in (
            ("ours", ours, group.sentences, kept),
            ("plain", plain, texts, pairs),
        ):
            self.seconds[side] += seconds
            self.sentences[side] += len(sentences)
            self.pairs[side] += len(made)
        expected = self._plain.official(group.sentences)
        self.found += len(expected)
        self.lost += len(expected - kept)
        print(
            f"{name}: ours {ours:.1f} s, {len(kept)} pairs of {len(group.sentences)} sentences; procedure "
            f"{plain:.1f} s, {len(pairs)} of {len(texts)}; on our sentences it keeps {len(expected)}, "
            f"{len(expected & kept)} the same",
            flush=True,
        )

    def figures(self, what: str) -> list[Figure]:
        """Sentences an hour and, where both sides have accepted any, pairs an hour: so few are accepted that their
        number is largely chance, but not what is decided about the same sentences."""
        same = f"of {self.found} pairs that the procedure keeps of our sentences, {self.lost} are not kept"
        rate = {side: self.sentences[side] / self.seconds[side] * HOUR for side in self.seconds}
        drawn = "sentences drawn and all their pairs judged"
        made = [times(drawn, "sentences an hour", rate["ours"], rate["plain"], 15, f"{what}; {same}")]
        if all(self.pairs.values()):
            rate = {side: self.pairs[side] / self.seconds[side] * HOUR for side in self.seconds}
            counts = f"{self.pairs['ours']} and {self.pairs['plain']} pairs"
            made.append(times("accepted pairs", "pairs an hour", rate["ours"], rate["plain"], 15, f"{what}; {counts}"))
        return made

    def _ours(self, name: str, context: str, k: int) -> tuple[Group, set[frozenset[int]]]:
        (drawn,) = self._decoder.next_sentences([context], [name], k, seed=0)
        group = Group(name, list(dict.fromkeys(drawn)))
        kept, _ = self._cascade.select(self._cascade.score([group]))
        return group, {frozenset((pair.i, pair.j)) for pair in kept}

    def _theirs(self, context: str, k: int) -> tuple[list[str], set[frozenset[int]]]:
        texts = list(dict.fromkeys(generate_plainly(self._decoder, context, k, 0)))
        return texts, self._plain.official(texts)


if __name__ == "__main__":
    main()
