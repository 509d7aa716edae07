"""The leaderboard's logic: what is found, what is shown of it, what is said of what cannot be used."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from eval_harness.comparison import compare
from eval_harness.results import Result
from idist.errors import UserError
from space_kit.tables import write_csv
from standings import browse, duel, scores, sheet
from standings.pictures import pictures
from standings.shelf import Shelf, Standings
from tests.spaces.standings_files import HOSTILE, SIZE, write_all
from tests.spaces.test_markup import read


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_all(tmp_path_factory.mktemp("standings") / "results")


@pytest.fixture(scope="module")
def standings(folder: Path) -> Standings:
    return Shelf(lambda: [str(folder)]).current()


def test_tasks_with_results_come_first_and_reported_ones_are_there(standings: Standings) -> None:
    assert standings.tasks[:2] == ["scenes", "scenes-summary"] and {"mrpc", "gigaword"} < set(standings.tasks)
    sizes = [board.about["examples"] for board in standings.of_task("scenes")]
    assert sizes == [SIZE, 10] and standings.of_task("mrpc") == []
    printed = standings.published("scenes")
    assert printed is not None and [row[0] for row in printed.rows] == ["chat:someone"]


def test_measured_and_reported_are_told_apart(standings: Standings) -> None:
    board, printed = standings.measured("scenes", None), standings.published("mrpc")
    standings.finished(board).result()
    assert printed is not None
    names = [name for _, name in sheet.metrics(board, printed)]
    assert names == ["ibleu", "self_bleu", "rouge_l", "cosine", "bert_ibleu", "bleu"]
    own, other = read(sheet.measured(board, names)), read(sheet.reported(printed, names))
    assert "● measured" in own.text and "◇ reported" in other.text and "[" not in other.text
    assert "kit-interval" in str(own.tags) and "not shown to be worse" in own.text
    assert len([tag for tag, _ in own.tags if tag == "img"]) == 0 and HOSTILE in own.text
    narrow = read(sheet.reported(printed, ["ibleu"])).text
    assert "iBLEU" in narrow and "ROUGE" not in narrow


def test_an_order_puts_the_best_first(standings: Standings) -> None:
    board = standings.measured("scenes", None)
    assert sheet.ordered(board, "cosine")[0].label == "copy-input"
    assert [row.label for row in sheet.ordered(board, "self_bleu")][-1] == "copy-input"
    assert sheet.ordered(board, sheet.RANK) == board.rows
    with pytest.raises(UserError, match="no score 'nothing'"):
        sheet.measured(board, [], "nothing")


def test_what_is_saved_has_every_score(standings: Standings) -> None:
    board = standings.measured("scenes", None)
    rows = scores.rows(standings, "scenes", board)
    assert [row["kind"] for row in rows] == ["measured"] * 12 + ["reported"]
    assert json.loads(json.dumps(rows)) == rows
    back = list(csv.DictReader(io.StringIO(write_csv(rows))))
    assert len(back) == 13 and back[0]["low"] and not back[-1]["low"]
    assert {row["source"] for row in scores.rows(standings, "mrpc", None)} == {
        "Jung et al., Impossible Distillation, arXiv:2305.16635v4, table 2"
    }


def test_two_systems_are_tested_as_the_harness_does(standings: Standings) -> None:
    a, b = "copy-input", "hf-seq2seq:org/close"
    found = duel.duel(standings, "scenes", None, a, b)
    board = standings.measured("scenes", None)
    own = compare(duel.result_of(board, a), duel.result_of(board, b), standings.registry)
    assert found.lines == own.lines and found.contrasts == own.contrasts
    shown = read(duel.page(found, a, b)).text
    assert duel.verdict(found) in shown and "Paired bootstrap with 1,000 resamples" in shown
    told = duel.plain_values(found, a, b)
    assert json.loads(json.dumps(told))["a"] == {"name": a, "spec": a} and "file" not in told["a"]


@pytest.mark.parametrize(
    ("task", "a", "b", "said"),
    [
        ("mrpc", "reported: ChatGPT", "reported: GPT-3.5", "ChatGPT is reported in a paper"),
        ("scenes", "copy-input", "reported: chat:someone", "chat:someone is reported in a paper"),
        ("scenes", "copy-input", "copy-input", "choose two different"),
        ("scenes", "copy-input", "copy-imput", "did you mean 'copy-input'"),
        ("mrpd", "a", "b", "did you mean 'mrpc'"),
        ("mrpc", "a", "b", "reported figures only"),
    ],
)
def test_what_cannot_be_tested_is_said(standings: Standings, task: str, a: str, b: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        duel.duel(standings, task, None, a, b)


def test_examples_are_ordered_searched_and_paged(standings: Standings) -> None:
    board = standings.measured("scenes", None)
    both = ["hf-seq2seq:org/close", "copy-input"]
    plain = browse.listing(board, both, "ibleu")
    assert (plain.pages, plain.total, len(plain.examples)) == (SIZE // browse.SIZE, SIZE, browse.SIZE)
    every = [one for page in range(1, 7) for one in browse.listing(board, both, "ibleu", "lowest", page).examples]
    values = [one["outputs"][0]["scores"]["ibleu"] for one in every]
    assert values == sorted(values) and len({one["id"] for one in every}) == SIZE
    highest = browse.listing(board, both, "ibleu", "highest").examples[0]
    assert highest["outputs"][0]["scores"]["ibleu"] == max(values)
    apart = browse.listing(board, both, "ibleu", "difference").examples[0]["outputs"]
    assert apart[0]["scores"]["ibleu"] != apart[1]["scores"]["ibleu"]
    assert browse.listing(board, both, "ibleu", page=99).page == plain.pages
    word = plain.examples[0]["source"].split()[-1]
    found = browse.listing(board, both, "ibleu", find=word.upper())
    assert 1 <= found.total < SIZE and plain.examples[0]["id"] == found.examples[0]["id"]
    assert "No example" in browse.cards(board, browse.listing(board, both, "ibleu", find="no such words"))


def test_what_a_system_wrote_stays_text(standings: Standings) -> None:
    board = standings.measured("scenes", None)
    shown = read(browse.cards(board, browse.listing(board, [HOSTILE, "copy-input"], "ibleu")))
    assert not {"img", "script"} & {tag for tag, _ in shown.tags}
    assert "<script>alert(3)</script>" in shown.text and "ins" in {tag for tag, _ in shown.tags}


@pytest.mark.parametrize(
    ("systems", "metric", "order", "said"),
    [
        ([], "ibleu", "data", "0 systems"),
        (["copy-input"] * 5, "ibleu", "data", "5 systems"),
        (["copy-input"], "ibleu", "difference", "choose a second one"),
        (["copy-input"], "nothing", "lowest", "no score 'nothing'"),
        (["copy-input"], "ibleu", "sideways", "no order 'sideways'"),
    ],
)
def test_bad_choices_of_examples_are_said(
    standings: Standings, systems: list[str], metric: str, order: str, said: str
) -> None:
    with pytest.raises(UserError, match=said):
        browse.listing(standings.measured("scenes", None), systems, metric, order)


def test_the_pictures_are_the_harnesss(standings: Standings) -> None:
    shown = read(pictures(standings.finished(standings.measured("scenes", None)).result()))
    texts = [attributes["alt"] for tag, attributes in shown.tags if tag == "img"]
    assert len(texts) == 2 and str(texts[0]).startswith("Similarity to the source")
    without = pictures(standings.finished(standings.measured("scenes-summary", None)).result())
    assert "needs two systems" in without and without.count("<img") == 1


def test_files_that_come_go_and_break_are_seen(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "results"
    shelf = Shelf(lambda: [str(place)])
    nothing = shelf.current()
    assert not nothing.boards and "does not exist" in nothing.left_out[0] and nothing.published("mrpc") is not None
    place.mkdir()
    assert "no results" in shelf.current().left_out[0]
    shutil.copytree(folder, place, dirs_exist_ok=True)
    full = shelf.current()
    assert len(full.boards) == 3 and not full.left_out and shelf.current() is full
    broken = place / "scenes" / "paper" / "copy-input.json"
    good = broken.read_text()
    for content, said in (("{", "not JSON"), (good.replace('"schema": 1', '"schema": 9'), "has schema 9")):
        broken.write_text(content)
        now = shelf.current()
        assert said in now.left_out[0] and "copy-input" not in [row.label for row in now.of_task("scenes")[0].rows]
        assert str(tmp_path) not in now.left_out[0]
    broken.write_text(good)
    broken.with_suffix(".parquet").write_text("no parquet")
    assert "not parquet" in shelf.current().left_out[0]


def test_one_system_of_two_places_is_told_apart_or_shown_once(folder: Path, tmp_path: Path) -> None:
    twin = Path(shutil.copytree(folder, tmp_path / "twin"))
    shelf = Shelf(lambda: [str(folder), str(twin)])
    assert [row.label for row in shelf.current().measured("scenes", None).rows].count("copy-input") == 1
    path = twin / "scenes" / "paper" / "copy-input.json"
    meta = json.loads(path.read_text())
    meta["scores"]["ibleu"]["value"] += 1
    path.write_text(json.dumps(meta))
    labels = [row.label for row in shelf.current().measured("scenes", None).rows]
    assert f"copy-input ({tmp_path.name}/twin)" in labels and len(set(labels)) == len(labels)
    assert not any(str(tmp_path) in label for label in labels)


def test_a_link_to_what_is_not_there_names_the_nearest(standings: Standings) -> None:
    with pytest.raises(UserError, match="did you mean 'scenes'"):
        standings.board("scene", None)
    with pytest.raises(UserError, match="press Reload"):
        standings.board("scenes", "scenes-standard")
    assert isinstance(standings.measured("scenes-summary", None).rows[0].result, Result)
