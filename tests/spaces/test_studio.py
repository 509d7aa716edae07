"""What the demo answers: verdicts as in the pipeline, candidates that differ, sentences for bad input."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from demo.batch import rewrite_all
from demo.cards import ALL, KEPT, arranged, cards, filter_choices, filtered_by, sort_choices
from demo.judge import title
from demo.origin import EMBEDDED
from demo.student import spread
from demo.studio import Studio
from idist.critics import Group, build_cascade
from idist.critics.rouge_l import RougeL
from idist.errors import UserError
from idist.trees import Tree, tree_edit_distance

SENTENCE = "A man in a blue shirt is playing the guitar on a street corner."
TEXTS = [
    "In a blue shirt, a man plays the guitar on a street corner.",
    "A man in a blue shirt is playing the guitar on the street corner.",
    "A man plays music.",
    "Two dogs sleep.",
]


@pytest.fixture(scope="module")
def answer(studio: Studio) -> dict[str, Any]:
    return studio.rewrite("paraphrase", SENTENCE, candidates=6, temperature=1.5)


def test_an_answer_is_plain_values(answer: dict[str, Any]) -> None:
    assert json.loads(json.dumps(answer)) == answer
    texts = [one["text"] for one in answer["candidates"]]
    assert 1 < len(set(texts)) == len(texts) <= 6 and SENTENCE not in texts
    assert "(ROOT" in answer["source_tree"] and all("(ROOT" in one["tree"] for one in answer["candidates"])


def test_the_same_seed_gives_the_same_candidates(studio: Studio, answer: dict[str, Any]) -> None:
    again = studio.rewrite("paraphrase", SENTENCE, candidates=6, temperature=1.5)
    assert again | {"seconds": 0} == answer | {"seconds": 0}
    other = studio.rewrite("paraphrase", SENTENCE, candidates=6, temperature=1.5, seed=1)
    assert [one["text"] for one in other["candidates"]] != [one["text"] for one in answer["candidates"]]


def test_verdicts_are_those_of_the_pipeline_and_no_score_is_skipped(studio: Studio) -> None:
    found = studio.judges["paraphrase"].judge(SENTENCE, TEXTS)
    pairs = np.array([(0, place) for place in range(1, len(TEXTS) + 1)])
    cascade = build_cascade(EMBEDDED)
    kept, _ = cascade.select(cascade.score([Group("asked", [SENTENCE, *TEXTS], pairs)]))
    assert [one["text"] for one in found if one["kept"]] == [TEXTS[pair.j - 1] for pair in kept]
    for one in found:
        assert None not in one["scores"].values()
        assert one["kept"] == all(verdict["passed"] for verdict in one["verdicts"])
    for pair in kept:
        for column, value in found[pair.j - 1]["scores"].items():
            assert value == pytest.approx(pair.scores[column], abs=1e-4)


def test_the_tree_distance_is_that_of_the_trees_shown(answer: dict[str, Any]) -> None:
    source = Tree.from_brackets(answer["source_tree"])
    for one in answer["candidates"]:
        distance = tree_edit_distance(source.without_words(), Tree.from_brackets(one["tree"]).without_words())
        assert one["scores"]["tree_edit_distance"] == distance


def test_diversity_holds_between_all_that_are_left() -> None:
    texts = ["a b c d", "a b c e", "a b c d e f", "x y z", "x y z w v u"]
    kept = spread(texts, 5, 0.5)
    places = np.array([(i, j) for i in range(len(kept)) for j in range(i)])
    assert kept[0] == texts[0] and "x y z" in kept and RougeL().score(kept, places).max() <= 0.5
    assert spread(texts, 2, 0.0) == texts[:2]


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("", "is empty"),
        (None, "is empty"),
        (" \n\t\0 ", "is empty"),
        ("a" * 10_000, "10,000 characters, expected at most 1,000"),
        ("A dog runs. A cat sleeps.", "2 sentences, expected one"),
        ("word " * 190, "tokens, and the student reads"),
        ("😀😀😀", "hardly a word"),
        ("השועל החום המהיר קופץ מעל הכלב", "hardly a word"),
        ("12 + 13", "hardly a word"),
    ],
)
def test_bad_sentences_get_a_sentence(studio: Studio, sentence: str | None, said: str) -> None:
    with pytest.raises(UserError, match=said):
        studio.rewrite("paraphrase", sentence)


@pytest.mark.parametrize(
    "more",
    [
        {"candidates": 0},
        {"candidates": 11},
        {"temperature": 0.0},
        {"diversity": 0.9},
        {"candidates": None},
        {"seed": -1},
    ],
)
def test_values_out_of_range_are_refused(studio: Studio, more: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="expected"):
        studio.rewrite("paraphrase", SENTENCE, **more)


def test_strange_signs_in_an_english_sentence_are_answered_and_stay_text(studio: Studio) -> None:
    answer = studio.rewrite("paraphrase", "A man <b>rides</b> a bike 🙂 <script>alert(1)</script> today.", 2, 1.2)
    page = cards(answer)
    assert "<script" not in page and "<b>rides" not in page and "&lt;" in page


def test_order_and_selection(answer: dict[str, Any]) -> None:
    columns = {verdict["score"]: verdict["side"] for verdict in answer["candidates"][0]["verdicts"]}
    every = answer["candidates"]
    low = arranged(every, title("rouge_l"), ALL)
    high = arranged(every, title("entailment_xy"), ALL)
    assert [one["scores"]["rouge_l"] for one in low] == sorted(one["scores"]["rouge_l"] for one in every)
    assert [-one["scores"]["entailment_xy"] for one in high] == sorted(-one["scores"]["entailment_xy"] for one in every)
    assert all(one["kept"] for one in arranged(every, sort_choices(columns)[0], KEPT))
    within = arranged(every, sort_choices(columns)[0], filter_choices(columns)[2])
    assert within == [one for one in every if one["scores"]["rouge_l"] <= 0.75]
    values = sorted(one["scores"]["entailment_xy"] for one in every)
    choice = next(one for one in filter_choices(columns) if filtered_by(columns, one) == "entailment_xy")
    above = arranged(every, title("rouge_l"), choice, values[1])
    assert [one for one in low if one["scores"]["entailment_xy"] >= values[1]] == above and len(above) < len(every)
    assert arranged(every, sort_choices(columns)[0], choice, 2.0) == []
    with pytest.raises(UserError, match="no such score"):
        arranged(every, "by heart", ALL)


def test_cards_have_a_copy_button_and_trees_for_each_candidate(answer: dict[str, Any]) -> None:
    page, number = cards(answer), len(answer["candidates"])
    assert page.count("data-copy=") == number and page.count("<svg") == 2 * number
    assert "Download as CSV" in page and "<ins>" in page


def test_a_wish_is_followed_by_the_nearest(studio: Studio) -> None:
    answer = studio.rewrite("syntax", "A man rides a bike.", 6, 1.8, wish={"exemplar": "Two women sit on a bench."})
    distances = [one["apart"] for one in answer["candidates"] if one["apart"] is not None]
    assert distances == sorted(distances) and answer["asked_tree"].startswith("(S (NP (CD) (NNS)) (VP")
    assert "The syntax asked for" in cards(answer)
    answer = studio.rewrite("attributes", "A man rides a bike.", 3, 1.5, wish={"length_ratio": "1"})
    assert all(one["apart"] in (0.0, 1.0) for one in answer["candidates"])


@pytest.mark.parametrize(
    ("task", "wish", "said"),
    [
        ("syntax", {"tree": "((("}, "no tree"),
        ("syntax", {"tree": "<script>"}, "no tree"),
        ("syntax", {"tree": "(S (QQQ))"}, "label 'QQQ'"),
        ("syntax", {"template": "999"}, "not there"),
        ("syntax", {"length_ratio": "1"}, "no control"),
        ("attributes", {"length_ratio": "high"}, "no code 'high'"),
        ("paraphrase", {"template": "1"}, "without controls"),
        ("summary", {}, "recipes/distill.py"),
    ],
)
def test_wishes_that_cannot_be(studio: Studio, task: str, wish: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        studio.rewrite(task, "A man rides a bike.", wish=wish)


def test_a_batch_notes_what_is_wrong_in_its_row(studio: Studio) -> None:
    batches = list(rewrite_all(studio, "paraphrase", ["A man rides a bike.", "", "x" * 5000], 2, 1.5))
    assert [len(rows) for rows in batches[1:]] == [1, 1]
    assert "empty" in batches[1][0]["problem"] and "5,000 characters" in batches[2][0]["problem"]
    assert len(batches[2][0]["source"]) == 1000
    assert all(row["candidate"] and not row["problem"] for row in batches[0])
    assert len({tuple(row) for rows in batches for row in rows}) == 1
