"""Measure the entailment critic on held-out pairs and fill its model card with the figures."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nli_data
import nli_pairs
from nli_data import CONTRADICTION, ENTAILMENT, LABELS, NEUTRAL, Example, Pair

if TYPE_CHECKING:
    from entailment import Critic

THRESHOLD = 0.75


def both_ways(critic: Critic, pairs: list[Pair]) -> list[bool]:
    """For each pair whether both directions are entailed at `THRESHOLD`; the second is asked only if the first is."""
    forward = critic.probabilities([(p.x, p.y) for p in pairs])[:, ENTAILMENT] >= THRESHOLD
    rows = forward.nonzero().flatten().tolist()
    accepted = [False] * len(pairs)
    if rows:
        backward = critic.probabilities([(pairs[i].y, pairs[i].x) for i in rows])[:, ENTAILMENT] >= THRESHOLD
        for i, good in zip(rows, backward.tolist(), strict=True):
            accepted[i] = good
    return accepted


def held_out_groups(data: Path, snli: list[Example]) -> dict[str, list[Pair]]:
    """The pairs of the card's table by group; the same for every critic."""
    rng = random.Random(0)
    mrpc, quora, captions = nli_data.read_mrpc(data), nli_data.read_quora(data), nli_data.read_mscoco(data)
    scenes = [s for pair in captions for s in pair[:2]] + [e.premise for e in snli]
    judged = {label: [Pair(*e[:2], label == ENTAILMENT) for e in snli if e.label == label] for label in range(3)}
    return {
        "mrpc_positive": [p for p in mrpc if p.same],
        "mrpc_negative": [p for p in mrpc if not p.same],
        "quora_duplicates": rng.sample(quora, min(1000, len(quora))),
        "captions_same_picture": rng.sample(captions, min(1000, len(captions))),
        "rewritten": [Pair(*e[:2], True) for e in nli_pairs.rewritten_pairs(scenes, 1000, rng)],
        "fronted": [Pair(*e[:2], True) for e in nli_pairs.fronted_pairs(scenes, 500, rng)],
        "garbled": [Pair(*e[:2], False) for e in nli_pairs.garbled_pairs(scenes, 1000, rng)],
        "identical": [Pair(s, s, True) for s in rng.choices(scenes, k=500)],
        "snli_entailment": judged[ENTAILMENT],
        "snli_neutral": judged[NEUTRAL],
        "snli_contradiction": judged[CONTRADICTION],
        "unrelated": [Pair(*e[:2], False) for e in nli_pairs.unrelated_pairs(scenes, 1000, rng)],
    }


def evaluate(critic: Critic, data: Path, log: Callable[[str], None]) -> dict[str, Any]:
    """Three-way accuracies, and for each group of pairs how many the both-ways decision accepts."""
    snli, (_, multinli) = nli_data.read_snli(data, "test"), nli_data.split_multinli(data)
    result: dict[str, Any] = {}
    for name, examples in {"snli_test": snli, "multinli_held_out": multinli}.items():
        answers = critic.probabilities([e[:2] for e in examples]).argmax(-1).tolist()
        right = sum(answer == e.label for answer, e in zip(answers, examples, strict=True))
        result[name] = {"examples": len(examples), "accuracy": right / len(examples)}
        log(f"accuracy on {name}: {right} of {len(examples)} = {right / len(examples):.4f}")
    for name, pairs in held_out_groups(data, snli).items():
        accepted = sum(both_ways(critic, pairs))
        result[name] = {"pairs": len(pairs), "accepted": accepted, "share": accepted / max(1, len(pairs))}
        log(f"both ways at {THRESHOLD} on {name}: {accepted} of {len(pairs)}")
    positive, negative = result["mrpc_positive"]["accepted"], result["mrpc_negative"]["accepted"]
    result["mrpc_precision"] = positive / max(1, positive + negative)
    return result


DESCRIPTIONS = {
    "mrpc_positive": "MRPC test, paraphrases: recall",
    "mrpc_negative": "MRPC test, near-paraphrases: should be refused",
    "quora_duplicates": "Quora test, duplicate questions: recall, another kind of text",
    "captions_same_picture": "two captions of one picture (COCO): for information, most are no paraphrases",
    "rewritten": "captions and SNLI test premises rewritten by rules used in training: recall",
    "fronted": "the same with the place moved to the front (a rule used in training): recall",
    "garbled": "the same with its own words exchanged or out of order (rules used in training): should be refused",
    "identical": "a sentence and itself: recall",
    "snli_entailment": "SNLI test, entailed one way: for information",
    "snli_neutral": "SNLI test, neutral: should be refused",
    "snli_contradiction": "SNLI test, contradiction: should be refused",
    "unrelated": "random pairs of captions and SNLI test premises: should be refused",
}

