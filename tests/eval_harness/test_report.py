"""``report``: what is ranked with what, marks, escaping, files, and what damaged results do."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval_harness.__main__ import main
from eval_harness.registry import Registry, discover
from eval_harness.report.board import boards
from eval_harness.report.collect import Collection, collect
from eval_harness.report.document import compose
from eval_harness.report.html import html
from eval_harness.report.published import published
from eval_harness.report.samples import samples
from eval_harness.report.tables import compact, escape, markdown
from eval_harness.report.text import decimals, listed, number, plain, shorten, slug
from eval_harness.report.ties import mark_ties
from eval_harness.report.words import notes, run_row
from eval_harness.statistics import holm, paired_test
from idist.errors import UserError
from tests.eval_harness.result_files import leaderboard, rewritten, write_result

ROOT = Path(__file__).parents[2]
HOSTILE = 'predictions:</th><script>alert("x")</script>|**b**`[a](javascript:b)\x1b[31m\u202e$x$'


@pytest.fixture(scope="module")
def registry() -> Registry:
    return discover()


class Page(HTMLParser):
    """Elements with their attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]].append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_systems_are_ranked_by_the_tasks_first_metric_and_equal_ones_share_a_rank(
    tmp_path: Path, registry: Registry
) -> None:
    scores = {"low": 10.0, "high": 90.0, "also high": 90.0, "middle": 50.0}
    predictions = rewritten(5, 0.5)
    found = [
        write_result(tmp_path, name, predictions, metrics=["rouge_l"], means={"bert_ibleu": np.full(5, value)})
        for name, value in scores.items()
    ]
    found.append(write_result(tmp_path, "without", predictions, metrics=["rouge_l"]))
    (board,) = boards(found, registry)
    assert [column.metric for column in board.columns] == ["bert_ibleu", "rouge_l"]  # the task's order, not the file's
    ranked = [("also high", 1), ("high", 1), ("middle", 3), ("low", 4), ("without", None)]
    assert [(row.label, row.rank) for row in board.rows] == ranked
    assert any("without rank: without." in note for note in notes(board))


def test_a_task_that_nobody_knows_keeps_the_order_of_its_results(tmp_path: Path, registry: Registry) -> None:
    found = [
        write_result(tmp_path, "a", rewritten(4, 0.2), task="elsewhere", metrics=["rouge_l", "bleu", "ibleu"]),
        write_result(tmp_path, "b", rewritten(4, 0.4), task="elsewhere", metrics=["bleu"]),
    ]
    (board,) = boards(found, registry)
    assert [column.metric for column in board.columns] == ["rouge_l", "bleu", "ibleu"]
    assert [row.rank for row in board.rows] == [1, None]


def test_other_examples_and_other_protocols_are_other_boards(tmp_path: Path, registry: Registry) -> None:
    found = [
        write_result(tmp_path, "small", rewritten(4, 0.2), limit=4),
        write_result(tmp_path, "whole", rewritten(8, 0.2)),
        write_result(tmp_path, "whole", rewritten(8, 0.2), protocol="standard"),
    ]
    made = boards(found, registry)
    assert [(board.protocol, board.about["examples"]) for board in made] == [
        ("paper", 8),
        ("paper", 4),
        ("standard", 8),
    ]
    assert len({board.name for board in made}) == 3 and made[2].name == "scenes-standard"
    assert "the first 4 examples" in compact(made[1]) and "8 examples" in compact(made[0])


def test_scores_with_other_signatures_get_a_column_of_their_own(tmp_path: Path, registry: Registry) -> None:
    found = [write_result(tmp_path, f"system-{i}", rewritten(6, i / 4), metrics=["bleu"]) for i in range(3)]
    found[2].meta["scores"]["bleu"]["signature"] = "another|version:9"
    found[2].meta["scores"]["bleu"]["value"] = 99.9
    (board,) = boards(found, registry)
    assert len(board.columns) == 2 and board.columns[1].signature == "another|version:9"
    assert [row.rank for row in board.rows] == [1, 2, None]
    assert board.rows[2].label == "system-2" and board.rows[2].cells[0] is None
    text = compact(board)
    assert "BLEU (1)" in text and "BLEU (2)" in text
    assert any("do not compare" in note for note in notes(board))


