"""Publish results of the evaluation harness as a dataset, one row a score, which a leaderboard reads.

python recipes/publish_results.py results                                 to hub/ beside it, where load_dataset works
python recipes/publish_results.py results --push you/paraphrase-results   to the Hugging Face Hub

Examples and predictions stay here unless --examples is given: the texts of a benchmark may not be yours to publish.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recipes.command import run
from recipes.publishing import TEMPLATES, add_arguments, card_result, read_options, release


def main() -> None:
    """Build and publish, or say what would be published."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="folder of results, as idist-eval run makes it")
    parser.add_argument("--dry-run", action="store_true", help="print what would be uploaded; sends nothing")
    parser.add_argument("--examples", action="store_true", help="with every example, prediction and statistic")
    parser.add_argument("--title", default="Paraphrase evaluation results", help="of the card")
    parser.add_argument("--license", default="apache-2.0", help="a licence identifier of the Hub (default: apache-2.0)")
    add_arguments(parser, models=False)
    args = parser.parse_args()
    options = read_options(args)

    from eval_harness import export, results
    from idist.release.results import Built, build_results

    found = [results.read(path) for path in results.find(args.results)]
    table = export.table(found)
    descriptions = {name: text for name, (_, text) in export.COLUMNS.items()}
    public = [(one, export.public_meta(one.meta)) for one in found]
    shown = [card_result(meta, metric) for _, meta in public for metric in meta["scores"]]
    files = {}
    if args.examples:
        for one, meta in public:
            place = results.place(Path("results"), one.task, meta["protocol"], meta["system"]["spec"])
            files[place.with_suffix("").as_posix()] = (meta, one.path.with_suffix(".parquet"))

    name = options.name or re.sub(r"[^A-Za-z0-9_.-]+", "-", args.results.resolve().name).strip("-.") or "results"

    shown_folder = None if options.name else (args.results.parent / "hub" / "datasets" / name).as_posix()

    def build(folder: Path, tag: str) -> Built:
        return build_results(
            table, descriptions, shown, files, folder, name, tag, TEMPLATES, args.title, args.license, shown_folder
        )

    print("\n".join(release("dataset", name, build, args.results.parent, options, args.dry_run)[1]))


if __name__ == "__main__":
    run(main)
