"""One whole run of `recipes/distill.py`, small, offline; then what lies there is loaded as a stranger would."""

from __future__ import annotations

from pathlib import Path

from eval_harness.results import find, read
from tests.small_run import distil


def test_it_ends_with_funnel_pairs_table_and_places(distilled: tuple[Path, str]) -> None:
    folder, printed = distilled
    for word in ("rouge_l", "diversity", "copy-input", "train_final/model", "BERT-iBLEU", "scenes (12 examples"):
        assert word in printed
    for place in ("self_distil/selected", "train_final/model", "training_curve.png"):
        assert place in printed
    assert (folder / "train_final" / "training_curve.png").stat().st_size > 1000


def test_every_kept_pair_is_within_the_thresholds(distilled: tuple[Path, str]) -> None:
    import pyarrow.parquet as pq

    rows = [
        row
        for path in (distilled[0] / "pairs" / "selected").glob("*.parquet")
        for row in pq.read_table(path).to_pylist()
    ]
    assert rows
    for row in rows:
        assert row["x"] != row["y"]
        assert row["rouge_l"] <= 0.85 and row["tree_edit_distance"] >= 3
        assert min(row["entailment_xy"], row["entailment_yx"]) >= 0.6


def test_dataset_and_model_load_with_the_usual_libraries(distilled: tuple[Path, str]) -> None:
    from datasets import load_dataset
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    folder = distilled[0]
    files = str(folder / "self_distil" / "selected" / "*.parquet")
    pairs = load_dataset("parquet", data_files=files, split="train", cache_dir=str(folder / "cache"))
    assert {"id", "x", "y"} <= set(pairs.column_names) and len(pairs) > 0
    model = AutoModelForSeq2SeqLM.from_pretrained(folder / "train_final" / "model")
    tokenizer = AutoTokenizer.from_pretrained(folder / "train_final" / "model")
    ids = model.generate(**tokenizer(pairs[0]["x"], return_tensors="pt"), max_new_tokens=20)
    assert tokenizer.decode(ids[0], skip_special_tokens=True)


def test_scores_carry_their_signature(distilled: tuple[Path, str]) -> None:
    found = [read(path).meta for path in find(distilled[0] / "evaluation")]
    scores = {meta["system"]["name"]: meta["scores"]["bert_ibleu"] for meta in found}
    assert len(found) == 3 and scores["copy-input"]["value"] == 0
    assert all(score["signature"].startswith("beta:4") and score["n"] == 12 for score in scores.values())
    assert all(meta["protocol"] == "paper" and meta["decontamination"] for meta in found)


def test_a_second_call_makes_nothing_again(distilled: tuple[Path, str]) -> None:
    folder, first = distilled
    before = _changed(folder)
    second = distil(folder.parent)
    assert second.count("already there") == 5
    assert second.split("copy-input")[1] == first.split("copy-input")[1]
    assert _changed(folder) == before


def _changed(folder: Path) -> dict[Path, int]:
    """When the stages' tables were written."""
    return {path: path.stat().st_mtime_ns for path in folder.glob("*/*/*.parquet")}