def test_reported_rows_stand_apart_from_measured_ones(tmp_path: Path, registry: Registry) -> None:
    found = [
        write_result(tmp_path, "copy-input", rewritten(6, 1.0), task="mrpc"),
        write_result(tmp_path, "from-a-paper", rewritten(6, 0.1), task="mrpc", reported=True),
    ]
    (board,) = boards(found, registry)
    assert [row.label for row in board.rows] == ["copy-input"]
    block = published("mrpc", found, registry)
    assert block is not None
    names = [row[0] for row in block.rows]
    assert names[0] == "Copy-Input" and "Impossible-T5" in names and names[-1] == "from-a-paper"
    assert block.rows[0][:5] == ["Copy-Input", "1.1", "0.0", "44.4", "65.7"]
    assert block.titles[:3] == ["System", "iBLEU ↑", "BERT-iBLEU ↑"]
    assert published("scenes", found, registry) is None
    small = published("parasci-arxiv", [], registry)
    assert small is not None and [row[1] for row in small.rows[:3]] == ["0.0", "4.0", "3.6"]  # as printed
    people = published("gigaword", [], registry)
    assert people is not None and "Fluent (human, 1 to 3)" in people.titles
    assert people.rows[0][:4] == ["ChatGPT", "84.8", "33.6", "2.55"]


def test_marks_are_holms_correction_of_paired_tests_against_the_best(tmp_path: Path, registry: Registry) -> None:
    copied = (0.0, 0.005, 0.01, 0.3, 0.7)
    found = [write_result(tmp_path, f"system-{i}", rewritten(60, c, seed=i)) for i, c in enumerate(copied)]
    (board,) = boards(found, registry)
    mark_ties(board, registry, trials=1000)
    expected, cells = [], []
    for index, column in enumerate(board.columns):
        metric = registry.metric(column.spec, {"protocol": "paper"})
        best = min(board.rows, key=lambda row: -column.sign * row.meta["scores"][column.metric]["value"])
        assert best.cells[index] is not None and best.cells[index].mark == "best"
        for row in board.rows:
            if row is not best:
                pair = best.result.statistics(column.metric), row.result.statistics(column.metric)
                expected.append(paired_test(metric, *pair, "randomization", 1000).p_value)
                cells.append(row.cells[index])
    corrected = holm(np.array(expected))
    assert [cell.mark for cell in cells] == ["tied" if p >= 0.05 else "" for p in corrected]
    assert {cell.mark for cell in cells} == {"tied", ""} and board.tests == 16 and not board.untested


def test_the_same_predictions_are_best_together_and_one_example_decides_nothing(
    tmp_path: Path, registry: Registry
) -> None:
    twins = [write_result(tmp_path / "a", name, rewritten(20, 0.2)) for name in ("one", "two")]
    (board,) = boards(twins, registry)
    mark_ties(board, registry)
    assert {cell.mark for row in board.rows for cell in row.cells if cell} == {"best"} and board.tests == 0
    single = [write_result(tmp_path / "b", f"s{i}", rewritten(1, i / 2, seed=3), metrics=["bleu"]) for i in range(3)]
    (board,) = boards(single, registry)
    mark_ties(board, registry)
    assert {cell.mark for row in board.rows for cell in row.cells if cell} == {"best", "tied"}
    (alone,) = boards(single[:1], registry)
    mark_ties(alone, registry)
    assert alone.rows[0].cells[0] is not None and alone.rows[0].cells[0].mark == ""


def test_what_cannot_be_tested_is_said(tmp_path: Path, registry: Registry) -> None:
    means = {"somebodys": np.arange(6.0)}
    found = [
        write_result(tmp_path, "a", rewritten(6, 0.1), metrics=["bleu"], means=means),
        write_result(tmp_path, "b", rewritten(6, 0.9), metrics=["bleu"], means={"somebodys": np.arange(6.0) + 1}),
    ]
    found[0].meta["scores"]["bleu"]["value"] += 5  # no longer what the statistics give
    (board,) = boards(found, registry)
    mark_ties(board, registry, trials=100)
    assert any("Unknown metric 'somebodys'" in reason for reason in board.untested)
    assert any("statistics of bleu give" in reason and "a.json" in reason for reason in board.untested)
    assert board.tests == 0 and "†" not in compact(board)
    assert any("Unknown metric" in note for note in notes(board))


