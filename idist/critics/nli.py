"""The entailment model: p(a => b) of many sentence pairs, each computed once.

Each distinct sentence is tokenized once and pairs are put together from token ids, with the special tokens where the
model's own tokenizer puts them. Batches hold pairs of one length, and their last layer is computed for the token that
the classifier reads (`idist.critics.first_token`). What was asked once is remembered, so that several critics share the
dear part.

Numbers differ from those of a pair that goes through the model alone in the seventh digit (a matrix product adds in
another order). Where that could turn a decision the pair does go through alone, and through the whole model: near every
threshold and floor of the run, near every hundredth (so that a later cut at 0.81 is decided in the same way), and near
a tie of the labels.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from idist.critics.batching import batch_tokens, equal_length_batches, on_device, run_or_halve, tokenize_each
from idist.critics.groups import Group

if TYPE_CHECKING:
    import torch

TOLERANCE = 1e-5
P, MARGIN = 0, 1  # what is stored of a pair: probability of entailment; its lead over the best other label


@dataclass
class _Template:
    """Special tokens before, between and after the two sentences, and the token types of the five parts."""

    parts: tuple[list[int], list[int], list[int]]
    types: tuple[int, int, int, int, int] | None

    @property
    def length(self) -> int:
        return sum(map(len, self.parts))

    def join(self, a: list[int], b: list[int]) -> tuple[list[int], list[int]]:
        """Token ids and token types (empty if the model has none) of a pair."""
        pieces = (self.parts[0], a, self.parts[1], b, self.parts[2])
        ids = [token for piece in pieces for token in piece]
        if self.types is None:
            return ids, []
        return ids, [kind for piece, kind in zip(pieces, self.types, strict=True) for _ in piece]


@dataclass
class _Known:
    """A group's tokens and answers. Sentences with the same tokens are one: ``canonical`` numbers the distinct ones."""

    canonical: np.ndarray  # (sentences,)
    texts: list[str]  # of the distinct ones
    tokens: list[list[int]]
    failures: dict[int, str]  # sentence -> reason
    failed: np.ndarray  # (sentences,) bool
    table: np.ndarray  # (distinct, distinct, 2) float32, NaN: not known


