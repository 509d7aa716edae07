"""Rows that fork, move and leave keep their keys and values."""

from __future__ import annotations

import numpy as np
import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

from idist.decoding.cache import GrowingLayer, arrange
from idist.decoding.loop import _arrange, _branches


def holding(layer: GrowingLayer) -> DynamicCache:
    cache = DynamicCache()
    cache.layers = [layer]
    return cache


def test_growing_layer_equals_the_stock_one() -> None:
    generator = torch.Generator().manual_seed(0)
    rng = np.random.default_rng(0)
    stock, prefix = DynamicLayer(), DynamicLayer()
    states = torch.randn(3, 2, 5, 4, generator=generator)
    stock.update(states, -states)
    prefix.update(states, -states)
    ours = GrowingLayer(prefix, capacity=8, room=2)
    held = holding(ours)
    for _ in range(60):
        source = arrange(held, rng.integers(0, len(ours.keys), rng.integers(1, 9)), torch.device("cpu"))
        stock.reorder_cache(source)
        states = torch.randn(len(source), 2, 1, 4, generator=generator)
        keys, values = ours.update(states, -states)
        stock.update(states, -states)
        assert torch.equal(keys, stock.keys) and torch.equal(values, stock.values)
        assert ours.get_seq_length() == stock.get_seq_length()
    assert torch.equal(prefix.keys, stock.keys[:0].new_tensor(prefix.keys.numpy()))


def test_prefix_is_left_as_it_is() -> None:
    prefix = DynamicLayer()
    states = torch.arange(24.0).reshape(2, 1, 3, 4)
    prefix.update(states, states)
    rows = GrowingLayer(prefix, capacity=4)
    arrange(holding(rows), np.array([1, 1, 0]), torch.device("cpu"))
    rows.update(torch.zeros(3, 1, 1, 4), torch.zeros(3, 1, 1, 4))
    assert torch.equal(prefix.keys, states) and torch.equal(prefix.values, states)


def test_arranging_moves_few_rows() -> None:
    places, source = _arrange(np.array([0, 2, 2, 5]))
    assert sorted(places) == [0, 1, 2, 3]
    assert source[places].tolist() == [0, 2, 2, 5]
    assert (source == np.arange(4)).sum() == 2  # rows 0 and 2 stay
    places, source = _arrange(np.array([3, 1, 0, 2]))
    assert source.tolist() == [0, 1, 2, 3] and places.tolist() == [3, 1, 0, 2]


def test_branches() -> None:
    one, branch = _branches(np.array([0, 1, 0, 0, 1]), np.array([7, 7, 7, 3, 7]))
    assert len(one) == 3
    assert branch[0] == branch[2] != branch[3] and branch[1] == branch[4] != branch[0]
    assert (branch[one] == np.arange(3)).all()
    assert _branches(np.zeros(0, int), np.zeros(0, int))[1].shape == (0,)