def test_samples_are_spread_and_show_every_system(tmp_path: Path, registry: Registry) -> None:
    found = [write_result(tmp_path, name, texts) for name, texts in (("a", rewritten(9, 0.0)), ("b", [""] * 9))]
    (board,) = boards(found, registry)
    shown = samples(board)
    assert [sample.id for sample in shown] == ["scenes-000001", "scenes-000004", "scenes-000007"]
    assert all(dict(sample.predictions)["a"] == sample.references[0] for sample in shown)
    assert all(dict(sample.predictions)["b"] == "" for sample in shown)
    (one,) = boards([write_result(tmp_path / "one", "a", ["x " * 5000])], registry)
    assert len(samples(one)) == 1 and len(samples(one)[0].predictions[0][1]) <= 400


def test_html_is_whole_accessible_and_loads_nothing(tmp_path: Path, registry: Registry) -> None:
    leaderboard(tmp_path, 3, 12)
    leaderboard(tmp_path, 2, 12, task="mrpc")
    text = html(compose(collect(tmp_path), registry))
    page = Page(text)
    assert page.open == [] and "lang" in page.all("html")[0]
    tables = page.all("table")
    assert len(tables) == len(page.all("caption")) and len(tables) > 6
    assert all(cell["scope"] in ("col", "row") for cell in page.all("th"))
    assert len(page.all("img")) == 4
    assert all(image["alt"] and image["src"].startswith("data:image/svg+xml;base64,") for image in page.all("img"))
    identities = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(identities) == len(set(identities))
    targets = [link["href"].removeprefix("#") for link in page.all("a")]
    labels = [attributes["aria-labelledby"] for _, attributes in page.elements if "aria-labelledby" in attributes]
    assert targets and set(targets + labels) <= set(identities)
    assert not any(name in attributes for _, attributes in page.elements for name in ("style", "onclick", "onerror"))
    assert not page.all("link") and not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(https?:)?//", text)


