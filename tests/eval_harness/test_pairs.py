"""The bundled pairs are fit to test on; files of other people's pairs are read or refused with a line number."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from eval_harness.pairs import BUNDLED, read_pairs
from idist.errors import UserError


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def test_bundled_pairs_are_many_different_and_of_caption_length() -> None:
    sources, targets = read_pairs()
    assert len(sources) == len(targets) >= 200
    normalized = [" ".join(words(text)) for text in sources + targets]
    assert len(set(normalized)) == len(normalized)  # no identical pair, no repeated source or target
    assert all(8 <= len(words(text)) <= 22 for text in sources + targets)
    assert all(
        text[0].isupper() and text[-1] == "." and text.isascii() and "  " not in text for text in sources + targets
    )


def test_bundled_targets_are_reworded_and_of_balanced_length() -> None:
    from eval_harness.metrics.rouge_l import f1

    sources, targets = read_pairs()
    assert max(f1(target, source) for source, target in zip(sources, targets, strict=True)) <= 0.75
    change = [len(words(target)) - len(words(source)) for source, target in zip(sources, targets, strict=True)]
    assert sum(abs(c) <= 2 for c in change) >= 0.5 * len(change)
    assert min(sum(c > 0 for c in change), sum(c < 0 for c in change)) >= 0.25 * len(change)


def test_limit_takes_the_first_pairs() -> None:
    sources, targets = read_pairs()
    assert read_pairs(limit=3) == (sources[:3], targets[:3])
    assert read_pairs(BUNDLED, limit=10_000) == (sources, targets)
    with pytest.raises(UserError, match="limit is 0"):
        read_pairs(limit=0)


def test_formats_agree(tmp_path: Path) -> None:
    expected = (["A dog, black, runs.", 'He says "go".'], ["A black dog is running.", "“Go”, he says."])
    csv_text = (
        'id,source,target\n1,"A dog, black, runs.",A black dog is running.\n2,"He says ""go"".","“Go”, he says."\n'
    )
    tsv_text = (
        '\ufeffTarget\tSource\r\nA black dog is running.\tA dog, black, runs.\r\n“Go”, he says.\tHe says "go".\r\n'
    )
    (tmp_path / "a.csv").write_text(csv_text, encoding="utf-8")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(csv_text.encode()))
    (tmp_path / "a.tsv").write_bytes(tsv_text.encode())
    for name in ("a.csv", "a.csv.gz", "a.tsv"):
        assert read_pairs(tmp_path / name) == expected


BAD = {
    "column.csv": (b"sentence,target\na,b\n", "line 1: no column source, found sentence, target"),
    "nothing.csv": (b"", "line 1: no column source or target, found an empty file"),
    "header.tsv": (b"source\ttarget\n", "header and no pairs"),
    "short.csv": (b"source,target\na,b\nc\n", "line 3: 1 cells, expected 2"),
    "long.tsv": (b"source\ttarget\na\tb\tc\n", "line 2: 3 cells, expected 2"),
    "blank.csv": (b"source,target\na,b\n\nc,d\n", "line 3: 0 cells, expected 2"),
    "target.tsv": (b"source\ttarget\na\tb\nc\t \n", "line 3, column target: empty"),
    "source.tsv": (b"source\ttarget\n\tb\n", "line 2, column source: empty"),
    "latin.csv": ("source,target\na,b\ncafé,d\n".encode("latin-1"), "line 3: not UTF-8"),
    "quote.csv": (b'source,target\n"a,b\nc,d\n', "line 3: not a valid table row"),
    "notgz.csv.gz": (b"source,target\na,b\n", "damaged or truncated gzip"),
    "cut.csv.gz": (gzip.compress(b"source,target\n" + b"some,words\n" * 9999)[:-20], "damaged or truncated gzip"),
    "flipped.csv.gz": (gzip.compress(b"source,target\na,b\n")[:12] + b"\xff" * 20, "damaged or truncated gzip"),
    "pairs.json": (b"[]", "ends in '.json', expected .tsv"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_with_their_line(tmp_path: Path, name: str) -> None:
    content, message = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        read_pairs(tmp_path / name)
    assert name in str(caught.value)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no\.csv does not exist"):
        read_pairs(tmp_path / "no.csv")
    (tmp_path / "folder.tsv").mkdir()
    with pytest.raises(UserError, match=r"folder\.tsv cannot be read"):
        read_pairs(tmp_path / "folder.tsv")
