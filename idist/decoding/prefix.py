"""A batch of prompts, run once; and the rows that continue them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers.cache_utils import Cache
from transformers.modeling_outputs import BaseModelOutput

from idist.decoding.cache import arrange, with_room
from idist.errors import UserError


class Prefix:
    """Prompts after one forward pass.

    Attributes:
        logits: (B, V) float32, of the token after each prompt.
        prompts: the token ids that count as already written, (B, L), -1 on the left of shorter ones.
        cache: transformers' key-value cache, B rows.
    """

    logits: torch.Tensor
    prompts: torch.Tensor
    cache: Any

    def rows(self, capacity: int) -> Rows:
        """B rows, one a prompt, which may fork into at most ``capacity``. The prefix itself stays as it is."""
        raise NotImplementedError


class Rows:
    """R continuations under way, each one token at a time.

    Args:
        model: transformers model.
        cache: R rows; changed in place.
    """

    def __init__(self, model: Any, cache: Cache):
        self.model = model
        self.cache: Any = cache

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Feed one token a row, (R,), and return the logits of the next, (R, V) float32."""
        output = self.model(**self._inputs(tokens[:, None]), past_key_values=self.cache, use_cache=True)
        self.cache = output.past_key_values
        return output.logits[:, -1].float()

    def arrange(self, source: np.ndarray) -> torch.Tensor:
        """Row r becomes what row ``source[r]`` was: forks, moves and drops. Returns ``source`` on the device."""
        return arrange(self.cache, source, self.model.device)

    def _inputs(self, tokens: torch.Tensor) -> dict[str, Any]:
        """Model inputs besides the cache for the next tokens, (R, 1)."""
        raise NotImplementedError


class CausalPrefix(Prefix):
    """Prompts of a decoder-only model, padded on the left.

    Args:
        model: causal LM.
        prompts: token ids of each, at least one.
        pad: any id; it is masked.
    """

    def __init__(self, model: Any, prompts: Sequence[Sequence[int]], pad: int):
        self.model = model
        width = max(map(len, prompts))
        self.prompts = torch.tensor(
            [[-1] * (width - len(prompt)) + list(prompt) for prompt in prompts], device=model.device
        )
        self.mask = (self.prompts >= 0).long()
        self.accepts = set(inspect.signature(model.forward).parameters)
        inputs: dict[str, Any] = {"attention_mask": self.mask}
        if "position_ids" in self.accepts:
            inputs["position_ids"] = (self.mask.cumsum(dim=1) - 1).clamp(min=0)
        if "logits_to_keep" in self.accepts:
            inputs["logits_to_keep"] = 1
        output = model(input_ids=self.prompts.where(self.mask.bool(), pad), use_cache=True, **inputs)
        cache = getattr(output, "past_key_values", None)
        if not isinstance(cache, Cache):
            raise UserError(
                f"{type(model).__name__} keeps no key-value cache of transformers, expected a model that does."
            )
        self.cache = cache
        self.logits = output.logits[:, -1].float()

    def rows(self, capacity: int) -> Rows:
        return CausalRows(self, capacity)


class CausalRows(Rows):
    def __init__(self, prefix: CausalPrefix, capacity: int):
        super().__init__(prefix.model, with_room(prefix.cache, capacity))
        self.mask = prefix.mask  # (R, L + t)
        self.takes_positions = "position_ids" in prefix.accepts

    def arrange(self, source: np.ndarray) -> torch.Tensor:
        moves = super().arrange(source)
        self.mask = self.mask.index_select(0, moves)
        return moves

    def _inputs(self, tokens: torch.Tensor) -> dict[str, Any]:
        positions = {"position_ids": self.mask.sum(dim=1, keepdim=True)} if self.takes_positions else {}
        self.mask = torch.nn.functional.pad(self.mask, (0, 1), value=1)
        return {"input_ids": tokens, "attention_mask": self.mask, **positions}


class EncodedPrefix(Prefix):
    """Sources of an encoder-decoder model; what counts as written is the decoder's start token.

    Args:
        model: encoder-decoder.
        sources: token ids of each, at least one.
        pad: the model's padding id.
        start: the decoder's first token.
    """

    def __init__(self, model: Any, sources: Sequence[Sequence[int]], pad: int, start: int):
        self.model = model
        width = max(map(len, sources))
        padded = [list(source) + [pad] * (width - len(source)) for source in sources]
        lengths = torch.tensor([len(source) for source in sources], device=model.device)
        self.mask = (torch.arange(width, device=model.device) < lengths[:, None]).long()
        encoder = model.get_encoder()
        input_ids = torch.tensor(padded, device=model.device)
        self.states = encoder(input_ids=input_ids, attention_mask=self.mask).last_hidden_state  # (B, S, D)
        self.prompts = torch.full((len(sources), 1), start, device=model.device)
        output = model(
            decoder_input_ids=self.prompts,
            encoder_outputs=BaseModelOutput(last_hidden_state=self.states),
            attention_mask=self.mask,
            use_cache=True,
        )
        self.cache = output.past_key_values
        self.logits = output.logits[:, -1].float()

    def rows(self, capacity: int) -> Rows:
        return EncodedRows(self, capacity)


class EncodedRows(Rows):
    def __init__(self, prefix: EncodedPrefix, capacity: int):
        super().__init__(prefix.model, with_room(prefix.cache, capacity))
        self.states, self.mask = prefix.states, prefix.mask  # (R, S, D), (R, S)

    def arrange(self, source: np.ndarray) -> torch.Tensor:
        moves = super().arrange(source)
        self.states, self.mask = self.states.index_select(0, moves), self.mask.index_select(0, moves)
        return moves

    def _inputs(self, tokens: torch.Tensor) -> dict[str, Any]:
        encoded = BaseModelOutput(last_hidden_state=self.states)
        return {"decoder_input_ids": tokens, "encoder_outputs": encoded, "attention_mask": self.mask}
