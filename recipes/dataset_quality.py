"""Quality of paraphrase datasets: the measures of the paper's table 1, several datasets in one table.

python recipes/dataset_quality.py runs/mini
python recipes/dataset_quality.py ours=runs/mini other=pairs.csv.gz owner/name@revision --pairs 5000
python recipes/dataset_quality.py my.tsv --columns original,rewritten --encoder princeton-nlp/sup-simcse-roberta-large

A dataset is a file (.parquet, .jsonl, .csv, .tsv), a folder, a run's folder, or OWNER/NAME on the Hub; LABEL=DATASET
gives it a name in the table. Writes quality.md, quality.json, quality.png and quality.svg.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist.errors import UserError
from recipes.command import output_folder, run


def main() -> None:
    """Open all datasets before any work, measure one after the other, print and write the table."""
    args = _parse()
    from idist.analysis.pair_data import open_pairs
    from idist.analysis.quality import Measures, Settings
    from idist.analysis.quality_report import table, write_report

    columns = [name.strip() for name in args.columns.split(",")] if args.columns else None
    settings = Settings(
        encoder=args.encoder,
        pooling=args.pooling,
        parser=args.parser,
        segment=args.segment,
        sample=args.sample,
        pairs=args.pairs,
        seed=args.seed,
        device=args.device,
    )
    opened = [open_pairs(name, columns, args.files) for name in args.datasets]
    measures = Measures(settings)
    is_new = not args.out.exists()
    out = output_folder(args.out)
    try:
        rows = [measures.measure(data) for data in opened]
    except UserError:
        if is_new:
            out.rmdir()
        raise
    print(table(rows, measures.made_with()))
    print(f"\nWritten: {', '.join(str(path) for path in write_report(out, rows, measures.made_with()))}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", metavar="[LABEL=]DATASET", nargs="+")
    parser.add_argument("--columns", metavar="SOURCE,TARGET", help="columns of the pairs (default: by their names)")
    parser.add_argument("--files", metavar="PATTERN", help="files of a folder or Hub dataset, such as 'data/train-*'")
    parser.add_argument("--pairs", type=int, help="measure so many random pairs of each dataset (default: all)")
    parser.add_argument("--sample", type=int, default=2000, help="pairs for cosine, MSTTR and TED (default: 2000)")
    parser.add_argument("--segment", type=int, default=100, help="words in a segment of MSTTR (default: 100)")
    parser.add_argument("--encoder", default="embedded:encoder", help="for the cosine (default: embedded:encoder)")
    parser.add_argument("--pooling", default="auto", help="mean, cls or pooler (default: as the encoder was trained)")
    parser.add_argument("--parser", default="embedded:parser", help="for TED (default: embedded:parser; or stanza:en)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--out", type=Path, default=Path("quality"), help="folder of the report (default: quality)")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
