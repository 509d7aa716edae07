"""Make `benchmarks/README.md` and its picture out of `benchmarks/results/*.json`.

python benchmarks/report.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.record import RESULTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

PAGE = Path(__file__).parent / "README.md"
PICTURE = "ratios"
HEAD = """# Benchmarks

One program a claim; both sides run in one process, on the same input. Seconds are of processor time where the program
says so, because other programs on the machine disturb it little. `--record` leaves the figures in `results/`, with the
command, the machine, the versions and the commit; `python benchmarks/report.py` makes this page of them. Trials, and
what did not work, are in [LOG.md](LOG.md).
"""


def main() -> None:
    """The page and the picture."""
    from idist.analysis.picture import save

    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))]
    found = [content for content in found if "figures" in content]
    if not found:
        sys.exit(f"{RESULTS} has no figures; run a benchmark with --record first")
    save(RESULTS, PICTURE, "How many times as fast", lambda: _picture(found))
    PAGE.write_text(page(found), encoding="utf-8")
    print(f"Made {PAGE.name} of {len(found)} results")


def page(found: list[dict[str, Any]]) -> str:
    """Markdown: a table of all figures, then where and how each was found."""
    rows = ["| what | idist | otherwise | unit | ratio | to reach |", "|---|---:|---:|---|---:|---|"]
    for content in found:
        rows += [_row(figure) for figure in content["figures"]]
    notes = [_notes(content) for content in found]
    picture = f"![How many times as fast idist is, on a logarithmic scale](results/{PICTURE}.png)"
    return "\n".join([HEAD, picture, "", *rows, "", "## How each was found", "", *notes, ""])


def _row(figure: dict[str, Any]) -> str:
    other = "" if figure["other"] is None else _number(figure["other"])
    ratio = "" if figure["ratio"] is None else f"**{_number(figure['ratio'])}**"
    target = "" if figure["target"] is None else f"{figure['target']}: {'yes' if figure['reached'] else '**no**'}"
    return f"| {figure['claim']} | {_number(figure['ours'])} | {other} | {figure['unit']} | {ratio} | {target} |"


def _notes(content: dict[str, Any]) -> str:
    machine = content["machine"]
    notes = "; ".join(dict.fromkeys(figure["note"] for figure in content["figures"] if figure["note"]))
    versions = ", ".join(f"{name} {version}" for name, version in content["versions"].items())
    hardware = machine["gpu"] or f"{machine['cpu']}, {machine['cores']} cores"
    load = f", load {machine['load']:.1f}" if machine.get("load") is not None else ""
    return (
        f"- `{content['command']}`: {notes + '. ' if notes else ''}{content['date']}, {hardware}{load}, threads "
        f"{machine.get('threads') or 'as torch chose'}; {versions}."
    )


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _picture(found: list[dict[str, Any]]) -> Picture:
    """A dot a ratio, and a tick where it was to be."""
    from matplotlib.ticker import StrMethodFormatter

    from idist.analysis.picture import grid, heading
    from idist.drawing import ACCENT, INK, new_figure

    shown = [figure for content in found for figure in content["figures"] if figure["ratio"] is not None]
    height = 1.3 + 0.3 * len(shown)
    figure = new_figure(8.6, height)
    heading(figure, "How many times as fast", "each against what a person would do otherwise, in one run; logarithmic")
    axes = figure.add_axes((0.56, 0.5 / height, 0.41, 1 - 1.15 / height))
    for place, one in enumerate(shown):
        axes.hlines(place, 1, one["ratio"], ACCENT, linewidth=1.8)
        axes.plot(one["ratio"], place, "o", color=ACCENT, markersize=5)
    axes.axvline(1, color=INK, linewidth=0.8)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_yticks(range(len(shown)), [one["claim"] for one in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    grid(axes, "x")
    return figure


if __name__ == "__main__":
    main()
