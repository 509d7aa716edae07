"""Key-value caches whose rows start from a shared prefix, fork, grow and leave with as little copying as possible."""

from __future__ import annotations

import copy

import torch
from transformers.cache_utils import Cache, DynamicLayer, EncoderDecoderCache

_ROOM = 32  # tokens of room added at a time


class GrowingLayer(DynamicLayer):
    """A `DynamicLayer` with room for more tokens and more rows. The stock one copies all it holds at every token, and
    all its rows when one is added or dropped; this one writes in place, and copies only the rows that move.

    Args:
        prefix: the layer after the prefix, B rows; left as it is.
        capacity: the most rows there will be.
        room: tokens to make room for at once.
    """

    keys: torch.Tensor  # (R, heads, length, head size), a view of the store
    values: torch.Tensor

    def __init__(self, prefix: DynamicLayer, capacity: int, room: int = _ROOM):
        super().__init__()
        assert prefix.keys is not None and prefix.values is not None
        self.dtype, self.device, self.is_initialized = prefix.dtype, prefix.device, True
        self._rows, self._length = len(prefix.keys), prefix.keys.shape[-2]
        self._key_store = _with_room(prefix.keys, capacity, room)  # (capacity, heads, length + room, head size)
        self._value_store = _with_room(prefix.values, capacity, room)
        self._show()

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        end = self._length + key_states.shape[-2]
        if end > self._key_store.shape[-2]:
            capacity = len(self._key_store)
            self._key_store = _with_room(self.keys, capacity, _ROOM)
            self._value_store = _with_room(self.values, capacity, _ROOM)
        self._key_store[: self._rows, :, self._length : end] = key_states
        self._value_store[: self._rows, :, self._length : end] = value_states
        self._length = end
        self._show()
        return self.keys, self.values

    def reorder_cache(self, beam_idx: torch.LongTensor) -> None:
        """Row r becomes what row ``beam_idx[r]`` was; there may be more or fewer rows than before."""
        moved = torch.nonzero(beam_idx != torch.arange(len(beam_idx), device=beam_idx.device))[:, 0]
        for store in (self._key_store, self._value_store):
            store[moved, :, : self._length] = store[beam_idx[moved], :, : self._length]
        self._rows = len(beam_idx)
        self._show()

    def _show(self) -> None:
        self.keys = self._key_store[: self._rows, :, : self._length]
        self.values = self._value_store[: self._rows, :, : self._length]


def _with_room(states: torch.Tensor, capacity: int, room: int) -> torch.Tensor:
    rows, heads, length, size = states.shape
    store = states.new_empty((capacity, heads, length + room, size))
    store[:rows, :, :length] = states
    return store


def with_room(cache: Cache, capacity: int, room: int = _ROOM) -> Cache:
    """A copy of a prefix's cache for rows that will fork, up to ``capacity`` of them.

    Works for whatever layers a model has: full attention gets `GrowingLayer`; sliding windows and recurrent states keep
    their own classes.
    """
    if isinstance(cache, EncoderDecoderCache):
        return EncoderDecoderCache(
            with_room(cache.self_attention_cache, capacity),
            with_room(cache.cross_attention_cache, capacity, room=0),  # never grows
        )
    result = copy.copy(cache)
    result.layers = [
        GrowingLayer(layer, capacity, room)
        if type(layer) is DynamicLayer and layer.is_initialized
        else copy.deepcopy(layer)
        for layer in cache.layers
    ]
    return result
