"""Pairs of any dataset, batch by batch: a file, a folder, a run of ours, or a dataset on the Hub."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from idist import files
from idist.errors import UserError
from idist.hub.corpora import Corpus, check_single, open_corpus

BATCH = 20_000  # pairs handed on at once
# What columns of pairs are called, likeliest first; letter case aside.
NAMES = (
    ("x", "y"),
    ("source", "target"),
    ("src", "tgt"),
    ("sentence1", "sentence2"),
    ("sentence_1", "sentence_2"),
    ("text1", "text2"),
    ("question1", "question2"),
    ("source", "paraphrase"),
    ("original", "paraphrase"),
    ("original", "paraphrased"),
    ("reference", "paraphrase"),
    ("sentence", "paraphrase"),
    ("text", "paraphrase"),
    ("text", "paraphrases"),
    ("input", "output"),
    ("document", "summary"),
)
# Where a run of ours keeps its pairs, the last made first.
OF_A_RUN = ("self_distil/selected", "pairs/selected", "selected")


@dataclass(frozen=True)
class PairData:
    """An opened dataset.

    Attributes:
        label: what tables call it.
        corpus: its files.
        columns: names of source and target.
    """

    label: str
    corpus: Corpus
    columns: tuple[str, str]


@dataclass
class Read:
    """What was read.

    Attributes:
        pairs: with text on both sides.
        empty: rows without text on either side, left out.
        equal: pairs whose sides are the same text; they count as pairs.
    """

    pairs: int = 0
    empty: int = 0
    equal: int = 0


def open_pairs(name: str, columns: Sequence[str] | None = None, pattern: str | None = None) -> PairData:
    """Find a dataset of pairs and its two columns.

    Args:
        name: ``DATASET`` or ``LABEL=DATASET``. A dataset is a file (``.parquet``, ``.jsonl``, ``.csv``, ``.tsv``, the
            last three also ``.gz``), a folder of such files, the folder of a run or of one of its stages, or
            ``OWNER/NAME`` on the Hub, ``OWNER/NAME@REVISION``.
        columns: names of source and target; None: by their names (`NAMES`), or both if the files have only two.
        pattern: which files of a folder or Hub dataset, such as ``data/train-*``.

    Raises:
        UserError: no such dataset, a file without named columns, columns that are not there or cannot be guessed.
    """
    label, place = _split(name)
    path = Path(place).expanduser()
    inside = next((path / part for part in OF_A_RUN if (path / part).is_dir()), None)
    corpus = open_corpus(str(inside or place), None, pattern)
    present = column_names(corpus.paths[0])
    chosen = _chosen(columns, present, corpus.paths[0]) if columns else _guessed(present, corpus.paths[0])
    check_single(chosen, present, corpus.paths[0])
    return PairData(label or _short(place), replace(corpus, columns=chosen), chosen)


def batches(data: PairData, seen: Read, size: int = BATCH) -> Iterator[tuple[list[str], list[str]]]:
    """Sources and targets, in the order of the files.

    Args:
        data: where a row has a list of targets, each makes a pair with the source.
        seen: kept up to date.
        size: pairs in a batch, the last one maybe fewer.

    Raises:
        UserError: a file that cannot be read, a list as source or printed into a text (line or row is named).
    """
    sources: list[str] = []
    targets: list[str] = []
    for path in data.corpus.paths:
        for row in data.corpus.pairs(path):
            texts = [text.strip() for text in row]
            if len(texts) < 2 or not texts[0]:
                seen.empty += 1
                continue
            for target in texts[1:]:
                if not target:
                    seen.empty += 1
                    continue
                seen.equal += target == texts[0]
                sources.append(texts[0])
                targets.append(target)
            if len(sources) >= size:
                seen.pairs += len(sources)
                yield sources, targets
                sources, targets = [], []
    if sources:
        seen.pairs += len(sources)
        yield sources, targets


def column_names(path: Path) -> list[str]:
    """Columns of a file (JSON lines: of its first row).

    Raises:
        UserError: the file cannot be read, or has no named columns.
    """
    suffix = files.plain_suffix(path)
    if suffix == ".parquet":
        return _of_parquet(path)
    if suffix in (".jsonl", ".json", ".ndjson"):
        return _of_json_lines(path)
    kind = files.format_of(path)
    if kind is None:
        raise UserError(f"{path} has no named columns, expected .parquet, .jsonl, .csv or .tsv.")
    return [name.strip() for name in next(files.rows(path, kind), (0, []))[1]]


class _Keys(list[str]):
    """Keys of a JSON object as they come, also one that comes twice: a dict would keep the last without a word."""

    @classmethod
    def of(cls, pairs: list[tuple[str, object]]) -> _Keys:
        return cls(key for key, _ in pairs)


def _of_json_lines(path: Path) -> list[str]:
    first = next((line for line in files.lines(path) if line.strip()), None)
    if first is None:
        raise UserError(f"{path} is empty, expected one JSON object a line.")
    try:
        row = json.loads(first, object_pairs_hook=_Keys.of)
    except ValueError:
        row = None
    if not isinstance(row, _Keys):
        raise UserError(f"{path}, line 1: expected one JSON object a line.")
    return list(row)


def _of_parquet(path: Path) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{path} is not a parquet file: {str(error).splitlines()[0]}") from None


def _split(name: str) -> tuple[str | None, str]:
    """``LABEL=DATASET`` -> both; a path that is there is a path, equals sign and all."""
    label, equals, place = name.partition("=")
    if not equals or Path(name).expanduser().exists():
        return None, name
    if not label.strip() or not place.strip():
        raise UserError(f"Dataset {name!r} is no DATASET and no LABEL=DATASET.")
    return label.strip(), place.strip()


def _short(place: str) -> str:
    """A label: the last two parts of a path, ``OWNER/NAME`` as it is."""
    return "/".join(Path(place).expanduser().parts[-2:]) if Path(place).expanduser().exists() else place


def _chosen(columns: Sequence[str], present: list[str], path: Path) -> tuple[str, str]:
    if len(columns) != 2 or columns[0] == columns[1]:
        raise UserError(f"Columns are {', '.join(columns)}, expected two: SOURCE,TARGET.")
    for name in columns:
        if name not in present:
            raise UserError(f"{path} has no column {name!r}; it has {_list(present)}.")
    return columns[0], columns[1]


def _guessed(present: list[str], path: Path) -> tuple[str, str]:
    if not present:
        raise UserError(f"{path} is empty, expected a header with the columns of source and target.")
    by_name = {name.lower(): name for name in present}
    for source, target in NAMES:
        if source in by_name and target in by_name:
            return by_name[source], by_name[target]
    if len(present) == 2:
        return present[0], present[1]
    raise UserError(
        f"{path}: which columns are source and target cannot be told from {_list(present)}; name them: "
        "--columns SOURCE,TARGET."
    )


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
