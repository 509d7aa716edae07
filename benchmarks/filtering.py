"""Filtering candidates: the cascade against the plain composition of the packages that define the critics.

Both sides judge the same sentences of the embedded teacher in one process, with their models loaded before the clock
starts, and must keep the same pairs. The plain side (`benchmarks/plain.py`) goes in the authors' order, entailment
first, or with ``--every`` asks every critic about every pair. What bounds the ratio is the entailment model: a pair
that the cheap critics leave costs the cascade one call at least, and the plain side two for each pair there is.

    python benchmarks/filtering.py [--contexts 4] [--k 100] [--composition paper|mini] [--similarity 0.7] [--every]
    python benchmarks/filtering.py --prefilter    # what a similarity floor would save, and lose
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.counts import Classifier, Tally, Work
from benchmarks.limits import around, as_record
from benchmarks.plain import Plain
from benchmarks.record import Figure, add_argument, command, positive, record, times
from idist.config import PAPER_CRITICS, load_config
from idist.critics import Group, build_cascade
from idist.critics.loading import Models
from idist.decoding import Decoder, Sampling
from idist.models import load_causal_lm

CONTEXTS = [
    "A man in a blue shirt is riding a bike down the street.",
    "Two children are playing in the park near a fountain. Their mother is watching them.",
    "A woman in a green coat is waiting for the bus.",
    "A brown dog runs through the snow.",
    "A group of people are sitting around a table in a restaurant.",
    "A boy in a red jacket is climbing a tree. His friends are standing below.",
    "Two men are playing guitars on a stage.",
    "A girl is swimming in a pool.",
]
MODELS = {"entailment": "embedded:entailment", "similarity": "embedded:encoder", "diversity": "embedded:entailment"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--contexts", type=int, choices=range(1, 9), metavar="N", default=4, help="how many, 1 to 8 (default: 4)"
    )
    parser.add_argument("--k", type=positive, default=100, help="samples a context (default: %(default)s)")
    parser.add_argument("--composition", choices=("paper", "mini"), default="paper", help="default: %(default)s")
    parser.add_argument("--similarity", type=float, help="add a floor for the cosine to the composition, on both sides")
    parser.add_argument("--every", action="store_true", help="the plain side asks every critic about every pair")
    add_argument(parser)
    parser.add_argument("--prefilter", action="store_true", help="measure the similarity critic instead")
    arguments = parser.parse_args()
    groups = sample(CONTEXTS[: arguments.contexts], arguments.k)
    print(f"{len(groups)} contexts, k = {arguments.k}, distinct sentences: {[len(g.sentences) for g in groups]}")
    if arguments.prefilter:
        measure_prefilter(groups)
    else:
        critics = composition(arguments.composition)
        if arguments.similarity is not None:
            critics = [critic for critic in critics if "similarity" not in critic]
            critics.append({"similarity": {"min": arguments.similarity, "model": MODELS["similarity"]}})
        with around() as limits:
            figure, work, seconds = compare(groups, critics, arguments.every)
        figure = dataclasses.replace(figure, share=limits[0].share(work, seconds))
        how = "every" if arguments.every else "official"
        floor = "" if arguments.similarity is None else f"_similarity{arguments.similarity:g}"
        record(f"filtering_{arguments.composition}{floor}_{how}", [figure], arguments.record, as_record(limits))


def sample(contexts: list[str], k: int) -> list[Group]:
    """Distinct sentences of k samples a context, at the paper's settings."""
    model, tokenizer = load_causal_lm("embedded:teacher", "cpu")
    decoder = Decoder(model, tokenizer, Sampling(no_repeat_ngram_size=0, max_new_tokens=40))
    ids = [f"c{n:06d}" for n in range(len(contexts))]
    samples = decoder.next_sentences(contexts, ids, k, seed=0)
    return [Group(name, list(dict.fromkeys(row))) for name, row in zip(ids, samples, strict=True)]


