"""Key-value caches whose rows start from a shared prefix, fork, grow and leave with as little copying as possible."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from transformers.cache_utils import Cache, DynamicLayer, EncoderDecoderCache

ROOM = 32  # tokens of room added at a time


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

    def __init__(self, prefix: DynamicLayer, capacity: int, room: int = ROOM):
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
            self._key_store = _with_room(self.keys, capacity, ROOM)
            self._value_store = _with_room(self.values, capacity, ROOM)
        self._key_store[: self._rows, :, self._length : end] = key_states
        self._value_store[: self._rows, :, self._length : end] = value_states
        self._length = end
        self._show()
        return self.keys, self.values

    def move(self, rows: int, to: torch.Tensor, source: torch.Tensor) -> None:
        """From now on there are ``rows`` rows, and row ``to[n]`` is what row ``source[n]`` was; the others stay."""
        for store in (self._key_store, self._value_store):
            store[to, :, : self._length] = store[source, :, : self._length]
        self._rows = rows
        self._show()

    def _show(self) -> None:
        self.keys = self._key_store[: self._rows, :, : self._length]
        self.values = self._value_store[: self._rows, :, : self._length]


def _with_room(states: torch.Tensor, capacity: int, room: int) -> torch.Tensor:
    rows, heads, length, size = states.shape
    store = states.new_empty((capacity, heads, length + room, size))
    store[:rows, :, :length] = states
    return store


def arrange(cache: Any, source: np.ndarray, device: torch.device) -> torch.Tensor:
    """Row r of a cache becomes what row ``source[r]`` was; there may be more or fewer rows than before.

    Which rows move is worked out here, once: asking a GPU would make it wait in every layer.

    Returns:
        ``source`` on the device.
    """
    moved = np.flatnonzero(source != np.arange(len(source)))
    # one transfer
    both = torch.from_numpy(np.concatenate([source, moved, source[moved]])).to(device)
    whole, to, origin = both.split([len(source), len(moved), len(moved)])
    for layer in [layer for part in _parts(cache) for layer in part.layers]:
        if isinstance(layer, GrowingLayer):
            layer.move(len(source), to, origin)
        else:
            layer.reorder_cache(whole)
    return whole


def bytes_of(cache: Any) -> tuple[int, int]:
    """Bytes of a prefix's keys, values and states: for what was read, and for what was written. In a decoder-only model
    both are in the same layers, and the two numbers are the same."""
    own, *cross = [sum(map(_layer_bytes, part.layers)) for part in _parts(cache)]
    return (cross[0] if cross else own), own


def _layer_bytes(layer: Any) -> int:
    held = [value for own in vars(layer).values() for value in (own.values() if isinstance(own, dict) else [own])]
    return sum(value.nbytes for value in held if isinstance(value, torch.Tensor))


def _parts(cache: Any) -> list[Any]:
    """Caches with layers: the cache itself, or an encoder-decoder's two, its own tokens' first."""
    if isinstance(cache, EncoderDecoderCache):
        return [cache.self_attention_cache, cache.cross_attention_cache]
    return [cache]


def with_room(cache: Cache, capacity: int, room: int = ROOM) -> Cache:
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
