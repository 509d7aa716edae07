"""How far a controlled student does what it is asked: each code asked for, and what came out.

python recipes/control_report.py runs/mini-attributes
python recipes/control_report.py runs/mini-control --sources my_sentences.txt --limit 100
python recipes/control_report.py runs/mini-attributes --candidates 8

For an attribute cut into buckets: mean and 95 % interval of what was obtained for each code, whether the means rise
with the codes, and the rank correlation between code and value over all outputs, with its interval. For a tree: the
mean distance of the outputs to the one that was asked for and to the others. Beside each code stands how far the
outputs are entailed by their sources, and how many sources have no value. Sources: those of the pairs that the training
held out, or --sources.
Leaves `control_report/` in the run: report.json, outputs.jsonl and, where there is an interval to draw, a plot as PNG
and SVG.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist import files
from idist.config import RunConfig
from idist.critics.entailment import Entailment
from idist.critics.registry import build_critics
from idist.errors import UserError
from idist.models import resolve
from recipes.command import config_of_run, output_folder, run
from recipes.control_task import held_out_pairs
from recipes.control_write import write
from recipes.pipeline import student_folder

TREES_ASKED = 6  # of the frequent ones


def main() -> None:
    """Write with every code, measure, print the tables, leave the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a run whose stage train_control has finished")
    parser.add_argument("--sources", type=Path, help="a text file, one sentence a line (default: held-out sources)")
    parser.add_argument("--limit", type=int, default=100, help="at most so many sources (default: 100)")
    parser.add_argument(
        "--candidates", type=int, default=1, help="write so many and take the one nearest to the wish (default: 1)"
    )
    parser.add_argument("--entailment", help="entailment model (default: that of the run's critics)")
    args = parser.parse_args()
    if args.limit < 2:
        raise UserError(f"--limit is {args.limit}, expected 2 or more.")
    if args.candidates < 1:
        raise UserError(f"--candidates is {args.candidates}, expected 1 or more.")
    config = config_of_run(args.run)
    sources = (_lines(args.sources) if args.sources else _held_out(args.run))[: args.limit]
    if len(sources) < 2:
        place = args.sources or f"{args.run}: the held-out pairs"
        raise UserError(f"{place}: {len(sources)} sources, expected 2 or more, without which there is no interval.")
    entailment = args.entailment or _critic(config)
    resolve(entailment)  # missing: said before anything is written
    out = output_folder(args.run / "control_report")
    student = str(student_folder(args.run, "train_control"))
    report = make_report(student, sources, entailment, out, args.candidates)
    names = ["report.json", "outputs.jsonl", *draw(report, out)]
    print(table(report))
    print(f"\n{out}: {', '.join(names)}")


