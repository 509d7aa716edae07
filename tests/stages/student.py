"""Pairs, a tiny student, and what to compare of a training."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa

from idist.config import TrainConfig
from idist.stages._training_data import encode_sources, read_pairs, split_by_context

ROOT = Path(__file__).parents[2]
WHO = ["A man", "A woman in a red coat", "The old dog", "A child", "Two girls", "A cook"]
DOES = ["rides a bike", "walks home", "eats lunch with a friend", "plays a game", "carries a large box"]
WHERE = ["in the park", "on the street", "at the beach", "near a house by the river", "under a tree"]
CONFIG = TrainConfig(batch_size=8, epochs=2, held_out=0.25, evaluations=4, warmup_steps=2, learning_rate=1e-2)


def make_pairs(contexts: int, each: int = 4) -> pa.Table:
    """Sentences of a small grammar; y has the place of x in front."""
    rng = random.Random(contexts)
    rows = []
    for context in range(contexts):
        for index in range(each):
            who, does, where = rng.choice(WHO), rng.choice(DOES), rng.choice(WHERE)
            row = {"id": f"c{context:06d}-000-{index:03d}", "context_id": f"c{context:06d}"}
            rows.append(row | {"x": f"{who} {does} {where}.", "y": f"{where.capitalize()}, {who.lower()} {does}."})
    return pa.Table.from_pylist(rows).append_column("rouge_l", pa.array([0.5] * len(rows), pa.float32()))


def save_tiny_student(folder: Path, seed: int = 0, dropout: float = 0.1) -> str:
    """A T5 of 0.2 million parameters, and the embedded student's tokenizer; gives the folder."""
    import torch
    from transformers import AutoTokenizer, T5Config, T5ForConditionalGeneration

    tokenizer = AutoTokenizer.from_pretrained(ROOT / "idist/embedded/student")
    torch.manual_seed(seed)
    sizes = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 1, "num_heads": 2, "dropout_rate": dropout}
    model = T5ForConditionalGeneration(
        T5Config(vocab_size=len(tokenizer), decoder_start_token_id=0, initializer_factor=0.1, **sizes)
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def same_weights(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(bool((first[name] == second[name]).all()) for name in first)


def log(folder: Path) -> list[dict[str, Any]]:
    """Log without times."""
    lines = [json.loads(line) for line in (folder / "training_log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def mean_loss(folder: Path, table: pa.Table, config: TrainConfig, seed: int = 0) -> float:
    """Held-out loss computed pair by pair, by hand: the mean over batches' rows of the batch's mean token loss."""
    import torch
    from torch.nn.functional import log_softmax

    from idist.models import load_student

    model, tokenizer = load_student(str(folder), "cpu", "float32")
    rows = split_by_context(read_pairs(table), config.held_out, seed)[1].to_pylist()
    counted = []
    for row in rows:
        source = torch.tensor(encode_sources(tokenizer, [row["x"]], config, model.config.is_encoder_decoder))
        target = [*tokenizer(row["y"], add_special_tokens=False).input_ids, tokenizer.eos_token_id]
        with torch.inference_mode():
            if model.config.is_encoder_decoder:
                logits = model(input_ids=source, decoder_input_ids=torch.tensor([[0, *target[:-1]]])).logits[0]
            else:
                both = torch.cat([source, torch.tensor([target])], dim=1)
                logits = model(input_ids=both).logits[0, source.shape[1] - 1 : -1]
        scores = log_softmax(logits, dim=-1)[range(len(target)), target]
        counted.append((source.shape[1] + len(target), -float(scores.sum()), len(target)))
    counted.sort(key=lambda entry: entry[0])
    batches = [counted[start : start + config.batch_size] for start in range(0, len(counted), config.batch_size)]
    means = [(sum(loss for _, loss, _ in batch) / sum(n for _, _, n in batch), len(batch)) for batch in batches]
    return sum(mean * size for mean, size in means) / len(counted)
