"""Readers for the entailment sets whose licences let weights ship, for plain text, and for held-out pairs.

Labels are those of the shipped critic: 0 entailment, 1 neutral, 2 contradiction; 3 stands for "neutral or
contradiction" where a set or a rule of ours cannot tell the two apart. SNLI's test set is for measuring only:
`training_sets` drops every example, from whatever set, that has a sentence in common with its premises.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from idist.errors import UserError

LABELS = ("entailment", "neutral", "contradiction")
ENTAILMENT, NEUTRAL, CONTRADICTION, NOT_ENTAILED = range(4)
MULTINLI_HELD_OUT = 800


class Example(NamedTuple):
    """One judged pair: does ``premise`` entail ``hypothesis``? ``label`` indexes `LABELS` or is NOT_ENTAILED."""

    premise: str
    hypothesis: str
    label: int


class Pair(NamedTuple):
    """One held-out sentence pair: ``same`` says whether people called it a paraphrase."""

    x: str
    y: str
    same: bool


def detokenize(text: str) -> str:
    """Join punctuation and clitics to the word before them, as in running text."""
    return re.sub(r" ([.,!?;:'])", r"\1", text).replace(" n't", "n't").strip()


def normalized(text: str) -> str:
    """Letters and digits only, lower-cased: the key by which two spellings of a sentence are the same."""
    return re.sub(r"\W+", "", text.lower())


def _open(path: Path) -> Path:
    if not path.is_file():
        raise UserError(f"{path} is missing: --data must be a folder that holds the training sets.")
    return path


def _lines(path: Path) -> list[str]:
    with _open(path).open(encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


def _table(path: Path, columns: tuple[str, str, str]) -> Iterator[list[str]]:
    """The named columns of a tab-separated file with a header and literal quotes."""
    rows = csv.DictReader(_lines(path), delimiter="\t", quoting=csv.QUOTE_NONE)
    missing = set(columns) - set(rows.fieldnames or ())
    if missing:
        raise UserError(f"{path} has no column {sorted(missing)[0]!r}; its header is {rows.fieldnames}.")
    for row in rows:
        yield [row[column] for column in columns]


def _examples(rows: Iterable[Iterable[str]]) -> list[Example]:
    """Rows of (premise, hypothesis, label name); a label that is none of the three means no agreement: skipped."""
    names = {name: i for i, name in enumerate(LABELS)}
    return [
        Example(detokenize(p), detokenize(h), names[label.lower()])
        for p, h, label in rows
        if label.lower() in names and p.strip() and h.strip()
    ]


def read_snli(data: Path, split: str) -> list[Example]:
    """SNLI ``dev`` or ``test``: three line-aligned files, tokenized."""
    columns = [_lines(data / "nli" / "esnli-devtest" / f"{name}.{split}") for name in ("s1", "s2", "labels")]
    if len({len(column) for column in columns}) != 1:
        raise UserError(f"{data}/nli/esnli-devtest/*.{split} have {[len(c) for c in columns]} lines, expected equal.")
    return _examples((p, h, label.strip()) for p, h, label in zip(*columns, strict=True))


def read_multinli(data: Path) -> list[Example]:
    """MultiNLI matched development set; one column holds ``PREMISE: ... HYPOTHESIS: ...``."""
    path = _open(data / "nli" / "multinli-validation-matched" / "multinli_validation_std.csv")
    examples = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            match = re.match(r"PREMISE: (.*) HYPOTHESIS: (.*)$", row["sentence1"], re.S)
            if match:
                examples.append(Example(match[1], match[2], int(row["label"])))
    return examples


def split_multinli(data: Path) -> tuple[list[Example], list[Example]]:
    """(training part, `MULTINLI_HELD_OUT` held-out rows), always the same whatever a recipe's seed."""
    examples = read_multinli(data)
    random.Random(0).shuffle(examples)
    return examples[MULTINLI_HELD_OUT:], examples[:MULTINLI_HELD_OUT]


def read_counterfactual(data: Path, split: str) -> list[Example]:
    """Counterfactually revised SNLI, originals included: ``train``, ``dev`` or ``test``."""
    path = data / "nli" / "snli-counterfactual" / "all_combined" / f"{split}.tsv"
    return _examples(_table(path, ("sentence1", "sentence2", "gold_label")))


def read_breaking(data: Path, category: str | None = None) -> list[Example]:
    """Breaking NLI, or one ``category`` of it: one word of an SNLI premise substituted; JSON lines in a zip."""
    with zipfile.ZipFile(_open(data / "nli" / "breaking-nli" / "breaking_nli_dataset.zip")) as archive:
        name = next(n for n in archive.namelist() if n.endswith("dataset.jsonl") and "MACOSX" not in n)
        rows = [json.loads(line) for line in archive.read(name).decode("utf-8").splitlines() if line.strip()]
    kept = (row for row in rows if category in (None, row["category"]))
    return _examples((row["sentence1"], row["sentence2"], row["gold_label"]) for row in kept)


def read_med(data: Path) -> list[Example]:
    """Monotonicity entailment dataset; its ``neutral`` also holds contradictions, so it becomes NOT_ENTAILED."""
    examples = _examples(_table(data / "nli" / "med" / "MED.tsv", ("sentence1", "sentence2", "gold_label")))
    return [e if e.label == ENTAILMENT else e._replace(label=NOT_ENTAILED) for e in examples]


