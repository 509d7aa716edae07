"""An exemplar task of a run's own world, for the evaluation harness: pairs that no stage trained on, with exemplars.

python recipes/control_task.py runs/mini-control
idist-eval run --tasks runs/mini-control/held-out-syntax/held-out-syntax.yaml \\
    --systems idist:runs/mini-control/train_control/model,control=exemplar idist:runs/mini-control/train_final/model

Source and reference are a held-out pair of stage `control`. The exemplar is another held-out sentence, of another
context, with the tree nearest to the reference's: it gives the syntax and not the words, as in the tasks that ship.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist.config import load_config
from idist.errors import UserError
from recipes.command import run
from recipes.pipeline import pair_files

NAME = "held-out-syntax"
TASK = """\
name: {name}
description: Held-out pairs of the run {run}, each with an exemplar of the reference's syntax
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
    pairs = held_out_pairs(args.run)
    rows = with_exemplars(pairs, args.parser or _parser(args.run))[: args.limit]
    if not rows:
        raise UserError(f"{args.run}: the held-out pairs are of one context, expected two or more.")
    folder = args.run / NAME
    folder.mkdir(exist_ok=True)
    lines = ["source\treference\texemplar", *("\t".join(row) for row in rows)]
    (folder / "exemplars.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = folder / f"{NAME}.yaml"
    path.write_text(TASK.format(name=NAME, run=args.run.name), encoding="utf-8")
    print(f"{len(rows)} examples in {path}")


def held_out_pairs(run: Path) -> list[tuple[str, str, str]]:
    """(context, x, y) of the pairs that `train_control` held out, by id; sentences to be rebuilt are not among them.

    Raises:
        UserError: no run, or a stage that has not finished; nothing was held out.
    """
    import pyarrow.parquet as pq

    from idist.stages._control_pairs import REBUILT
    from idist.stages._training_data import read_pairs, split_by_context
    from idist.stages.runs import require_stage

    if not (run / "config.yaml").is_file():
        raise UserError(f"{run} is no run: it has no config.yaml.")
    config = load_config(run / "config.yaml")
    require_stage(run, "control")
    files = pair_files(run, "control")
    wanted = set(split_by_context(read_pairs(files), config.train_control.held_out, config.seed)[1]["id"].to_pylist())
    every = [row for file in files for row in pq.read_table(file, columns=["id", "context_id", "x", "y"]).to_pylist()]
    rows = sorted((r for r in every if r["id"] in wanted and not r["id"].endswith(REBUILT)), key=lambda row: row["id"])
    if not rows:
        raise UserError(f"{run}: train_control.held_out is 0, there are no held-out pairs.")
    return [(row["context_id"], row["x"], row["y"]) for row in rows]


def with_exemplars(pairs: list[tuple[str, str, str]], parser: str) -> list[tuple[str, str, str]]:
    """(x, y, exemplar) of each pair; of equally near exemplars the first. What has no tree is left out."""
    import numpy as np

    from idist.models import load_parser
    from idist.trees import TreeIndex

    sentences = [y for _, _, y in pairs]
    index = TreeIndex(load_parser(parser).parse(sentences))
    contexts = np.array([context for context, _, _ in pairs])
    far = int(index.sizes.max()) * 2 + 1
    rows = []
    for number, (context, x, y) in enumerate(pairs):
        distances = index.distances(np.array([(number, other) for other in range(len(pairs))]))
        distances[(contexts == context) | index.missing | (np.array(sentences) == y)] = far
        if not index.missing[number] and distances.min() < far:
            rows.append((x, y, sentences[int(distances.argmin())]))
    return rows


def _parser(run: Path) -> str:
    for entry in load_config(run / "config.yaml").control.controls:
        for settings in entry.values():
            if settings and "parser" in settings:
                return str(settings["parser"])
    return "stanza:en"


if __name__ == "__main__":
    run(main)
