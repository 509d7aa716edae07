"""Overlap of training and test sets equals its plain definition; training sets of every form are read alike."""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_harness.__main__ import main
from eval_harness.decontamination import Index, normalized, overlap, overlaps
from eval_harness.tasks.base import Example, TaskData
from idist.errors import UserError
from idist.hub.corpora import Corpus, open_corpus


def examples(*rows: tuple[str, ...]) -> TaskData:
    """Test sets: (source, reference, ...) each."""
    return TaskData.of([Example(f"t-{i}", row[0], row[1:]) for i, row in enumerate(rows)], "local")


def plain_form(text: str) -> str:
    kept = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join("".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in kept).split())


def plain_ngrams(text: str) -> set[str]:
    """13 words in a row, or the whole of a shorter text."""
    words = plain_form(text).split()
    return {" ".join(words[i : i + 13]) for i in range(max(1, len(words) - 12))} - {""}


def plain_kinds(row: tuple[str, ...], training: Sequence[Sequence[str]]) -> set[str]:
    """How an example is found, written as the definition says it."""
    kinds = set()
    form = [plain_form(text) for text in row]
    for texts in training:
        forms = [plain_form(text) for text in texts]
        found = [[i for i, other in enumerate(forms) if other and other == one] for one in form]
        if found[0]:
            kinds.add("source")
        if any(found[1:]):
            kinds.add("reference")
        if any(i != j for i in found[0] for places in found[1:] for j in places):
            kinds.add("pair")
        for one in row:
            for text in texts:
                shared = plain_ngrams(one) & plain_ngrams(text)
                # a short test text must be the whole of the training text; a long one needs 13 words in a row
                if shared and (len(plain_form(one).split()) >= 13 or plain_form(one) == plain_form(text)):
                    kinds.add("ngram")
    return kinds


@given(st.text(max_size=30) | st.text("aBc.,!? -'\n\tß\u0130ﬁ\u0301\u0940", max_size=30))
def test_the_normal_form_is_what_it_is_said_to_be(text: str) -> None:
    assert normalized(text) == plain_form(text)


def test_the_normal_form_keeps_words_of_every_script_whole() -> None:
    assert normalized("  “It's—a  DOG…”, she said: 3,5 £! ") == "it s a dog she said 3 5"
    assert normalized("ﬁne Straße\u00a0Ⅳ") == "fine strasse iv"
    assert normalized("हिन्दी में।") == "हिन्दी में" and normalized("中文，对。") == "中文 对"
    assert normalized("?!") == ""


WORDS = st.lists(st.sampled_from(["a", "b", "A,", "c!"]), min_size=1, max_size=34).map(" ".join)
REPEATED = st.sampled_from(["a b", "A b.", "?", " ".join("abc"[i % 3] for i in range(30)), "b " * 15, "b a " * 9])


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.tuples(WORDS | REPEATED, WORDS | REPEATED, WORDS | REPEATED), min_size=1, max_size=4),
    st.lists(st.lists(WORDS | REPEATED, max_size=3), max_size=5),
)
def test_what_is_found_is_what_the_definition_says(rows: list[tuple[str, ...]], training: list[list[str]]) -> None:
    index = Index({"x": examples(*rows)})
    for number, texts in enumerate(training):
        index.look(texts, "file", number)
    kinds = [plain_kinds(row, training) for row in rows]
    report = index.report("x")
    for kind in ("source", "reference", "pair", "ngram"):
        assert report["counts"][kind] == sum(kind in found for found in kinds), kind
    assert report["counts"]["any"] == sum(map(bool, kinds))
    assert report["shares"]["any"] == pytest.approx(sum(map(bool, kinds)) / len(rows))


def test_thirteen_words_in_a_row_and_not_twelve(tmp_path: Path) -> None:
    words = [f"w{i}" for i in range(40)]
    data = examples((" ".join(words), "short one"))
    for first, before, after in product((0, 5, 27), range(9), range(3)):
        for length, count in ((13, 1), (12, 0)):
            shared = ", ".join(words[first : first + length])
            (tmp_path / "t.txt").write_text("x " * before + shared + " x" * after + "\n")
            assert overlap(str(tmp_path / "t.txt"), data)["counts"]["ngram"] == count
    (tmp_path / "t.txt").write_text("Short ONE!\nshort one more\n")
    assert overlap(str(tmp_path / "t.txt"), data)["counts"]["ngram"] == 1  # the reference, as a whole text


