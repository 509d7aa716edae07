"""From token ids to texts: beam search or one sample a source, the same for every system that runs a local model.

The work is transformers' ``generate`` with the model's own generation config (forced tokens, length penalty, minimal
length and so on hold); :class:`Decoding` replaces what decides between searching and sampling.

Same answer whatever the batch: padding is masked, and a sample's random numbers come from (seed, example id) alone.
What is left is rounding, since a matrix product of another shape may differ in its last bits.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from idist.errors import UserError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Tokens in one batch, of all beams, read or to be written: bounds the memory of keys and values (t5-large in bfloat16:
# 100 KB a token). What does not fit all the same is halved.
BUDGET_CPU, BUDGET_GPU = 16_384, 131_072
_SAMPLING_ONLY = ("temperature", "top_p", "top_k", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff")


@dataclass(frozen=True)
class Decoding:
    """How a text is decoded; the fields mean what they mean in transformers' ``generate``.

    Attributes:
        num_beams: width of the search; 1 is greedy. Not used when sampling.
        do_sample: draw one sample instead of searching.
        temperature, top_p, seed: of the sample.
        max_new_tokens: a text that has not ended by then is cut.
        no_repeat_ngram_size: no run of so many tokens comes twice in a text; 0: any may; None: as the model's own
            generation config has it.

    Raises:
        UserError: a value out of range; temperature or top_p without do_sample, where they would do nothing.
    """

    num_beams: int = 4
    do_sample: bool = False
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0
    max_new_tokens: int = 128
    no_repeat_ngram_size: int | None = None

    def __post_init__(self) -> None:
        for name, valid, expected in (
            ("num_beams", self.num_beams >= 1, "1 or more"),
            ("temperature", self.temperature > 0, "more than 0 (do_sample=false with num_beams=1 is greedy)"),
            ("top_p", 0 < self.top_p <= 1, "more than 0 and at most 1"),
            ("max_new_tokens", self.max_new_tokens >= 1, "1 or more"),
            ("no_repeat_ngram_size", (self.no_repeat_ngram_size or 0) >= 0, "0 or more"),
        ):
            if not valid:
                raise UserError(f"{name} is {getattr(self, name)!r}, expected {expected}.")
        if not self.do_sample and (self.temperature, self.top_p) != (1.0, 1.0):
            name = "temperature" if self.temperature != 1 else "top_p"
            raise UserError(f"{name} is {getattr(self, name)!r} but nothing is sampled; set do_sample=true, too.")

    def settings(self) -> dict[str, Any]:
        """Those fields that have an effect."""
        names = ["do_sample", "temperature", "top_p", "seed"] if self.do_sample else ["do_sample", "num_beams"]
        names += ["max_new_tokens"] + ["no_repeat_ngram_size"] * (self.no_repeat_ngram_size is not None)
        return {name: getattr(self, name) for name in names}


def generate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Sequence[int]],
    ids: Sequence[str],
    decoding: Decoding,
    ended: Callable[[str], bool] | None = None,
    forced_bos_token_id: int | None = None,
    done: Callable[[int], None] | None = None,
) -> list[str]:
    """Decoded text after each row, special tokens removed.

    Args:
        model: with an encoder (rows are what it reads) or without (rows are prompts, not part of the result).
        rows: token ids, special ones included.
        ids: of the examples; the source of a sample's randomness.
        ended: whether a text written so far may stop; the end-of-text token stops it in any case.
        forced_bos_token_id: the decoder's first token, for models that translate into several languages.
        done: told after each batch how many rows it had.

    Raises:
        UserError: a prompt leaves no room for ``max_new_tokens``, or one row alone does not fit in memory.
    """
    _check_room(model, rows, decoding.max_new_tokens)
    config = _generation_config(model, decoding, forced_bos_token_id)
    texts = [""] * len(rows)
    beams = 1 if decoding.do_sample else decoding.num_beams
    with _configured(model, config):
        for batch in _batches([len(row) for row in rows], decoding.max_new_tokens, beams, _budget(model)):
            batch_rows, batch_ids = [rows[i] for i in batch], [ids[i] for i in batch]
            written = _batch(model, tokenizer, batch_rows, batch_ids, decoding, ended)
            for i, text in zip(batch, written, strict=True):
                texts[i] = text
            if done is not None:
                done(len(batch))
    return texts


def _batch(
    model: Any,
    tokenizer: Any,
    rows: list[Sequence[int]],
    ids: list[str],
    decoding: Decoding,
    ended: Callable[[str], bool] | None,
) -> list[str]:
    """One call of ``generate``; two of half the size where memory does not suffice."""
    import torch
    from transformers import LogitsProcessorList, StoppingCriteriaList

    inputs = _pad(rows, tokenizer, left=not model.config.is_encoder_decoder, device=model.device)
    written_from = 1 if model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
    processors = LogitsProcessorList([_sampler(ids, decoding, written_from)] if decoding.do_sample else [])
    stops = StoppingCriteriaList([_stopper(tokenizer, ended, written_from)] if ended else [])
    try:
        with torch.inference_mode():
            output = model.generate(**inputs, logits_processor=processors, stopping_criteria=stops)
    except torch.OutOfMemoryError:
        if len(rows) == 1:
            raise UserError(
                f"A source of {len(rows[0])} tokens does not fit in the memory of {model.device}; "
                "lower num_beams or max_new_tokens, or use a smaller model."
            ) from None
    else:
        return list(tokenizer.batch_decode(output[:, written_from:], skip_special_tokens=True))
    torch.cuda.empty_cache()  # here, where the exception no longer holds the tensors
    half = len(rows) // 2
    return [
        text
        for part in (slice(half), slice(half, None))
        for text in _batch(model, tokenizer, rows[part], ids[part], decoding, ended)
    ]


def _generation_config(model: Any, decoding: Decoding, forced_bos_token_id: int | None) -> Any:
    config = copy.deepcopy(model.generation_config)
    config.update(
        num_beams=1 if decoding.do_sample else decoding.num_beams,
        do_sample=False,  # samples are drawn by `_sampler`, token by token
        num_return_sequences=1,
        max_new_tokens=decoding.max_new_tokens,
        max_length=None,
        return_dict_in_generate=False,
        **dict.fromkeys(_SAMPLING_ONLY),
    )
    if decoding.no_repeat_ngram_size is not None:
        config.no_repeat_ngram_size = decoding.no_repeat_ngram_size
    if forced_bos_token_id is not None:
        config.forced_bos_token_id = forced_bos_token_id
    return config


@contextlib.contextmanager
def _configured(model: Any, config: Any) -> Iterator[None]:
    """Put ``config`` in the place of the model's own for a while.

    Handed to ``generate`` instead, each None in it would be filled from the model's own again.
    """
    own, model.generation_config = model.generation_config, config
    try:
        yield
    finally:
        model.generation_config = own


def _sampler(ids: list[str], decoding: Decoding, written_from: int) -> Any:
    """A logits processor that leaves one token to choose: the one drawn with the example's own random numbers."""
    import numpy as np
    import torch
    from transformers import LogitsProcessor

    from idist.decoding.sampling import Sampling, choose, random_keys

    sampling = Sampling(temperature=decoding.temperature, top_p=decoding.top_p)
    steps = decoding.max_new_tokens
    keys = np.concatenate([random_keys("evaluation", identifier, decoding.seed, 1, steps) for identifier in ids])
    rows = np.arange(len(ids))

    class Sampler(LogitsProcessor):
        def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
            """(B, T) ids so far and (B, V) logits -> (B, V), -inf but for the token drawn."""
            drawn = choose(scores.float(), sampling, rows, keys[:, input_ids.shape[1] - written_from])
            index = torch.as_tensor(drawn, device=scores.device)[:, None]
            return torch.full_like(scores, -torch.inf).scatter(1, index, 0.0)  # type: ignore[return-value]

    return Sampler()


