"""Rounds of self-distillation: names, who writes for whom, and that round one of several is the round of one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from idist.config import FIRST_STUDENT, TrainConfig, build_config
from idist.engine import write_json
from idist.engine.shards import read_json
from idist.errors import UserError
from idist.models import EMBEDDED, fingerprint
from idist.stages import self_distil
from idist.stages.rounds import base, earlier, in_order, known_rounds, pairs_of, round_of, writer
from idist.stages.runs import STAGES, remake, stage_folder
from recipes.command import Request
from recipes.distill import DISTILLATION
from recipes.pipeline import needed, plan, train_stage
from tests.stages.conftest import put_student
from tests.stages.student import make_pairs, save_tiny_student
from tests.stages.tiny import config, contents, rows

THREE = {"self_distil.rounds": 3}
IN_ORDER = ["self_distil_1", "train_final_1", "self_distil_2", "train_final_2", "self_distil", "train_final"]


def test_the_last_round_has_the_plain_names() -> None:
    three = config(THREE)
    assert [*earlier(3), "self_distil", "train_final"] == IN_ORDER and earlier(1) == []
    assert [round_of(three, stage) for stage in IN_ORDER] == [1, 1, 2, 2, 3, 3]
    assert [writer(three, stage) for stage in IN_ORDER[::2]] == ["train", "train_final_1", "train_final_2"]
    assert writer(config(), "self_distil") == writer(config(), "train_final") == "train"
    assert [base(stage) for stage in IN_ORDER] == ["self_distil", "train_final"] * 3
    assert [pairs_of(stage) for stage in IN_ORDER[1::2]] == IN_ORDER[::2]
    assert base("train_control") == "train_control" and base("train_2") == "train_2"


def test_stages_of_a_request() -> None:
    three, folder = config(THREE), Path("nowhere")
    assert needed(Request(three, folder, DISTILLATION, None, False, None)) == ["contexts", "pairs", "train", *IN_ORDER]
    assert needed(Request(three, folder, ("self_distil",), None, False, None)) == ["self_distil"]
    assert in_order(STAGES, 1) == STAGES and in_order(STAGES, 3)[3:9] == tuple(IN_ORDER)


def test_the_first_of_several_rounds_writes_what_the_only_one_does(distilled: Path, tmp_path: Path) -> None:
    put_student(tmp_path)
    result = self_distil.run(config(THREE), tmp_path, progress=False, stage="self_distil_1")
    assert (result.stage, result.folder.name) == ("self_distil_1", "self_distil_1")
    written, alone = (
        {name.partition("/")[2]: data for name, data in contents(folder, stage=stage).items()}
        for folder, stage in ((tmp_path, "self_distil_1"), (distilled, "self_distil"))
    )
    assert written == alone
    renamed = tmp_path / "renamed"  # so a run of one round can go on with more
    shutil.copytree(distilled / "train", renamed / "train")
    shutil.copytree(distilled / "self_distil", renamed / "self_distil_1")
    assert self_distil.plan(config(THREE), renamed, stage="self_distil_1").state == "finished"
    assert self_distil.plan(config(), distilled).state == "finished"
    assert self_distil.plan(config(THREE), distilled).state == "of another config"


def test_a_later_round_has_other_sources_and_the_student_of_the_round_before(distilled: Path, tmp_path: Path) -> None:
    two = config({"self_distil.rounds": 2})
    put_student(tmp_path)
    with pytest.raises(UserError, match="run the stage 'train_final_1' first"):
        self_distil.run(two, tmp_path, progress=False)
    shutil.copytree(EMBEDDED / "student", tmp_path / "train_final_1" / "model")
    self_distil.run(two, tmp_path, limit=8, progress=False)
    assert self_distil.plan(two, tmp_path).state == "begun"
    assert self_distil.run(two, tmp_path, progress=False).rows["sources"] == 24
    found, first = (rows(folder, "self_distil", "sources") for folder in (tmp_path, distilled))
    assert all(row["id"].endswith("r2") for row in found) and len({row["id"] for row in found}) == 24
    assert len({row["x"] for row in found} & {row["x"] for row in first}) < 6
    planned = self_distil.plan(two, tmp_path)
    assert planned.state == "finished" and planned.models[:2] == ["embedded:teacher", "run:train_final_1"]
    whole = tmp_path / "whole"
    shutil.copytree(tmp_path / "train_final_1", whole / "train_final_1")
    self_distil.run(two, whole, progress=False)
    assert contents(whole, stage="self_distil") == contents(tmp_path, stage="self_distil")


def put_pairs(folder: Path, stage: str, contexts: int) -> None:
    import pyarrow.parquet as pq

    (folder / stage / "selected").mkdir(parents=True)
    pq.write_table(make_pairs(contexts), folder / stage / "selected" / "00000.parquet")
    write_json(folder / stage / "manifest.json", {})


def test_each_round_trains_the_student_that_wrote_its_pairs(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    training = {"model": save_tiny_student(tmp_path / "tiny"), "batch_size": 8, "epochs": 1, "evaluations": 1}
    two = build_config({"train": training, "self_distil": {"rounds": 2, "with_teacher": True}, "device": "cpu"})
    for stage, contexts in (("pairs", 8), ("self_distil_1", 9), ("self_distil", 10)):
        put_pairs(folder, stage, contexts)
    with pytest.raises(UserError, match="run the stage 'train' first"):
        train_stage("train_final_1")(two, folder, progress=False)
    before = Path(training["model"])
    sizes = []
    for stage in ("train", "train_final_1", "train_final"):
        result = train_stage(stage)(two, folder, progress=False)
        assert result.stage == stage and result.folder == stage_folder(folder, stage)
        summary = read_json(stage_folder(folder, stage) / "training.json")
        assert summary["fingerprint"]["student"] == fingerprint(str(before))
        before = stage_folder(folder, stage) / "model"
        sizes.append(int(result.rows["pairs"] + result.counts["held_out"]))
    per_context = sizes[0] // 8
    assert sizes == [8 * per_context, 17 * per_context, 18 * per_context], "the teacher's and its own"
    assert isinstance(two.train_final, TrainConfig) and two.train_final.model == FIRST_STUDENT
    said = plan(Request(two, folder, DISTILLATION, None, True, "self_distil")).splitlines()
    states = {line.split()[0]: line for line in said[1:]}
    assert "finished" in states["train_final_1"] and "models: run:train" in states["train_final_1"]
    assert "to be made again" in states["train_final"] and "models: run:train_final_1" in states["train_final"]


def test_remaking_a_round_deletes_it_and_all_after_it(tmp_path: Path) -> None:
    for stage in ("contexts", "pairs", "train", *IN_ORDER, "control"):
        (tmp_path / stage).mkdir()
    assert known_rounds(tmp_path, "pairs") == 3
    assert remake(tmp_path, "train_final_2") == ["train_final_2", "self_distil", "train_final", "control"]
    assert remake(tmp_path, "train_final_2") == []
    assert remake(tmp_path, "train") == ["train", "self_distil_1", "train_final_1", "self_distil_2"]
    assert remake(tmp_path, "self_distil_1") == []
    with pytest.raises(UserError, match=r"No stage is called 'self_distil_x'; did you mean 'self_distil'"):
        remake(tmp_path, "self_distil_x")