def test_a_pair_is_one_row_in_whatever_order(tmp_path: Path) -> None:
    data = examples(("One dog.", "A dog."), ("One cat.", "A cat."), ("Same.", "same"))
    file = tmp_path / "t.txt"
    file.write_text("A dog!\tnothing\tone dog\nOne cat.\nA cat.\nSame.\n")
    figures = overlap(str(file), data)
    assert figures["counts"] == {"pair": 1, "source": 3, "reference": 3, "ngram": 3, "any": 3}
    assert figures["first"][0] == {
        "id": "t-0",
        "kind": "pair",
        "file": "t.txt",
        "row": 0,
        "text": "A dog! | nothing | one dog",
    }
    assert [hit["kind"] for hit in figures["first"]] == ["pair", "source", "source"]
    assert json.loads(json.dumps(figures)) == figures  # as it stands in a result


ROWS = [("A dog runs.", "The dog is running."), ("Two cats.", 'A pair of cats, "asleep"')]


def write_kinds(folder: Path) -> dict[str, Path]:
    """The same rows in every form, with a column that is no text."""
    xs, ys = [row[0] for row in ROWS], [row[1] for row in ROWS]
    table = pa.table({"id": [1, 2], "x": xs, "ys": [[y] for y in ys]})
    pq.write_table(table, folder / "t.parquet")
    lines = "".join(json.dumps({"id": i, "x": x, "ys": [y], "z": None}) + "\n\n" for i, (x, y) in enumerate(ROWS))
    (folder / "t.jsonl").write_text(lines)
    (folder / "t.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (folder / "t.csv").write_text("x,ys\n" + "".join(f'"{x}","{y.replace(chr(34), chr(34) * 2)}"\n' for x, y in ROWS))
    (folder / "t.tsv").write_text("x\tys\n" + "".join(f"{x}\t{y}\n" for x, y in ROWS))
    (folder / "t.txt").write_text("".join(f"{x}\t{y}\r\n" for x, y in ROWS))
    return {path.name: path for path in folder.iterdir()}


def test_every_form_gives_the_same_rows(tmp_path: Path) -> None:
    for name, path in write_kinds(tmp_path).items():
        corpus = open_corpus(str(path))
        assert [tuple(texts) for texts in corpus.rows(path)] == ROWS, name
        if name != "t.txt":
            one = open_corpus(str(path), columns=["ys"])
            assert [tuple(texts) for texts in one.rows(path)] == [(y,) for _, y in ROWS], name
        assert corpus.count() == (2 if name == "t.parquet" else None)


def test_a_folder_is_its_files_of_one_kind(tmp_path: Path) -> None:
    paths = write_kinds(tmp_path)
    (tmp_path / "sub").mkdir()
    pq.write_table(pa.table({"x": ["more"]}), tmp_path / "sub" / "u.parquet")
    assert open_corpus(str(tmp_path)).paths == (tmp_path / "sub" / "u.parquet", paths["t.parquet"])
    assert open_corpus(str(tmp_path), pattern="*.txt").paths == (paths["t.txt"],)
    figures = overlaps(
        open_corpus(str(tmp_path)), {"one": examples(("Two cats!", "x")), "two": examples(("more", "y"))}
    )
    assert [figures[name]["counts"]["source"] for name in ("one", "two")] == [1, 1]
    assert figures["one"]["rows"] == 3
    for path in paths.values():
        path.unlink()
    (tmp_path / "sub" / "u.parquet").unlink()
    with pytest.raises(UserError, match=r"has no files ending in \.parquet, \.jsonl, \.csv or \.tsv"):
        open_corpus(str(tmp_path))


BAD: dict[str, tuple[bytes, str]] = {
    "a.jsonl": (b'{"x": "a"}\n{"x": \n', "a.jsonl, line 2: not JSON, expected one object a line."),
    "b.jsonl": (b'["a"]\n', "b.jsonl, line 1: found list, expected one object a line."),
    "c.parquet": (b"PAR1", "c.parquet cannot be read after row 0"),
    "d.tsv": (b"x\ty\na\n", "d.tsv, line 2: 1 cells, expected 2"),
    "e.txt": (b"a\n\xff\n", "e.txt, line 2: not UTF-8 text."),
}


@pytest.mark.parametrize("name", BAD)
def test_training_sets_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    content, message = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=re.escape(message)):
        overlap(str(tmp_path / name), examples(("a", "b")))


