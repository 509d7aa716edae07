"""An exemplar task of a run's own world, for the evaluation harness: pairs that no stage trained on, with exemplars.

python recipes/control_task.py runs/mini-control
idist-eval run --tasks runs/mini-control/held-out-syntax/held-out-syntax.yaml \\
    --systems idist:runs/mini-control/train_control/model,control=exemplar idist:runs/mini-control/train_final/model

Source and reference are a held-out pair of stage `control`. The exemplar is another held-out sentence, of another
context, with the tree nearest to the reference's: it gives the syntax and not the words, as in the tasks that ship.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist.errors import UserError
from recipes.command import config_of_run, run
from recipes.pipeline import pair_files

NAME = "held-out-syntax"
CANDIDATES = 1000  # sentences among which an exemplar is looked for
TASK = """\
name: {name}
description: {description}
purpose: syntax
references: 1
bundled: exemplars.tsv
columns: {{source: source, references: reference, exemplar: exemplar}}
"""


def main() -> None:
    """Write the task's YAML and its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a run whose stage control has finished")
    parser.add_argument("--limit", type=int, default=200, help="at most so many examples (default: 200)")
    parser.add_argument("--parser", help="folder or stanza:LANGUAGE (default: that of the run's controls)")
    args = parser.parse_args()
    if args.limit < 1:
        raise UserError(f"--limit is {args.limit}, expected 1 or more.")
    pairs, seen = held_out_pairs(args.run)
    if seen:
        print(f"{seen} of {seen + len(pairs)} held-out pairs are left out: the training has one of their sentences")
    rows = with_exemplars(pairs, args.parser or _parser(args.run), args.limit, config_of_run(args.run).seed)
    if not rows:
        raise UserError(f"{args.run}: the held-out pairs are of one context, expected two or more.")
    folder = args.run / NAME
    folder.mkdir(exist_ok=True)
    lines = ["source\treference\texemplar", *("\t".join(row) for row in rows)]
    (folder / "exemplars.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = folder / f"{NAME}.yaml"
    said = json.dumps(
        f"Held-out pairs of the run {args.run.resolve().name}, each with an exemplar of the reference's syntax"
    )
    path.write_text(TASK.format(name=NAME, description=said), encoding="utf-8")
    print(f"{len(rows)} examples in {path}")


def held_out_pairs(run: Path) -> tuple[list[tuple[str, str, str]], int]:
    """(context, x, y) of the pairs that `train_control` held out, by id; sentences to be rebuilt are not among them.

    Contexts are on one side, but different contexts may give the same sentence: a pair of which a sentence is x or y of
    any training row, on whichever side, is left out. The second value says how many were.

    Raises:
        UserError: no run, or a stage that has not finished; nothing was held out, or nothing that is new.
    """
    import pyarrow.parquet as pq

    from idist.stages._control_pairs import REBUILT
    from idist.stages._training_data import read_pairs, split_by_context
    from idist.stages.runs import require_stage

    config = config_of_run(run)
    require_stage(run, "control")
    files = pair_files(run, "control")
    if not config.train_control.held_out:
        raise UserError(f"{run}: train_control.held_out is 0, there are no held-out pairs.")
    sides = split_by_context(read_pairs(files), config.train_control.held_out, config.seed)
    trained, wanted = (set(side["id"].to_pylist()) for side in sides)
    every = [row for file in files for row in pq.read_table(file, columns=["id", "context_id", "x", "y"]).to_pylist()]
    known = {row[side] for row in every if row["id"] in trained for side in ("x", "y")}
    known |= {text for side in ("x", "y") for text in sides[0][side].to_pylist()}
    held = sorted((r for r in every if r["id"] in wanted and not r["id"].endswith(REBUILT)), key=lambda row: row["id"])
    if not held:
        raise UserError(f"{run}: only sentences to be rebuilt are held out ({len(wanted)}), expected pairs among them.")
    rows = [row for row in held if row["x"] not in known and row["y"] not in known]
    if not rows:
        raise UserError(f"{run}: the training has a sentence of each of the {len(held)} held-out pairs.")
    return [(row["context_id"], row["x"], row["y"]) for row in rows], len(held) - len(rows)


def with_exemplars(pairs: list[tuple[str, str, str]], parser: str, limit: int, seed: int) -> list[tuple[str, str, str]]:
    """(x, y, exemplar) of at most ``limit`` pairs, drawn by the seed, in their order; of equally near exemplars the
    first. Exemplars come from as many as `CANDIDATES` of the pairs. What has no tree is left out."""
    import numpy as np

    from idist.models import load_parser
    from idist.trees import TreeIndex

    pairs = _drawn(pairs, max(CANDIDATES, limit), seed)
    sentences = [y for _, _, y in pairs]
    index = TreeIndex(load_parser(parser).parse(sentences))
    contexts = np.array([context for context, _, _ in pairs])
    far = int(index.sizes.max()) * 2 + 1
    rows: list[tuple[int, tuple[str, str, str]]] = []
    asked = random.Random(seed).sample(range(len(pairs)), len(pairs))  # in this order until there are enough
    for number in asked:
        if len(rows) == limit:
            break
        context, x, y = pairs[number]
        distances = index.distances(np.array([(number, other) for other in range(len(pairs))]))
        distances[(contexts == context) | index.missing | (np.array(sentences) == y)] = far
        if not index.missing[number] and distances.min() < far:
            rows.append((number, (x, y, sentences[int(distances.argmin())])))
    return [row for _, row in sorted(rows)]


def _drawn(pairs: list[tuple[str, str, str]], count: int, seed: int) -> list[tuple[str, str, str]]:
    """At most so many of them, in their order: parsing and distances to all others are not free."""
    if len(pairs) <= count:
        return pairs
    return [pairs[number] for number in sorted(random.Random(seed).sample(range(len(pairs)), count))]


def _parser(run: Path) -> str:
    for entry in config_of_run(run).control.controls:
        for settings in entry.values():
            if settings and "parser" in settings:
                return str(settings["parser"])
    return "stanza:en"


if __name__ == "__main__":
    run(main)
