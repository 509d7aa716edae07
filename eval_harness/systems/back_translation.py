"""Into another language and back, with two translation models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eval_harness.systems.local_model import LocalModel, encode, load_encoder_decoder
from eval_harness.tasks.base import Example
from idist._schema import nearest
from idist.errors import UserError
from idist.text import clean_sentence


@dataclass
class BackTranslation(LocalModel):
    """Into a pivot language and back, with two translation models.

    For example ``back-translation:Helsinki-NLP/opus-mt-en-de,back=Helsinki-NLP/opus-mt-de-en``. A model of one language
    pair needs no more. One that knows several (NLLB, M2M100, mBART, the Marian models of a group such as
    ``opus-mt-en-ROMANCE``) must be told which, in the codes of its own tokenizer: ``language=eng_Latn,pivot=deu_Latn``
    for NLLB, ``pivot=fra`` for that Marian model.

    Attributes:
        back: the model that translates back.
        pivot: code of the language between.
        language: code of the examples' language.
    """

    back: str = ""
    pivot: str | None = None
    language: str | None = None

    def __post_init__(self) -> None:
        if not self.back:
            raise UserError(
                "back-translation has no model that translates back, expected for example "
                "back-translation:Helsinki-NLP/opus-mt-en-de,back=Helsinki-NLP/opus-mt-de-en."
            )
        super().__post_init__()

    def models(self) -> dict[str, str]:
        """Both models' names."""
        return {"model": self.model, "back": self.back}

    def predict(self, examples: Sequence[Example]) -> list[str]:
        """Texts that went there and came back, white space collapsed."""
        ids = [example.id for example in examples]
        sources = [example.source for example in examples]
        there = self._translate(self.model, sources, ids, self.language, self.pivot, last=False)
        return self._translate(self.back, there, ids, self.pivot, self.language, last=True)

    def _translate(
        self, name: str, texts: Sequence[str], ids: Sequence[str], source: str | None, target: str | None, last: bool
    ) -> list[str]:
        loaded = self.load(name, load_encoder_decoder)
        mark, first = _languages(name, loaded[1], source, target)
        rows = encode(loaded, [mark + text for text in texts], None)
        written = self.write(loaded, rows, ids, forced_bos_token_id=first, last=last)
        return [clean_sentence(text) for text in written]


def _languages(name: str, tokenizer: Any, source: str | None, target: str | None) -> tuple[str, int | None]:
    """What a model of several languages must be told: a mark before each text, the first token to be written.

    Three ways are in use: the tokenizer marks the source's language and the decoder starts with the target's (NLLB,
    M2M100, mBART); a mark ``>>de<<`` before the source names the target (Marian models of several targets); nothing.

    Raises:
        UserError: a language is missing or not known to the model.
    """
    if hasattr(tokenizer, "src_lang"):
        known = _codes(tokenizer)
        tokenizer.src_lang = _known(name, "source", source, known)
        code = _known(name, "target", target, known)
        find = getattr(tokenizer, "get_lang_id", None) or tokenizer.convert_tokens_to_ids
        return "", int(find(code))
    marks = [token for token in tokenizer.get_vocab() if token.startswith(">>") and token.endswith("<<")]
    if marks:
        return f">>{_known(name, 'target', target, [mark[2:-2] for mark in marks])}<< ", None
    return "", None


def _codes(tokenizer: Any) -> list[str]:
    """Language codes of a tokenizer with ``src_lang``: M2M100 keeps codes and tokens (``__de__``) apart, others do not.

    A tokenizer that was saved and loaded may have forgotten its list of codes, but not its special tokens.
    """
    for attribute in ("lang_code_to_token", "lang_code_to_id"):
        if getattr(tokenizer, attribute, None):
            return list(getattr(tokenizer, attribute))
    return [token for token in tokenizer.all_special_tokens if not token.startswith("<")]


def _known(name: str, side: str, code: str | None, known: Sequence[str]) -> str:
    if code is None:
        some = ", ".join(sorted(known)[:5])
        raise UserError(
            f"Model {name!r} knows several languages; set language= (the examples') and pivot=, for example {some}."
        )
    if code not in known:
        raise UserError(f"Model {name!r} has no {side} language {code!r}; {nearest(code, list(known))}")
    return code