def test_columns_that_are_not_there(tmp_path: Path) -> None:
    for name, path in write_kinds(tmp_path).items():
        message = "has no columns" if name == "t.txt" else "no column 'y'; did you mean 'ys'?"
        with pytest.raises(UserError, match=re.escape(message)):
            list(Corpus(name, (path,), columns=("y",)).rows(path))
    with pytest.raises(UserError, match="column 'id' holds int64, expected text"):
        list(open_corpus(str(tmp_path / "t.parquet"), columns=["id"]).rows(tmp_path / "t.parquet"))
    pq.write_table(pa.table({"id": [1]}), tmp_path / "n.parquet")
    with pytest.raises(UserError, match=r"n\.parquet has no column of text, found id\."):
        overlap(str(tmp_path / "n.parquet"), examples(("a", "b")))


@pytest.mark.parametrize("name", ["gone.parquet", "no/such/folder", "/no/file.txt", "data/train.jsonl"])
def test_a_training_set_that_is_nowhere(name: str) -> None:
    with pytest.raises(UserError, match=f"{name} does not exist, expected a file, a folder, or a Hub dataset"):
        open_corpus(name)


def test_the_command_counts_quotes_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from eval_harness.pairs import read_pairs

    sources, targets = read_pairs()
    (tmp_path / "t.jsonl").write_text(json.dumps({"x": sources[3].upper(), "y": targets[3]}) + "\n")
    (tmp_path / "t.jsonl").open("a").write(json.dumps({"x": "Nothing.", "y": targets[7]}) + "\n")
    main(["decontaminate", str(tmp_path / "t.jsonl"), "--tasks", "scenes", "--out", str(tmp_path / "o" / "f.json")])
    out = capsys.readouterr().out
    assert re.search(r"scenes +220 +1 +2 +1 +2 +2 \(0\.91%\)", out)
    assert f"scenes-000003  pair in t.jsonl, row 0: {sources[3].upper()} | {targets[3]}" in out
    assert f"scenes-000007  reference in t.jsonl, row 1: {targets[7]}" in out
    assert "less than 13 words" in out
    figures = json.loads((tmp_path / "o" / "f.json").read_text())
    assert figures["scenes"]["counts"] == {"pair": 1, "source": 1, "reference": 2, "ngram": 2, "any": 2}


def test_tasks_that_cannot_be_had_are_left_out_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "snapshot_download", _no_network)
    (tmp_path / "t.txt").write_text("Nothing.\n")
    (tmp_path / "quora").mkdir()
    for name in ("test.txt", "test_2.txt"):
        (tmp_path / "quora" / name).write_text("Is it nothing?\n")
    main(["decontaminate", str(tmp_path / "t.txt"), "--data-dir", str(tmp_path)])
    out, err = capsys.readouterr()
    assert re.search(r"^quora +1 ", out, re.M) and re.search(r"^scenes +220 ", out, re.M)
    assert "gigaword " not in out and "left out: Task 'gigaword': its data are not on the Hub" in err
    assert "left out: Task 'mrpc': Dataset 'nyu-mll/glue'" in err
    with pytest.raises(SystemExit) as stopped:
        main(["decontaminate", str(tmp_path / "t.txt"), "--tasks", "mrpc", "--data-dir", str(tmp_path)])
    assert stopped.value.code == 2  # asked for by name
    assert "error: Task 'mrpc': no files in" in capsys.readouterr().err


def _no_network(*args: object, **settings: object) -> str:
    from huggingface_hub.errors import LocalEntryNotFoundError

    raise LocalEntryNotFoundError("no network in tests")