def composition(name: str) -> list[dict[str, dict[str, Any]]]:
    """The paper's thresholds, or those of the small config, on the models that ship with the package."""
    critics = PAPER_CRITICS
    if name == "mini":
        critics = load_config(Path(__file__).parents[1] / "recipes/configs/mini.yaml").pairs.critics
    used = []
    for critic in critics:
        [(key, settings)] = critic.items()
        # Floors are for cutting again; here both sides decide once.
        settings = {k: v for k, v in settings.items() if k != "floor"}
        if key == "tree_edit_distance":
            settings["parser"] = "embedded:parser"
        elif key in MODELS:
            settings["model"] = MODELS[key]
        used.append({key: settings})
    return used


def compare(groups: list[Group], critics: list[dict[str, dict[str, Any]]], every: bool) -> tuple[Figure, Work, float]:
    """Pairs judged in a second of processor time on both sides; ends the program if they keep other pairs.

    Returns:
        The figure, the work of the cascade's entailment model, and the cascade's seconds.
    """
    print("composition:", ", ".join(f"{name} {settings}" for critic in critics for name, settings in critic.items()))
    models = Models("cpu")
    cascade = build_cascade(critics, models=models)
    plain = Plain({name: settings for critic in critics for name, settings in critic.items()})
    small = Group("warm-up", ["A man rides a bike.", "Someone is riding a bicycle on a long street."])
    cascade.score([small])
    theirs_judge = plain.judge if every else plain.official
    theirs_judge(small.sentences)

    judge = models.entailment(MODELS["entailment"]).model
    with Tally(judge, Classifier(judge)).watch() as tally:
        start = clocks()
        judged = cascade.score(groups)
        kept, funnel = cascade.select(judged)
        ours = clocks() - start
    print(f"\ncascade: {ours[0]:.2f} s ({ours[1]:.2f} s of CPU), {funnel.kept} pairs kept\n{funnel.table()}")

    plain.seconds.clear()
    start = clocks()
    expected = {(group.id, pair) for group in groups for pair in theirs_judge(group.sentences)}
    theirs = clocks() - start
    parts = ", ".join(f"{name} {seconds:.2f}" for name, seconds in plain.seconds.items())
    print(f"\nplain: {theirs[0]:.2f} s ({theirs[1]:.2f} s of CPU), {len(expected)} pairs kept; seconds: {parts}")

    if {(pair.group_id, frozenset((pair.i, pair.j))) for pair in kept} != expected:
        sys.exit("the decisions differ")
    ratios = theirs / ours
    print(f"same pairs; the cascade is {ratios[0]:.1f} times as fast ({ratios[1]:.1f} in CPU time)")
    total = sum(len(one.i) for one in judged)
    names = ", ".join(name for critic in critics for name in critic)
    order = "every critic on every pair" if every else "the authors' order"
    note = f"{len(groups)} contexts, {total:,} pairs, {funnel.kept} kept by both"
    claim = f"filtering by {names}, against {order}"
    figure = times(claim, "pairs a second", total / ours[1], total / theirs[1], None, note)
    return figure, tally.work, float(ours[1])


def clocks() -> np.ndarray:
    """Wall clock and this process's CPU time (which other programs on the machine disturb less), in seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def measure_prefilter(groups: list[Group]) -> None:
    """Accepted pairs (before diversity) below a similarity, and entailment calls on pairs below it."""
    critics = [
        {"rouge_l": {"max": 0.75}},
        {"tree_edit_distance": {"min": 5, "parser": "embedded:parser"}},
        {"similarity": {"min": -1.0, "model": MODELS["similarity"]}},
        {"entailment": {"min": 0.75, "model": MODELS["entailment"]}},
    ]
    judged = build_cascade(critics, "cpu").score(groups)
    similarity = np.concatenate([one.scores["similarity"] for one in judged])
    calls = sum(
        (~np.isnan(np.concatenate([one.scores[f"entailment_{side}"] for one in judged]))).astype(int)
        for side in ("xy", "yx")
    )
    accepted = np.concatenate([np.array([name is None for name in one.removed_by]) for one in judged])
    print(f"{len(similarity)} candidates, {calls.sum()} entailment calls, {accepted.sum()} accepted pairs")
    print("similarity at least   calls saved   accepted pairs lost")
    for cut in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        below = similarity < cut
        saved, lost = calls[below].sum() / max(1, calls.sum()), accepted[below].sum() / max(1, accepted.sum())
        print(f"{cut:>19.1f}{saved:>14.1%}{lost:>22.1%}")


if __name__ == "__main__":
    command(main)
