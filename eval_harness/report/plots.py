"""The pictures of a board."""

from __future__ import annotations

from eval_harness.report.board import Board
from eval_harness.report.canvas import Picture
from eval_harness.report.plot_scores import score_picture
from eval_harness.report.plot_tradeoff import tradeoff_picture


def pictures(board: Board) -> list[Picture]:
    """All scores with their intervals; then similarity against diversity, where two systems or more have both."""
    drawn = (score_picture(board), tradeoff_picture(board))
    return [picture for picture in drawn if picture is not None]
