"""The Pareto front, where names go, and the pictures themselves."""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_harness.registry import discover
from eval_harness.report import pareto
from eval_harness.report.board import Board, boards
from eval_harness.report.canvas import Picture
from eval_harness.report.labels import Box, place
from eval_harness.report.plot_tradeoff import plane_of
from eval_harness.report.plots import pictures
from eval_harness.report.ties import mark_ties
from tests.eval_harness import result_files

SVG = "{http://www.w3.org/2000/svg}"
few = st.integers(0, 4).map(float)  # so that equal coordinates are common


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    """Twelve systems with five metrics, ties marked."""
    registry = discover()
    made = boards(result_files.leaderboard(tmp_path_factory.mktemp("results")), registry)
    mark_ties(made[0], registry, trials=200)
    return made[0]


@pytest.fixture(scope="module")
def drawn(board: Board) -> list[Picture]:
    """Its two pictures."""
    return pictures(board)


@settings(deadline=None)
@given(st.lists(st.tuples(few, few), max_size=12))
def test_the_front_is_what_no_point_beats(points: list[tuple[float, float]]) -> None:
    beaten = {i for i, (x, y) in enumerate(points) if any(u >= x and v >= y and (u > x or v > y) for u, v in points)}
    found = pareto.front(points)
    assert set(found) == set(range(len(points))) - beaten
    assert len(found) == len(set(found))
    assert [points[i][0] for i in found] == sorted((points[i][0] for i in found), reverse=True)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 800)), min_size=1, max_size=14))
def test_no_name_covers_a_point_or_another_name(points: list[tuple[float, float]]) -> None:
    inside = Box(-50, -50, 1300, 850)
    boxes = place(points, [(180.0, 14.0)] * len(points), inside)
    placed = [box for box in boxes if box is not None]
    assert placed and all(box.within(inside) for box in placed)
    assert not any(a.meets(b) for i, a in enumerate(placed) for b in placed[:i])
    assert not any(box.left < x < box.right and box.bottom < y < box.top for box in placed for x, y in points)


def test_twelve_names_all_find_room_even_close_together() -> None:
    generator = np.random.default_rng(0)
    for spread in (300.0, 120.0, 60.0):
        points = [(float(x), float(y)) for x, y in 350 + spread * generator.random((12, 2))]
        assert None not in place(points, [(220.0, 13.0)] * 12, Box(0, 0, 720, 720))


def test_a_name_avoids_a_drawn_line_and_gives_up_only_without_room() -> None:
    across = ((0.0, 100.0), (400.0, 100.0))
    (box,) = place([(200.0, 100.0)], [(80.0, 12.0)], Box(0, 0, 400, 200), [across])
    assert box is not None and not box.crossed(across)
    assert place([(200.0, 100.0)], [(80.0, 12.0)], Box(190, 90, 210, 110)) == [None]


@settings(deadline=None)
@given(st.tuples(*[st.floats(-20, 20)] * 4))
def test_a_line_crosses_a_box_where_a_point_of_it_is_inside(ends: tuple[float, float, float, float]) -> None:
    box, start, end = Box(-5, -3, 5, 3), np.array(ends[:2]), np.array(ends[2:])
    dense = start + np.linspace(0, 1, 2001)[:, None] * (end - start)
    inside = (np.abs(dense) < [5 - 1e-2, 3 - 1e-2]).all(axis=1).any()
    near = (np.abs(dense) < [5 + 1e-2, 3 + 1e-2]).all(axis=1).any()
    crossed = box.crossed(((ends[0], ends[1]), (ends[2], ends[3])))
    assert crossed or not inside or np.allclose(start, end)
    assert near or not crossed


def test_pictures_are_the_same_bytes_each_time_whatever_the_users_settings(board: Board, drawn: list[Picture]) -> None:
    matplotlib.rcParams["font.size"] = 30
    try:
        second = pictures(board)
        assert matplotlib.rcParams["font.size"] == 30  # and leave these as they are
    finally:
        matplotlib.rcdefaults()
    assert [picture.name for picture in drawn] == ["scenes-paper-scores", "scenes-paper-tradeoff"]
    for one, other in zip(drawn, second, strict=True):
        assert (one.png, one.svg, one.alt) == (other.png, other.svg, other.alt)
        assert b"dc:date" not in one.svg
        assert one.png.startswith(b"\x89PNG") and struct.unpack(">I", one.png[16:20])[0] > 1000


def test_svg_shows_every_system_and_no_text_leaves_the_picture(board: Board, drawn: list[Picture]) -> None:
    picture = drawn[0]
    root = ElementTree.fromstring(picture.svg)
    width = float(root.attrib["viewBox"].split()[2])
    comments = picture.svg.decode()
    assert all(f"<!-- {row.label} -->" in comments for row in board.rows)
    starts = [node.attrib["transform"] for node in root.iter(f"{SVG}g") if "translate" in node.get("transform", "")]
    xs = [float(start.split("(")[1].split()[0]) for start in starts]
    assert len(xs) > 12 * 5 and min(xs) > 0 and max(xs) < width


def test_the_plane_is_similarity_against_100_minus_self_bleu(board: Board, drawn: list[Picture]) -> None:
    plane = plane_of(board)
    assert plane is not None and plane.similarity.metric == "cosine" and len(plane.points) == 12
    scores = {row.label: row.meta["scores"] for row in board.rows}
    for point in plane.points:
        self_bleu = scores[point.label]["self_bleu"]
        assert point.diversity.value == pytest.approx(100 - self_bleu["value"])
        assert point.diversity.low == pytest.approx(100 - self_bleu["high"])
        assert point.diversity.low <= point.diversity.value <= point.diversity.high
        assert point.similarity.value == pytest.approx(scores[point.label]["cosine"]["value"])
    copied = next(point for point in plane.points if point.label == "copy-input")
    assert copied.on_front and copied.diversity.value == 0
    assert "Beaten by none on both" in drawn[1].alt
    assert all(point.label in drawn[1].alt for point in plane.front)


def test_alt_text_says_who_is_first_in_each_panel(board: Board, drawn: list[Picture]) -> None:
    assert f"iBLEU: {board.rows[0].label}" in drawn[0].alt
    assert "self-BLEU" in drawn[0].alt and "copy-input 100.0" in drawn[0].alt


@pytest.mark.parametrize("name", ["$x^2$ \\frac", "日本語 モデル", "a" * 300, "<b>&amp;--</b>", "\x1b[31mred\u202e"])
def test_names_of_any_kind_are_drawn_as_they_are(tmp_path: Path, name: str) -> None:
    cosine = {"cosine": np.linspace(20, 90, 6)}
    found = [
        result_files.write_result(tmp_path, f"predictions:{name}{i}", result_files.rewritten(6, i / 3), means=cosine)
        for i in range(2)
    ]
    drawn = pictures(boards(found, discover())[0])
    assert len(drawn) == 2
    for picture in drawn:
        ElementTree.fromstring(picture.svg)
        assert "\x1b" not in picture.alt


def test_one_system_has_scores_and_no_plane_and_no_scores_have_no_picture(tmp_path: Path) -> None:
    one = result_files.write_result(tmp_path, "copy-input", result_files.rewritten(4, 1.0), metrics=["bleu"])
    none = result_files.write_result(tmp_path, "lead", result_files.rewritten(4, 0.5), task="other", metrics=[])
    named, bare = sorted(boards([one, none], discover()), key=lambda board: board.task, reverse=True)
    assert [picture.name for picture in pictures(named)] == ["scenes-paper-scores"]
    assert pictures(bare) == []
