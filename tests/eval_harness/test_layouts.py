"""Local files are read as they are handed around, and refused with file and line where they are malformed."""

from __future__ import annotations

import csv
import gzip
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_harness.tasks.layouts import Captions, Layout, Lines, Table, find
from idist.errors import UserError


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def read(layout: Layout, folder: Path) -> list[tuple[int | str, str, tuple[str, ...], str | None]]:
    return [(row.key, row.source, row.references, row.exemplar) for row in layout.rows(folder)]


def test_lines_are_aligned_and_stripped(tmp_path: Path) -> None:
    write(tmp_path, {"src.txt": "\ufeffa b\r\nc\u2028d \n", "ref.txt": " e\nf\n", "tgt.txt": "g\nh"})
    assert read(Lines("src.txt", ["ref.txt"]), tmp_path) == [(0, "a b", ("e",), None), (1, "c\u2028d", ("f",), None)]
    with_exemplar = Lines("src.txt", ["ref.txt"], exemplar="tgt.txt")
    assert [row[2:] for row in read(with_exemplar, tmp_path)] == [(("e",), "g"), (("f",), "h")]


def test_all_references_that_match_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    references = {f"task1_ref{i}.txt": f"r{i}\n" for i in range(12)}
    write(tmp_path, {"input.txt": "s\n", **references})
    assert read(Lines("input.txt", ["task1_ref*.txt"]), tmp_path) == [(0, "s", tuple(f"r{i}" for i in range(12)), None)]


def test_gzip_stands_in_for_every_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"a.txt.gz": gzip.compress(b"x\n"), "b.txt": "y\n", "t.csv.gz": gzip.compress(b"source,target\nx,y\n")},
    )
    expected = [(0, "x", ("y",), None)]
    assert read(Lines("a.txt", ["b.txt"]), tmp_path) == expected == read(Table("t.csv", "source", ["target"]), tmp_path)


def test_a_table_keeps_the_rows_that_the_filter_asks_for_and_their_numbers(tmp_path: Path) -> None:
    rows = '\ufeffQuality\t#1 ID\t#1 String\t#2 String\n1\t7\tHe said "no".\ta\n0\t8\tb\tc\n1\t9\t"d\te\n'
    layout = Table("t.txt", "#1 String", ["#2 String"], filter={"Quality": 1})
    assert read(layout, write(tmp_path, {"t.txt": rows})) == [
        (0, 'He said "no".', ("a",), None),
        (2, '"d', ("e",), None),  # TSV has no quoting
    ]
    layout.id = "#1 ID"
    assert [row[0] for row in read(layout, tmp_path)] == ["7", "9"]


def test_csv_cells_may_be_quoted_and_hold_line_breaks(tmp_path: Path) -> None:
    write(tmp_path, {"t.csv": 'b,a\n"x, ""y""\nz",w\n'})
    assert read(Table("t.csv", "B", ["A"]), tmp_path) == [(0, 'x, "y"\nz', ("w",), None)]


def test_a_table_without_header_is_told_by_its_width(tmp_path: Path) -> None:
    layout = Table("t.tsv", "1", ["2"], header=False)
    assert read(layout, write(tmp_path, {"t.tsv": "a\tb\nc\td\n"})) == [(0, "a", ("b",), None), (1, "c", ("d",), None)]
    write(tmp_path, {"t.tsv": "a\tb\tc\n"})
    assert not layout.fits(tmp_path)
    with pytest.raises(UserError, match=r"line 1: 3 cells, expected 2\."):
        read(layout, tmp_path)


def test_of_a_pair_in_both_directions_the_first_is_kept(tmp_path: Path) -> None:
    write(tmp_path, {"t.csv": "source,target\na,b\nb,a\nc,a\na,c\na,b\n"})
    once = Table("t.csv", "source", ["target"], one_direction=True)
    assert [row[:3] for row in read(once, tmp_path)] == [(0, "a", ("b",)), (2, "c", ("a",)), (4, "a", ("b",))]


def test_captions_of_one_picture_belong_together(tmp_path: Path) -> None:
    notes = [(5, "A dog\n runs. "), (3, "A cat."), (5, "The dog runs."), (3, "One cat."), (5, "Dog.")]
    content = json.dumps({"annotations": [{"image_id": i, "id": 0, "caption": c} for i, c in notes]})
    assert read(Captions("c.json"), write(tmp_path, {"c.json": content})) == [
        ("5", "A dog runs.", ("The dog runs.", "Dog."), None),
        ("3", "A cat.", ("One cat.",), None),
    ]


