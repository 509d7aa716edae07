"""Fine-tuning speed of a student: batch sizes, with and without batches of one length.

    OMP_NUM_THREADS=1 python benchmarks/training_speed.py [--record]

Pairs a second are counted per second of processor time, so that other work on the machine disturbs little; the ratio
stands beside them.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.counts import Seq2Seq, Tally, Work
from benchmarks.limits import around, as_record
from benchmarks.record import Figure, add_argument, command, positive, record, times
from idist.config import TrainConfig
from idist.errors import UserError

CLAUSES = [
    "a man rides a bike",
    "the children build a castle of sand",
    "an old woman feeds the birds",
    "two dogs run after a ball",
    "a cook cuts onions in a small kitchen",
    "people wait for the bus",
]
PLACES = ["in the park", "near the river", "on a busy street", "at the beach in the evening", "under a tall tree"]


def synthetic_pairs(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """Sentences of one to four clauses, and the same clauses in another order: 6 to 50 tokens."""
    rng = random.Random(seed)
    pairs = []
    for _ in range(count):
        clauses = [f"{rng.choice(CLAUSES)} {rng.choice(PLACES)}" for _ in range(rng.choice([1, 1, 1, 2, 2, 3, 4]))]
        pairs.append((" and ".join(clauses).capitalize() + ".", " while ".join(clauses[::-1]).capitalize() + "."))
    return pairs


@dataclass
class Speed:
    """What one training took."""

    pairs: int
    processor: float  # seconds
    wall: float  # seconds
    loss: float  # mean of the training
    work: Work  # forward and backward, padding included


def measure(model: str, pairs: list[tuple[str, str]], batch_size: int, grouped: bool) -> Speed:
    """One epoch over ``pairs``, in this process; loading is not counted."""
    import pyarrow as pa

    from idist.models import load_student
    from idist.stages._trainer import build_trainer, set_schedule, training_arguments
    from idist.stages._training_data import encode_pairs

    config = TrainConfig(model=model, batch_size=batch_size, epochs=1, held_out=0.0, warmup_steps=1)
    rows = [{"id": str(n), "context_id": str(n), "x": x, "y": y} for n, (x, y) in enumerate(pairs)]
    student, tokenizer = load_student(model, "cpu", "float32")
    encoded = encode_pairs(tokenizer, pa.Table.from_pylist(rows), config, student.config.is_encoder_decoder)
    with tempfile.TemporaryDirectory() as folder:
        arguments = training_arguments(config, Path(folder), 0, "cpu", "float32")
        set_schedule(arguments, config, len(encoded), 0)
        arguments.save_strategy = "no"
        trainer = build_trainer(
            student, tokenizer, encoded if grouped else encoded.remove_columns("length"), None, config, arguments, []
        )
        with Tally(student, Seq2Seq(student)).watch() as tally:
            processor, wall = time.process_time(), time.perf_counter()
            loss = trainer.train().training_loss
            taken = time.process_time() - processor, time.perf_counter() - wall
    return Speed(len(encoded), *taken, loss, tally.work)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="embedded:student", help="an encoder-decoder built like T5")
    parser.add_argument("--pairs", type=positive, default=1000)
    parser.add_argument("--batch-sizes", type=positive, nargs="+", default=[16, 32, 64])
    add_argument(parser)
    args = parser.parse_args()
    from idist.models import is_seq2seq

    if not is_seq2seq(args.model):
        raise UserError(f"--model {args.model} is decoder-only, expected an encoder-decoder such as embedded:student.")
    pairs = synthetic_pairs(args.pairs)
    measure(args.model, pairs[:64], 32, True)  # the first steps load libraries
    print("batch  order      pairs/s (processor)  pairs/s (wall)  gain")
    measured = {}
    with around() as limits:
        for batch_size in args.batch_sizes:
            plain, grouped = measured[batch_size] = tuple(
                measure(args.model, pairs, batch_size, by_length) for by_length in (False, True)
            )
            for name, speed in (("random", plain), ("by length", grouped)):
                rates = f"{speed.pairs / speed.processor:19.1f}  {speed.pairs / speed.wall:14.1f}"
                print(f"{batch_size:5}  {name:9}  {rates}  {plain.processor / speed.processor:4.2f}", flush=True)
    figures: list[Figure] = []
    for batch_size, (plain, grouped) in measured.items():
        claim = f"training, {batch_size} pairs a step, batches of one length against random ones"
        share = limits[0].share(grouped.work, grouped.processor)
        ours, other = grouped.pairs / grouped.processor, plain.pairs / plain.processor
        note = f"{args.model}, {args.pairs} pairs"
        figures.append(times(claim, "pairs a second", ours, other, note=note, share=share))
    record("training_speed", figures, args.record, as_record(limits))
    return 0


if __name__ == "__main__":
    command(main)
