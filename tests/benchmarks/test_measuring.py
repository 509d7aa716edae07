"""What benchmarks compute beside what they time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import torch

from benchmarks import decoding_memory, half_precision, similarity_floor
from benchmarks.stored_run import StoredRun, stored_run
from idist.critics import Group

ENTAILMENT = {"entailment": {"min": 0.7, "floor": 0.5, "model": "embedded:entailment"}}


def test_bytes_of_a_shape_are_those_of_the_model() -> None:
    for shape, (layers, width, heads) in decoding_memory.SHAPES.items():
        from transformers import GPT2Config, GPT2LMHeadModel

        with torch.device("meta"):
            model = GPT2LMHeadModel(GPT2Config(n_layer=layers, n_embd=width, n_head=heads))
        found = decoding_memory.expected(shape, "float32", 100, 100, 3)
        assert found["weights"] == 4 * sum(weight.numel() for weight in model.parameters())
        assert found["prefix"] == 100 * 2 * layers * width * 4 and found["rows"] == 103 * found["prefix"]


def run_of(tmp_path: Path) -> Path:
    """Two contexts with scored pairs, as the stage `pairs` leaves them."""
    sentences = {"context_id": ["c0", "c1"], "sentences": [["A.", "B.", "C."], ["D.", "E."]]}
    candidates = {
        "context_id": ["c0", "c0", "c0", "c1"],
        "i": [0, 0, 1, 0],
        "j": [1, 2, 2, 1],
        "removed_by": [None, "similarity", "entailment", None],
        "entailment_xy": [0.9, float("nan"), 0.1, 0.9],
        "entailment_yx": [0.8, float("nan"), float("nan"), 0.9],
    }
    for name, columns in (("sentences", sentences), ("candidates", candidates)):
        folder = tmp_path / "pairs" / name
        folder.mkdir(parents=True)
        parquet.write_table(pa.table(columns), folder / "00000.parquet")
    critics = "[{similarity: {min: 0.6}}, {entailment: {min: 0.7, floor: 0.5, model: 'embedded:entailment'}}]"
    (tmp_path / "config.yaml").write_text(f"name: small\npairs:\n  critics: {critics}\n", encoding="utf-8")
    return tmp_path


def test_a_stored_run_is_read(tmp_path: Path) -> None:
    run = stored_run(run_of(tmp_path), contexts=5)
    assert run.name == "small" and [group.sentences for group in run.groups] == [["A.", "B.", "C."], ["D.", "E."]]
    asked = run.pairs_where(~np.isnan(run.columns["entailment_xy"]))
    assert [(group.id, pairs.tolist()) for group, pairs in asked] == [("c0", [[0, 1], [1, 2]]), ("c1", [[0, 1]])]
    assert similarity_floor.own_floor(run) == 0.6
    [one] = stored_run(tmp_path, contexts=1).groups
    assert one.id == "c0"
    with pytest.raises(SystemExit, match="no scored pairs"):
        stored_run(tmp_path / "pairs", contexts=1)


def test_flips_are_counted() -> None:
    run = StoredRun("small", [ENTAILMENT], [Group("c0", ["A.", "B."])], {})
    assert half_precision.thresholds(run) == {
        0.75: ["the paper's threshold"],
        0.7: ["small's threshold"],
        0.5: ["small's floor"],
    }
    exact = np.array([[0.9, 0.9], [0.76, 0.8], [0.1, 0.74], [0.74, 0.9]])
    half = np.array([[0.9, 0.9], [0.74, 0.8], [0.1, 0.76], [0.75, 0.9]])
    paper, own, floor = half_precision.flips(exact, half, run, "bfloat16", "some model")
    assert paper.ours == 50.0  # one lost, one won; the third was and is refused
    assert "of 2 accepted 1 lost, 1 won" in paper.note and "3 of 8" in paper.note
    assert own.ours == floor.ours == 0.0
