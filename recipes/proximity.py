"""Paraphrastic proximity of a teacher: how often two next sentences of one context say the same (paper, figure 3).

python recipes/proximity.py                                    the embedded teacher, offline
python recipes/proximity.py --set contexts.source=my.txt --name mine   contexts out of your own text
python recipes/proximity.py --config proximity-gpt2-xl         the paper: GPT2-XL on XSum (a GPU and the Hub)

Writes proximity.md, proximity.json, proximity.png and proximity.svg to runs/NAME/. A stopped run goes on where it was.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist.config import RunConfig, load_config
from idist.engine.lock import alone
from idist.errors import UserError
from recipes.command import add_executor, config_path, named, run

STAGES = ("contexts", "proximity")


def main() -> None:
    """Contexts, then all temperatures, then the report."""
    args = _parse()
    from idist.analysis.proximity import entailment_of, judge, judged_rows
    from idist.analysis.proximity_curves import curves
    from idist.analysis.proximity_report import tables, write_report
    from idist.stages import contexts
    from recipes.pipeline import summary

    config = load_config(config_path(args.config), args.overrides + named(args.name))
    folder = args.runs / config.name
    critic = entailment_of(config).critics[0]
    longest = config.contexts.max_sentences
    whole = replace(config, contexts=replace(config.contexts, min_sentences=longest))
    if args.dry_run:
        print(_plan(config, folder, args.temperatures, contexts.plan(whole, folder, args.limit).state))
        return
    with alone(folder):
        for stage in STAGES[STAGES.index(args.from_stage) :] if args.from_stage else ():
            shutil.rmtree(folder / stage, ignore_errors=True)
        start = time.monotonic()
        print(summary(contexts.run(whole, folder, args.limit), time.monotonic() - start), flush=True)
        start = time.monotonic()
        reports = judge(config, folder, args.temperatures)
    counts = {name: sum(report.counts[name] for report in reports.values()) for name in ("sentences", "equivalent")}
    print(f"== proximity: {len(reports)} temperatures in {folder / 'proximity'} ({time.monotonic() - start:.0f} s)")
    print(f"   sentences {counts['sentences']:,.0f}, equivalent pairs {counts['equivalent']:,.0f}\n")
    rows = {temperature: judged_rows(folder, temperature) for temperature in reports}
    found = curves(rows, config.pairs.temperature, critic.min, config.seed)  # type: ignore[attr-defined]
    made_with = _made_with(config, list(reports), critic)
    print(tables(found, made_with))
    print(f"\nWritten: {', '.join(str(path) for path in write_report(folder, found, made_with))}")


def _made_with(config: RunConfig, temperatures: list[float], critic: Any) -> dict[str, Any]:
    from idist.analysis.self_bleu import signature
    from idist.config import to_dict
    from idist.models import fingerprint
    from idist.stages.runs import library_versions

    return {
        "teacher": config.pairs.model,
        "teacher_weights": fingerprint(config.pairs.model),
        "entailment": to_dict(critic),
        "entailment_weights": fingerprint(critic.model),
        "threshold": critic.min,
        "temperature": config.pairs.temperature,
        "temperatures": temperatures,
        "self_bleu": signature(),
        "seed": config.seed,
        "contexts": to_dict(config.contexts),
        "pairs": {key: value for key, value in to_dict(config.pairs).items() if key != "critics"},
        "libraries": library_versions(),
    }


def _plan(config: RunConfig, folder: Path, temperatures: list[float], state: str) -> str:
    from idist.engine import finished

    count, k = config.contexts.count, config.pairs.k
    lines = [f"Run {config.name!r} in {folder}", f"contexts     {state}, {count:,} contexts"]
    for temperature in sorted({*temperatures, config.pairs.temperature}):
        done = len(finished(folder / "proximity", f"t{temperature:g}"))
        most = f"at most {count * k * (k - 1) // 2:,} pairs of {k} sentences"
        lines.append(
            f"T {temperature:<10g} {f'{done} shards done, ' if done else ''}{most}; model: {config.pairs.model}"
        )
    return "\n".join(lines)


def _parse() -> argparse.Namespace:
    from idist.analysis.proximity import TEMPERATURES

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="proximity", help="a YAML file, or one that ships (default: proximity)")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], dest="overrides", help="change a key: pairs.k=32"
    )
    add_executor(parser)
    shown = ",".join(f"{temperature:g}" for temperature in TEMPERATURES)
    parser.add_argument(
        "--temperatures", metavar="T,T,...", default=shown, help=f"of the second curve (default: {shown})"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the runs (default: runs)")
    parser.add_argument("--name", help="folder of this run under --runs (default: the config's name)")
    parser.add_argument("--limit", type=int, help="at most so many contexts; a later call with more goes on")
    parser.add_argument("--dry-run", action="store_true", help="print what would be done")
    parser.add_argument(
        "--from", dest="from_stage", choices=STAGES, help="delete that stage and what follows, make anew"
    )
    args = parser.parse_args()
    args.temperatures = _temperatures(args.temperatures)
    if args.limit is not None and args.limit < 1:
        raise UserError(f"--limit is {args.limit}, expected 1 or more.")
    return args


def _temperatures(text: str) -> list[float]:
    try:
        found = [float(f"{float(part):g}") for part in text.split(",")]  # as precise as the name of its table
    except ValueError:
        found = []
    if not found or not all(0 <= temperature <= 10 for temperature in found):
        raise UserError(f"--temperatures is {text!r}, expected numbers from 0 to 10 such as 0.5,0.7,0.9.")
    return found


if __name__ == "__main__":
    run(main)
