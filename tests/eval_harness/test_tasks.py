"""Tasks: what ships is well described and loads; YAML is checked key by key; counts and folders are checked."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from eval_harness.builtin import BUILT_IN
from eval_harness.tasks.base import TaskData
from eval_harness.tasks.file_task import FileTask
from eval_harness.tasks.layouts import Lines, Table
from eval_harness.tasks.spec import read_task
from idist.errors import UserError

DATA = Path(os.environ.get("IDIST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
BUNDLED = {"scenes": 200, "scenes-syntax": 100, "scenes-summary": 100}  # at least so many examples
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real benchmark files are not here (IDIST_DATA)")


def shipped(name: str) -> FileTask:
    return read_task(Path(BUILT_IN["task"][name]))


def make(tmp_path: Path, **keys: Any) -> FileTask:
    """A task of line-aligned files a and b, with other keys as given."""
    tree: dict[str, Any] = {"name": "mine", "description": "A test.", "purpose": "paraphrase"}
    tree["local"] = {"layout": "lines", "source": "a", "references": "b"}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**tree, **keys}))
    return read_task(path)


def fill(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content)
    return folder


# What ships


@pytest.mark.parametrize("name", BUILT_IN["task"])
def test_every_task_that_ships_is_described_in_full(name: str) -> None:
    task = shipped(name)
    assert task.name == name and task.problems() == []
    assert task.license and task.description and "\n" not in task.description
    assert task.bundled or task.local  # whatever is on the Hub, it can be had without it
    assert (task.purpose == "syntax") == name.endswith("-syntax")
    if task.hub:
        assert task.columns and re.fullmatch(r"[0-9a-f]{40}", task.hub.revision or "")
    assert {path.stem for path in Path(BUILT_IN["task"][name]).parent.glob("*.yaml")} == set(BUILT_IN["task"])


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_tasks_load_wherever_they_are_asked_for(name: str, tmp_path: Path) -> None:
    task = shipped(name)
    data = task.load()
    assert len(data.examples) >= BUNDLED[name] and (data.origin, data.revision) == ("bundled", None)
    assert data == task.load(tmp_path)  # a data folder is for the others
    assert task.load(limit=3).examples == data.examples[:3]
    assert all((example.exemplar is not None) == (task.purpose == "syntax") for example in data.examples)
    assert task.is_present(tmp_path) and task.address() == {"hub": None, "split": None}


REAL = {"mrpc": 1147, "gigaword": 1951, "quora": 4000, "mscoco": 7000}


@needs_data
@pytest.mark.parametrize("name", REAL)
def test_the_real_benchmarks_have_their_published_sizes(name: str) -> None:
    task = shipped(name)
    data = task.load(DATA)
    assert len(data.examples) == REAL[name] and data.origin == "local"
    assert data.fingerprint == task.load(DATA / name).fingerprint  # the folder itself may be named
    assert all(len(example.references) == 1 for example in data.examples)


@needs_data
def test_mrpc_is_the_positives_from_the_first_sentence_to_the_second() -> None:
    lines = (DATA / "mrpc" / "msr_paraphrase_test.txt").read_text(encoding="utf-8-sig").split("\n")[1:-1]
    rows = [line.split("\t") for line in lines]
    expected = [(f"mrpc-{i:06d}", row[3].strip(), (row[4].strip(),)) for i, row in enumerate(rows) if row[0] == "1"]
    examples = shipped("mrpc").load(DATA).examples
    assert [(example.id, example.source, example.references) for example in examples] == expected


@needs_data
def test_of_the_mscoco_table_every_pair_is_scored_once() -> None:
    examples = shipped("mscoco").load(DATA).examples
    assert len({frozenset((example.source, *example.references)) for example in examples}) == len(examples)


def test_sgcp_files_are_told_apart_by_what_they_hold(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "ParaNMT50m" / "test"
    for reference in ("ref.txt", "refs.txt"):
        texts = {name: f"{name} says\n" * 800 for name in ("src.txt", "tgt.txt", reference)}
        for path in folder.glob("*"):
            path.unlink()
        fill(folder, **texts)
        plain, syntax = shipped("paranmt-small").load(tmp_path), shipped("paranmt-small-syntax").load(tmp_path)
        assert len(plain.examples) == len(syntax.examples) == 800
        assert syntax.examples[0].source == plain.examples[0].source == "src.txt says"
        assert syntax.examples[0].references == plain.examples[0].references == (f"{reference} says",)
        assert syntax.examples[0].exemplar == "tgt.txt says" and plain.examples[0].exemplar is None


def test_parasci_is_found_in_the_folders_of_its_authors(tmp_path: Path) -> None:
    folder = tmp_path / "Data" / "ParaSCI-arXiv" / "test"
    fill(folder, **{"test.src": "a\n" * 2549, "test.tgt": "b\n" * 2549})
    task = shipped("parasci-arxiv")
    places = (tmp_path, folder.parent, folder)
    assert [len(task.load(place).examples) for place in places] == [2549] * 3
    fill(folder, **{"test.src": "a\n" * 2345, "test.tgt": "b\n" * 2345})  # ParaSCI-ACL has so many
    with pytest.raises(UserError, match=r"test\.src: 2,345 examples in it, expected 2,549"):
        task.load(tmp_path)


QUORA = {
    "official": "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n0\t1\t2\tA?\tB?\t1\n1\t3\t4\tC?\tD?\t0\n",
    "positives": "question1\tquestion2\nA?\tB?\n",
    "named": "source\ttarget\nA?\tB?\n",
    "bare": "A?\tB?\n",
}


@pytest.mark.parametrize("kind", QUORA)
def test_quora_as_one_table(tmp_path: Path, kind: str) -> None:
    examples = shipped("quora").load(fill(tmp_path, **{"test.tsv": QUORA[kind]})).examples
    assert [(example.source, example.references) for example in examples] == [("A?", ("B?",))]


def test_mscoco_as_captions_has_several_references(tmp_path: Path) -> None:
    notes = ", ".join(f'{{"image_id": {i}, "caption": "Caption {i} {k}."}}' for k in range(5) for i in (9, 4))
    fill(tmp_path / "annotations", **{"captions_val2014.json": f'{{"annotations": [{notes}]}}'})
    examples = shipped("mscoco").load(tmp_path).examples
    assert [example.id for example in examples] == ["mscoco-9", "mscoco-4"]
    assert examples[0].references == tuple(f"Caption 9 {k}." for k in range(1, 5))


def test_gigaword_has_no_parquet_on_the_hub_and_says_where_to_get_it() -> None:
    with pytest.raises(UserError, match="Task 'gigaword': .* --data-dir.* Harvard/gigaword"):
        shipped("gigaword").load()


# Loading


def test_counts_are_checked_unless_there_is_a_limit(tmp_path: Path) -> None:
    fill(tmp_path, a="1\n2\n3\n", b="4\n5\n6\n")
    assert len(make(tmp_path, examples=3).load(tmp_path).examples) == 3
    task = make(tmp_path, examples=4)
    with pytest.raises(UserError, match=r"^Task 'mine': .*/a: 3 examples in it, expected 4;"):
        task.load(tmp_path)
    assert len(task.load(tmp_path, limit=2).examples) == 2
    with pytest.raises(UserError, match="limit is 0"):
        task.load(tmp_path, limit=0)
    with pytest.raises(UserError, match=r"/a, line 1: 1 references, expected 2\."):
        make(tmp_path, references=2).load(tmp_path)


def test_a_filter_that_leaves_nothing(tmp_path: Path) -> None:
    fill(tmp_path, **{"t.csv": "x,y,kind\n1,2,a\n"})
    columns = {"source": "x", "references": ["y"]}
    task = make(tmp_path, bundled="t.csv", columns=columns, filter={"kind": "b"})
    with pytest.raises(UserError, match=r"t\.csv: no row with kind = b"):
        task.load()
    assert len(make(tmp_path, bundled="t.csv", columns=columns, filter={"kind": "a"}).load().examples) == 1


def test_the_fingerprint_follows_ids_and_texts(tmp_path: Path) -> None:
    fill(tmp_path, a="1\n2\n", b="3\n4\n")
    first = make(tmp_path).load(tmp_path)
    assert first == make(tmp_path).load(tmp_path)
    prints = {first.fingerprint, make(tmp_path).load(tmp_path, limit=1).fingerprint}
    fill(tmp_path, b="3\n5\n")
    prints.add(make(tmp_path).load(tmp_path).fingerprint)
    prints.add(make(tmp_path, name="other").load(tmp_path).fingerprint)
    assert len(prints) == 4


def test_where_files_are_looked_for(tmp_path: Path) -> None:
    task = make(tmp_path, folders=["Mine", "data/mine"], obtain="Ask the authors.")
    expected = "no files in .*, expected a and b there or in its folder Mine or data/mine. Ask the authors."
    with pytest.raises(UserError, match=expected):
        task.load(tmp_path)
    assert not task.is_present(tmp_path)
    with pytest.raises(UserError, match="data folder .*nowhere does not exist"):
        task.load(tmp_path / "nowhere")
    fill(tmp_path / "data" / "mine" / "test", a="1\n")
    assert task.is_present(tmp_path)
    with pytest.raises(UserError, match=r"data/mine/test has a but no b, expected all of them\."):
        task.load(tmp_path)
    fill(tmp_path / "data" / "mine" / "test", b="2\n")
    assert task.load(tmp_path).examples[0].references == ("2",)
    with pytest.raises(UserError, match=r"--data-dir\. Ask the authors\."):
        task.load()  # nowhere on the Hub


def test_the_first_layout_that_fits_is_taken(tmp_path: Path) -> None:
    table = {"layout": "table", "file": "t.tsv", "source": "x", "references": ["y"]}
    task = make(tmp_path, local=[{"layout": "lines", "source": "a", "references": "b"}, table])
    fill(tmp_path, **{"t.tsv": "x\tz\n1\t2\n"})
    with pytest.raises(UserError, match="line 1: no column y, found x, z"):
        task.load(tmp_path)
    fill(tmp_path, **{"t.tsv": "x\ty\n1\t2\n"})
    assert task.load(tmp_path).examples[0].source == "1"
    fill(tmp_path, a="3\n", b="4\n")
    assert task.load(tmp_path).examples[0].source == "3"


def test_ids_of_the_data_must_be_unique(tmp_path: Path) -> None:
    fill(tmp_path, **{"t.tsv": "id\tx\ty\nk1\t1\t2\nk1\t3\t4\n"})
    columns = {"source": "x", "references": "y", "id": "id"}
    task = make(tmp_path, bundled="t.tsv", columns=columns)
    assert task.load(limit=1).examples[0].id == "mine-k1"
    with pytest.raises(UserError, match="Two examples have the id 'mine-k1'"):
        task.load()


# The YAML


def test_a_yaml_becomes_a_task(tmp_path: Path) -> None:
    task = make(
        tmp_path,
        description="Two\nlines.",
        metrics=["bleu,protocol=standard"],
        hub={"dataset": "a/b", "config": "c", "split": "dev"},
        columns={"source": "x", "references": "y"},
        local=[{"layout": "table", "file": "t.txt", "source": "x", "references": "y", "format": "csv"}],
    )
    assert (task.description, task.metrics) == ("Two lines.", ("bleu,protocol=standard",))
    assert task.address() == {"hub": "a/b/c", "split": "dev"} and task.hub and task.hub.pattern() == "c/dev-*"
    assert task.default_metrics() == ("bleu,protocol=standard",)
    assert task.local == [Table("t.txt", "x", ["y"], format="csv")]
    assert make(tmp_path).local == [Lines("a", ["b"])]
    assert make(tmp_path).problems() == [
        "Task 'mine' has neither hub nor bundled, expected obtain to say where its files are."
    ]


HUB = {"dataset": "a/b"}
COLUMNS = {"source": "x", "references": "y"}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "key": ({"descripton": "x"}, "unknown key 'descripton'; did you mean 'description'?"),
    "section": ({"colums": {}}, "unknown key 'colums'; did you mean 'columns'?"),
    "purpose": ({"purpose": "poetry"}, "purpose is 'poetry', expected one of: paraphrase, syntax, summary."),
    "number": ({"examples": "many"}, "examples is 'many', expected a whole number."),
    "zero": ({"references": 0}, "references is 0, expected 1 or more."),
    "name": ({"name": 7}, "name is 7, expected a string."),
    "layout": ({"local": {"layout": "line"}}, "local.layout is 'line'; did you mean 'lines'?"),
    "no layout": ({"local": [{"file": "x"}]}, "local[0].layout is missing; expected one of: captions, lines, table."),
    "setting": ({"local": {"layout": "captions", "fil": "x"}}, "no key 'local.file'"),
    "unknown setting": (
        {"local": {"layout": "captions", "file": "x", "fil": "x"}},
        "unknown key 'local.fil'; did you mean 'file'?",
    ),
    "hub key": ({"hub": {**HUB, "slit": "x"}, "columns": COLUMNS}, "unknown key 'hub.slit'; did you mean 'split'?"),
    "hub dataset": ({"hub": {"split": "test"}, "columns": COLUMNS}, "no key 'hub.dataset', expected one."),
    "hub alone": ({"hub": HUB}, "no key 'columns', expected the columns of the data."),
    "columns": ({"hub": HUB, "columns": "x"}, "columns is 'x', expected a section of keys."),
    "no reference": ({"hub": HUB, "columns": {"source": "x"}}, "no key 'columns.references', expected one."),
    "empty": ({"columns": {"source": "x", "references": []}}, "columns.references is empty, expected at least one."),
    "no road": ({"local": None}, "none of bundled, hub and local, expected at least one."),
    "exemplar": ({"purpose": "syntax"}, "purpose is syntax and lines names no exemplar."),
    "too many": (
        {"hub": HUB, "columns": {**COLUMNS, "exemplar": "z"}},
        "purpose is paraphrase and columns names the exemplar 'z'.",
    ),
    "format": (
        {"local": {"layout": "table", "file": "t", **COLUMNS, "format": "xls"}},
        "local.format is 'xls', expected one of: auto, tsv, csv.",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_yaml_is_refused_with_its_key(tmp_path: Path, name: str) -> None:
    keys, message = WRONG[name]
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        make(tmp_path, **keys)
    assert str(caught.value).startswith(str(tmp_path / "mine.yaml"))


def test_a_yaml_that_is_none(tmp_path: Path) -> None:
    for content, message in (
        ("- a", "holds no mapping"),
        ("a: [", "is not YAML"),
        ("name: x", "no key 'descrip"),
    ):
        (tmp_path / "bad.yaml").write_text(content)
        with pytest.raises(UserError, match=message):
            read_task(tmp_path / "bad.yaml")
    with pytest.raises(UserError, match=r"gone\.yaml cannot be read"):
        read_task(tmp_path / "gone.yaml")


def test_bundled_files_lie_beside_the_yaml(tmp_path: Path) -> None:
    task = make(tmp_path, bundled="gone.tsv", columns=COLUMNS)
    assert task.problems() == [f"Task 'mine': the bundled file {tmp_path / 'gone.tsv'} does not exist."]
    with pytest.raises(UserError, match=r"Task 'mine': .*gone\.tsv does not exist"):
        task.load()
    fill(tmp_path, **{"gone.tsv": "x\ty\n1\t2\n"})
    data = task.load()
    assert isinstance(data, TaskData) and data.examples[0].id == "mine-000000"
