"""What the systems that run a local model share: decoding settings, loading on first use, freeing."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from eval_harness.environment import check_device
from eval_harness.systems.base import System
from eval_harness.systems.generation import Decoding, generate
from idist.errors import UserError
from idist.text import split_sentences

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_DECODING = tuple(field.name for field in fields(Decoding))
_DTYPES = ("auto", "float32", "float16", "bfloat16")


@dataclass
class LocalModel(System):
    """A model by name (Hub id with ``@revision`` if wanted, folder, ``embedded:NAME``) and how it decodes.

    The decoding fields are those of :class:`eval_harness.systems.generation.Decoding`; ``device`` and ``dtype`` are
    those of `idist.models`.
    """

    model: str
    num_beams: int = 4
    do_sample: bool = False
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0
    max_new_tokens: int = 128
    no_repeat_ngram_size: int | None = None
    device: str = "auto"
    dtype: str = "auto"

    incidental: ClassVar[tuple[str, ...]] = ("device",)

    def __post_init__(self) -> None:
        from idist.models import resolve

        self._loaded: dict[str, tuple[Any, Any]] = {}
        self.decoding()
        check_device(self.device)
        for name in self.models().values():
            resolve(name)
        if self.dtype not in _DTYPES:
            raise UserError(f"dtype is {self.dtype!r}, expected one of: {', '.join(_DTYPES)}.")

    def decoding(self) -> Decoding:
        """The decoding fields, checked.

        Raises:
            UserError: as `Decoding`.
        """
        return Decoding(**{name: getattr(self, name) for name in _DECODING})

    def settings(self) -> dict[str, Any]:
        """Every field that decides the output; of the decoding fields those in use, and the dtype that `auto` means."""
        from idist.models import pick_device, pick_dtype

        others = {name: value for name, value in super().settings().items() if name not in _DECODING}
        dtype = str(pick_dtype(self.dtype, pick_device(self.device))).removeprefix("torch.")
        return {**others, **self.decoding().settings(), "dtype": dtype}

    def models(self) -> dict[str, str]:
        """The model's name."""
        return {"model": self.model}

    def close(self) -> None:
        """Free the model."""
        self._loaded.clear()
        gc.collect()
        if "torch" in sys.modules and sys.modules["torch"].cuda.is_available():
            sys.modules["torch"].cuda.empty_cache()

    def load(
        self, name: str, loader: Callable[[str, str, str], tuple[PreTrainedModel, PreTrainedTokenizerBase]]
    ) -> tuple[Any, Any]:
        """(model, tokenizer), loaded once by one of the loaders of `idist.models`.

        Raises:
            UserError: not found, of another kind, or a package that its tokenizer needs is not installed.
        """
        if name not in self._loaded:
            try:
                self._loaded[name] = loader(name, self.device, self.dtype)
            except ImportError as error:
                reason = (split_sentences(str(error)) or [type(error).__name__])[0].rstrip(".")
                raise UserError(f"Model {name!r}: {reason}; try: pip install sentencepiece") from None
        return self._loaded[name]

    def write(
        self,
        loaded: tuple[Any, Any],
        rows: Sequence[Sequence[int]],
        ids: Sequence[str],
        ended: Callable[[str], bool] | None = None,
        forced_bos_token_id: int | None = None,
        last: bool = True,
    ) -> list[str]:
        """`generate` with this system's decoding settings; ``last``: what is written is the prediction."""
        done = self.advance if last else None
        return generate(*loaded, rows, ids, self.decoding(), ended, forced_bos_token_id, done)


def encode(loaded: tuple[Any, Any], texts: Sequence[str], limit: int | None) -> list[list[int]]:
    """Token ids of what an encoder reads, special ones included; the end of what is too long is cut.

    Args:
        limit: tokens, if fewer than the encoder can read at once.
    """
    from idist.models import longest_input

    model, tokenizer = loaded
    longest = min(longest_input(model, tokenizer), limit or sys.maxsize)
    return list(tokenizer(list(texts), truncation=True, max_length=longest).input_ids)


def load_encoder_decoder(name: str, device: str, dtype: str) -> tuple[Any, Any]:
    """`idist.models.load_seq2seq`, which would answer for another kind of model in transformers' words.

    Raises:
        UserError: the model has no encoder, or does not load.
    """
    from idist.models import is_seq2seq, load_seq2seq

    if not is_seq2seq(name):
        raise UserError(f"Model {name!r} has no encoder; for a causal language model use hf-causal:{name}.")
    return load_seq2seq(name, device, dtype)
