"""Random models of a few thousand weights, each in a folder that loads like any other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval_harness.tasks.base import Example, Task, TaskData

ROOT = Path(__file__).parents[2]
SOURCES = [
    "A man is playing the guitar on a street corner.",
    "Two dogs run.",
    "A woman in a red coat is waiting for the bus with her two small children and a large suitcase.",
    "The boy sleeps under a tree.",
    "",
    "Snow.",
]


def rows(sources: list[str], exemplar: str | None = None) -> list[Example]:
    return [Example(f"e{i}", source, ("ref",), exemplar) for i, source in enumerate(sources)]


@dataclass
class Toy(Task):
    """A task of no registry."""

    name: str = "toy"
    description: str = "Three letters"
    purpose: Any = "paraphrase"

    def load(self, data_dir: Path | None = None, limit: int | None = None) -> TaskData:
        """Three examples."""
        return TaskData.of(rows(["a", "b", "c"])[:limit], "local")


def save_tiny(kind: str, folder: Path, seed: int = 0) -> str:
    """A ``t5``, ``bart`` or ``gpt2`` with the embedded student's or teacher's tokenizer; gives the folder."""
    import torch
    import transformers

    decoder_only = kind == "gpt2"
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        ROOT / "idist" / "embedded" / ("teacher" if decoder_only else "student")
    )
    torch.manual_seed(seed)
    words = len(tokenizer)
    if kind == "t5":
        sizes = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 1, "num_heads": 2}
        config = transformers.T5Config(vocab_size=words, decoder_start_token_id=0, initializer_factor=0.5, **sizes)
        model = transformers.T5ForConditionalGeneration(config)
    elif kind == "bart":
        sizes = {"d_model": 32, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_position_embeddings": 64}
        layers = {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
        ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1, "decoder_start_token_id": 1}
        config = transformers.BartConfig(vocab_size=words, init_std=0.5, **sizes, **layers, **ids)
        model = transformers.BartForConditionalGeneration(config)
        model.generation_config.update(max_length=40, min_length=3, forced_bos_token_id=7, no_repeat_ngram_size=2)
    else:
        eos = tokenizer.eos_token_id
        sizes = {"n_positions": 256, "n_embd": 32, "n_layer": 2, "n_head": 2, "initializer_range": 0.2}
        config = transformers.GPT2Config(vocab_size=words, bos_token_id=eos, eos_token_id=eos, **sizes)
        model = transformers.GPT2LMHeadModel(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)