CARD = """---
license: cc-by-sa-4.0
base_model: sentence-transformers/all-MiniLM-L6-v2
language: en
library_name: transformers
pipeline_tag: text-classification
datasets: [stanfordnlp/snli, nyu-mll/multi_nli]
tags: [idist, natural-language-inference, cross-encoder]
---
# idist embedded entailment critic

A cross-encoder ({parameters:.1f} M parameters, float16, {megabytes:.1f} MB) that gives the probabilities of
{labels} (read the order from the config) for a premise and a hypothesis. It is the critic of the `mini`
configuration: a pair of sentences is a paraphrase if each entails the other at {threshold}.

- **Base**: all-MiniLM-L6-v2 (Apache-2.0; `model.safetensors` sha256 `{sha256}`), vocabulary pruned to
  {vocabulary:,} pieces (`embedded:encoder`).
- **Weights licence**: CC BY-SA 4.0, because of SNLI, Breaking NLI, MED and HELP.
- **Use**: `AutoModelForSequenceClassification.from_pretrained(folder)`; the config asks for float32 arithmetic.

## Data
Share of the {pairs_seen:,} pairs of the training stream; sets are drawn without repeats until they are used up.

| set | share | distinct | licence |
|---|---|---|---|
{data_rows}

Labels that cannot tell neutral from contradiction (MED, made negatives) count as "not entailed": the loss takes the
sum of both. Every example with a sentence among SNLI test's premises was dropped, the counterfactual set's
test part (revisions of SNLI test) whole, and {held_out} MultiNLI rows were held out. MRPC, Quora and COCO pairs
served for measuring only.

## Training
{steps:,} batches of {batch} pairs of like length, AdamW, learning rate {rate:g} after a warm-up of 1/16 with linear
decay to zero, weight decay 0.01, dropout 0.1, at most {max_tokens} tokens, seed {seed}, {arithmetic}.
{minutes:.0f} minutes on one core of a busy machine, {peak_gib:.1f} GiB at most. {history}

## Measured quality
Three-way accuracy: SNLI test {snli_test[accuracy]:.1%} of {snli_test[examples]:,}; MultiNLI matched, held-out rows,
{multinli_held_out[accuracy]:.1%} of {multinli_held_out[examples]:,}.

Accepted by "entails both ways at {threshold}":

| pairs | number | accepted | share |
|---|---|---|---|
{rows}

On MRPC test that is a precision of {mrpc_precision:.1%} at a recall of {mrpc_positive[share]:.1%}.

## Limits
English, everyday scenes; news and questions less well. A small model: numbers, negation and word order are learned
only as far as its sets show them. It was not made to check facts, nor to judge people's claims.
Made by `recipes/embedded/entailment.py`.
"""

SOURCES = {
    "snli": "SNLI development set | CC BY-SA 4.0",
    "multinli": "MultiNLI matched development set | OANC and others",
    "counterfactual": "counterfactually revised SNLI, train and development | Apache-2.0",
    "breaking": "Breaking NLI | CC BY-SA 4.0",
    "synonyms": "Breaking NLI, synonyms in both directions | CC BY-SA 4.0",
    "med": "MED | CC BY-SA 4.0",
    "help": "HELP, conjunction and disjunction | CC BY-SA 4.0",
    "passive": "syntactic augmentation, passives in both directions | MIT",
    "roles_swapped": "syntactic augmentation, subject and object exchanged | MIT",
    "reversed": "SNLI and counterfactual pairs reversed, where the label is hardly in doubt | as those",
    "unrelated": "made: random pairs of sentences of the sets | as those",
    "overlapping": "made: COCO captions that share words | CC BY 4.0",
    "identical": "made: a sentence and itself (case and full stop may differ) | as the sets",
    "rewritten": "made: captions and SNLI sentences rewritten by rule | CC BY 4.0, CC BY-SA 4.0",
    "garbled": "made: captions and SNLI sentences, words exchanged or out of order | CC BY 4.0, CC BY-SA 4.0",
    "fronted": "made: captions and SNLI sentences, place moved to the front | CC BY 4.0, CC BY-SA 4.0",
}


def card(figures: dict[str, Any], sizes: dict[str, tuple[int, int]]) -> str:
    """The model card; ``sizes`` gives for each set how many pairs were drawn and how many are distinct."""
    total = sum(drawn for drawn, _ in sizes.values())
    data_rows = []
    for name, (drawn, distinct) in sizes.items():
        what, licence = SOURCES[name].split(" | ")
        data_rows.append(f"| {what} | {drawn / total:.1%} | {distinct:,} | {licence} |")
    rows = [
        f"| {what} | {figures[name]['pairs']:,} | {figures[name]['accepted']:,} | {figures[name]['share']:.1%} |"
        for name, what in DESCRIPTIONS.items()
    ]
    held_out = nli_data.MULTINLI_HELD_OUT
    return CARD.format(
        data_rows="\n".join(data_rows),
        rows="\n".join(rows),
        labels=", ".join(LABELS),
        threshold=THRESHOLD,
        held_out=held_out,
        **figures,
    )
