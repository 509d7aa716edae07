"""A student of this toolkit, with the prompt and token limits that it was trained with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from eval_harness.systems.local_model import LocalModel, encode
from eval_harness.systems.prompts import fill
from eval_harness.tasks.base import Example, Task, TaskData
from idist.config import TrainConfig
from idist.controls import Controls, Failure, load_controls, parse_wishes
from idist.errors import UserError
from idist.text import clean_sentence

EXEMPLAR = "exemplar"
ABOUT = "training.json"  # what stage `train` leaves beside its model


@dataclass
class Student(LocalModel):
    """A student of this toolkit by name, with the prompt and limits of its training.

    For example ``idist:runs/mini/train_final/model`` or ``idist:embedded:student``. Encoder-decoder or decoder-only.
    What is not set here is taken from the ``training.json`` that its training left beside the model's folder (or in
    it); a model that has none (one of the Hub, one that ships) is taken to have been trained with the defaults of
    `idist.config.TrainConfig`: no prompt, 128 tokens.

    Attributes:
        max_new_tokens: 0: as many as a target had in training.
        template: what the student reads, with ``{source}`` in it; a decoder-only student gets a line break after it.
        no_repeat_ngram_size: as in the authors' sampling: a student that reads something unlike its training data may
            otherwise write a phrase over and over until it is cut. 0: no such rule, for texts that repeat themselves.
        max_source_tokens: what is longer loses its end.
        control: for a student that was trained with controls, what is asked of it: ``exemplar`` (of each example its
            own), or the same of all: ``exemplar:SENTENCE``, ``tree:(S (NP) (VP))``, ``template:1``,
            ``length_ratio:1;lexical_overlap:2`` (its ``control.json`` says what it knows). An example whose exemplar
            has no code is a failure, with its reason.
        parser: that of exemplars, if not the one that the student was trained with.
    """

    max_new_tokens: int = 0
    no_repeat_ngram_size: int | None = 3
    template: str | None = None
    max_source_tokens: int | None = None
    control: str | None = None
    parser: str | None = None

    def __post_init__(self) -> None:
        self.max_new_tokens = self.max_new_tokens or self.trained.max_target_tokens
        self.max_source_tokens = self.max_source_tokens or self.trained.max_source_tokens
        self.template = self.template or self.trained.template(seq2seq=True)
        super().__post_init__()
        if "{source}" not in self.template:
            raise UserError(f"template is {self.template!r}, expected {{source}} in it.")
        self._check_control()

    def settings(self) -> dict[str, Any]:
        """As of all local models; without ``control`` and ``parser`` where nothing is asked for."""
        settings = super().settings()
        if self.control is None:
            del settings["control"], settings["parser"]
        return settings

    def models(self) -> dict[str, str]:
        """The student, and the parser (with its encoder) where examples' exemplars go through it."""
        return {"model": self.model} | (self._parsers if self.control is not None else {})

    def begin(self, task: Task, data: TaskData) -> None:
        """Raises UserError where exemplars are asked for and the task has none."""
        if self.control == EXEMPLAR and data.examples[0].exemplar is None:
            raise UserError(
                f"Task {task.name!r} has no exemplars; expected another control than {EXEMPLAR!r}, or none."
            )

    @cached_property
    def trained(self) -> TrainConfig:
        """The settings of its training, as far as this system needs them.

        Raises:
            UserError: no such model; a ``training.json`` that is not JSON or has no such settings.
        """
        from idist.models import resolve

        folder = Path(resolve(self.model)[0])
        places = [folder, folder.resolve().parent] if folder.resolve().name == "model" else [folder]
        found = next((place / ABOUT for place in places if (place / ABOUT).is_file()), None)
        return _read(found) if found else TrainConfig()

    def predict(self, examples: Sequence[Example]) -> list[str]:
        """Decoded texts, white space collapsed."""
        from idist.models import load_student

        loaded = self.load(self.model, load_student)
        asked, texts = self._inputs(examples)
        if not asked:
            return [""] * len(examples)
        rows = student_tokens(loaded, texts, int(self.max_source_tokens or 0))
        written = self.write(loaded, rows, [example.id for example in asked])
        said = {example.id: clean_sentence(text) for example, text in zip(asked, written, strict=True)}
        return [said.get(example.id, "") for example in examples]

    def _inputs(self, examples: Sequence[Example]) -> tuple[list[Example], list[str]]:
        """What the student reads: prompt, codes, source; without the examples that have no code (failures)."""
        template = str(self.template)
        if self.control is None:
            return list(examples), [fill(template, example, template) for example in examples]
        if self.control == EXEMPLAR:
            wishes: list[Mapping[str, str]] = [{EXEMPLAR: str(example.exemplar)} for example in examples]
        else:
            wishes = [parse_wishes(self.control)] * len(examples)
        asked, texts = [], []
        for example, prefix in zip(examples, self._controls.prefixes(wishes), strict=True):
            if isinstance(prefix, Failure):
                self.failures[example.id] = prefix.reason
                continue
            coded = replace(example, source=prefix + example.source)
            asked.append(example)
            texts.append(fill(template, coded, template))
        return asked, texts

    def _check_control(self) -> None:
        """Raises UserError for what no example can be asked for: before the first one is."""
        if self.control is None:
            if self.parser is not None:
                raise UserError("parser is set but no control; set control=exemplar, too.")
            return
        if self.control == EXEMPLAR:
            self._controls.check([EXEMPLAR])
            return
        wish = parse_wishes(self.control)
        self._controls.check(wish)
        if EXEMPLAR not in wish:  # needs a parser: left until one is loaded
            self._controls.input("", wish)

    @cached_property
    def _controls(self) -> Controls:
        """What the student can be asked for.

        Raises:
            UserError: it was trained without controls.
        """
        return load_controls(self.model, self.device, self.parser)

    @cached_property
    def _parsers(self) -> dict[str, str]:
        from idist.models import parser_encoder

        found = {}
        for control in self._controls.controls:
            for setting, name in control.model_names().items():
                if not name.startswith("stanza:"):
                    encoder = parser_encoder(name)
                    found[setting] = name
                    found |= {f"{setting}_encoder": encoder} if encoder else {}
        return found


def student_tokens(loaded: tuple[Any, Any], texts: Sequence[str], limit: int) -> list[list[int]]:
    """Token ids as the student saw them in training: at most ``limit`` each, cut at the source's end, never in the end
    mark or, decoder-only, the line break that says where the source ends."""
    model, tokenizer = loaded
    if model.config.is_encoder_decoder:
        return encode(loaded, texts, limit)
    rows = tokenizer([text + "\n" for text in texts], verbose=False).input_ids
    return [ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]] for ids in rows]


def _read(path: Path) -> TrainConfig:
    """The settings in a ``training.json``; one without them (of a model that ships) says nothing about them."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        settings = told.get("config", {})
        names = ("prompt", "max_source_tokens", "max_target_tokens")
        return TrainConfig(**{name: settings[name] for name in names if name in settings})
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UserError(f"{path} cannot be read as the summary of a training: {error}.") from None
