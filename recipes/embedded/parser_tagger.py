"""Training of the averaged perceptron tagger that runs before the parser (Collins, 2002)."""

from __future__ import annotations

import random
from collections import Counter, defaultdict

import numpy as np

from idist.trees.tagger import _START, PerceptronTagger, features, window

Sentence = list[tuple[str, str]]
FREQUENT, UNAMBIGUOUS = 20, 0.97  # a word seen so often, with one tag so mostly, is not sent to the model
SMALLEST_WEIGHT = 0.5  # of averaged weights, mostly between 1 and 10; smaller ones are dropped


def train_tagger(sentences: list[Sentence], epochs: int, seed: int) -> PerceptronTagger:
    """Averaged perceptron on (word, tag) sentences, pruned; about 10 s an epoch for 125,000 words."""
    known = _known_words(sentences)
    tags = sorted({tag for sentence in sentences for _, tag in sentence})
    column = {tag: number for number, tag in enumerate(tags)}
    trainer = _Trainer(len(tags))
    shuffled = list(sentences)
    generator = random.Random(seed)
    for _ in range(epochs):
        generator.shuffle(shuffled)
        for sentence in shuffled:
            context = window([word for word, _ in sentence])
            before, before2 = _START[1], _START[0]
            for position, (word, truth) in enumerate(sentence, start=2):
                tag = known.get(word)
                if tag is None:
                    rows = trainer.rows(features(context, position, word, before, before2))
                    tag = tags[trainer.learn(rows, column[truth])]
                before, before2 = tag, before
    weights = trainer.average()
    weights[np.abs(weights) < SMALLEST_WEIGHT] = 0
    used = np.flatnonzero(weights.any(axis=1))
    names = list(trainer.index)
    return PerceptronTagger({names[row]: i for i, row in enumerate(used)}, weights[used], tags, known)


def jackknifed(sentences: list[Sentence], epochs: int, seed: int, folds: int = 2) -> list[list[str]]:
    """Tags of each sentence by a tagger that did not see it: what the parser will meet when it is used."""
    order = list(range(len(sentences)))
    random.Random(seed).shuffle(order)
    tags: dict[int, list[str]] = {}
    for fold in range(folds):
        held_out = order[fold::folds]
        unseen = set(held_out)
        tagger = train_tagger([s for i, s in enumerate(sentences) if i not in unseen], epochs, seed)
        for i in held_out:
            tags[i] = [tag for _, tag in tagger.tag([word for word, _ in sentences[i]])]
    return [tags[i] for i in range(len(sentences))]


def accuracy(tagger: PerceptronTagger, sentences: list[Sentence]) -> float:
    """Share of words with the right tag."""
    right = total = 0
    for sentence in sentences:
        guesses = tagger.tag([word for word, _ in sentence])
        right += sum(guess == truth for guess, truth in zip(guesses, sentence, strict=True))
        total += len(sentence)
    return right / total


class _Trainer:
    """Weights with lazily kept sums over time, for the average."""

    def __init__(self, num_tags: int) -> None:
        self.index: dict[str, int] = {}
        self.step = 0
        self.weights, self.sums, self.stamps = (np.zeros((1 << 16, num_tags), np.float32) for _ in range(3))

    def rows(self, names: list[str]) -> np.ndarray:
        rows = np.array([self.index.setdefault(name, len(self.index)) for name in names])
        if len(self.index) > len(self.weights):
            self.weights, self.sums, self.stamps = (
                np.concatenate([table, np.zeros_like(table)]) for table in (self.weights, self.sums, self.stamps)
            )
        return rows

    def learn(self, rows: np.ndarray, truth: int) -> int:
        """Guess a column; if it is wrong, move the weights. Returns the guess."""
        self.step += 1
        guess = int(self.weights[rows].sum(0).argmax())
        if guess != truth:
            for column, change in ((truth, 1.0), (guess, -1.0)):
                self.sums[rows, column] += (self.step - self.stamps[rows, column]) * self.weights[rows, column]
                self.stamps[rows, column] = self.step
                self.weights[rows, column] += change
        return guess

    def average(self) -> np.ndarray:
        size = len(self.index)
        weights, sums, stamps = self.weights[:size], self.sums[:size], self.stamps[:size]
        return (sums + (self.step - stamps) * weights) / max(self.step, 1)


def _known_words(sentences: list[Sentence]) -> dict[str, str]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        for word, tag in sentence:
            counts[word][tag] += 1
    known = {}
    for word, by_tag in counts.items():
        tag, count = by_tag.most_common(1)[0]
        total = by_tag.total()
        if total >= FREQUENT and count >= UNAMBIGUOUS * total:
            known[word] = tag
    return known
