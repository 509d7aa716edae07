"""Contexts from the shipped teacher and from a person's own text."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from idist.config import RunConfig, build_config
from idist.errors import UserError
from idist.models import EMBEDDED
from idist.rows import schema
from idist.stages import contexts, runs
from idist.stages.samples import SampleWriter

SENTENCES = [
    "The ferry leaves at noon.",
    "Two men carry a piano up the ramp.",
    "A child counts the gulls.",
    "Nobody has seen the captain.",
    "The rain stops at last.",
    "Someone sings below deck.",
    "The harbour grows small.",
]


def config(size: int = 3, **settings: Any) -> RunConfig:
    own = {"model": "embedded:teacher", "max_new_tokens": 30, "count": 7, "max_sentences": 2}
    return build_config({"contexts": own | settings, "engine": {"shard_size": size}})


def rows(folder: Path) -> list[dict[str, Any]]:
    files = sorted((folder / "contexts" / "contexts").glob("*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def run(settings: RunConfig, folder: Path, **more: Any) -> runs.StageResult:
    return contexts.run(settings, folder, progress=False, **more)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of `config`; tests that change it copy it."""
    folder = tmp_path_factory.mktemp("made")
    run(config(), folder)
    return folder


def test_the_teacher_writes_complete_sentences(tmp_path: Path) -> None:
    result = run(config(prefixes="news"), tmp_path)
    found = rows(tmp_path)
    assert [row["id"] for row in found] == [f"c{number:06d}" for number in range(7)]
    assert result.rows == {"contexts": 7} and result.counts["contexts"] == 7
    for row in found:
        assert row["context"][-1] in ".?!\"'”’)"
        assert 1 <= row["num_sentences"] <= 2
        assert row["prefix"].endswith("--") and row["prefix"] not in row["context"]
    assert pq.read_schema(tmp_path / "contexts" / "contexts" / "00000.parquet").equals(schema("contexts"))
    assert len({row["context"] for row in found}) > 1


def test_rows_depend_on_seed_and_id_alone(tmp_path: Path, made: Path) -> None:
    run(config(size=7), tmp_path, limit=4)
    assert rows(tmp_path) == rows(made)[:4]


def test_more_contexts_go_on_after_those_that_are_there(tmp_path: Path, made: Path) -> None:
    run(config(), tmp_path, limit=4)  # a whole shard and a short one
    first = tmp_path / "contexts" / "contexts" / "00000.parquet"
    written = first.stat().st_mtime_ns
    planned = contexts.plan(config(), tmp_path)
    assert (planned.state, planned.done, planned.shards) == ("begun", 1, 3)
    assert run(config(size=5), tmp_path).made == 2 and first.stat().st_mtime_ns == written
    assert rows(tmp_path) == rows(made)
    assert contexts.plan(config(), tmp_path).state == "finished"
    with pytest.raises(UserError, match=r"made with contexts\.count = 7, this run asks for 4; add --from contexts"):
        run(config(), tmp_path, limit=4)
    assert rows(tmp_path) == rows(made)


def test_more_windows_of_a_text_go_on_after_those_that_are_there(tmp_path: Path) -> None:
    text = tmp_path / "own.txt"
    text.write_text("\n".join(["One.", *SENTENCES[:3], "Two.", *SENTENCES[3:]]), encoding="utf-8")
    settings = config(source=str(text), count=6, min_sentences=1, max_sentences=1)
    fresh = run(settings, tmp_path / "fresh")
    run(settings, tmp_path / "grown", limit=3)
    grown = run(settings, tmp_path / "grown")
    assert rows(tmp_path / "grown") == rows(tmp_path / "fresh") and len(rows(tmp_path / "fresh")) == 6
    assert grown.counts == fresh.counts and 0 < grown.made <= 2


def test_a_finished_stage_is_skipped_and_its_shard_size_kept(made: Path) -> None:
    before = (made / "contexts" / "manifest.json").read_bytes()
    assert run(config(size=5), made).made == 0
    assert (made / "contexts" / "manifest.json").read_bytes() == before


def test_samples_without_a_sentence_are_drawn_again_and_given_up_in_the_end(tmp_path: Path) -> None:
    result = run(config(max_new_tokens=2, count=2), tmp_path)  # two tokens are rarely a sentence
    assert result.counts["samples"] >= contexts.ATTEMPTS
    assert result.counts["contexts"] + result.counts["given_up"] == 2
    assert result.rows["contexts"] == result.counts["contexts"]