def _stopper(tokenizer: Any, ended: Callable[[str], bool], written_from: int) -> Any:
    """A stopping criterion on each row's text."""
    import torch
    from transformers import StoppingCriteria

    class Stopper(StoppingCriteria):
        def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **kwargs: Any) -> torch.BoolTensor:
            """(B, T) ids so far -> (B,) whether the row may stop."""
            texts = tokenizer.batch_decode(input_ids[:, written_from:], skip_special_tokens=True)
            return torch.tensor([ended(text) for text in texts], device=input_ids.device)  # type: ignore[return-value]

    return Stopper()


def _pad(rows: list[Sequence[int]], tokenizer: Any, left: bool, device: Any) -> dict[str, torch.Tensor]:
    """``input_ids`` and ``attention_mask``, (B, T) int64."""
    import torch

    pad = tokenizer.pad_token_id or 0
    start = next((i for i in (tokenizer.bos_token_id, tokenizer.eos_token_id) if i is not None), pad)
    filled = [list(row) or [start] for row in rows]  # nothing to read is the start of a text
    ids = torch.full((len(rows), max(map(len, filled))), pad)
    mask = torch.zeros_like(ids)
    for line, row in enumerate(filled):
        place = slice(ids.shape[1] - len(row), None) if left else slice(len(row))
        ids[line, place] = torch.tensor(row)
        mask[line, place] = 1
    return {"input_ids": ids.to(device), "attention_mask": mask.to(device)}


def _batches(lengths: list[int], new_tokens: int, beams: int, budget: int) -> Iterator[list[int]]:
    """Positions, each once, of similar length together; the longest first, so that a lack of memory shows at once."""
    batch: list[int] = []
    for position in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        longest = lengths[batch[0]] if batch else lengths[position]
        if batch and (len(batch) + 1) * beams * (longest + new_tokens) > budget:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


def _budget(model: Any) -> int:
    return BUDGET_GPU if model.device.type == "cuda" else BUDGET_CPU


def _check_room(model: Any, rows: Sequence[Sequence[int]], new_tokens: int) -> None:
    """Learned positions end somewhere; a model without them (T5) has no limit."""
    positions = getattr(model.config.get_text_config(decoder=True), "max_position_embeddings", None)
    if not isinstance(positions, int) or positions < 1:
        return
    longest = None if model.config.is_encoder_decoder else max(map(len, rows), default=0)
    if new_tokens + (1 if longest is None else longest) <= positions:  # 1: the decoder's start
        return
    prompt, advice = ("", "") if longest is None else (f" and the longest prompt has {longest} tokens", ", or shots")
    raise UserError(
        f"max_new_tokens is {new_tokens}{prompt}, but the model has only {positions} positions; "
        f"lower max_new_tokens{advice}."
    )
