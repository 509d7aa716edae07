"""A report of a study for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from eval_harness.human.analysis import CONFIDENCE, Report
from eval_harness.human.questions import QUESTIONS
from eval_harness.report.text import counted, number, plain, shorten

_WIDEST = 48  # characters of a system's name
SHOWN = 5  # items on which people agree least


def text(report: Report) -> str:
    """Means with intervals, agreement, tests between systems."""
    return "\n\n".join(filter(None, [_head(report), _means(report), _pairs(report), _agreement(report)]))


def mean_rows(report: Report) -> list[list[str]]:
    """(system, ``2.41 ± 0.08`` a question), and at the end Krippendorff's alpha."""
    rows = []
    for system, means in report.means.items():
        cells = [f"{number(mean.value, 2)} ± {number((mean.high - mean.low) / 2, 2)}" for mean in means.values()]
        rows.append([shorten(plain(system), _WIDEST), *cells])
    return [*rows, ["Krippendorff's alpha", *(shown(report.alphas[name]) for name in report.study.questions)]]


def mean_head(report: Report) -> list[str]:
    """Of the columns."""
    return ["", *(QUESTIONS[name].title for name in report.study.questions)]


def pair_rows(report: Report) -> list[list[str]]:
    """(question, A, B, A - B, interval, p, corrected p, the better one)."""
    return [
        [
            QUESTIONS[pair.question].title,
            shorten(plain(pair.a), _WIDEST),
            shorten(plain(pair.b), _WIDEST),
            number(pair.paired.difference, 2),
            f"[{number(pair.paired.low, 2)}, {number(pair.paired.high, 2)}]",
            f"{pair.paired.p_value:.4f}",
            f"{pair.p_corrected:.4f}",
            "-" if pair.better is None else "A" if pair.better == pair.a else "B",
        ]
        for pair in report.pairs
    ]


PAIR_HEAD = ["", "A", "B", "A - B", f"{CONFIDENCE:.0%} interval", "p", "p (Holm)", "better"]


def shown(alpha: float | None) -> str:
    """An alpha with two decimals, or why there is none."""
    return "not defined" if alpha is None else number(alpha, 2)


def made(report: Report) -> str:
    """How the numbers were made."""
    trials = {"bootstrap": "paired bootstrap", "randomization": "paired approximate randomization"}[report.test]
    tests = f"; {trials}, p corrected over {counted(len(report.pairs), 'comparison')} (Holm), better: below 0.05"
    return (
        f"3 is best. ± half the {CONFIDENCE:.0%} bootstrap interval over items ({report.resamples:,} resamples, seed "
        f"{report.seed}){tests if report.pairs else ''}. Krippendorff's alpha is ordinal; over all questions "
        f"{shown(report.alphas['all'])}."
    )


def _head(report: Report) -> str:
    study = report.study
    answers = sum(mean.answers for row in report.means.values() for mean in row.values())
    state = "" if report.complete else f"; not finished: {study.annotators} people are wanted for each item"
    practice = " PRACTICE, not a result." if study.practice else ""
    return (
        f"{plain(study.name)}: {len(report.items)} of {counted(len(study.items), 'item')}, "
        f"{counted(report.annotators, 'annotator')}, {counted(answers, 'answer')}{state}.{practice}"
    )


def _means(report: Report) -> str:
    return f"{aligned([mean_head(report), *mean_rows(report)])}\n\n{made(report)}"


def _pairs(report: Report) -> str:
    return aligned([PAIR_HEAD, *pair_rows(report)], 3) if report.pairs else ""


def _agreement(report: Report) -> str:
    known = [one for one in report.agreement if one.equal is not None][:SHOWN]
    if not known:
        return "No item has two annotators yet: nothing can be said of their agreement."
    rows = [[plain(one.item), str(one.annotators), f"{one.equal:.0%}", f"{one.distance:.2f}"] for one in known]
    head = ["item", "annotators", "equal answers", "mean distance"]
    return f"Items on which people agree least:\n{aligned([head, *rows])}"


def aligned(rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Columns under each other; the first ``left`` begin at the left, the others end at the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            f"{cell:<{width}}" if place < left else f"{cell:>{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("   ".join(cells).rstrip())
    return "\n".join(lines)
