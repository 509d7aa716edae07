"""CSV of strangers, and CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from idist.errors import UserError
from space_kit.tables import LARGEST, download_link, read_column, write_csv


def saved(folder: Path, content: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        'id,sentence\n1,One\n2,"Two, more"\n',
        "\ufeffid;Sentence\n1;One\n2;Two, more\n",
        "id\tSENTENCE\r\n1\tOne\r\n\r\n2\tTwo, more\r\n",
    ],
)
def test_usual_tables_are_read(tmp_path: Path, content: str) -> None:
    assert read_column(saved(tmp_path, content), "sentence", 10) == ["One", "Two, more"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id,text\n1,One\n", "no column 'sentence'"),
        ("sentence\n", "no row"),
        ("", "empty"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"PK\x00\x01", "no text"),
        ("id,sentence\n1,One\n2\n", "Row 2 of the table has 1 cells, expected 2"),
        ("sentence\n" + "x\n" * 11, "11 rows, expected at most 10"),
        ("sentence\n" + "x" * 120_000, "a cell of 120,000 characters, expected at most 100,000"),
        (b"x" * (LARGEST + 1), "bytes, expected at most"),
    ],
)
def test_others_are_refused_in_a_sentence(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(UserError, match=said):
        read_column(saved(tmp_path, content), "sentence", 10)


def test_a_spreadsheet_runs_nothing() -> None:
    rows = [{"text": "=1+1", "n": -0.5}, {"text": 'a "quoted", text', "n": 1}, {"text": "@SUM(A1)", "n": 2}]
    read = list(csv.DictReader(io.StringIO(write_csv(rows))))
    assert [row["text"] for row in read] == ["'=1+1", 'a "quoted", text', "'@SUM(A1)"]
    assert [row["n"] for row in read] == ["-0.5", "1", "2"]
    assert write_csv([]) == ""


def test_the_link_holds_the_table_and_no_markup() -> None:
    link = download_link([{"text": '"><script>alert(1)</script>'}], "t.csv", "Save")
    assert "<script" not in link and link.count("<") == 2 and 'download="t.csv"' in link