def test_another_config_is_refused_by_its_first_differing_key(made: Path) -> None:
    with pytest.raises(UserError) as caught:
        run(config(temperature=0.5, max_sentences=3), made)
    assert "contexts.max_sentences = 2, this run asks for 3; add --from contexts" in str(caught.value)
    assert len(rows(made)) == 7


def test_a_failed_start_does_not_bind_the_folder(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()  # a folder, but no model in it
    with pytest.raises(UserError):
        run(config(model=str(tmp_path / "broken"), count=2), tmp_path)
    assert contexts.plan(config(count=2), tmp_path).state == "to do"
    assert run(config(count=2), tmp_path).made == 1


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl", reason="this system has no file locks of this kind")
    with (tmp_path / ".lock").open("a") as others, pytest.raises(UserError, match="Another process is working in"):
        fcntl.flock(others, fcntl.LOCK_EX)  # to the system another opening is as good as another process
        run(config(), tmp_path)
    assert not (tmp_path / "contexts").exists()


def test_a_moved_model_and_a_named_number_type_are_the_same_run(tmp_path: Path, made: Path) -> None:
    moved = shutil.copytree(EMBEDDED / "teacher", tmp_path / "moved")
    same = replace(config(model=str(moved)), dtype="float32", device="cpu")
    assert contexts.fingerprint(same, 7) == contexts.fingerprint(replace(config(), device="cpu"), 7)
    half = replace(config(), dtype="bfloat16")
    with pytest.raises(UserError, match=r"contexts\.dtype = \"\w+\", this run asks for \"bfloat16\""):
        run(half, made)


def test_samples_may_repeat_words_and_the_fingerprint_says_so(made: Path) -> None:
    mark = contexts.fingerprint(config(), 7)[contexts.STAGE]
    assert (
        mark["no_repeat_ngram_size"]
        == 0
        == SampleWriter(config(), "embedded:teacher").decoder.sampling.no_repeat_ngram_size
    )


def test_digits_are_joined_where_asked() -> None:
    for asked, expected in ((True, "Give 12.5 mg a day."), (False, "Give 1 2 . 5 mg a day.")):
        writer = SampleWriter(config(join_digits=asked), "embedded:teacher")
        writer.decoder.continuations = lambda prompts, *more: [["Give 1 2 . 5 mg a day."] for _ in prompts]  # type: ignore[method-assign]
        (sample,) = writer.draw(["c000000"])
        assert " ".join(sample.sentences) == expected


def test_remake_deletes_the_stage_and_what_follows(tmp_path: Path) -> None:
    (tmp_path / "contexts" / "contexts").mkdir(parents=True)
    (tmp_path / "train").mkdir()
    assert runs.remake(tmp_path, "contexts") == ["contexts", "train"]
    assert not list(tmp_path.iterdir())
    with pytest.raises(UserError, match="No stage is called 'pair'; did you mean 'pairs'"):
        runs.remake(tmp_path, "pair")


def test_the_plan_says_what_is_done(tmp_path: Path, made: Path) -> None:
    assert contexts.plan(config(), tmp_path).state == "to do"
    assert not list(tmp_path.iterdir())
    planned = contexts.plan(config(size=5), made)
    assert (planned.items, planned.shards, planned.done, planned.state) == (7, 3, 3, "finished")
    assert planned.models == ["embedded:teacher"]
    assert contexts.plan(config(temperature=0.5), made).state == "of another config"


def test_the_manifest_says_where_rows_come_from(made: Path) -> None:
    manifest = json.loads((made / "contexts" / "manifest.json").read_text())
    assert manifest["rows"] == {"contexts": 7}
    mark = manifest["jobs"]["contexts"]["fingerprint"]["contexts"]
    assert mark["weights"].startswith("folder:") and mark["temperature"] == 1.0
    assert manifest["libraries"]["torch"] and manifest["seconds"] > 0


# --- a person's own text ---


def test_lines_are_documents_cut_into_windows(tmp_path: Path) -> None:
    text = tmp_path / "own.txt"
    text.write_text(" ".join(SENTENCES[:4]) + "\n" + " ".join(SENTENCES[4:]) + "\n", encoding="utf-8")
    result = run(config(source=str(text), min_sentences=2), tmp_path)
    assert [row["context"] for row in rows(tmp_path)] == [
        " ".join(SENTENCES[0:2]),
        " ".join(SENTENCES[2:4]),
        " ".join(SENTENCES[4:6]),
    ]
    assert result.counts == {"contexts": 3, "documents": 2}
    assert rows(tmp_path)[0]["source"] == str(text)


def test_blank_lines_separate_documents_of_several_lines(tmp_path: Path) -> None:
    text = tmp_path / "own.txt"
    text.write_text("\n" + "\n".join(SENTENCES[:2]) + "\n\n\n" + SENTENCES[2] + "\n\n", encoding="utf-8-sig")
    run(config(source=str(text), min_sentences=2), tmp_path)
    assert [row["context"] for row in rows(tmp_path)] == [" ".join(SENTENCES[:2])]


def test_a_column_of_a_parquet_file_and_its_null_rows(tmp_path: Path) -> None:
    file = tmp_path / "own.parquet"
    pq.write_table(pa.table({"body": [SENTENCES[0], None, SENTENCES[1], "", None]}), file)
    result = run(config(source=str(file), column="body"), tmp_path)
    assert [row["context"] for row in rows(tmp_path)] == SENTENCES[:2]
    assert result.counts == {"contexts": 2, "documents": 3, "null_rows": 2, "too_short": 1}


def test_a_dataset_is_streamed_and_count_is_a_ceiling(tmp_path: Path) -> None:
    folder = tmp_path / "dataset"
    folder.mkdir()
    pq.write_table(pa.table({"body": SENTENCES, "other": list(range(7))}), folder / "train.parquet")
    run(config(source=str(folder), column="body", count=5), tmp_path)
    assert [row["context"] for row in rows(tmp_path)] == SENTENCES[:5]


def test_changed_text_is_another_run(tmp_path: Path) -> None:
    text = tmp_path / "own.txt"
    text.write_text(SENTENCES[0], encoding="utf-8")
    run(config(source=str(text)), tmp_path)
    text.write_text(SENTENCES[1], encoding="utf-8")
    with pytest.raises(UserError, match=r"made with contexts\.text = \"file:"):
        run(config(source=str(text)), tmp_path)


def _bad_text(tmp_path: Path) -> dict[str, tuple[dict[str, Any], str]]:
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "blank.txt").write_text(" \n\n \n")
    (tmp_path / "latin.txt").write_bytes("A full line.\nA caf\xe9 closes.\n".encode("latin-1"))
    (tmp_path / "table.csv").write_text("text\nA full line.\n")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "dataset").mkdir()
    pq.write_table(pa.table({"text": [SENTENCES[0]], "size": [1]}), tmp_path / "good.parquet")
    pq.write_table(pa.table({"body": [SENTENCES[0], None]}), tmp_path / "dataset" / "train.parquet")
    pq.write_table(pa.table({"text": pa.array([None, None], pa.string())}), tmp_path / "nulls.parquet")
    return {
        "missing": ({"source": str(tmp_path / "gone.txt")}, r"gone\.txt does not exist"),
        "empty": ({"source": str(tmp_path / "empty.txt")}, r"empty\.txt is empty"),
        "blank": ({"source": str(tmp_path / "blank.txt")}, r"blank\.txt is empty"),
        "latin-1": (
            {"source": str(tmp_path / "latin.txt")},
            r"latin\.txt is not UTF-8: line 2 has byte 0xe9 at offset 18",
        ),
        "kind": ({"source": str(tmp_path / "table.csv")}, r"ends in '\.csv', expected \.txt or \.parquet"),
        "broken": ({"source": str(tmp_path / "broken.parquet")}, r"broken\.parquet is not a parquet file"),
        "column": (
            {"source": str(tmp_path / "good.parquet"), "column": "txt"},
            r"no column 'txt'; did you mean 'text'",
        ),
        "type": (
            {"source": str(tmp_path / "good.parquet"), "column": "size"},
            r"'size' of .* holds int64, expected text",
        ),
        "nulls": ({"source": str(tmp_path / "nulls.parquet")}, r"gave no context \(0 documents, 2 null rows\)"),
        "dataset": ({"source": str(tmp_path / "dataset"), "column": "bodi"}, r"no column 'bodi'; did you mean 'body'"),
        "split": ({"source": str(tmp_path / "dataset"), "split": "dev"}, r"could not be loaded as a dataset: .*dev"),
        "hub": ({"source": "nobody/nothing"}, r"'nobody/nothing' is no file here and could not be loaded"),
    }


@pytest.mark.parametrize(
    "case",
    ["missing", "empty", "blank", "latin-1", "kind", "broken", "column", "type", "nulls", "dataset", "split", "hub"],
)
def test_bad_text_is_one_clear_sentence(tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    settings, message = _bad_text(tmp_path)[case]
    with pytest.raises(UserError, match=message) as caught:
        run(config(**settings), tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run" / "contexts" / "manifest.json").exists()
