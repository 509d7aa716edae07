"""A loaded student: reads a sentence, with or without codes, and writes candidates that differ from one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from demo.origin import critics_of, fetch
from eval_harness.systems.student import Student as TrainedStudent
from idist.controls import Controls, Failure, load_controls
from idist.critics.rouge_l import RougeL
from idist.decoding import Decoder, Sampling
from idist.errors import UserError
from idist.models import load_student
from idist.text import split_sentences

CHARACTERS = 1000  # of a sentence
DRAWS = 8  # samples for each candidate that is wanted: many are equal, or the source again
CANDIDATES, TEMPERATURES, DIVERSITIES = (1, 10), (0.1, 2.0), (0.0, 0.8)
SEEDS = (0, 2**31)


class Student:
    """A student by name, in memory.

    Args:
        name: Hub id, folder or ``embedded:NAME``.
        controlled: it was trained with controls.

    Raises:
        UserError: no such model; one without controls that should have some.
    """

    def __init__(self, name: str, controlled: bool = False) -> None:
        folder = fetch(name)
        self.name = name
        self.trained = TrainedStudent(model=folder).trained
        self.composition = critics_of(folder)
        self.controls: Controls | None = load_controls(folder) if controlled else None
        self.model, self.tokenizer = load_student(folder)
        self.template = self.trained.template(bool(self.model.config.is_encoder_decoder))

    def check(self, text: str | None, name: str = "The sentence") -> str:
        """The sentence as the student reads it: white space collapsed, nothing invisible.

        Raises:
            UserError: empty, too long, more than one sentence, or in characters that the student cannot read.
        """
        if not isinstance(text, (str, type(None))):
            raise UserError(f"{name} is {type(text).__name__}, expected a text.")
        visible = "".join(c if c.isprintable() or c in "\u200c\u200d\u200e\u200f" else " " for c in text or "")
        sentence = " ".join(visible.split())
        if not sentence:
            raise UserError(f"{name} is empty: type one, or choose an example.")
        if len(sentence) > CHARACTERS:
            raise UserError(f"{name} has {len(sentence):,} characters, expected at most {CHARACTERS:,}.")
        number = len(split_sentences(sentence))
        if number > 1:
            raise UserError(f"{name} is {number} sentences, expected one: the table takes several, one a row.")
        ids = self.tokenizer(sentence, add_special_tokens=False, verbose=False).input_ids
        if len(ids) + 1 > self.trained.max_source_tokens:
            limit = self.trained.max_source_tokens
            raise UserError(f"{name} has {len(ids)} tokens, and the student reads {limit - 1}: shorten it.")
        words = self.tokenizer(sentence.split(), add_special_tokens=False, verbose=False).input_ids
        unknown = sum(self.tokenizer.unk_token_id in word for word in words)
        if unknown > len(words) / 2 or not any(c.isalpha() for c in sentence):
            raise UserError(f"{name} has hardly a word that this student can read: it learned from English sentences.")
        return sentence

    def write(
        self, sentence: str, candidates: float, temperature: float, diversity: float, seed: float, prefix: str = ""
    ) -> list[str]:
        """Different candidates, none of them the sentence itself, in the order in which they were drawn.

        Args:
            sentence: from `check`.
            candidates: at most so many, 1 to 10.
            temperature: of the samples, 0.1 to 2.
            diversity: no two candidates have a ROUGE-L above 1 - ``diversity``, 0 to 0.8.
            seed: another one, other samples; 0 to 2^31.
            prefix: codes before the sentence.

        Raises:
            UserError: a value out of its range; the student said nothing but the sentence again.
        """
        _check_number("The number of candidates", candidates, CANDIDATES)
        _check_number("The temperature", temperature, TEMPERATURES)
        _check_number("The diversity", diversity, DIVERSITIES)
        _check_number("The seed", seed, SEEDS)
        sampling = Sampling(float(temperature), 0.9, max_new_tokens=self.trained.max_target_tokens)
        decoder = Decoder(self.model, self.tokenizer, sampling)
        [drawn] = decoder.rewrite([prefix + sentence], ["asked"], DRAWS * int(candidates), int(seed), self.template)
        texts = [text for text in dict.fromkeys(drawn) if text and text != sentence]
        if not texts:
            raise UserError("The student only repeated the sentence: raise the temperature, or try another sentence.")
        return spread(texts, int(candidates), float(diversity))

    def wanted(self, wish: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
        """What stands before the sentence, and what is wanted of each control.

        Raises:
            UserError: the student was trained without controls, knows no such one, or has no code for this.
        """
        if self.controls is None:
            raise UserError("This student was trained without controls.")
        [wanted] = self.controls.wanted([wish])
        if isinstance(wanted, Failure):
            raise UserError(wanted.reason)
        return self.controls.prefix(wanted), wanted


def spread(texts: Sequence[str], most: int, diversity: float) -> list[str]:
    """The first texts of which no two have a ROUGE-L above 1 - ``diversity``, at most ``most``."""
    critic, kept = RougeL(), [0]
    for place in range(1, len(texts)):
        scores = critic.score(texts, np.array([(place, other) for other in kept]))
        if len(kept) < most and (diversity == 0 or float(scores.max()) <= 1 - diversity):
            kept.append(place)
    return [texts[place] for place in kept]


def _check_number(name: str, value: float, limits: tuple[float, float]) -> None:
    low, high = limits
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not low <= value <= high:
        raise UserError(f"{name} is {value!r}, expected {low:g} to {high:g}.")
