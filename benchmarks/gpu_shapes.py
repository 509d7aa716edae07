"""What `benchmarks/gpu_rates.py` measures with: models of real shapes and random weights, texts of equal length."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idist.planning.shapes import Shape, shape_of

SPREAD = 4.5  # standard deviation of logits over temperature: about 30 of 50,000 tokens in the nucleus
LABELS = {0: "contradiction", 1: "entailment", 2: "neutral"}
JUDGE = "embedded:entailment"  # for its tokenizer


@dataclass(frozen=True)
class Sizes:
    """What is measured.

    Attributes:
        teachers, judge, student: shapes.
        k, steps, contexts: samples, new tokens, tokens of a context; together: contexts in flight at once.
        pairs: tokens of an entailment input; sentences: of a group, all of whose ordered pairs are judged.
        batches: of a training step; pair_tokens: of its sources and of its targets.
        sources, candidates: of generation by the student.
        seconds: a part may take; round: seconds of one measurement.
    """

    teachers: tuple[Shape, ...]
    judge: Shape
    student: Shape
    k: int
    steps: int
    contexts: tuple[int, ...]
    together: int
    pairs: tuple[int, ...]
    sentences: int
    batches: tuple[int, ...]
    pair_tokens: int
    sources: int
    candidates: int
    seconds: float
    round: float


def paper() -> Sizes:
    """The paper's models."""
    teachers = shape_of("gpt2-xl"), shape_of("microsoft/BioGPT-Large")
    judge, student = shape_of("roberta-large"), shape_of("t5-large")
    return Sizes(
        teachers=teachers,
        judge=judge,
        student=student,
        k=100,
        steps=100,
        contexts=(30, 100, 200),
        together=8,
        pairs=(41, 61, 81),
        sentences=100,
        batches=(16, 32, 64, 128, 256),
        pair_tokens=40,
        sources=32,
        candidates=10,
        seconds=75,
        round=4,
    )


def tiny() -> Sizes:
    """The same kinds, as small as can be."""
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    gpt2 = small("gpt2", n_layer=2, n_embd=32, n_head=2, vocab_size=5000, n_positions=128, **ends)
    width: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    biogpt = small("biogpt", **width, intermediate_size=64, vocab_size=5000, max_position_embeddings=128)
    judge = small("roberta", **width, intermediate_size=64, vocab_size=50_000, max_position_embeddings=130)
    sides = {"num_layers": 1, "num_decoder_layers": 1, "num_heads": 2}
    student = small("t5", d_model=32, d_kv=16, d_ff=64, **sides, vocab_size=10_000, decoder_start_token_id=0)
    return Sizes(
        teachers=(gpt2, biogpt),
        judge=judge,
        student=student,
        k=4,
        steps=6,
        contexts=(10,),
        together=2,
        pairs=(21,),
        sentences=6,
        batches=(2, 4),
        pair_tokens=8,
        sources=3,
        candidates=2,
        seconds=1,
        round=0.01,
    )


def name_of(shape: Shape) -> str:
    return shape.name.rpartition("/")[2]


def small(kind: str, **settings: Any) -> Shape:
    from transformers import AutoConfig

    return Shape(f"tiny-{kind}", AutoConfig.for_model(kind, **settings), "here", False)


@contextmanager
def random(shape: Shape, device: str, dtype: str) -> Iterator[Any]:
    """A model of the shape, whose memory is free again afterwards."""
    from idist.planning.depth import random_model

    model = random_model(shape, shape.layers, device, dtype)
    try:
        yield model
    finally:
        model.to("cpu" if device == "cpu" else "meta")
        del model
        free(device)


def free(device: str) -> None:
    import gc

    gc.collect()
    if device == "cuda":
        import torch

        torch.cuda.empty_cache()


def save_judge(shape: Shape, folder: Path, device: str) -> None:
    """A classifier of the shape with random weights, and a shipped tokenizer, as a folder."""
    import torch
    from transformers import AutoModelForSequenceClassification
    from transformers.initialization import no_init_weights

    from idist.models import load_classifier
    from idist.planning.depth import fill

    config = copy.deepcopy(shape.config)
    config.type_vocab_size = 2  # as the tokenizer's inputs have
    config.id2label, config.label2id = dict(LABELS), {label: index for index, label in LABELS.items()}
    with torch.device(device), no_init_weights():
        model = AutoModelForSequenceClassification.from_config(config)
    fill(model)
    with torch.no_grad():
        model.classifier.out_proj.weight.mul_(20)  # else every probability is about a third
    _, tokenizer = load_classifier(JUDGE, "cpu", "float32")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def temperature_of(model: Any) -> float:
    """At which random weights draw from as many tokens as a trained model does."""
    import torch

    ids = torch.arange(10, 18, device=model.device)[None]
    more = {"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}
    with torch.inference_mode():
        return max(1e-3, float(model(input_ids=ids, **more).logits[0, -1].float().std()) / SPREAD)


def words_of(tokenizer: Any) -> tuple[str, list[str]]:
    """A word that is one token at the start of a text, and words that are one each after it.

    Raises:
        ValueError: the tokenizer has none.
    """
    plain = {"add_special_tokens": False}
    start = next(word for word in ("The", "A", "the", "a") if len(tokenizer(word, **plain)["input_ids"]) == 1)
    words = sorted({text.strip("Ġ▁ ") for text in tokenizer.get_vocab()})
    words = [word for word in words if word.isascii() and word.isalpha() and word.islower() and len(word) > 2]
    ids = tokenizer([f"{start} {word} {word}" for word in words], **plain)["input_ids"]
    whole = [word for word, own in zip(words, ids, strict=True) if len(own) == 3 and own[1] == own[2]]
    if not whole:
        raise ValueError("the tokenizer has no words of one token")
    return start, whole


def equal_sentences(tokenizer: Any, tokens: int, count: int) -> tuple[list[str], int]:
    """Different sentences of so many tokens each, and that number."""
    import numpy as np

    (start, words), generator = words_of(tokenizer), np.random.default_rng(0)
    texts = [f"{start} {' '.join(generator.choice(words, tokens - 1))}" for _ in range(count)]
    lengths = {len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]}
    if lengths != {tokens}:
        raise ValueError(f"sentences of {sorted(lengths)} tokens were made, expected {tokens}")
    return texts, tokens


def prompts(tokenizer: Any, tokens: int, count: int) -> tuple[list[str], int]:
    """Texts of so many tokens each, special ones included; and that number."""
    special = len(tokenizer("a")["input_ids"]) - len(tokenizer("a", add_special_tokens=False)["input_ids"])
    return equal_sentences(tokenizer, tokens - special, count)[0], tokens
