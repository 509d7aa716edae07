"""From a text to the token ids that a model reads before it writes; tokens that begin and end a text."""

from __future__ import annotations

from typing import Any

from idist.errors import UserError


def prompt_ids(model: Any, tokenizer: Any, text: str, new_tokens: int) -> list[int]:
    """Token ids of a prompt of a decoder-only model, the last ones that leave room for ``new_tokens``.

    Raises:
        UserError: there is no room, or the text is empty and the tokenizer has nothing to begin with.
    """
    ids = list(tokenizer(text, verbose=False)["input_ids"]) or [_start_of_text(tokenizer)]
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if positions is None:
        return ids
    room = positions - new_tokens
    if room < 2:
        raise UserError(
            f"max_new_tokens is {new_tokens}, expected at most {positions - 2}: "
            f"the model has {positions} positions, and the context needs some."
        )
    if len(ids) <= room:
        return ids
    if ids[0] in tokenizer.all_special_ids:  # keep what the tokenizer puts first
        return [ids[0], *ids[len(ids) - room + 1 :]]
    return ids[-room:]


def source_ids(model: Any, tokenizer: Any, text: str, new_tokens: int) -> list[int]:
    """Token ids of an encoder's source, cut where the encoder's positions end.

    Raises:
        UserError: the decoder has no room for ``new_tokens``.
    """
    positions = getattr(model.config, "max_position_embeddings", None)
    if positions is None:
        return list(tokenizer(text, verbose=False)["input_ids"])
    if new_tokens >= positions:
        raise UserError(
            f"max_new_tokens is {new_tokens}, expected at most {positions - 1}: "
            f"the model's decoder has {positions} positions."
        )
    return list(tokenizer(text, truncation=True, max_length=positions, verbose=False)["input_ids"])


def end_ids(model: Any, tokenizer: Any) -> list[int]:
    """Every id that ends a text: the generation config's (one or several) and the tokenizer's."""
    configured = model.generation_config.eos_token_id
    ids = configured if isinstance(configured, list) else [configured]
    return sorted({i for i in [*ids, tokenizer.eos_token_id] if i is not None})


def decoder_start(model: Any) -> int:
    """An encoder-decoder's first token."""
    for index in (model.generation_config.decoder_start_token_id, model.config.decoder_start_token_id):
        if index is not None:
            return index
    raise UserError("The model's config names no decoder_start_token_id.")


def _start_of_text(tokenizer: Any) -> int:
    for index in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if index is not None:
            return index
    raise UserError("The prompt is empty and the tokenizer has no token for the start of a text.")
