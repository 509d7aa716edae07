"""How much a model's forward pass computes and reads: what `benchmarks/limits.py` is compared with.

The rule. Arithmetic: 2 for each entry of a weight matrix and each token that it multiplies, and in each layer
4 x width x queries x keys for attention (scores and mix); a training step is three forward passes. Bytes: all weight
matrices once a pass, and the keys and values of the cache that it reads. Left out, because they are small beside it or
no multiplication: embeddings that are looked up, norms, softmax, activations, the choice of tokens. A test holds the
arithmetic to `torch.utils.flop_counter`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

BACKWARD = 2  # forward passes that the gradients cost


@dataclass(frozen=True)
class Work:
    """Floating-point operations, and bytes read from memory."""

    flops: float = 0.0
    bytes: float = 0.0

    def __add__(self, other: Work) -> Work:
        return Work(self.flops + other.flops, self.bytes + other.bytes)

    def times(self, count: float) -> Work:
        """The same again and again."""
        return Work(self.flops * count, self.bytes * count)


class Causal:
    """A decoder-only model with as many key-value heads as heads."""

    def __init__(self, model: Any) -> None:
        head = model.get_output_embeddings()
        self.layers, self.width = model.config.num_hidden_layers, model.config.hidden_size
        self.head = head.weight.numel()
        self.body = matrices(model) - self.head
        self.item = head.weight.element_size()

    def forward(self, rows: int, queries: int, keys: int, outputs: int) -> Work:
        """One pass.

        Args:
            rows: texts; queries: new tokens of each; keys: tokens that each attends to, the new ones among them.
            outputs: tokens of each row for which logits are computed.
        """
        attention = 4 * self.layers * self.width * rows * queries * keys
        flops = 2 * rows * (queries * self.body + outputs * self.head) + attention
        cache = 2 * self.layers * self.width * rows * keys
        return Work(flops, self.item * (self.body + self.head + cache))

    def seen(self, arguments: dict[str, Any]) -> Work:
        """Of a call's arguments."""
        ids = arguments["input_ids"]
        rows, queries = ids.shape
        return self.forward(rows, queries, keys_of(arguments, queries), arguments.get("logits_to_keep") or queries)


class Classifier:
    """An encoder of BERT's kin with a classifier on its first token."""

    def __init__(self, model: Any) -> None:
        self._layers = model.base_model.encoder.layer
        self.layers, self.width = model.config.num_hidden_layers, model.config.hidden_size
        self.body = matrices(model.base_model.encoder)
        self.head = matrices(model) - self.body
        self.item = model.dtype.itemsize

    def forward(self, rows: int, tokens: int, first_only: bool = False) -> Work:
        """``rows`` inputs of ``tokens`` each; ``first_only``: of the last layer only the first token's vector, for
        which the others are keys and values."""
        flops = 2 * rows * (tokens * self.body + self.head) + 4 * self.layers * self.width * rows * tokens**2
        if first_only:
            needed = 2 * self.width**2  # keys and values
            spared = self.body / self.layers - needed
            flops -= rows * (tokens - 1) * (2 * spared + 4 * self.width * tokens)
        return Work(flops, self.item * (self.body + self.head))

    def seen(self, arguments: dict[str, Any]) -> Work:
        """Of a call's arguments, and of the last layer as it stands."""
        from idist.critics.first_token import FirstTokenLayer

        rows, tokens = arguments["input_ids"].shape
        return self.forward(rows, tokens, isinstance(self._layers[-1], FirstTokenLayer))


class Seq2Seq:
    """An encoder-decoder built like T5."""

    def __init__(self, model: Any) -> None:
        config = model.config
        self.inner = config.num_heads * config.d_kv
        self.encoder_layers, self.decoder_layers = config.num_layers, config.num_decoder_layers
        self.head = model.get_output_embeddings().weight.numel()
        self.encoder, self.decoder = matrices(model.encoder), matrices(model.decoder)
        self.across = 2 * self.decoder_layers * config.d_model * self.inner  # keys and values of the source
        self.item = model.dtype.itemsize

    def encode(self, rows: int, source: int) -> Work:
        """``rows`` sources of ``source`` tokens, with what the decoder keeps of them."""
        attention = 4 * self.encoder_layers * self.inner * rows * source**2
        flops = 2 * rows * source * (self.encoder + self.across) + attention
        return Work(flops, self.item * (self.encoder + self.across))

    def decode(self, rows: int, queries: int, keys: int, source: int) -> Work:
        """New tokens of ``rows`` texts, which attend to ``keys`` tokens of their own and to the source."""
        body = self.decoder - self.across
        attention = 4 * self.decoder_layers * self.inner * rows * queries * (keys + source)
        flops = 2 * rows * queries * (body + self.head) + attention
        cache = 2 * self.decoder_layers * self.inner * rows * (keys + source)
        return Work(flops, self.item * (body + self.head + cache))

    def train(self, rows: int, source: int, target: int) -> Work:
        """Forward and backward on ``rows`` pairs; memory is not what bounds it."""
        forward = self.encode(rows, source) + self.decode(rows, target, target, source)
        return forward.times(1 + BACKWARD)

    def seen(self, arguments: dict[str, Any]) -> Work:
        """Of a training step's arguments: ``input_ids`` and ``labels``."""
        (rows, source), target = arguments["input_ids"].shape, arguments["labels"].shape[1]
        return self.train(rows, source, target)


@dataclass
class Tally:
    """Work of all calls of a model while it is watched; only shapes are looked at, which takes no time."""

    model: Any
    counter: Any  # of this module
    work: Work = field(default_factory=Work)

    @contextmanager
    def watch(self) -> Iterator[Tally]:
        """Counts from 0."""
        self.work = Work()
        hook = self.model.register_forward_pre_hook(self._add, with_kwargs=True)
        try:
            yield self
        finally:
            hook.remove()

    def _add(self, module: Any, positional: Any, named: dict[str, Any]) -> None:
        self.work = self.work + self.counter.seen(named)


def matrices(model: Any) -> int:
    """Entries of all weight matrices that multiply, the output matrix among them, each once."""
    import torch
    from transformers.pytorch_utils import Conv1D

    found = {id(one.weight): one.weight for one in model.modules() if isinstance(one, torch.nn.Linear | Conv1D)}
    return sum(weight.numel() for weight in found.values())


def keys_of(arguments: dict[str, Any], queries: int) -> int:
    """Tokens that each row of a call attends to."""
    mask = arguments.get("attention_mask")
    if mask is not None and mask.dim() == 2:
        return int(mask.shape[1])
    cache = arguments.get("past_key_values")
    return queries + (cache.get_seq_length() if cache is not None else 0)
