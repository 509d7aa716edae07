"""Search by CTranslate2 in the place of transformers' ``generate``: for encoder-decoders of T5's family, on a CPU.

A named option (``engine=ctranslate2``) and never the default, for its texts are not always the same. Greedy ones are,
up to rounding; of beam search a few differ, because the two end a search by rules of their own. So the engine is part
of a result's signature. `benchmarks/student_decoding.py` measures both. It does not sample: `idist.decoding` is faster
at that, and its draws belong to the example.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from eval_harness.systems.generation import Decoding
from eval_harness.systems.local_model import LocalModel
from idist.errors import UserError

TRANSFORMERS, CTRANSLATE2 = "transformers", "ctranslate2"
FAMILIES = ("mt5", "t5")
BUDGET = 8_192  # tokens of a batch, read; sentences of similar length share one
# Settings of a model's own generation config that the engine does not know, with the values at which they do nothing.
_UNKNOWN: dict[str, tuple[Any, ...]] = {
    "bad_words_ids": (None,),
    "encoder_no_repeat_ngram_size": (None, 0),
    "forced_bos_token_id": (None,),
    "forced_eos_token_id": (None,),
    "min_length": (None, 0),
    "min_new_tokens": (None, 0),
    "repetition_penalty": (None, 1.0),
    "suppress_tokens": (None,),
}


@dataclass
class WithEngine(LocalModel):
    """A `LocalModel` whose search may be left to CTranslate2.

    Attributes:
        engine: ``transformers``, or ``ctranslate2`` (T5 and mT5; needs the package; beams, no sampling).
    """

    engine: str = TRANSFORMERS

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.engine not in (TRANSFORMERS, CTRANSLATE2):
            raise UserError(f"engine is {self.engine!r}, expected {TRANSFORMERS} or {CTRANSLATE2}.")
        if self.engine == CTRANSLATE2:
            if self.do_sample:
                raise UserError(f"engine {CTRANSLATE2} does not sample; set do_sample=false, or engine={TRANSFORMERS}.")
            if find_spec(CTRANSLATE2) is None:
                raise UserError(
                    f"engine {CTRANSLATE2} needs a package that is not installed: pip install 'idist[ctranslate2]'"
                )

    def settings(self) -> dict[str, Any]:
        """As of all local models; the engine where it is not the usual one."""
        settings = super().settings()
        if self.engine == TRANSFORMERS:
            del settings["engine"]
        return settings

    def write(
        self,
        loaded: tuple[Any, Any],
        rows: Sequence[Sequence[int]],
        ids: Sequence[str],
        ended: Callable[[str], bool] | None = None,
        forced_bos_token_id: int | None = None,
        last: bool = True,
    ) -> list[str]:
        """As of all local models, by the engine that was asked for."""
        if self.engine == TRANSFORMERS:
            return super().write(loaded, rows, ids, ended, forced_bos_token_id, last)
        if CTRANSLATE2 not in self._loaded:
            self._loaded[CTRANSLATE2] = (translator(*loaded), None)
        full = [place for place, row in enumerate(rows) if len(row) > 1]
        # Where there is nothing but the end mark the engine writes nothing, and a model may write something.
        empty = [place for place, row in enumerate(rows) if len(row) < 2]
        found = translate(self._loaded[CTRANSLATE2][0], loaded, [rows[place] for place in full], self.decoding())
        if last:
            self.advance(len(full))
        found += super().write(loaded, [rows[place] for place in empty], [ids[place] for place in empty], last=last)
        texts = dict(zip(full + empty, found, strict=True))
        return [texts[place] for place in range(len(rows))]


def translator(model: Any, tokenizer: Any) -> Any:
    """The model as CTranslate2 holds it, on the model's device and in its number type.

    Raises:
        UserError: a model of another family, or one whose generation config asks for what the engine does not know.
    """
    import ctranslate2
    import torch
    from ctranslate2.converters import TransformersConverter

    name, kind = model.config._name_or_path, model.config.model_type
    if kind not in FAMILIES:
        raise UserError(
            f"engine {CTRANSLATE2} serves models of the families {', '.join(FAMILIES)} here, {name!r} is of {kind}; "
            f"set engine={TRANSFORMERS}."
        )
    config = model.generation_config
    asked = [key for key, idle in _UNKNOWN.items() if getattr(config, key, None) not in idle]
    if config.eos_token_id not in (tokenizer.eos_token_id, [tokenizer.eos_token_id]):
        asked.append("eos_token_id")
    if asked:
        raise UserError(
            f"The generation config of {name!r} sets {', '.join(asked)}, which engine {CTRANSLATE2} does not heed; "
            f"set engine={TRANSFORMERS}."
        )

    class Loaded(TransformersConverter):
        """Takes what is loaded already: weights are loaded in one place."""

        def load_model(self, *given: Any, **more: Any) -> Any:
            return model

        def load_tokenizer(self, *given: Any, **more: Any) -> Any:
            return tokenizer

    number = str(model.dtype).removeprefix("torch.")
    with tempfile.TemporaryDirectory() as folder:
        model.config.save_pretrained(f"{folder}/config")
        Loaded(f"{folder}/config").convert(f"{folder}/model", quantization=number)
        return ctranslate2.Translator(
            f"{folder}/model",
            device=model.device.type,
            device_index=model.device.index or 0,
            compute_type=number,
            inter_threads=1,
            intra_threads=torch.get_num_threads(),
        )


def translate(engine: Any, loaded: tuple[Any, Any], rows: Sequence[Sequence[int]], decoding: Decoding) -> list[str]:
    """Decoded text of each row, special tokens removed.

    Args:
        engine: `translator` of ``loaded``.
        rows: token ids that the encoder reads, special ones included.
        decoding: not a sampling one.
    """
    model, tokenizer = loaded
    config = model.generation_config
    ngram = decoding.no_repeat_ngram_size
    results = engine.translate_batch(
        [tokenizer.convert_ids_to_tokens(list(row)) for row in rows],
        beam_size=decoding.num_beams,
        length_penalty=1.0 if config.length_penalty is None else config.length_penalty,
        no_repeat_ngram_size=(config.no_repeat_ngram_size or 0) if ngram is None else ngram,
        max_decoding_length=decoding.max_new_tokens,
        max_input_length=0,  # rows are cut already
        max_batch_size=BUDGET,
        batch_type="tokens",
    )
    ids = [tokenizer.convert_tokens_to_ids(result.hypotheses[0]) for result in results]
    return list(tokenizer.batch_decode(ids, skip_special_tokens=True))