def read_help(data: Path) -> list[Example]:
    """The conjunction and disjunction parts of HELP: a sentence and the same without one of two joined phrases."""
    columns = ("ori_sentence", "new_sentence", "gold_label")
    paths = [data / "nli" / "help-partial" / f"leskexppmb_{part}.tsv" for part in ("and", "or")]
    return [example for path in paths for example in _examples(_table(path, columns))]


def read_syntactic(data: Path, name: str) -> list[Example]:
    """One file of the syntactic augmentation of MultiNLI (no header; columns 9, 10 and 12)."""
    path = data / "nli" / "syntactic-augmentation" / f"{name}.tsv"
    rows = [line.split("\t") for line in _lines(path)]
    short = [i for i, row in enumerate(rows, 1) if len(row) < 12]
    if short:
        raise UserError(f"{path} line {short[0]} has {len(rows[short[0] - 1])} columns, expected 12.")
    return _examples((row[8], row[9], row[11]) for row in rows)


def read_captions(data: Path) -> list[str]:
    """Image captions, one sentence each, without doubles, in the order of the files."""
    folder = data / "text" / "coco-captions-texygen"
    lines = [detokenize(line) for name in ("train", "test") for line in _lines(folder / f"{name}.tgt")]
    return [line for line in dict.fromkeys(lines) if line]


def without(examples: Iterable[Example], sentences: set[str]) -> list[Example]:
    """Drop the examples with a side whose `normalized` form is in ``sentences``."""
    return [e for e in examples if normalized(e.premise) not in sentences and normalized(e.hypothesis) not in sentences]


def both_ways(examples: Iterable[Example]) -> list[Example]:
    """Each example and, with the same label, its converse: for relations that are symmetric."""
    return [turned for e in examples for turned in (e, Example(e.hypothesis, e.premise, e.label))]


def training_sets(data: Path) -> dict[str, list[Example]]:
    """Every set for training by name, in file order, free of SNLI test premises and of the held-out MultiNLI rows.

    The counterfactual set's own test part is left out whole: it revises examples of SNLI test.
    """
    forbidden = {normalized(e.premise) for e in read_snli(data, "test")}
    multinli, _ = split_multinli(data)
    swapped = read_syntactic(data, "pass_trsf_neg_large") + read_syntactic(data, "inv_trsf_large")
    sets = {
        "snli": read_snli(data, "dev"),
        "multinli": multinli,
        "counterfactual": read_counterfactual(data, "train") + read_counterfactual(data, "dev"),
        "breaking": read_breaking(data),
        "med": read_med(data),
        "help": read_help(data),
        "passive": both_ways(read_syntactic(data, "pass_trsf_pos_large")),
        "synonyms": both_ways(e for e in read_breaking(data, "synonyms") if e.label == ENTAILMENT),
        "roles_swapped": [e._replace(label=NOT_ENTAILED) for e in swapped],
    }
    return {name: without(dict.fromkeys(examples), forbidden) for name, examples in sets.items()}


def read_mrpc(data: Path, split: str = "test") -> list[Pair]:
    """Microsoft Research Paraphrase Corpus (measuring only: its licence is for research)."""
    lines = [line.split("\t") for line in _lines(data / "mrpc" / f"msr_paraphrase_{split}.txt")[1:]]
    return [Pair(row[3], row[4], row[0] == "1") for row in lines]


def read_quora(data: Path) -> list[Pair]:
    """Quora test questions, duplicates only (measuring only)."""
    sides = [_lines(data / "quora" / name) for name in ("test.txt", "test_2.txt")]
    return [Pair(x, y, True) for x, y in zip(*sides, strict=True)]


def read_mscoco(data: Path, split: str = "validation") -> list[Pair]:
    """Two captions of one picture, one direction of each pair."""
    with gzip.open(_open(data / "mscoco" / f"{split}.csv.gz"), "rt", encoding="utf-8", newline="") as file:
        rows = [(row["source"], row["target"]) for row in csv.DictReader(file)]
    unique = dict.fromkeys((min(row), max(row)) for row in rows)
    return [Pair(x, y, True) for x, y in unique]


def read_gigaword(data: Path) -> list[Pair]:
    """Gigaword test sentences with their headlines (measuring only)."""
    sides = [_lines(data / "gigaword" / name) for name in ("input.txt", "task1_ref0.txt")]
    return [Pair(x, y, True) for x, y in zip(*sides, strict=True)]


def read_plain_text(data: Path) -> dict[str, list[str]]:
    """Lines of running text by source: MASC (tags removed), two sets of speeches, the words of the treebank."""
    found = {}
    for name, encoding in (("masc_tagged", "utf-8"), ("state_union", "latin-1"), ("inaugural", "latin-1")):
        with zipfile.ZipFile(_open(data / "text" / f"nltk-{name}" / f"{name}.zip")) as archive:
            texts = [n for n in sorted(archive.namelist()) if n.endswith(".txt") and not n.endswith("categories.txt")]
            found[name] = [line for n in texts for line in archive.read(n).decode(encoding, "replace").splitlines()]
    found["masc"] = [" ".join(w.rsplit("_", 1)[0] for w in line.split()) for line in found.pop("masc_tagged")]
    leaf = re.compile(r"\(\S+ ([^()\s]+)\)")
    trees = [path.read_text(encoding="utf-8") for path in sorted((data / "treebank").glob("*.ptb"))]
    found["treebank"] = [" ".join(leaf.findall(tree)) for text in trees for tree in text.split("\n\n")]
    return found
