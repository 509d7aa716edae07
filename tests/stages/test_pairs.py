"""Pairs: what is kept, how it is stored, cutting again at other thresholds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from idist.critics import Funnel
from idist.engine import Shard, table_path, write_json
from idist.engine.shards import write_shard
from idist.errors import UserError
from idist.models import EMBEDDED
from idist.rows import COLUMNS
from idist.stages import contexts, pairs
from idist.stages.runs import number_type
from tests.stages.tiny import config, contents, rows, run_program, settings

STRICTER = {"pairs.critics.rouge_l.max": 0.6, "pairs.critics.entailment.min": 0.6, "pairs.critics.diversity.min": 0.5}
AUTO = number_type(config())


def test_kept_pairs_are_sentences_of_their_context_within_the_thresholds(undisturbed: Path) -> None:
    groups = {row["context_id"]: row for row in rows(undisturbed, "pairs", "sentences")}
    kept = rows(undisturbed, "pairs", "selected")
    assert kept
    for row in kept:
        context, i, j = row["id"].split("-")
        sentences = groups[context]["sentences"]
        assert (context, row["x"], row["y"]) == (row["context_id"], sentences[int(i)], sentences[int(j)])
        assert row["x"] != row["y"]
        assert row["rouge_l"] <= 0.800001  # float32
        assert min(row["entailment_xy"], row["entailment_yx"]) >= 0.4
    assert len({row["id"] for row in kept}) == len(kept)
    assert [row["context_id"] for row in kept] == sorted(row["context_id"] for row in kept)


def test_sentences_are_distinct_with_their_counts(undisturbed: Path) -> None:
    groups = rows(undisturbed, "pairs", "sentences")
    texts = {row["id"]: row["context"] for row in rows(undisturbed, "contexts", "contexts")}
    assert [row["context_id"] for row in groups] == list(texts)
    for row in groups:
        assert row["context"] == texts[row["context_id"]]
        assert len(set(row["sentences"])) == len(row["sentences"]) == len(row["counts"])
        assert sum(row["counts"]) <= 16 and min(row["counts"], default=1) >= 1


def test_every_pair_of_a_context_is_a_candidate(undisturbed: Path) -> None:
    groups = rows(undisturbed, "pairs", "sentences")
    candidates = rows(undisturbed, "pairs", "candidates")
    expected = [
        (row["context_id"], i, j)
        for row in groups
        for i in range(len(row["sentences"]))
        for j in range(i + 1, len(row["sentences"]))
    ]
    assert [(row["context_id"], row["i"], row["j"]) for row in candidates] == expected
    removed = [row for row in candidates if row["removed_by"] == "rouge_l"]
    assert removed and all(row["rouge_l"] > 0.9 and row["entailment_xy"] != row["entailment_xy"] for row in removed)


def test_tables_have_their_columns_and_load_as_datasets(undisturbed: Path, tmp_path: Path) -> None:
    for table, columns in (("sentences", "sentences"), ("candidates", "candidates"), ("selected", "pairs")):
        files = sorted(str(path) for path in (undisturbed / "pairs" / table).glob("*.parquet"))
        assert [Path(file).name for file in files] == [
            "00000.parquet",
            "00001.parquet",
            "00002.parquet",
            "00003.parquet",
        ]
        assert pq.read_schema(files[0]).names[: len(COLUMNS[columns])] == list(COLUMNS[columns])
        loaded = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path))
        assert loaded.num_rows == len(rows(undisturbed, "pairs", table))


def test_the_manifest_has_the_funnel_and_it_adds_up(undisturbed: Path) -> None:
    manifest = json.loads((undisturbed / "pairs" / "manifest.json").read_text())
    funnel = Funnel.from_dict(manifest["funnel"])
    assert funnel.groups == 7 and funnel.kept == manifest["rows"]["selected"] == len(
        rows(undisturbed, "pairs", "selected")
    )
    assert [step.name for step in funnel.steps] == ["rouge_l", "entailment", "diversity"]
    left = manifest["rows"]["candidates"]
    for step in funnel.steps:
        assert step.seen == left
        left -= step.removed
    assert left == funnel.kept
    assert manifest["counts"]["sentences"] >= manifest["counts"]["distinct"] > 0


def test_other_thresholds_are_cut_without_any_model(copy_of: Path, tmp_path: Path) -> None:
    scored = contents(copy_of, "sentences", "candidates")
    before = contents(copy_of, "selected", stage="pairs")
    # `auto` would ask torch what it stands for
    done = run_program(copy_of, ["pairs"], STRICTER | {"dtype": AUTO}, models=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(copy_of, "sentences", "candidates") == scored
    assert contents(copy_of, "selected", stage="pairs") != before
    fresh = tmp_path / "fresh"
    contexts.run(config(STRICTER), fresh, progress=False)
    result = pairs.run(config(STRICTER), fresh, progress=False)
    assert contents(fresh, "selected") == contents(copy_of, "selected", stage="pairs")
    assert json.loads((copy_of / "pairs" / "manifest.json").read_text())["funnel"] == result.funnel


def test_thresholds_cut_back_give_the_first_rows_again(copy_of: Path) -> None:
    before = contents(copy_of)
    assert pairs.run(config(STRICTER), copy_of, progress=False).made == 4
    assert pairs.run(config(), copy_of, progress=False).made == 4
    assert contents(copy_of) == before
    assert pairs.run(config(), copy_of, progress=False).made == 0


def test_asking_beyond_a_floor_is_refused(copy_of: Path) -> None:
    before = contents(copy_of)
    with pytest.raises(UserError, match=r"entailment\.min is 0\.1, beyond the floor 0\.2 .*--from pairs"):
        pairs.run(
            config({"pairs.critics.entailment.min": 0.1, "pairs.critics.entailment.floor": 0.1}),
            copy_of,
            progress=False,
        )
    assert contents(copy_of) == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pairs.k": 17}, r"pairs was made with pairs\.k = 16, this run asks for 17; add --from pairs"),
        ({"seed": 4}, r"contexts was made with seed = 3, this run asks for 4; add --from contexts"),
        ({"pairs.critics": [{"rouge_l": {"max": 0.8}}]}, r"pairs: .*critics.*--from pairs"),
    ],
)
def test_a_run_of_another_config_is_refused(copy_of: Path, changes: dict[str, object], message: str) -> None:
    before = contents(copy_of)
    with pytest.raises(UserError, match=message):
        contexts.run(config(changes), copy_of, progress=False)
        pairs.run(config(changes), copy_of, progress=False)
    assert contents(copy_of) == before


def test_pairs_need_contexts(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run the stage 'contexts' first"):
        pairs.run(config(), tmp_path, progress=False)


def test_a_limit_takes_the_first_contexts(undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(undisturbed / "contexts", folder / "contexts")
    result = pairs.run(config(), folder, limit=3, progress=False)
    assert result.counts["contexts"] == 3
    assert rows(folder, "pairs", "sentences") == rows(undisturbed, "pairs", "sentences")[:3]


def test_more_contexts_go_on_after_those_that_are_there(undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    for limit, made in ((3, 4), (None, 7)):  # two shards scored and cut; then the short one and two more, and four cut
        contexts.run(config(), folder, limit, progress=False)
        if limit is None:
            planned = pairs.plan(config(), folder)
            assert (planned.state, planned.items, planned.done, planned.shards) == ("begun", 7, 1, 4)
        assert pairs.run(config(), folder, progress=False).made == made
    assert contents(folder) == contents(undisturbed, "contexts", "sentences", "candidates", "selected")
    with pytest.raises(UserError, match=r"made with contexts\.taken = 7, this run asks for 3; add --from pairs"):
        pairs.run(config(), folder, limit=3, progress=False)


def test_the_plan_knows_that_there_will_be_more_contexts(undisturbed: Path) -> None:
    planned = pairs.plan(config({"contexts.count": 9}), undisturbed)
    assert (planned.state, planned.items, planned.done, planned.shards) == ("begun", 9, 3, 5)


@pytest.mark.parametrize(
    ("limit", "sizes"),
    [(None, [20, 0, 20]), (40, [20, 0, 20]), (30, [20, 0, 10]), (20, [20]), (5, [5]), (0, [])],
)
def test_sizes_keep_to_ranks_where_a_shard_is_empty(tmp_path: Path, limit: int | None, sizes: list[int]) -> None:
    own = tmp_path / "contexts"
    for rank, number in enumerate((20, 0, 20)):
        write_shard(own, "contexts", rank, Shard({"contexts": pa.table({"id": ["c"] * number})}), 0.0)
    write_json(own / "manifest.json", {"jobs": {"contexts": {"shards": 3}}})
    assert pairs._sizes(tmp_path, limit) == sizes
    table_path(own, "contexts", 1).unlink()
    if limit is None or limit > 20:
        with pytest.raises(UserError, match=r"contexts/00001\.parquet is missing; run the stage 'contexts' again"):
            pairs._sizes(tmp_path, limit)


def test_a_shard_without_contexts_is_scored_too(undisturbed: Path, tmp_path: Path) -> None:
    work = pairs.ScoreWork(config(), undisturbed, [0])
    tables = work.shard(work.open(), 0, lambda items: None).tables
    assert [table.num_rows for table in tables.values()] == [0, 0]


def test_digits_of_next_sentences_are_joined_where_asked(undisturbed: Path) -> None:
    written = ["Give 1 2 . 5 mg. Then", "Give 12.5 mg. So", "Give 1. Or 2"]
    for asked, expected in ((True, ["Give 12.5 mg.", "Give 1."]), (False, ["Give 1 2 .", "Give 12.5 mg.", "Give 1."])):
        work = pairs.ScoreWork(config({"pairs.join_digits": asked}), undisturbed, [1])
        decoder, cascade = work.open()
        decoder._sample = lambda *given, **more: [written]  # type: ignore[method-assign]
        (row,) = work.shard((decoder, cascade), 0, lambda items: None).tables["sentences"].to_pylist()
        assert row["sentences"] == expected and sum(row["counts"]) == 3


def test_a_failed_start_binds_neither_settings_nor_critics(undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(undisturbed / "contexts", folder / "contexts")
    (tmp_path / "broken").mkdir()
    wrong = {"pairs.model": str(tmp_path / "broken"), "pairs.critics": [{"rouge_l": {"max": 0.5}}]}
    with pytest.raises(UserError):
        pairs.run(config(wrong), folder, progress=False)
    assert pairs.run(config(), folder, limit=1, progress=False).made == 2


def test_a_moved_teacher_is_the_same_run(undisturbed: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(EMBEDDED / "teacher", tmp_path / "moved")
    same = config({"pairs.model": str(moved)})
    assert pairs.fingerprint(same, undisturbed, 7) == pairs.fingerprint(config(), undisturbed, 7)


def test_the_plan_counts_without_loading(undisturbed: Path, tmp_path: Path) -> None:
    planned = pairs.plan(config(), undisturbed)
    assert (planned.items, planned.shards, planned.done, planned.state) == (7, 4, 4, "finished")
    assert planned.models == ["embedded:teacher", "embedded:entailment"]
    assert pairs.plan(config({"pairs.k": 17}), undisturbed).state == "of another config"
    assert pairs.plan(config(), tmp_path).state == "to do" and not list(tmp_path.iterdir())


def test_settings_reach_critics_by_name() -> None:
    assert settings(STRICTER)["pairs"]["critics"][0]["rouge_l"] == {"max": 0.6, "floor": 0.9}
