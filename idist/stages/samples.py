"""What the teacher writes unasked: samples cut into sentences, from which contexts and sources are taken."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from idist.config import RunConfig
from idist.engine import digest
from idist.stages.runs import number_type

if TYPE_CHECKING:
    import numpy as np

    from idist.decoding import Decoder


NO_REPEAT_NGRAM = 0  # the sources give one for next sentences only


@dataclass(frozen=True)
class Sample:
    """A sample of the teacher: the prefix it was prompted with, and its sentences in order."""

    prefix: str
    sentences: list[str]

    def leading(self) -> list[str]:
        """Sentences up to the first one that is cut off."""
        return list(takewhile(is_complete, self.sentences))

    def complete(self) -> list[str]:
        """All sentences that are not cut off."""
        return [sentence for sentence in self.sentences if is_complete(sentence)]


def next_sentences_decoder(config: RunConfig, temperature: float | None = None) -> Decoder:
    """The teacher with the sampling settings of stage `pairs`; ``temperature`` in the place of the config's."""
    from idist.decoding import Decoder, Sampling
    from idist.models import load_causal_lm

    settings = config.pairs
    sampling = Sampling(
        temperature=settings.temperature if temperature is None else temperature,
        top_p=settings.top_p,
        no_repeat_ngram_size=settings.no_repeat_ngram_size,
        max_new_tokens=settings.max_new_tokens,
        banned_tokens=tuple(settings.banned_tokens),
        min_characters=settings.min_characters,
        join_digits=settings.join_digits,
    )
    return Decoder(*load_causal_lm(settings.model, config.device, config.dtype), sampling)


class SampleWriter:
    """Draws samples with the sampling settings of stage `contexts` (paper: top_p 0.9, temperature 1)."""

    def __init__(self, config: RunConfig, model: str) -> None:
        from idist.decoding import Decoder, Sampling
        from idist.models import load_causal_lm
        from idist.text import load_prefixes

        settings = config.contexts
        sampling = Sampling(
            temperature=settings.temperature,
            top_p=settings.top_p,
            max_new_tokens=settings.max_new_tokens,
            no_repeat_ngram_size=NO_REPEAT_NGRAM,
            banned_tokens=tuple(settings.banned_tokens),
        )
        self.seed, self.join_digits = config.seed, settings.join_digits
        self.prefixes = load_prefixes(settings.prefixes) if settings.prefixes else None
        self.decoder = Decoder(*load_causal_lm(model, config.device, config.dtype), sampling)

    def draw(self, ids: list[str]) -> list[Sample]:
        """One sample for each id; the same (run seed, id) gives the same sample."""
        from idist.text import join_digits, split_sentences

        prefixes = [self._prefix(identifier) for identifier in ids]
        texts = self.decoder.continuations(prefixes, ids, 1, self.seed)
        written = [join_digits(own[0]) if self.join_digits else own[0] for own in texts]
        return [Sample(prefix, split_sentences(text)) for prefix, text in zip(prefixes, written, strict=True)]

    def _prefix(self, identifier: str) -> str:
        return self.prefixes.draw(row_rng(self.seed, identifier, "prefix")) if self.prefixes else ""


def attempt_id(identifier: str, attempt: int) -> str:
    """What a sample's randomness is drawn from: the row's id, with the attempt after the first."""
    return identifier if attempt == 0 else f"{identifier}/{attempt}"


def row_rng(seed: int, identifier: str, what: str) -> np.random.Generator:
    """A generator that depends on the run's seed, the row's id and what is drawn, and on nothing else."""
    import numpy as np

    return np.random.default_rng(list(hashlib.sha256(f"{seed}:{identifier}:{what}".encode()).digest()))


def is_complete(sentence: str) -> bool:
    """Whether a sentence ends as one: what a sample's token limit cut off does not."""
    return sentence.rstrip("\"'”’)").endswith((".", "?", "!"))


def samples_mark(config: RunConfig, model: str) -> dict[str, Any]:
    """Fingerprint of a `SampleWriter`: weights, number type, sampling settings, contents of the prefixes."""
    from idist.models import fingerprint
    from idist.text import load_prefixes

    settings = config.contexts
    prefixes = load_prefixes(settings.prefixes) if settings.prefixes else None
    return {
        "weights": fingerprint(model),
        "dtype": number_type(config),
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "max_new_tokens": settings.max_new_tokens,
        "no_repeat_ngram_size": NO_REPEAT_NGRAM,
        "banned_tokens": settings.banned_tokens,
        "join_digits": settings.join_digits,
        "prefixes": settings.prefixes,
        "prefix_words": digest({"templates": prefixes.templates, "lists": prefixes.lists}) if prefixes else None,
    }
