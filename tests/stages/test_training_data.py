"""Pairs -> rows to train on: files, the split by context, encoding, the order of batches."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from idist.config import TrainConfig
from idist.errors import UserError
from idist.stages._training_data import digest_pairs, encode_pairs, read_pairs, split_by_context

ROOT = Path(__file__).parents[2]


def make_pairs(contexts: int, each: int = 4) -> pa.Table:
    """Pairs without sense."""
    rows = [(f"c{context:06d}", index) for context in range(contexts) for index in range(each)]
    return pa.table(
        {
            "id": [f"{context}-000-{index:03d}" for context, index in rows],
            "context_id": [context for context, _ in rows],
            "x": [f"Man {index} walks in {context}." for context, index in rows],
            "y": [f"In {context} walks man {index}." for context, index in rows],
        }
    )


def test_no_context_on_both_sides() -> None:
    table = read_pairs(make_pairs(400, each=3))
    training, held_out = split_by_context(table, 0.1, seed=5)
    one, other = set(training["context_id"].to_pylist()), set(held_out["context_id"].to_pylist())
    assert not one & other and len(one | other) == 400 and training.num_rows + held_out.num_rows == 1200
    assert 20 <= len(other) <= 60
    half = table.filter(pa.array([int(context[1:]) % 2 == 0 for context in table["context_id"].to_pylist()]))
    assert set(split_by_context(half, 0.1, seed=5)[1]["context_id"].to_pylist()) < other
    assert set(split_by_context(table, 0.1, seed=6)[1]["context_id"].to_pylist()) != other


@pytest.mark.parametrize("share", [0.001, 0.5])
def test_two_contexts_give_one_to_each_side(share: float) -> None:
    for seed in range(8):
        training, held_out = split_by_context(read_pairs(make_pairs(2)), share, seed)
        assert (training.num_rows, held_out.num_rows) == (4, 4)


def test_bad_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("no parquet")
    pq.write_table(make_pairs(2).drop_columns("y"), tmp_path / "columns.parquet")
    for name, words in [("none", "does not exist"), ("text", "cannot be read"), ("columns", "no column 'y'")]:
        with pytest.raises(UserError, match=f"{name}.parquet.*{words}"):
            read_pairs([tmp_path / f"{name}.parquet"])
    holed = make_pairs(1).set_column(2, "x", pa.array(["a", None, "b", "c"]))
    with pytest.raises(UserError, match="row 1 has no x"):
        read_pairs(holed)


def test_the_order_of_files_does_not_matter(tmp_path: Path) -> None:
    table = make_pairs(6)
    pq.write_table(table.slice(0, 9), tmp_path / "a.parquet")
    pq.write_table(table.slice(9), tmp_path / "b.parquet")
    digests = {digest_pairs(read_pairs([tmp_path / f"{name}.parquet" for name in names])) for names in ("ab", "ba")}
    assert digests == {digest_pairs(read_pairs(table))}


def test_long_sentences_are_cut_but_end() -> None:
    from transformers import AutoTokenizer

    config = TrainConfig(max_source_tokens=8, max_target_tokens=6, prompt="again: ")
    table = pa.Table.from_pylist([{"id": "a", "context_id": "c", "x": "A man walks home. " * 9, "y": "A man. " * 9}])
    for name, seq2seq in (("student", True), ("teacher", False)):
        tokenizer = AutoTokenizer.from_pretrained(ROOT / "idist/embedded" / name)
        row = encode_pairs(tokenizer, table, config, seq2seq)[0]
        target = [label for label in row["labels"] if label != -100]
        assert len(target) == 6 and target[-1] == tokenizer.eos_token_id
        source = row["input_ids"] if seq2seq else row["input_ids"][:8]
        assert len(source) == 8 and row["length"] == 14
        assert tokenizer.decode(source).startswith("again: A man")
        assert tokenizer.decode(source[-1:]) == (tokenizer.eos_token if seq2seq else "\n")


def test_batches_hold_rows_of_one_length_in_an_order_of_seed_and_epoch() -> None:
    from idist.stages._trainer import LengthGroupedSampler

    rng = random.Random(0)
    lengths = [rng.randint(5, 60) for _ in range(1003)]

    def padding(order: list[int]) -> int:
        batches = [[lengths[row] for row in order[start : start + 16]] for start in range(0, len(order), 16)]
        return sum(max(batch) * len(batch) - sum(batch) for batch in batches)

    def order(seed: int, epoch: int) -> list[int]:
        return list(LengthGroupedSampler(lengths, 16, seed, lambda: epoch))

    assert sorted(order(1, 0)) == list(range(1003))
    assert order(1, 0) == order(1, 0) != order(1, 1) != order(2, 1)
    assert padding(order(1, 0)) < 0.15 * padding(list(range(1003)))