def test_a_limit_reads_no_further(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": b"a\n\xff\n", "b.txt": "b\nb\n", "t.tsv": b"source\ttarget\na\tb\n\xff\tb\n"})
    for layout in (Lines("a.txt", ["b.txt"]), Table("t.tsv", "source", ["target"])):
        rows = layout.rows(tmp_path)
        assert next(rows).source == "a"
        with pytest.raises(UserError, match="not UTF-8"):
            next(rows)


LINES, TABLE = Lines("a", ["b"]), Table("t.tsv", "source", ["target"])
ANNOTATION = '{"annotations": [%s]}'
BAD: dict[str, tuple[Layout, dict[str, str | bytes], str]] = {
    "length": (LINES, {"a": "1\n2\n3\n", "b": "1\n2\n"}, "a has 3, {}/b has 2 lines; expected files of equal length"),
    "longer": (LINES, {"a": "1\n", "b": "1\n2\n"}, "a has 1, {}/b has 2 lines"),
    "empty line": (LINES, {"a": "1\n2\n", "b": "1\n \n"}, "b, line 2: empty, expected text."),
    "latin": (LINES, {"a": "1\n2\n", "b": "1\né\n".encode("latin-1")}, "b, line 2: not UTF-8 text."),
    "gone": (LINES, {"a": "1\n"}, "b does not exist."),
    "damaged": (LINES, {"a": "1\n", "b.gz": b"no archive"}, "b.gz is a damaged or truncated gzip archive."),
    "empty cell": (TABLE, {"t.tsv": "source\ttarget\na\tb\n \tc\n"}, "t.tsv, line 3, column source: empty"),
    "narrow": (TABLE, {"t.tsv": "source\ttarget\na\tb\na\n"}, "t.tsv, line 3: 1 cells, expected 2"),
    "header": (TABLE, {"t.tsv": "source\tanswer\na\tb\n"}, "t.tsv, line 1: no column target, found source, answer."),
    "nothing": (TABLE, {"t.tsv": ""}, "t.tsv, line 1: no column source or target, found an empty file."),
    "no json": (Captions("c"), {"c": "[1,"}, "c is not JSON"),
    "no list": (Captions("c"), {"c": '{"captions": []}'}, "c has no list 'annotations'"),
    "no image": (Captions("c"), {"c": ANNOTATION % '{"caption": "A."}'}, "c, annotation 1: no image_id"),
    "no caption": (Captions("c"), {"c": ANNOTATION % '{"image_id": 1}'}, "c, annotation 1, caption: empty"),
    "number": (Captions("c"), {"c": ANNOTATION % '{"image_id": 1, "caption": 2}'}, "caption: found 2, expected text."),
    "alone": (Captions("c"), {"c": ANNOTATION % '{"image_id": 1, "caption": "A."}'}, "c, image_id 1: one caption"),
}


@pytest.mark.parametrize("name", BAD)
def test_malformed_files_are_refused_with_their_place(tmp_path: Path, name: str) -> None:
    layout, files, message = BAD[name]
    with pytest.raises(UserError, match=re.escape(message.format(tmp_path))) as caught:
        read(layout, write(tmp_path, files))
    assert str(tmp_path) in str(caught.value)


def test_a_layout_fits_where_its_files_and_columns_are(tmp_path: Path) -> None:
    assert Lines("a", ["r*"]).missing(tmp_path) == ["a", "r*"]
    write(tmp_path, {"a": "1\n", "t.tsv": "first\tsecond\n"})
    assert Lines("a", ["r*"]).missing(tmp_path) == ["r*"] and not Lines("a", ["r*"]).fits(tmp_path)
    assert not Table("t.tsv", "source", ["target"]).fits(tmp_path)
    assert Table("t.tsv", "first", ["second"]).fits(tmp_path)
    write(tmp_path, {"r1": "1\n"})
    assert Lines("a", ["r*"]).fits(tmp_path) and find(tmp_path, "r*") == [tmp_path / "r1"]


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0\ufeff"), min_size=1).filter(
    str.strip
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6))
@pytest.mark.parametrize("kind", ["lines", "csv"])
def test_whatever_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, kind: str, pairs: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    layout: Layout
    if kind == "lines":
        layout = Lines("a", ["b"])
        write(folder, {name: "".join(f"{pair[i]}\n" for pair in pairs) for i, name in enumerate("ab")})
    else:
        layout = Table("t.csv", "source", ["target"])
        with (folder / "t.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("source", "target"), *pairs])
    found = [(source, *references) for _, source, references, _ in read(layout, folder)]
    assert found == [(source.strip(), target.strip()) for source, target in pairs]


def test_rows_know_their_place(tmp_path: Path) -> None:
    write(tmp_path, {"a": "1\n2\n", "b": "1\n2\n", "t.csv": 'source,target\n"a\nb",c\n'})
    assert [row.where for row in Lines("a", ["b"]).rows(tmp_path)] == [f"{tmp_path}/a, line {n}" for n in (1, 2)]
    assert [row.where for row in Table("t.csv", "source", ["target"]).rows(tmp_path)] == [f"{tmp_path}/t.csv, line 3"]
