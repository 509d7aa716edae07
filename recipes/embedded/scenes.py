"""Everyday scenes: the text that the embedded teacher and student learn from, read from ``--data`` and cleaned.

Sources: SNLI development and test sets (CC BY-SA 4.0), counterfactually revised SNLI (Apache-2.0), COCO captions
(CC BY 4.0). A document is a list of sentences about one kind of scene:

- *story*: an SNLI premise and the hypotheses that do not contradict it, in varying order. With the premise last, a
  short context is followed by a long sentence.
- *album*: captions and premises of alike scenes, grouped by the rare words that they share (TF-IDF cosine; no label
  and no paraphrase annotation is used). Captions are longer and more varied than hypotheses, and a context of
  several teaches the model to go on with the same scene.
- *single*: a contradicted hypothesis alone.

Sentences of the MSCOCO evaluation pairs are left out. One picture's story is wholly in one split.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import math
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from idist.errors import UserError

SNLI_PARTS = ("dev", "test")
COUNTERFACTUAL_PARTS = ("train", "dev", "test")
EVALUATION_FILES = ("mscoco/test.csv.gz", "mscoco/validation.csv.gz")
HELD_OUT_SHARE = 0.04
SHORTEST_HYPOTHESIS, SHORTEST_SINGLE, LONGEST_SENTENCE = 5, 7, 40  # words: longer next sentences differ in more ways
STORY_ORDERS = ((0.5, "premise first"), (0.3, "premise last"), (0.2, "anywhere"))
ALBUM_SIZES = (2, 3, 4, 5, 6)
ALIKE = (0.25, 0.80)  # cosine: below, another scene; above, nearly the same words
NEIGHBOURS = 24
FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an the this that these those some and or but as while of in on at to by with from for into onto over under "
        "near next up down out off through is are was were be been being has have had do does there it its he she they "
        "them his her their him who which what where when another other one two s t",
    )
)


@dataclass(frozen=True)
class Story:
    """A premise (one or more sentences) and its hypotheses that do not contradict it."""

    premise: tuple[str, ...]
    hypotheses: tuple[str, ...]


@dataclass
class Scenes:
    """One split of the corpus: what documents are arranged from."""

    stories: list[Story] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    singles: list[str] = field(default_factory=list)
    neighbours: list[list[int]] = field(default_factory=list)

    def sentences(self) -> list[str]:
        """Every sentence once (by its normalized form), in a fixed order."""
        everything = [s for story in self.stories for s in (*story.premise, *story.hypotheses)]
        return list({normalize(s): s for s in everything + self.captions + self.singles}.values())

    def pool(self) -> list[str]:
        """Sentences that albums are made of: captions and the first sentence of every premise."""
        return list(dict.fromkeys(self.captions + [story.premise[0] for story in self.stories]))

    def documents(self, seed: int = 0) -> list[list[str]]:
        """One arrangement of the whole split: stories, albums and singles, shuffled. Same seed, same documents."""
        rng = random.Random(f"arrangement {seed}")
        arranged = [_story(story, rng) for story in self.stories] + self._albums(rng) + [[s] for s in self.singles]
        rng.shuffle(arranged)
        return arranged

    def _albums(self, rng: random.Random) -> list[list[str]]:
        """Partition the pool: each sentence in turn takes as many unused alike ones as the drawn size asks for."""
        pool = self.pool()
        if not self.neighbours:
            self.neighbours = alike_sentences(pool)
        unused = set(range(len(pool)))
        albums = []
        for first in rng.sample(range(len(pool)), len(pool)):
            if first not in unused:
                continue
            free = [i for i in self.neighbours[first] if i in unused]
            chosen = [first, *free[: rng.choice(ALBUM_SIZES) - 1]]
            unused.difference_update(chosen)
            rng.shuffle(chosen)
            albums.append([pool[i] for i in chosen])
        return albums


def _story(story: Story, rng: random.Random) -> list[str]:
    hypotheses = rng.sample(story.hypotheses, len(story.hypotheses))
    order = rng.choices([name for _, name in STORY_ORDERS], [share for share, _ in STORY_ORDERS])[0]
    last = len(hypotheses)
    at = {"premise first": 0, "premise last": last, "anywhere": rng.randint(0, last)}[order]
    return [*hypotheses[:at], *story.premise, *hypotheses[at:]]


def alike_sentences(pool: list[str]) -> list[list[int]]:
    """For each sentence the indices of its up to 24 nearest others by cosine within ``ALIKE``, nearest first.

    Cosine of binary bag-of-words vectors weighted by inverse document frequency, function words left out. A word's
    postings are added up for one sentence at a time, so memory grows with the text and not with its square.
    """
    import numpy as np

    bags = [sorted(set(normalize(s).split()) - FUNCTION_WORDS) for s in pool]
    frequency = Counter(w for bag in bags for w in bag)
    weight = {w: math.log(len(pool) / n) + 1 for w, n in frequency.items()}
    norms = [math.sqrt(sum(weight[w] ** 2 for w in bag)) or 1.0 for bag in bags]
    postings: dict[str, list[int]] = {w: [] for w in frequency}
    for i, bag in enumerate(bags):
        for word in bag:
            postings[word].append(i)
    arrays = {w: np.array(found) for w, found in postings.items()}
    scaled = {w: weight[w] ** 2 / np.array(norms)[found] for w, found in arrays.items()}
    result = []
    for bag, norm in zip(bags, norms, strict=True):
        cosine = np.zeros(len(pool))
        for word in bag:
            cosine[arrays[word]] += scaled[word]
        cosine /= norm
        index = np.flatnonzero((cosine >= ALIKE[0]) & (cosine <= ALIKE[1]))
        result.append(index[np.lexsort((index, -cosine[index]))][:NEIGHBOURS].tolist())
    return result


def normalize(sentence: str) -> str:
    """Lower-case words alone, single spaces: the form in which sentences are compared across data sets."""
    return " ".join(re.findall(r"[a-z0-9]+", sentence.lower()))


def clean(raw: str) -> list[str]:
    """Undo tokenization; give the sentences in ``raw`` that are plain prose, capitalized and with an end mark."""
    text = re.sub(r"\s+", " ", raw.strip())
    text = re.sub(r" ([.,!?;:%])", r"\1", text)
    text = re.sub(r" ('(?:s|re|ve|ll|d|m)\b|n't\b|'(?=[ .,]|$))", r"\1", text, flags=re.IGNORECASE)
    words = [w for w in re.findall(r"[A-Za-z]+", text) if len(w) > 3]
    if words and sum(w[0].isupper() for w in words) > 0.6 * len(words) > 1:  # A Caption In Title Case
        text = text.lower()
    parts = re.split(r"(?<=\w{3}[.!?])\s+(?=[A-Z])", text)
    return [s for part in parts if (s := _finish(part))]


def _finish(sentence: str) -> str:
    """Capital letter and end mark; empty for quotes, brackets, odd characters and sentences that are too long."""
    sentence = sentence.strip(" ,;:-")
    if not re.fullmatch(r"[A-Za-z0-9 ,.!?;:'%$&-]+", sentence) or not normalize(sentence):
        return ""
    if len(sentence.split()) > LONGEST_SENTENCE:
        return ""
    sentence = sentence[0].upper() + sentence[1:]
    return sentence if sentence[-1] in ".!?" else sentence + "."


def read_snli(data: Path) -> list[tuple[str, str, str]]:
    """(premise, hypothesis, label) of SNLI development and test sets; labels in words."""
    rows: list[tuple[str, str, str]] = []
    for part in SNLI_PARTS:
        columns = [_lines(data / "nli" / "esnli-devtest" / f"{name}.{part}") for name in ("s1", "s2", "labels")]
        rows += zip(*columns, strict=True)
    return rows


def read_counterfactual(data: Path, folder: str) -> list[tuple[str, str, str]]:
    """(premise, hypothesis, label) of one folder of counterfactual SNLI, its three parts together."""
    rows = []
    for part in COUNTERFACTUAL_PARTS:
        with (data / "nli" / "snli-counterfactual" / folder / f"{part}.tsv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                rows.append((row["sentence1"], row["sentence2"], row["gold_label"]))
    return rows


def read_captions(data: Path) -> list[str]:
    """COCO captions, raw."""
    return [s for part in ("train", "test") for s in _lines(data / "text" / "coco-captions-texygen" / f"{part}.tgt")]


def evaluation_sentences(data: Path) -> set[str]:
    """Normalized sentences of the MSCOCO pairs that students are scored on."""
    found: set[str] = set()
    for name in EVALUATION_FILES:
        with gzip.open(data / name, "rt", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found.update((normalize(row["source"]), normalize(row["target"])))
    return found


def load(data: Path, seed: int = 0) -> tuple[Scenes, Scenes, dict[str, int]]:
    """Training split, held-out split (about 4 %) and counts of what was read, dropped and kept."""
    if not (data / "nli" / "esnli-devtest").is_dir():
        raise UserError(f"{data}: no folder nli/esnli-devtest; --data wants the folder with nli/, text/ and mscoco/")
    banned = evaluation_sentences(data)
    counts: Counter[str] = Counter()

    def accept(raw: str, fewest_words: int = 1) -> list[str]:
        kept = []
        for sentence in clean(raw) or [""]:
            reason = "kept"
            if not sentence:
                reason = "dropped: no plain prose"
            elif normalize(sentence) in banned:
                reason = "dropped: in MSCOCO evaluation"
            elif len(sentence.split()) < fewest_words:
                reason = "dropped: short hypothesis"
            counts[f"sentences {reason}"] += 1
            kept += [sentence] if reason == "kept" else []
        return kept

    splits = {"train": Scenes(), "held-out": Scenes()}
    for family, premise, hypotheses in _by_premise(data):
        split = splits[_split(family, seed)]
        premise_sentences = accept(premise)
        agreeing = [s for h, label in hypotheses if label != "contradiction" for s in accept(h, SHORTEST_HYPOTHESIS)]
        if premise_sentences:
            split.stories.append(Story(tuple(premise_sentences), tuple(dict.fromkeys(agreeing))))
        opposed = [h for h, label in hypotheses if label == "contradiction"]
        split.singles += [s for h in opposed for s in accept(h, SHORTEST_SINGLE)]
    for raw in read_captions(data):
        splits[_split(normalize(raw), seed)].captions += accept(raw)
    train, held_out = (
        splits["train"],
        _without(splits["held-out"], {normalize(s) for s in splits["train"].sentences()}),
    )
    for name, split in (("train", train), ("held-out", held_out)):
        counts[f"{name} stories"] = len(split.stories)
        counts[f"{name} sentences, distinct"] = len(split.sentences())
    return train, held_out, dict(counts)


def _by_premise(data: Path) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """(family, premise, labelled hypotheses); a revised premise belongs to the family of the one it was made from."""
    original = {h: normalize(p) for p, h, _ in read_counterfactual(data, "original")}
    rows = [(normalize(p), p, h, label) for p, h, label in read_snli(data)]
    for premise, hypothesis, label in read_counterfactual(data, "revised_hypothesis"):
        rows.append((normalize(premise), premise, hypothesis, label))
    for premise, hypothesis, label in read_counterfactual(data, "revised_premise"):
        rows.append((original.get(hypothesis, normalize(premise)), premise, hypothesis, label))
    grouped: dict[str, tuple[str, str, list[tuple[str, str]]]] = {}
    for family, premise, hypothesis, label in rows:
        grouped.setdefault(normalize(premise), (family, premise, []))[2].append((hypothesis, label))
    return list(grouped.values())


def _split(key: str, seed: int) -> str:
    """A split that depends on the key and the seed alone, so that adding data moves nothing."""
    number = int.from_bytes(hashlib.sha256(f"{seed} {key}".encode()).digest()[:4], "big") / 2**32
    return "held-out" if number < HELD_OUT_SHARE else "train"


def _without(split: Scenes, seen: set[str]) -> Scenes:
    """Held-out text less the sentences that also stand in the training split (short hypotheses, mostly)."""

    def new(sentences: tuple[str, ...] | list[str]) -> list[str]:
        return [s for s in sentences if normalize(s) not in seen]

    stories = [Story(story.premise, tuple(new(story.hypotheses))) for story in split.stories if new(story.premise)]
    return Scenes(stories, new(split.captions), new(split.singles))


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