def make_report(model: str, sources: Sequence[str], entailment: str, out: Path, candidates: int = 1) -> dict[str, Any]:
    """Ask for every code of every control, and measure; ``out`` gets ``outputs.jsonl`` and ``report.json``."""
    from eval_harness.metrics.base import Examples
    from eval_harness.metrics.faithfulness import Faithfulness
    from idist.controls import Failure, load_controls

    controls = load_controls(model)

    def faithful(pairs: list[tuple[str, str]]) -> float | None:
        if not pairs:
            return None
        read, outputs = [x for x, _ in pairs], [y for _, y in pairs]
        examples = Examples(predictions=outputs, sources=read, references=[[x] for x in read])
        return float(Faithfulness(entailment).statistics(examples).mean())

    report: dict[str, Any] = {"model": model, "sources": len(sources), "candidates": candidates}
    report |= {"entailment": entailment, "controls": {}}
    with (out / "outputs.jsonl").open("w", encoding="utf-8") as file:
        for control in controls.controls:
            asked = control.codes()[: TREES_ASKED if control.kind == "string" else None]
            obtained, extra = [], []
            for code in asked:
                outputs = write(model, sources, f"{control.wishes[-1]}:{code}", candidates=candidates)
                pairs = [(x, y) for x, y in zip(sources, outputs, strict=True) if isinstance(y, str)]
                values = control.measure(pairs, controls.parsers) if pairs else []
                obtained.append([value for value in values if not isinstance(value, Failure)])
                extra.append({"failures": len(sources) - len(obtained[-1]), "faithfulness": faithful(pairs)})
                for source, output in zip(sources, outputs, strict=True):
                    said = {"failure": output.reason} if isinstance(output, Failure) else {"output": output}
                    row = {"control": control.name, "code": code, "source": source} | said
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
            judged = control.judge(asked, obtained) if asked else {"codes": []}
            for row, more in zip(judged["codes"], extra, strict=True):
                row |= more
            report["controls"][control.name] = judged | {"asked": control.describe()}
    (out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def table(report: dict[str, Any]) -> str:
    """The figures for people."""
    chosen = f", the nearest of {report['candidates']} candidates each" if report["candidates"] > 1 else ""
    lines = [f"{report['sources']} sources{chosen}"]
    for name, control in report["controls"].items():
        if not control["codes"]:
            lines += ["", f"{name}: left out, it has no codes to be asked for"]
            continue
        lines += ["", f"{name:<22}{'obtained':>10}{'95 %':>18}{'others':>9}{'as asked':>10}{'faithful':>10}"]
        lines += [_line(row) for row in control["codes"]]
        if "correlation" in control:
            said = "rise" if control["rises"] else "do not rise"
            lines.append(f"  the means {said} with the codes; rank correlation {_correlation(control)}")
    return "\n".join(lines)


def _correlation(control: dict[str, Any]) -> str:
    """With its interval, if it has one."""
    if control["correlation_low"] is None:
        return f"{control['correlation']:.2f}"
    return f"{control['correlation']:.2f} [{control['correlation_low']:.2f}, {control['correlation_high']:.2f}]"


def _line(row: dict[str, Any]) -> str:
    """A code's figures; what cannot be told is left blank."""

    def told(key: str, form: str, scale: float = 1) -> str:
        return "" if row.get(key) is None else format(scale * row[key], form)

    low, high = told("low", ".2f"), told("high", ".2f")
    interval = f"{low} to {high}" if low else ""
    share = told("share", ".0f", 100)
    figures = f"{told('mean', '.2f'):>10}{interval:>18}{told('others', '.2f'):>9}{share and share + '%':>10}"
    failed = f"  {row['failures']} without a value" if row["failures"] else ""
    return f"  code {row['code']:<15}{figures}{told('faithfulness', '.1f'):>10}{failed}"


def draw(report: dict[str, Any], out: Path) -> list[str]:
    """One panel a control: what was obtained for each code, with intervals; crosses: for trees, the others' distance.

    Codes of which no interval is known are left out. Gives the names of the files; without a panel there is none.
    """
    from matplotlib.figure import Figure

    drawn: dict[str, dict[str, Any]] = {}
    for name, control in report["controls"].items():
        known = [row for row in control["codes"] if row.get("low") is not None]
        drawn |= {name: control | {"codes": known}} if known else {}
    if not drawn:
        return []
    figure = Figure(figsize=(3.6 * len(drawn), 3.4), layout="constrained")
    for axes, (name, control) in zip(figure.subplots(1, len(drawn), squeeze=False)[0], drawn.items(), strict=True):
        rows = control["codes"]
        places = range(len(rows))
        means = [row["mean"] for row in rows]
        spread = [[row["mean"] - row["low"] for row in rows], [row["high"] - row["mean"] for row in rows]]
        joined = "-" if "correlation" in control else ""
        axes.errorbar(places, means, spread, fmt=f"o{joined}", capsize=4, label="obtained")
        if rows[0].get("others") is not None:
            axes.plot(places, [row["others"] for row in rows], "x", label="distance to the other trees")
            axes.legend(frameon=False)
            axes.set_ylim(bottom=0)
        axes.set_xticks(places, [row["code"] for row in rows])
        axes.set_xlabel("code asked for")
        axes.set_ylabel(name.replace("_", " ") if "correlation" in control else "distance to the tree asked for")
        if "correlation" in control:
            axes.set_title(f"rank correlation {_correlation(control)}", fontsize=10)
    names = ["control_report.png", "control_report.svg"]
    for name in names:
        figure.savefig(out / name, dpi=150)
    return names


def _held_out(run: Path) -> list[str]:
    """Different sources of the pairs that the training held out, of sentences that it does not have."""
    return list(dict.fromkeys(x for _, x, _ in held_out_pairs(run)[0]))


def _critic(config: RunConfig) -> str:
    """The entailment model of the run's critics."""
    for critic in build_critics(config.pairs.critics, "critics"):
        if isinstance(critic, Entailment):
            return critic.model
    raise UserError("The run has no entailment critic, expected --entailment.")


def _lines(path: Path) -> list[str]:
    """Those with text."""
    return [line for line in map(str.strip, files.lines(path)) if line]


if __name__ == "__main__":
    run(main)
