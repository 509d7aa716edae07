"""Sentences a second against samples a context, k, and against contexts in flight: curves for the page.

    OMP_NUM_THREADS=1 python benchmarks/decoding_curves.py [--ks 10 30 100 300] [--in-flight 1 2 4 8 16] [--record]

k: the toolkit and plain `generate` on the same context, one at a time; the longer the tail of `generate` (a row goes on
to 100 tokens), the more it loses. In flight: that many contexts of ``--rows`` samples in one batch of the toolkit.
Seconds as in `benchmarks/decoding.py`; medians over the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.decoding import CONTEXTS, best, generate_plainly, names
from benchmarks.limits import around, as_record
from benchmarks.record import Curve, add_argument, command, positive, record, times
from idist.decoding import Decoder, Sampling
from idist.models import load_causal_lm

Line = list[tuple[float, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="embedded:teacher", help="a causal LM (default: %(default)s)")
    parser.add_argument("--ks", type=positive, nargs="+", default=[10, 30, 100, 300], help="default: 10 30 100 300")
    parser.add_argument("--in-flight", type=positive, nargs="+", default=[1, 2, 4, 8, 16], help="default: 1 2 4 8 16")
    parser.add_argument("--rows", type=positive, default=32, help="samples a context of those (default: %(default)s)")
    parser.add_argument("--rounds", type=positive, default=3, help="contexts measured (default: %(default)s)")
    add_argument(parser)
    arguments = parser.parse_args()
    model, tokenizer = load_causal_lm(arguments.model)
    decoder = Decoder(model, tokenizer, Sampling(), max_rows=max(arguments.ks))
    decoder.next_sentences(CONTEXTS[:1], ["warm-up"], 2, seed=0)
    with around(model.device.type, str(model.dtype).removeprefix("torch.")) as limits:
        ours, plain = against_k(decoder, arguments.ks, arguments.rounds)
        flying = against_contexts(decoder, arguments.in_flight, arguments.rows, arguments.rounds)
    claim = f"next sentences, k = {arguments.ks[-1]} (curve)"
    figure = times(claim, "sentences a second", ours[-1][1], plain[-1][1], note=f"{arguments.model}, one context")
    below = f"{arguments.model}, one context after the other"
    curves = [
        Curve(
            "decoding_k",
            "Sentences a second against k",
            below,
            "samples a context, k",
            "sentences a second",
            {"idist": ours, "generate": plain},
            True,
        ),
        Curve(
            "decoding_contexts",
            "Sentences a second against contexts in flight",
            f"{arguments.model}, k = {arguments.rows}, all in one batch",
            "contexts in flight",
            "sentences a second",
            {"idist": flying},
            False,
        ),
    ]
    record("decoding_curves", [figure], arguments.record, as_record(limits), curves)


def against_k(decoder: Decoder, ks: list[int], rounds: int) -> tuple[Line, Line]:
    """(k, sentences a second) of ours and of `generate`."""
    ours: Line = []
    plain: Line = []
    for k in ks:
        one = _median(
            decoder, lambda n, k=k: decoder.next_sentences(_cycled(n, 1), names(CONTEXTS, 1)[:1], k, n), rounds
        )
        other = _median(decoder, lambda n, k=k: [generate_plainly(decoder, _cycled(n, 1)[0], k, n)], rounds)
        print(f"k = {k}: {one:.1f} against {other:.1f} sentences a second", flush=True)
        ours.append((k, one))
        plain.append((k, other))
    return ours, plain


def against_contexts(decoder: Decoder, counts: list[int], k: int, rounds: int) -> Line:
    """(contexts, sentences a second), all contexts in one batch."""
    line: Line = []
    for count in counts:
        together = Decoder(decoder.model, decoder.tokenizer, decoder.sampling, max_rows=count * k)
        together.vocabulary = decoder.vocabulary  # its tables are made once
        ids = [f"c{number:06}" for number in range(count)]
        rate = _median(together, lambda n, t=together, i=ids: t.next_sentences(_cycled(n, len(i)), i, k, n), rounds)
        print(f"{count} contexts in flight: {rate:.1f} sentences a second", flush=True)
        line.append((count, rate))
    return line


def _cycled(start: int, count: int) -> list[str]:
    return [CONTEXTS[(start + number) % len(CONTEXTS)] for number in range(count)]


def _median(decoder: Decoder, work: Callable[[int], list[list[str]]], rounds: int) -> float:
    """Rounds differ in their contexts."""
    return statistics.median(best(decoder, lambda _, n=n: work(n), 1)[0] for n in range(rounds))


if __name__ == "__main__":
    command(main)
