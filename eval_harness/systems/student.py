"""A student of this toolkit, with the prompt and token limits that it was trained with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from eval_harness.systems.engine import WithEngine
from eval_harness.systems.local_model import encode
from eval_harness.systems.prompts import fill
from eval_harness.tasks.base import Example, Task, TaskData
from idist.config import TrainConfig
from idist.controls import Controls, Failure, code_room, load_controls, parse_wishes, too_long
from idist.errors import UserError
from idist.text import clean_sentence

EXEMPLAR = "exemplar"
ENTAILED = 0.75  # the pipeline's threshold (the paper's)
ABOUT = "training.json"  # what stage `train` leaves beside its model


@dataclass
class Student(WithEngine):
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
        max_source_tokens: what is longer loses its end. An example whose code leaves none of its source is a failure.
        control: for a student that was trained with controls, what is asked of it: ``exemplar`` (of each example its
            own), or the same of all: ``exemplar:SENTENCE``, ``tree:(S (NP) (VP))``, ``template:1``,
            ``length_ratio:1;lexical_overlap:2`` (its ``control.json`` says what it knows). An example whose exemplar
            has no code is a failure, with its reason.
        candidates: texts written for each example, of which the one nearest to what was asked for is taken (the first
            of equally near ones): the search's own and, above 1, samples at temperature 0.7 by ``seed``.
        critic: entailment model. Of the candidates those come first that follow from the source (probability 0.75 or
            more); where there is none, the likeliest is taken.
        parser: that of exemplars, if not the one that the student was trained with.
        engine: see `eval_harness.systems.engine`.
    """

    max_new_tokens: int = 0
    no_repeat_ngram_size: int | None = 3
    template: str | None = None
    max_source_tokens: int | None = None
    control: str | None = None
    candidates: int = 1
    critic: str | None = None
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
            for name in ("control", "candidates", "critic", "parser"):
                del settings[name]
        elif self.candidates > 1:
            settings["seed"] = self.seed  # samples are drawn, whatever the search does
        return settings

    def models(self) -> dict[str, str]:
        """The student; where something is asked of it, the parser (with its encoder) and the critic."""
        critic = {"critic": self.critic} if self.critic else {}
        return {"model": self.model} | (self._parsers | critic if self.control is not None else {})

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
        wanted = self._fitting(loaded, self._wanted(examples))
        asked = [example for example in examples if example.id in wanted]
        if not asked:
            return [""] * len(examples)
        rows = student_tokens(loaded, self._inputs(asked, wanted), int(self.max_source_tokens or 0))
        written = self.write(loaded, rows, [example.id for example in asked])
        said = {example.id: [clean_sentence(text)] for example, text in zip(asked, written, strict=True)}
        if self.control is not None and self.candidates > 1:
            self._add_samples(loaded, asked, self._inputs(asked, wanted), said)
            said = self._nearest(asked, wanted, said)
        return [said[example.id][0] if example.id in said else "" for example in examples]

    def _wanted(self, examples: Sequence[Example]) -> dict[str, dict[str, Any]]:
        """Example -> what is wanted of its text; without those that have no code, which are failures."""
        if self.control is None:
            return {example.id: {} for example in examples}
        if self.control == EXEMPLAR:
            wishes: list[Mapping[str, str]] = [{EXEMPLAR: example.exemplar or ""} for example in examples]
        else:
            wishes = [parse_wishes(self.control)] * len(examples)
        found = {}
        for example, wanted in zip(examples, self._controls.wanted(wishes), strict=True):
            if isinstance(wanted, Failure):
                self.failures[example.id] = wanted.reason
            else:
                found[example.id] = wanted
        return found

    def _fitting(self, loaded: tuple[Any, Any], wanted: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Of `_wanted` those whose codes leave room for a source; the others are failures."""
        if self.control is None:
            return dict(wanted)
        limit, line = int(self.max_source_tokens or 0), "" if loaded[0].config.is_encoder_decoder else "\n"
        room = code_room(loaded[1], f"{self.template}{line}", limit)
        found = {}
        for name, values in wanted.items():
            if failure := too_long(self._controls.symbols(values), room, limit):
                self.failures[name] = failure.reason
            else:
                found[name] = values
        return found

    def _inputs(self, asked: Sequence[Example], wanted: Mapping[str, dict[str, Any]]) -> list[str]:
        """What the student reads: prompt, codes, source."""
        template = str(self.template)
        if self.control is None:
            return [fill(template, example, template) for example in asked]
        prefixes = [self._controls.prefix(wanted[example.id]) for example in asked]
        coded = [replace(e, source=prefix + e.source) for prefix, e in zip(prefixes, asked, strict=True)]
        return [fill(template, example, template) for example in coded]

    def _add_samples(
        self, loaded: tuple[Any, Any], asked: Sequence[Example], texts: Sequence[str], said: Mapping[str, list[str]]
    ) -> None:
        """Different samples after the search's own text."""
        from idist.decoding import Decoder, Sampling

        ngram = int(self.no_repeat_ngram_size or 0)
        sampling = Sampling(0.7, 0.9, no_repeat_ngram_size=ngram, max_new_tokens=self.max_new_tokens)
        template = "{source}" if loaded[0].config.is_encoder_decoder else "{source}\n"
        ids = [example.id for example in asked]
        drawn = Decoder(*loaded, sampling).rewrite(list(texts), ids, self.candidates - 1, self.seed, template)
        for identifier, samples in zip(ids, drawn, strict=True):
            own = said[identifier]
            own += [text for text in dict.fromkeys(map(clean_sentence, samples)) if text and text not in own]

    def _nearest(
        self, asked: Sequence[Example], wanted: Mapping[str, dict[str, Any]], said: Mapping[str, list[str]]
    ) -> dict[str, list[str]]:
        """Each example's candidates, the one nearest to what was wanted (by the critic: and entailed) first."""
        rows = [(example, text) for example in asked for text in said[example.id]]
        pairs = [(example.source, text) for example, text in rows]
        distances = self._controls.apart([wanted[example.id] for example, _ in rows], pairs)
        entailed = self._entailed(pairs) if self.critic else [1.0] * len(rows)
        order: dict[str, list[tuple[tuple[float, float], str]]] = {}
        for (example, text), distance, probability in zip(rows, distances, entailed, strict=True):
            rank = (0.0, distance) if probability >= ENTAILED else (1.0, -probability)
            order.setdefault(example.id, []).append((rank, text))
        return {name: [text for _, text in sorted(own, key=lambda one: one[0])] for name, own in order.items()}

    def _entailed(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Probability that each source entails its text; 0 where that cannot be told."""
        import numpy as np

        from eval_harness.metrics.models import entailment_model
        from idist.critics import Group
        from idist.critics.nli import P

        forward = np.array([[0, 1]])
        batch = [(Group(str(number), list(pair)), forward) for number, pair in enumerate(pairs)]
        model = entailment_model(str(self.critic), self.device)
        return [float(np.nan_to_num(answer[0, P])) for answer in model.ask(batch)]

    def _check_control(self) -> None:
        """Raises UserError for what no example can be asked for: before the first one is."""
        if self.candidates < 1:
            raise UserError(f"candidates is {self.candidates}, expected 1 or more.")
        if self.control is None:
            for name, value in (("parser", self.parser), ("candidates", self.candidates > 1), ("critic", self.critic)):
                if value:
                    raise UserError(f"{name} is set but no control; set control=exemplar, too.")
            return
        if self.critic and self.candidates == 1:
            raise UserError("critic is set but there is nothing to choose from; set candidates=8, too.")
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
