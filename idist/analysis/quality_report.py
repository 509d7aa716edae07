"""The table of several datasets: Markdown, JSON, a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist.analysis.quality import Quality
from idist.analysis.resampling import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Name, title, decimals, which way is better (the paper's arrows).
MEASURES = (
    ("cosine", "Cosine", 2, "↑"),
    ("h2", "H2", 2, "↑"),
    ("h3", "H3", 2, "↑"),
    ("msttr", "MSTTR-{segment}", 2, "↑"),
    ("jaccard", "Jaccard", 2, "↓"),
    ("ted_3", "TED-3", 2, "↑"),
    ("ted_f", "TED-F", 2, "↑"),
)
WHOLE = ("h2", "h3", "jaccard")  # over all pairs: no interval
UNEVEN = 1.1  # how many times as many words one dataset may have before entropies are said not to compare


def write_report(folder: Path, rows: Sequence[Quality], made_with: Mapping[str, Any]) -> list[Path]:
    """Write ``quality.md``, ``quality.json``, ``quality.png`` and ``quality.svg``; gives their paths."""
    from idist.analysis.picture import save
    from idist.engine import write_bytes, write_json

    folder.mkdir(parents=True, exist_ok=True)
    text, data = folder / "quality.md", folder / "quality.json"
    write_bytes(text, (table(rows, made_with) + "\n").encode())
    write_json(data, {"made_with": dict(made_with), "datasets": [row.to_dict() for row in rows]})
    drawn = save(folder, "quality", "Quality of pair datasets", lambda: _figure(rows, int(made_with["segment"])))
    return [text, data, *drawn]


def table(rows: Sequence[Quality], made_with: Mapping[str, Any]) -> str:
    """The table in Markdown, and under it how the numbers were made."""
    titles = [f"{title.format(segment=made_with['segment'])} {way}" for _, title, _, way in MEASURES]
    lines = [f"| dataset | pairs | {' | '.join(titles)} |", "|---|" + "---:|" * (len(MEASURES) + 1)]
    for row in rows:
        cells = [_cell(row.figures[name], digits, name not in WHOLE) for name, _, digits, _ in MEASURES]
        label = row.label.replace("|", "\\|")
        lines.append(f"| {label} | {row.measured:,} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *notes(rows, made_with)])


def notes(rows: Sequence[Quality], made_with: Mapping[str, Any]) -> list[str]:
    """What a reader has to know, a sentence a line."""
    said = [
        f"H2, H3 (bits) and Jaccard: all pairs. Cosine: {made_with['encoder']}, {made_with['pooling']} pooling. TED: "
        f"{made_with['parser']}. Cosine, MSTTR and TED: at most {made_with['sample']:,} random pairs a dataset, in "
        "brackets 95 % bootstrap intervals over sources (MSTTR: over segments; –: less than two)."
    ]
    words = [row.words for row in rows]
    if words and max(words) > UNEVEN * min(words):
        said.append(
            f"The datasets have {min(words):,} to {max(words):,} words. Entropy grows with their number: H2 and H3 do "
            "not compare; --pairs N measures N random pairs of each."
        )
    for row in rows:
        for reason, count in (
            ("rows without text on one side were left out", row.read.empty),
            ("pairs have two equal sides", row.read.equal),
            ("sampled pairs have no tree", row.failures.get("ted_f", 0)),
            ("sampled pairs could not be embedded", row.failures.get("cosine", 0)),
        ):
            if count:
                said.append(f"{row.label}: {count:,} {reason}.")
    return said


def _cell(figure: Estimate, digits: int, sampled: bool) -> str:
    if figure.value is None:
        return "–"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.{digits}f}" + (" [–]" if sampled else "")
    return f"{figure.value:.{digits}f} [{figure.low:.{digits}f}, {figure.high:.{digits}f}]"


def _figure(rows: Sequence[Quality], segment: int) -> Figure:
    """A panel a measure, a line a dataset, the first one on top."""
    from idist.analysis.picture import grid, heading
    from idist.drawing import new_figure

    height = 1.35 + 0.3 * len(rows)
    figure = new_figure(11.0, height)
    heading(
        figure,
        "Quality of pair datasets",
        "dot: value; line: 95 % bootstrap interval where a sample was measured; arrow: which way is better",
    )
    longest = max(len(row.label) for row in rows)
    left = min(0.3, 0.02 + 0.0068 * longest)
    axes = figure.subplots(
        1,
        len(MEASURES),
        sharey=True,
        gridspec_kw={"left": left, "right": 0.985, "top": 1 - 0.85 / height, "bottom": 0.32 / height, "wspace": 0.16},
    )
    for axis, (name, title, _, way) in zip(axes, MEASURES, strict=True):
        _panel(axis, [row.figures[name] for row in rows])
        axis.set_title(f"{title.format(segment=segment)} {way}", fontsize=9)
        grid(axis, "x")
    axes[0].set_yticks(range(len(rows)), [row.label for row in rows])
    axes[0].set_ylim(len(rows) - 0.5, -0.5)
    return figure


def _panel(axis: Axes, figures: Sequence[Estimate]) -> None:
    from matplotlib.ticker import MaxNLocator

    from idist.drawing import ACCENT

    for place, figure in enumerate(figures):
        if figure.value is None:
            continue
        axis.plot(figure.value, place, "o", color=ACCENT, markersize=5)
        if figure.low is not None and figure.high is not None:
            axis.plot([figure.low, figure.high], [place, place], color=ACCENT, linewidth=1.6)
    axis.xaxis.set_major_locator(MaxNLocator(3))
    axis.margins(x=0.15)
    axis.tick_params(axis="y", length=0)