class EntailmentModel:
    """A sequence-pair classifier with an entailment label (its index is read from the model's config).

    Args:
        name: see `idist.models.load_classifier`.
        device, dtype: see `idist.critics.loading.Models`.

    Raises:
        UserError: no such model, or no single label with "entail" in its name.
    """

    def __init__(self, name: str, device: str = "auto", dtype: str = "auto") -> None:
        from idist.models import label_index, load_classifier, longest_input

        self.model, self.tokenizer = load_classifier(name, device, dtype)
        self.label = label_index(self.model, "entail")
        self.limit = longest_input(self.model, self.tokenizer)
        self.calls = 0  # pairs that went through the model
        self._template = _find_template(self.tokenizer)
        self._budget = batch_tokens(str(self.model.device))
        self._float32 = str(self.model.dtype) == "torch.float32"  # below that, digits are no finer in a batch of one
        self._sensitive: set[float] = set()
        self._groups: weakref.WeakKeyDictionary[Group, _Known] = weakref.WeakKeyDictionary()

    def decide_at(self, thresholds: Iterable[float]) -> None:
        """Name values whose neighbourhood must be right to the last digit."""
        self._sensitive |= {float(threshold) for threshold in thresholds}

    def ask(self, batch: Sequence[tuple[Group, np.ndarray]]) -> list[np.ndarray]:
        """Entailment of pairs of many groups.

        Args:
            batch: groups and (P, 2) sentence indices: premise, hypothesis.

        Returns:
            For each group (P, 2) float32: probability of entailment in [0, 1], and its lead over the best other
            label in [-1, 1]; NaN for a sentence that could not be tokenized.
        """
        known = self._know([group for group, _ in batch])
        todo: list[tuple[int, int, int]] = []
        cells = []
        for number, (here, (_, pairs)) in enumerate(zip(known, batch, strict=True)):
            pairs = np.asarray(pairs, np.int64).reshape(-1, 2)
            cell = here.canonical[pairs]
            cells.append(cell)
            asked = ~here.failed[pairs].any(axis=1) & np.isnan(here.table[cell[:, 0], cell[:, 1], P])
            todo += [(number, a, b) for a, b in np.unique(cell[asked], axis=0).tolist()]
        self._fill(known, todo)
        answers = []
        for here, cell, (_, pairs) in zip(known, cells, batch, strict=True):
            answer = here.table[cell[:, 0], cell[:, 1]].copy()
            answer[here.failed[np.asarray(pairs, np.int64).reshape(-1, 2)].any(axis=1)] = np.nan
            answers.append(answer)
        return answers

    def ask_alone(self, batch: Sequence[tuple[Group, np.ndarray]]) -> None:
        """Put pairs that were asked before through the model one at a time: near-ties between them are then real."""
        if not self._float32:
            return
        known = self._know([group for group, _ in batch])
        todo = {
            (number, int(here.canonical[a]), int(here.canonical[b]))
            for number, (here, (_, pairs)) in enumerate(zip(known, batch, strict=True))
            for a, b in pairs
        }
        self._fill(known, sorted(todo), alone=True)

    def failures(self, group: Group, sentences: Iterable[int]) -> dict[int, str]:
        """Why sentences of a group could not be read, among those given."""
        wanted = set(map(int, sentences))
        return {index: reason for index, reason in self._groups[group].failures.items() if index in wanted}

    def lengths(self, group: Group) -> np.ndarray:
        """(sentences,) number of tokens."""
        [known] = self._know([group])
        return np.array([len(known.tokens[number]) for number in known.canonical], np.int64)

    def _know(self, groups: Sequence[Group]) -> list[_Known]:
        new = [group for group in dict.fromkeys(groups) if group not in self._groups]
        texts = list(dict.fromkeys(sentence for group in new for sentence in group.sentences))
        tokens, reasons = tokenize_each(self.tokenizer, texts, add_special_tokens=False)
        position = {text: number for number, text in enumerate(texts)}
        for group in new:
            numbers: dict[tuple[int, ...], int] = {}
            here = [position[sentence] for sentence in group.sentences]
            canonical = np.array([numbers.setdefault(tuple(tokens[p]), len(numbers)) for p in here], np.int64)
            firsts = [int(np.flatnonzero(canonical == number)[0]) for number in range(len(numbers))]
            failures = {index: reasons[p] for index, p in enumerate(here) if p in reasons}
            self._groups[group] = _Known(
                canonical=canonical,
                texts=[group.sentences[first] for first in firsts],
                tokens=[list(ids) for ids in numbers],
                failures=failures,
                failed=np.array([p in reasons for p in here], bool),
                table=np.full((len(numbers), len(numbers), 2), np.nan, np.float32),
            )
        return [self._groups[group] for group in groups]

    def _fill(self, known: list[_Known], todo: list[tuple[int, int, int]], alone: bool = False) -> None:
        """Compute cells (group, premise, hypothesis) of the groups' tables. A batch's numbers are fetched when the next
        one is under way: a GPU computes while the host puts together what comes after."""
        inputs = [self._input(known[number], a, b) for number, a, b in todo]
        batches = [np.array([n]) for n in range(len(inputs))] if alone else self._batches(inputs)
        under_way: list[tuple[np.ndarray, torch.Tensor]] = []
        for batch in batches:
            begun = run_or_halve(lambda part: self._run([inputs[n] for n in part]), batch)
            for part, scores in under_way:
                self._store(known, todo, inputs, part, scores.cpu().numpy())
            under_way = begun
        for part, scores in under_way:
            self._store(known, todo, inputs, part, scores.cpu().numpy())

    def _store(
        self,
        known: list[_Known],
        todo: list[tuple[int, int, int]],
        inputs: list[tuple[list[int], list[int]]],
        batch: np.ndarray,
        scores: np.ndarray,
    ) -> None:
        """Remember (B, 2) scores; what is near a threshold goes through the model alone first."""
        if len(batch) > 1 and self._float32:
            for row in np.flatnonzero(self._near(scores)):
                scores[row] = self._run([inputs[batch[row]]])[0].cpu().numpy()
        for n, score in zip(batch, scores, strict=True):
            number, a, b = todo[n]
            known[number].table[a, b] = score

    def _batches(self, inputs: list[tuple[list[int], list[int]]]) -> Iterable[np.ndarray]:
        return equal_length_batches([len(ids) for ids, _ in inputs], self._budget)

    def _input(self, known: _Known, a: int, b: int) -> tuple[list[int], list[int]]:
        first, second = known.tokens[a], known.tokens[b]
        if len(first) + len(second) + self._template.length <= self.limit:
            return self._template.join(first, second)
        # Which of two long sentences loses how many tokens is the tokenizer's own rule. Lists, because transformers
        # takes a lone empty second sentence for none, and leaves out its separator.
        encoded = self.tokenizer([known.texts[a]], [known.texts[b]], truncation=True, max_length=self.limit)
        return encoded["input_ids"][0], encoded.get("token_type_ids", [[]])[0]

    def _run(self, inputs: list[tuple[list[int], list[int]]]) -> torch.Tensor:
        """One forward pass over inputs of equal length: (B, 2) float32, on the device. One input alone is what others
        are held to."""
        import torch

        from idist.critics.first_token import first_token_only

        way = first_token_only(self.model) if len(inputs) > 1 else nullcontext()
        device = self.model.device
        ids = on_device([ids for ids, _ in inputs], device)  # (B, T)
        arguments: dict[str, Any] = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if inputs[0][1]:
            arguments["token_type_ids"] = on_device([types for _, types in inputs], device)
        with torch.inference_mode(), way:
            probabilities = self.model(**arguments).logits.float().softmax(dim=-1)  # (B, labels)
            entailment = probabilities[:, self.label].clone()
            probabilities[:, self.label] = -1.0
            margin = entailment - probabilities.amax(dim=-1)
            self.calls += len(inputs)
            return torch.stack([entailment, margin], dim=1)

    def _near(self, scores: np.ndarray) -> np.ndarray:
        """(B,) bool: close to a value at which something may be decided."""
        p = scores[:, P].astype(np.float64)
        hundredth = np.round(p * 100) / 100
        near = (np.abs(p - hundredth) <= TOLERANCE) & (hundredth > 0) & (hundredth < 1)
        for value in self._sensitive:
            near |= np.abs(p - value) <= TOLERANCE
        return near | (np.abs(scores[:, MARGIN]) <= TOLERANCE)


def _find_template(tokenizer: Any) -> _Template:
    """Read from one encoded pair where the tokenizer puts its special tokens."""
    encoded = tokenizer("a b", "c d e")
    owners = encoded.sequence_ids(0)
    ids, types = encoded["input_ids"], encoded.get("token_type_ids")
    first = [n for n, owner in enumerate(owners) if owner == 0]
    second = [n for n, owner in enumerate(owners) if owner == 1]
    edges = (0, first[0], first[-1] + 1, second[0], second[-1] + 1, len(ids))
    parts = (ids[: first[0]], ids[first[-1] + 1 : second[0]], ids[second[-1] + 1 :])
    if types is None:
        return _Template(parts, None)
    kinds = tuple(types[start] if start < stop else 0 for start, stop in pairwise(edges))
    return _Template(parts, (kinds[0], kinds[1], kinds[2], kinds[3], kinds[4]))
