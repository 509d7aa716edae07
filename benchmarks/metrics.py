"""Metrics and significance tests: how long they take on many examples, and BERTScore against its bare encoder.

Seconds are CPU time of this process with one torch thread (which other programs disturb less than wall time), and wall
time beside it. Texts are the bundled pairs, varied until there are enough different ones: words are left out and
exchanged at random.

BERTScore is compared with two things on the same pairs: the encoder called directly on the same different sentences,
sorted by length, in padded batches of 64, and nothing computed from its vectors; and bert-score's own function.

    python benchmarks/metrics.py [--examples 10000] [--pairs 600] [--model embedded:encoder] [--device cpu]
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.record import command, positive
from eval_harness.metrics import Bleu, Compression, Examples, IBleu, Metric, RougeL, SelfBleu
from eval_harness.pairs import read_pairs
from eval_harness.statistics import bootstrap, paired_test

BATCH = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--examples", type=positive, default=10_000, help="for the overlap metrics (default: %(default)s)"
    )
    parser.add_argument("--pairs", type=positive, default=600, help="for BERTScore (default: %(default)s)")
    parser.add_argument("--model", default="embedded:encoder", help="BERTScore's backbone (default: %(default)s)")
    parser.add_argument("--num-layers", type=positive, help="its layer, where it must be given")
    parser.add_argument("--device", default="cpu", help="of BERTScore (default: %(default)s)")
    parser.add_argument("--rounds", type=positive, default=3, help="of BERTScore, interleaved (default: %(default)s)")
    arguments = parser.parse_args()
    examples = varied(arguments.examples)
    print(f"{len(examples):,} examples, {len(set(examples.predictions)):,} different predictions")
    overlap(examples)
    if arguments.pairs:
        bertscore(varied(arguments.pairs), arguments.model, arguments.num_layers, arguments.device, arguments.rounds)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


def varied(n: int) -> Examples:
    """n examples of sentences much like the bundled ones, hardly two alike."""
    rng = random.Random(0)
    sources, targets = read_pairs()
    pool = sorted({word for text in sources + targets for word in text.rstrip(".").split()})

    def variant(text: str) -> str:
        words = [word for word in text.rstrip(".").split() if rng.random() > 0.1]
        return " ".join(rng.choice(pool) if rng.random() < 0.1 else word for word in words) + "."

    rows = [(sources[i % len(sources)], targets[i % len(targets)]) for i in range(n)]
    sources, targets = [variant(source) for source, _ in rows], [variant(target) for _, target in rows]
    return Examples.of([variant(target) for target in targets], sources, targets)


def overlap(examples: Examples) -> None:
    """Every overlap metric under both protocols, then the resampling of the one with the most statistics."""
    both: list[Metric] = []
    for protocol in ("paper", "standard"):
        metrics = [Bleu(protocol), SelfBleu(protocol), IBleu(protocol), RougeL(), Compression()]
        total = np.zeros(2)
        for metric in metrics:
            seconds, statistics = timed(lambda m=metric: m.statistics(examples))  # type: ignore[misc]
            total += seconds
            print(f"  {protocol:<8}  {metric.name:<11}  {words(seconds)}   {metric.score(statistics):.2f}")
        print(f"  {protocol:<8}  together     {words(total)}")
        both.append(metrics[2])
    metric = both[1]
    first = metric.statistics(examples)
    second = metric.statistics(Examples.of(examples.sources, examples.sources, examples.references))
    tasks: dict[str, Callable[[], Any]] = {
        "bootstrap interval, 1,000 resamples": lambda: bootstrap(metric, first),
        "paired bootstrap, 1,000 resamples": lambda: paired_test(metric, first, second),
        "paired randomization, 10,000 trials": lambda: paired_test(metric, first, second, "randomization"),
    }
    for name, task in tasks.items():
        seconds, _ = timed(task)
        print(f"  {name} ({metric.name}, {first.shape[1]} statistics)  {words(seconds)}")


def bertscore(examples: Examples, model: str, num_layers: int | None, device: str, rounds: int) -> None:
    """The encoder alone, our BERTScore and bert-score's, in turn; the fastest round of each counts."""
    import torch

    from eval_harness.metrics.backbone import Backbone

    torch.set_num_threads(1)
    backbone = Backbone(model, num_layers, device)
    encoder, tokenizer = backbone.load()
    first, second = examples.predictions, [references[0] for references in examples.references]
    texts = list(dict.fromkeys(first + second))
    scorer: Any = backbone._scorer
    tasks: dict[str, Callable[[], Any]] = {
        "encoder alone": lambda: bare(encoder, tokenizer, texts),
        "BERTScore": lambda: Backbone.f1(fresh(backbone), first, second),
        "bert-score": lambda: scorer.score(first, second)[2].double().numpy(),
    }
    backbone.f1(first[:BATCH], second[:BATCH])
    best = dict.fromkeys(tasks, np.full(2, np.inf))
    results: dict[str, Any] = {}
    for _ in range(rounds):
        for name, task in tasks.items():
            seconds, results[name] = timed(task)
            best[name] = np.minimum(best[name], seconds)
    print(f"\nBERTScore of {len(first):,} pairs, {len(texts):,} different sentences, {model} on {device}")
    for name, seconds in best.items():
        print(f"  {name:<14}  {words(seconds)}   {seconds[0] / best['encoder alone'][0]:.2f} of the encoder's CPU time")
    print(f"  largest difference from bert-score: {np.abs(results['BERTScore'] - results['bert-score']).max():.1e}")


def bare(encoder: Any, tokenizer: Any, texts: list[str]) -> None:
    """Every sentence through the encoder once."""
    import torch

    ids = sorted(tokenizer(texts, truncation=True, max_length=tokenizer.model_max_length)["input_ids"], key=len)
    device = next(encoder.parameters()).device
    with torch.inference_mode():
        for start in range(0, len(ids), BATCH):
            batch = tokenizer.pad({"input_ids": ids[start : start + BATCH]}, return_tensors="pt").to(device)
            encoder(batch["input_ids"], attention_mask=batch["attention_mask"])
    if device.type == "cuda":
        torch.cuda.synchronize()


def fresh(backbone: Any) -> Any:
    """The backbone without what it remembers."""
    backbone._memory.clear()
    return backbone


def timed(task: Callable[[], Any]) -> tuple[np.ndarray, Any]:
    """(CPU seconds, wall seconds), and what the task gives."""
    start = np.array([time.process_time(), time.perf_counter()])
    result = task()
    return np.array([time.process_time(), time.perf_counter()]) - start, result


def words(seconds: np.ndarray) -> str:
    return f"{seconds[0]:6.2f} s CPU, {seconds[1]:6.2f} s wall"


if __name__ == "__main__":
    command(main)
