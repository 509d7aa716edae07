"""An encoder-decoder of the Hub or of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval_harness.systems.engine import WithEngine
from eval_harness.systems.local_model import encode, load_encoder_decoder
from eval_harness.systems.prompts import fill
from eval_harness.tasks.base import Example
from idist.errors import UserError
from idist.text import clean_sentence


@dataclass
class HfSeq2Seq(WithEngine):
    """An encoder-decoder (T5, BART, ...) by name, Hub id or folder.

    For example ``hf-seq2seq:org/model,num_beams=8``.

    Attributes:
        template: what the encoder reads, with ``{source}`` in it and, for syntax control, ``{exemplar}``; for example
            ``template=paraphrase: {source}``.
        max_source_tokens: what is longer loses its end; None: as many as the model can read.
        engine: see `eval_harness.systems.engine`.
    """

    template: str = "{source}"
    max_source_tokens: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if "{source}" not in self.template:
            raise UserError(f"template is {self.template!r}, expected {{source}} in it.")
        if self.max_source_tokens is not None and self.max_source_tokens < 2:
            raise UserError(f"max_source_tokens is {self.max_source_tokens}, expected 2 or more.")

    def predict(self, examples: Sequence[Example]) -> list[str]:
        """Decoded texts, white space collapsed."""
        loaded = self.load(self.model, load_encoder_decoder)
        texts = [fill(self.template, example, self.template) for example in examples]
        rows = encode(loaded, texts, self.max_source_tokens)
        return [clean_sentence(text) for text in self.write(loaded, rows, [example.id for example in examples])]
