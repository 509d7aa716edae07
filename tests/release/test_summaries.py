"""A summary run's release: the card of its template, with one direction of entailment and the ratio of lengths."""

from __future__ import annotations

from pathlib import Path

import pytest

from idist.release import build_dataset
from tests.release.conftest import TEMPLATES, config, make_run

MODEL = {"model": "embedded:entailment"}
CHANGES = {
    "contexts.count": 4,
    "pairs.k": 12,
    "pairs.critics": [
        {"length_ratio": {"max": 0.8}},
        {"entailment": {"min": 0.6, "directions": "forward"} | MODEL},
        {"diversity": {"min": 0.6}},
    ],
    "self_distil.critics": None,
    "self_distil.keep": "most_entailed",
    "hub.dataset_card": "dimsum",
    "hub.title": "Tiny summaries",
}


@pytest.fixture(scope="module")
def summaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release of a run that has come as far as its teacher's pairs."""
    run = make_run(tmp_path_factory.mktemp("summaries") / "tiny", CHANGES)
    folder = tmp_path_factory.mktemp("release") / "dimsum"
    build_dataset(config(CHANGES), run, folder, "dimsum", "v1.0.0", TEMPLATES, candidates=False)
    return folder


def test_rows_are_oriented_and_have_one_direction(summaries: Path) -> None:
    from datasets import load_dataset

    rows = load_dataset(str(summaries), split="train", cache_dir=str(summaries.parent / "cache"))
    assert len(rows) and "entailment_xy" in rows.column_names and "entailment_yx" not in rows.column_names
    assert all(len(row["y"]) < 0.8 * len(row["x"]) for row in rows)


def test_the_card_is_of_summaries(summaries: Path) -> None:
    from huggingface_hub import DatasetCard

    card = DatasetCard.load(summaries / "README.md")
    assert card.data.task_categories == ["summarization"] and "sentence-summarization" in card.data.tags
    text = card.text
    assert "# Tiny summaries" in text and "sentence summaries" in text and "paraphrase" not in text.lower()
    assert "`length_ratio`" in text and "`entailment_xy`" in text and "`entailment_yx`" not in text
    assert "the same," not in text.partition("## Columns")[2].partition("## ")[0]
    measured = text.partition("## Measured over")[2].partition("## ")[0].splitlines()
    assert len([line for line in measured if line.startswith(("| `length_ratio`", "| length ratio"))]) == 1