def test_html_runs_our_script_and_no_other(tmp_path: Path, registry: Registry) -> None:
    write_result(tmp_path, HOSTILE, ["</td><img src=x onerror=alert(1)>"] * 4, settings={"a": "</script>"})
    page = Page(html(compose(collect(tmp_path), registry, with_plots=False)))
    assert page.open == [] and not page.all("img") and len(page.all("script")) == len(page.raw["script"]) == 1
    policy = next(meta["content"] for meta in page.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    for tag in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(page.raw[tag][0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_every_row_has_a_cell_for_every_column(tmp_path: Path, registry: Registry) -> None:
    write_result(tmp_path, HOSTILE, ["a | b\nc"] * 4)
    write_result(tmp_path, "copy-input", rewritten(4, 1.0), metrics=["bleu"])
    document = compose(collect(tmp_path), registry, with_plots=False)
    rows = re.findall(r"<tr>.*?</tr>", html(document), flags=re.DOTALL)
    assert len({len(re.findall(r"<t[hd][ >]", row)) for row in rows if "data-value" in row or "data-first" in row}) == 1
    lines = markdown(document).split("\n")
    for before, line in pairwise(lines):
        if before.startswith("|") and line.startswith("|"):
            assert _cells(before) == _cells(line), line


def _cells(line: str) -> int:
    """How many unescaped bars: cells of a Markdown row."""
    return len(re.findall(r"(?<!\\)(?:\\\\)*\|", line))


@given(st.text(max_size=40))
def test_escaped_text_adds_no_markup(text: str) -> None:
    escaped = escape(text)
    assert "\n" not in escaped and "<" not in escaped and ">" not in escaped and "$" not in escaped
    assert _cells(escaped) == 0
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_`\[\]#~]", escaped)
    shown = re.sub(r"\\([\\`*_\[\]#|~!])", r"\1", escaped)
    for entity, character in (("&#36;", "$"), ("&gt;", ">"), ("&lt;", "<"), ("&amp;", "&")):
        shown = shown.replace(entity, character)
    assert shown == plain(text)


@given(st.text(max_size=60))
def test_plain_text_is_one_visible_line(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert len(plain(text).splitlines()) <= 1 and "\x1b" not in plain(text) and "\u202e" not in plain(text)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*|_.*|-.*", slug(text)) and "/" not in slug(text)


def test_signatures_can_be_copied_from_markdown(tmp_path: Path, registry: Registry) -> None:
    found = write_result(tmp_path, "a", rewritten(3, 0.2), metrics=["bleu", "rouge_l"])
    bleu = found.meta["scores"]["bleu"]["signature"]
    for signature, written in ((bleu, f"`{bleu}`"), ("a``b", "```a``b```"), ("`a\nb", "`` `a b ``")):
        found.meta["scores"]["bleu"]["signature"] = signature
        text = markdown(compose(Collection([found], []), registry, with_plots=False))
        assert f"1. BLEU: {written}\n" in text


def test_numbers_and_lists_in_words() -> None:
    assert [number(-0.04, 1), number(-7.25, 1), number(65.74, 1), number(0.0, 2)] == ["0.0", "-7.2", "65.7", "0.00"]
    assert [decimals(values) for values in ([2.5, 1.0], [65.0], [0.0], [], [-2.3, 2.4])] == [2, 1, 1, 1, 1]
    assert [listed([]), listed(["a"]), listed(["a", "b", "c"]), listed(list("abcd"), 2)] == [
        "none",
        "a",
        "a, b and c",
        "a, b and 2 more",
    ]
    assert shorten("abcdefghij", 5) == "ab…ij" and shorten("abc", 3) == "abc"


def test_how_a_result_was_made_stands_beside_it(tmp_path: Path, registry: Registry) -> None:
    overlap = {"dataset": "org/train", "shares": {"any": 0.125}}
    found = write_result(
        tmp_path, "a", rewritten(3, 0.5), decontamination=overlap, failures=2, peak_gpu_memory_mib=90.0
    )
    (board,) = boards([found], registry)
    row = run_row(board.rows[0])
    assert row[:5] == ["a", "12.5 s", "700 MiB, 90 MiB on the GPU", "2", "12.5% of examples (org/train)"]
    assert row[5:] == ["idist 0.1.0, torch 2.13.0", "2026-11-21"]


def _report(*arguments: str) -> int:
    """Exit code of the command."""
    try:
        main(["report", *arguments])
    except SystemExit as done:
        return int(done.code or 0)
    return 0


def test_command_writes_the_same_files_each_time_and_prints_the_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leaderboard(tmp_path / "results", 3, 12)
    write_result(tmp_path / "results", "copy-input", rewritten(12, 1.0), task="mrpc")
    assert _report(str(tmp_path / "results"), "--out", str(tmp_path / "a")) == 0
    said = capsys.readouterr().out
    assert re.search(r"\| 1 \| idist:embedded:student +\| ", said) and "leaderboard.html" in said and "plots" in said
    assert _report(str(tmp_path / "results"), "--out", str(tmp_path / "b")) == 0
    names = sorted(str(path.relative_to(tmp_path / "a")) for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert names == sorted(
        ["leaderboard.html", "leaderboard.md"]
        + [f"plots/{name}.{kind}" for name in ("mrpc-paper-scores", "scenes-paper-scores") for kind in ("png", "svg")]
        + [f"plots/scenes-paper-tradeoff.{kind}" for kind in ("png", "svg")]
    )
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in names)
    text = (tmp_path / "a" / "leaderboard.md").read_text()
    pictures = re.findall(r"\]\((plots/[^)]+)\)", text)
    assert len(pictures) == 6 and all((tmp_path / "a" / picture).is_file() for picture in pictures)
    assert text.index("## mrpc") < text.index("### Reported figures") < text.index("## scenes")


def test_command_takes_one_task_and_no_plots_and_writes_beside_the_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for task in ("scenes", "mrpc"):
        write_result(tmp_path, "copy-input", rewritten(5, 1.0), task=task)
    assert _report(str(tmp_path), "--task", "mrpc", "--no-plots") == 0
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["leaderboard.html", "leaderboard.md"]
    text = (tmp_path / "report" / "leaderboard.md").read_text()
    assert "## mrpc" in text and "## scenes" not in text and "plots/" not in text
    assert "scenes" not in capsys.readouterr().out
    assert _report(str(tmp_path), "--no-plots") == 0  # a report in the folder is no result


def test_damaged_results_are_named_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_result(tmp_path, "good", rewritten(5, 0.2))
    cut = write_result(tmp_path, "cut", rewritten(5, 0.3)).path
    cut.write_bytes(cut.read_bytes()[:200])
    rows = write_result(tmp_path, "rows", rewritten(5, 0.4)).path.with_suffix(".parquet")
    rows.write_bytes(rows.read_bytes()[:-30])
    old = write_result(tmp_path, "old", rewritten(5, 0.5)).path
    old.write_text(json.dumps({**json.loads(old.read_text()), "schema": 99}))
    assert _report(str(tmp_path), "--no-plots") == 2
    said = capsys.readouterr()
    assert "| good " in said.out and "| cut " not in said.out
    assert "error: 3 result files left out of the report" in said.err and "Traceback" not in said.err
    for name in ("cut.json", "rows.parquet", "old.json"):
        assert name in said.err
    for name in ("leaderboard.md", "leaderboard.html"):
        text = (tmp_path / "report" / name).read_text()
        assert text.count("Left out:") == 3 and "rows.parquet" in text.replace("\\", "")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["{}/nothing"], "does not exist"),
        (["{}/empty"], "There are no results below"),
        (["{}/good", "--task", "scense"], "did you mean 'scenes'?"),
        (["{}/good", "--out", "{}/file", "--no-plots"], "is a file, expected a folder"),
        (["{}/bad"], "can be used (1 damaged)"),
    ],
)
def test_bad_input_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: Sequence[str], expected: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    write_result(tmp_path / "good", "copy-input", rewritten(3, 1.0))
    write_result(tmp_path / "bad", "copy-input", rewritten(3, 1.0)).path.write_text("{")
    assert _report(*(argument.format(tmp_path) for argument in arguments)) == 2
    said = capsys.readouterr().err
    error = said[said.index("error: ") :]
    assert expected in error and error.count("\n") == 1


def test_names_in_results_cannot_lead_files_elsewhere(tmp_path: Path, registry: Registry) -> None:
    found = write_result(tmp_path / "results", "copy-input", rewritten(4, 1.0))
    meta: dict[str, Any] = json.loads(found.path.read_text())
    meta["task"]["name"] = "../../outside"
    found.path.write_text(json.dumps(meta))
    assert _report(str(tmp_path / "results")) == 0
    outside = [path for path in tmp_path.rglob("*outside*") if "report" not in path.parts]
    assert outside == [] and list((tmp_path / "results" / "report" / "plots").glob("*outside-paper-scores.svg"))


def test_one_result_may_be_named_and_a_result_without_scores_is_shown(tmp_path: Path, registry: Registry) -> None:
    found = write_result(tmp_path, "copy-input", rewritten(4, 1.0), metrics=[])
    assert _report(str(found.path)) == 0
    assert "Nothing was scored" in (found.path.parent / "report" / "leaderboard.html").read_text()
    (board,) = boards([found], registry)
    assert board.rows[0].rank is None and "copy-input" in compact(board)


def test_twenty_systems_are_cut_short_in_the_terminal(tmp_path: Path, registry: Registry) -> None:
    found = [write_result(tmp_path, f"s{i:02d}", rewritten(4, i / 20), metrics=["rouge_l"]) for i in range(20)]
    (board,) = boards(found, registry)
    text = compact(board)
    assert "and 8 systems more in the report" in text and len(re.findall(r"\| s\d\d ", text)) == 12
    assert len({len(line) for line in text.split("\n") if line.startswith("|")}) == 1


def test_the_same_spec_in_two_folders_is_told_apart(tmp_path: Path, registry: Registry) -> None:
    found = [write_result(tmp_path / name, "copy-input", rewritten(4, 1.0), metrics=["bleu"]) for name in ("x", "y")]
    (board,) = boards(found, registry)
    assert sorted(row.label for row in board.rows) == ["copy-input (x)", "copy-input (y)"]


def test_a_task_nobody_has_results_of_is_an_error_with_a_suggestion(tmp_path: Path) -> None:
    write_result(tmp_path, "copy-input", rewritten(3, 1.0))
    with pytest.raises(UserError, match=r"no results of the task 'mrpc' below .*; expected one of: scenes"):
        collect(tmp_path, ["mrpc"])


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom eval_harness.__main__ import main\n"
        "try: main(['report', '--help'])\nexcept SystemExit: pass\n"
        "print([name for name in ('matplotlib', 'torch', 'pyarrow', 'sacrebleu') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "--no-plots" in done.stdout and done.stdout.strip().endswith("[]")
