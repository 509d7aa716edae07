"""Sentences per second: `idist.decoding` against plain ``generate``, with the same settings, in one process.

The plain way is the authors' (appendix A): ``generate(num_return_sequences=k)`` for one context after the other, to the
end of the text or ``max_new_tokens``, of which the first sentence is kept. ``--noise`` counts instead how often a
sentence depends on what else is in the batch.

    OMP_NUM_THREADS=1 python benchmarks/decoding.py [--model embedded:teacher] [--k 100] [--noise] [--record]
    OMP_NUM_THREADS=1 python benchmarks/decoding.py --shape gpt2 --contexts 1    # the same teacher in GPT-2's shape

On a CPU seconds are of this process's processor time, which other programs on the machine disturb little. What ours
computes and reads is counted by `benchmarks/counts.py` and set beside the machine's limits.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.counts import Causal, Tally, Work
from benchmarks.limits import as_record, measure
from benchmarks.record import add_argument, command, positive, record, times
from benchmarks.shapes import SHAPES, widened_teacher
from idist.decoding import Decoder, Sampling
from idist.models import load_causal_lm
from idist.text import first_sentence

CONTEXTS = [
    "A man in a blue shirt is riding a bike down the street.",
    "Two dogs are playing with a red ball in the snow.",
    "A woman in a green coat is waiting for the bus. She is reading a book.",
    "Three children are building a sandcastle on the beach.",
    "A chef is cutting vegetables in a small kitchen. A pot of soup is on the stove.",
    "An old man is sitting on a bench and feeding the birds.",
    "A group of people are dancing at a wedding. The band is playing. Everyone is smiling.",
    "A girl in a white dress is jumping over a puddle.",
    "A football player kicks the ball while the crowd watches.",
    "Two women are walking along a river with their dogs. It is a sunny day.",
    "A boy is asleep on the couch next to a black cat.",
    "A crowd of people is standing outside a large building at night.",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="embedded:teacher", help="a causal LM (default: %(default)s)")
    parser.add_argument(
        "--shape", choices=tuple(SHAPES), help="the embedded teacher in this shape, in place of --model"
    )
    parser.add_argument("--contexts", type=positive, default=len(CONTEXTS), help="how many (default: %(default)s)")
    parser.add_argument("--k", type=positive, default=100, help="sentences a context (default: %(default)s)")
    parser.add_argument("--temperature", type=float, default=0.7, help="(default: %(default)s)")
    parser.add_argument("--max-new-tokens", type=positive, default=100, help="limit a row (default: %(default)s)")
    parser.add_argument("--max-rows", type=positive, default=256, help="rows in a batch (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=positive, default=2, help="the best of so many counts; seeds of --noise (default: %(default)s)"
    )
    parser.add_argument("--noise", action="store_true", help="count sentences that depend on their batch")
    add_argument(parser)
    arguments = parser.parse_args()
    shape = arguments.shape
    model, tokenizer = widened_teacher(shape) if shape else load_causal_lm(arguments.model)
    sampling = Sampling(temperature=arguments.temperature, max_new_tokens=arguments.max_new_tokens)
    decoder = Decoder(model, tokenizer, sampling, arguments.max_rows)
    if arguments.noise:
        count_noise(decoder, arguments.k, arguments.rounds)
    else:
        compare(decoder, CONTEXTS[: arguments.contexts], arguments.k, arguments.rounds, shape, arguments.record)


def compare(decoder: Decoder, contexts: list[str], k: int, rounds: int, shape: str | None, recorded: bool) -> None:
    """Both sides, ours first: the peak of memory never goes down again."""
    decoder.next_sentences(contexts[:1], ["warm-up"], k, seed=0)
    start = peak_megabytes()
    ours, work = best(decoder, lambda seed: decoder.next_sentences(contexts, names(contexts, 1), k, seed), rounds)
    peaks = [peak_megabytes()]
    if shape is None:
        decoder.next_sentences(contexts * 4, names(contexts, 4), k, seed=0)
        peaks.append(peak_megabytes())
    plain, _ = best(decoder, lambda seed: [generate_plainly(decoder, one, k, seed) for one in contexts], rounds)
    after = peak_megabytes()
    # afterwards only: its large arrays would be the peak
    limits = measure(decoder.model.device.type, str(decoder.model.dtype).removeprefix("torch."), 4.0)
    print(f"{len(contexts)} contexts, k = {k}, {decoder.sampling}")
    reached = ", of 4 times as many contexts ".join(f"{peak:.0f} MB" for peak in peaks)
    print(f"peak memory: before {start:.0f} MB, ours {reached}, plain generate {after:.0f} MB")
    what = f"{shape or 'embedded teacher'}, {len(contexts)} contexts, k = {k}"
    claim = f"next sentences ({shape or 'embedded teacher'})"
    share = limits.share(work, 1.0)
    figure = times(claim, "sentences a second", ours, plain, 5, what, share)
    record(f"decoding_{shape or 'embedded'}", [figure], recorded, as_record([limits]))


def best(decoder: Decoder, work: Callable[[int], list[list[str]]], rounds: int) -> tuple[float, Work]:
    """Usable sentences a second, and what was computed and read in a second, of the best of several rounds."""
    clock = time.process_time if decoder.model.device.type == "cpu" else time.perf_counter
    tally = Tally(decoder.model, Causal(decoder.model))
    rates = []
    for seed in range(rounds):
        with tally.watch():
            begun = clock()
            sentences = sum(map(len, work(seed)))
            seconds = clock() - begun
        rates.append((sentences / seconds, tally.work.times(1 / seconds)))
    return max(rates, key=lambda found: found[0])


def generate_plainly(decoder: Decoder, context: str, k: int, seed: int) -> list[str]:
    """k rows to the end, each cut to its first sentence."""
    import torch

    tokenizer, sampling = decoder.tokenizer, decoder.sampling
    torch.manual_seed(seed)
    inputs: Any = tokenizer([context], return_tensors="pt").to(decoder.model.device)
    with torch.inference_mode():
        output = decoder.model.generate(
            **inputs,
            do_sample=True,
            num_return_sequences=k,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=0,
            no_repeat_ngram_size=sampling.no_repeat_ngram_size,
            max_new_tokens=sampling.max_new_tokens,
            begin_suppress_tokens=sorted(decoder.vocabulary.end_ids),
            pad_token_id=tokenizer.pad_token_id,
        )
    texts = tokenizer.batch_decode(output[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return [s for text in texts if (s := first_sentence(text, sampling.min_characters))]


def count_noise(decoder: Decoder, k: int, rounds: int) -> None:
    """Each context alone against all in one batch. One changed draw changes the rest of its sentence."""
    together = Decoder(decoder.model, decoder.tokenizer, decoder.sampling, max_rows=k * len(CONTEXTS))
    changed = sentences = tokens = 0
    for seed in range(rounds):
        batched = together.next_sentences(CONTEXTS, names(CONTEXTS, 1), k, seed)
        for context, name, expected in zip(CONTEXTS, names(CONTEXTS, 1), batched, strict=True):
            alone = decoder.next_sentences([context], [name], k, seed)[0]
            changed += sum(a != b for a, b in zip(alone, expected, strict=False)) + abs(len(alone) - len(expected))
            sentences += len(expected)
            tokens += sum(map(len, decoder.tokenizer(expected)["input_ids"]))
    print(
        f"{changed} of {sentences} sentences ({tokens} tokens) differ between one context and {len(CONTEXTS)} a batch"
    )


def names(contexts: list[str], times: int) -> list[str]:
    return [f"c{number:06}" for number in range(times * len(contexts))]


def peak_megabytes() -> float:
    """Peak resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


if __name__ == "__main__":
    command(main)
