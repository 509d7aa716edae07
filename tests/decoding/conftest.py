"""Models for the decoding tests: the shipped ones, and small random ones of other architectures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers

from idist.models import load_causal_lm, load_seq2seq

Loaded = tuple[Any, Any]

# architecture -> config class and what it needs besides the sizes; vocabulary and end-of-text id are the teacher's
SMALL = {
    "gpt2": (
        transformers.GPT2Config,
        {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 128},
    ),
    "llama": (
        transformers.LlamaConfig,
        {"num_key_value_heads": 2, "max_position_embeddings": 128},
    ),
    "gpt_neox": (transformers.GPTNeoXConfig, {"max_position_embeddings": 128}),
    "opt": (
        transformers.OPTConfig,
        {"ffn_dim": 64, "word_embed_proj_dim": 32, "max_position_embeddings": 128},
    ),
    "biogpt": (transformers.BioGptConfig, {"max_position_embeddings": 128}),
    "bloom": (transformers.BloomConfig, {"n_layer": 2, "n_head": 4}),  # no positions, but biases from the mask
    "mistral": (  # attends to the last 8 tokens only
        transformers.MistralConfig,
        {"num_key_value_heads": 2, "sliding_window": 8, "max_position_embeddings": 128},
    ),
    "lfm2": (  # convolutions in one layer, attention in the other
        transformers.Lfm2Config,
        {"num_key_value_heads": 2, "layer_types": ["conv", "full_attention"], "max_position_embeddings": 128},
    ),
}


@pytest.fixture(scope="session")
def teacher() -> Loaded:
    return load_causal_lm("embedded:teacher", device="cpu")


@pytest.fixture(scope="session")
def student() -> Loaded:
    return load_seq2seq("embedded:student", device="cpu")


@pytest.fixture(scope="session")
def small(teacher: Loaded) -> Callable[[str], Loaded]:
    """Architecture -> a random model of it, with the teacher's tokenizer."""
    tokenizer = teacher[1]

    def make(name: str) -> Loaded:
        kind, settings = SMALL[name]
        config = kind(
            vocab_size=len(tokenizer),
            hidden_size=32,
            num_hidden_layers=2,
            bos_token_id=tokenizer.eos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.eos_token_id,
            initializer_range=0.3,  # logits far enough apart that rounding does not decide
            **({} if name in ("gpt2", "bloom") else {"num_attention_heads": 4, "intermediate_size": 64}),
            **settings,
        )
        torch.manual_seed(0)
        return transformers.AutoModelForCausalLM.from_config(config).eval(), tokenizer

    return make
