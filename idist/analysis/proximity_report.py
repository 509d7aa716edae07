"""Figure 3 as a table, as JSON and as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist.analysis.proximity_curves import Point
from idist.analysis.resampling import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLES = {"length": "sentences in the context", "temperature": "temperature"}
PEOPLE = 39.0  # Self-BLEU of MRPC's human paraphrases: reported by the paper (footnote 1), and measured by `self_bleu`
COLUMNS = (
    ("ratio", "equivalent, %"),
    ("self_bleu", "Self-BLEU"),
    ("ratio_with_equal", "with equal, %"),
    ("self_bleu_with_equal", "Self-BLEU with equal"),
    ("ratio_sure", "p >= {threshold:g}, %"),
)


def write_report(folder: Path, curves: Mapping[str, Sequence[Point]], made_with: Mapping[str, Any]) -> list[Path]:
    """Write ``proximity.md``, ``proximity.json``, ``proximity.png`` and ``proximity.svg``; gives their paths.

    Args:
        folder: is made if need be.
        curves: `idist.analysis.proximity_curves.curves`.
        made_with: plain values, kept in the JSON; ``teacher``, ``temperature`` and ``threshold`` are shown.
    """
    from idist.analysis.picture import save
    from idist.engine import write_bytes, write_json

    folder.mkdir(parents=True, exist_ok=True)
    text, data = folder / "proximity.md", folder / "proximity.json"
    write_bytes(text, (tables(curves, made_with) + "\n").encode())
    points = {name: [point.to_dict() for point in curve] for name, curve in curves.items()}
    write_json(data, {"made_with": dict(made_with), **points})
    title = f"Paraphrastic proximity of {made_with['teacher']}"
    return [text, data, *save(folder, "proximity", title, lambda: _figure(title, curves, made_with))]


def tables(curves: Mapping[str, Sequence[Point]], made_with: Mapping[str, Any]) -> str:
    """A table a curve in Markdown, and a note."""
    titles = [title.format(threshold=made_with["threshold"]) for _, title in COLUMNS]
    lines = []
    for name, curve in curves.items():
        lines.append(f"| {TITLES[name]} | contexts | pairs | {' | '.join(titles)} |")
        lines.append("|---:|" + "---:|" * (len(COLUMNS) + 2))
        for point in curve:
            cells = [_cell(getattr(point, column)) for column, _ in COLUMNS]
            lines.append(f"| {point.at:g} | {point.contexts:,} | {point.pairs:,} | {' | '.join(cells)} |")
        lines.append("")
    lines.append(
        f"Teacher {made_with['teacher']}; context lengths at temperature {made_with['temperature']:g}, temperatures "
        "over all lengths; equivalent: of pairs of different sentences, both entail each other; in brackets 95 % "
        "bootstrap intervals over contexts."
    )
    return "\n".join(lines)


def _cell(figure: Estimate) -> str:
    if figure.value is None:
        return "–"
    return f"{figure.value:.1f} [{figure.low:.1f}, {figure.high:.1f}]"


def _figure(title: str, curves: Mapping[str, Sequence[Point]], made_with: Mapping[str, Any]) -> Figure:
    """Ratio above, Self-BLEU below; context length at the left, temperature at the right."""
    from idist.analysis.picture import heading
    from idist.drawing import QUIET, new_figure

    figure = new_figure(8.4, 6.0)
    heading(
        figure,
        title,
        f"blue: pairs of different sentences; grey, broken: equal sentences counted, too; bars: 95 % bootstrap over "
        f"contexts\nleft: at temperature {made_with['temperature']:g}; right: contexts of all lengths",
    )
    axes = figure.subplots(
        2,
        2,
        sharex="col",
        gridspec_kw={"left": 0.085, "right": 0.98, "top": 0.84, "bottom": 0.085, "wspace": 0.2, "hspace": 0.12},
    )
    for column, (name, curve) in enumerate(curves.items()):
        _panel(axes[0, column], curve, "ratio")
        _panel(axes[1, column], curve, "self_bleu")
        axes[1, column].axhline(PEOPLE, color=QUIET, linewidth=0.8, linestyle=":")
        axes[1, column].set_xlabel(TITLES[name])
        axes[1, column].set_ylim(0, 104)
        axes[0, column].set_ylim(bottom=0)
        axes[0, column].set_xticks([point.at for point in curve])
    axes[0, 0].set_ylabel("equivalent pairs, %")
    axes[1, 0].set_ylabel("Self-BLEU of equivalent pairs")
    axes[1, 1].annotate(
        "people (MRPC): 39",
        (0, PEOPLE),
        (4, -3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="top",
        color=QUIET,
    )
    return figure


def _panel(axis: Axes, curve: Sequence[Point], name: str) -> None:
    from idist.analysis.picture import grid
    from idist.drawing import ACCENT, QUIET

    styles: list[tuple[str, str, str, float]] = [(name, ACCENT, "-", 1.8), (f"{name}_with_equal", QUIET, "--", 1.2)]
    for column, colour, line, width in styles:
        # a little apart, so that one interval does not hide the other
        shift = 0.012 * (curve[-1].at - curve[0].at) * (1 if column == name else -1)
        shown = [(point.at + shift, getattr(point, column)) for point in curve]
        there = [(place, figure) for place, figure in shown if figure.value is not None]
        at = [place for place, _ in there]
        axis.plot(
            at, [figure.value for _, figure in there], line, color=colour, linewidth=width, marker="o", markersize=4
        )
        axis.vlines(
            at, [figure.low for _, figure in there], [figure.high for _, figure in there], colour, linewidth=width
        )
    grid(axis, "y")
