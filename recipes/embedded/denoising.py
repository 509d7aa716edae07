"""The denoising task of the embedded student: damaged sentences, batches of them, and what is measured.

A sentence loses words, has words moved within a small window, is turned around one point, and has words replaced; one
in six stays whole. That makes a model that looks at its whole input, moves phrases about, and can copy.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast, T5ForConditionalGeneration

CLEAN_SHARE = 1 / 6
DROP, REPLACE = 0.12, (0, 1, 1, 2)  # chance for each word; number of words replaced
SHUFFLE_SHARE, WINDOW = 0.6, 3
ROTATE_SHARE = 0.5
TOKENS_A_BATCH = 1024


def noisy(sentence: str, words: list[str], rng: random.Random) -> str:
    """``sentence`` with words dropped, moved up to two places, turned around one point and replaced from ``words``.

    The first word loses its capital before it moves, and the result gets one: capitals should not give the order away.
    """
    if rng.random() < CLEAN_SHARE:
        return sentence
    mark = sentence[-1] if sentence[-1] in ".!?" else ""
    parts = sentence[: len(sentence) - len(mark)].split()
    parts[0] = parts[0].lower() if parts[0] != "I" else "I"
    parts = [w for w in parts if rng.random() >= DROP] or parts
    if rng.random() < SHUFFLE_SHARE:
        parts = [w for _, w in sorted((i + rng.random() * WINDOW, w) for i, w in enumerate(parts))]
    if rng.random() < ROTATE_SHARE and len(parts) > 4:
        turn = rng.randrange(1, len(parts))
        parts = parts[turn:] + parts[:turn]
    for _ in range(rng.choice(REPLACE)):
        parts[rng.randrange(len(parts))] = rng.choice(words)
    text = " ".join(parts)
    return text[0].upper() + text[1:] + mark


class Denoising:
    """Batches of (noisy input, sentence) and the model's loss on them."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, sentences: list[str]) -> None:
        self.tokenizer = tokenizer
        self.words = [w for s in sentences for w in s.rstrip(".!?").split()]

    def batches(self, sentences: list[str], seed: str) -> list[dict[str, torch.Tensor]]:
        """Sentences of like length together, about ``TOKENS_A_BATCH`` target tokens a batch, in random order."""
        rng = random.Random(f"noise {seed}")
        pairs = [(noisy(s, self.words, rng), s) for s in rng.sample(sentences, len(sentences))]
        sources = self.tokenizer([x for x, _ in pairs]).input_ids
        targets = self.tokenizer([y for _, y in pairs]).input_ids
        rows = sorted(zip(sources, targets, strict=True), key=lambda pair: len(pair[1]))
        result: list[dict[str, torch.Tensor]] = []
        batch: list[tuple[list[int], list[int]]] = []
        for row in rows:
            if batch and (len(batch) + 1) * len(row[1]) > TOKENS_A_BATCH:
                result.append(self._tensors(batch))
                batch = []
            batch.append(row)
        result.append(self._tensors(batch))
        rng.shuffle(result)
        return result

    @staticmethod
    def _tensors(rows: list[tuple[list[int], list[int]]]) -> dict[str, torch.Tensor]:
        from torch import tensor
        from torch.nn.utils.rnn import pad_sequence

        source = pad_sequence([tensor(x) for x, _ in rows], batch_first=True)
        labels = pad_sequence([tensor(y) for _, y in rows], batch_first=True, padding_value=-100)
        return {"input_ids": source, "attention_mask": (source != 0).long(), "labels": labels}


def mean_loss(model: T5ForConditionalGeneration, batches: list[dict[str, torch.Tensor]]) -> float:
    """Loss per target token, in nats."""
    total, tokens = 0.0, 0
    for batch in batches:
        count = int((batch["labels"] != -100).sum())
        total += model(**batch).loss.item() * count
        tokens += count
    return total / tokens


def generate(model: T5ForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> list[str]:
    """Greedy outputs for ``texts``."""
    outputs = []
    for start in range(0, len(texts), 50):
        batch = tokenizer(texts[start : start + 50], padding=True, return_tensors="pt")
        ids: Any = model.generate(  # type: ignore[misc]
            input_ids=batch.input_ids, attention_mask=batch.attention_mask, max_new_tokens=64, do_sample=False
        )
        outputs += tokenizer.batch_decode(ids, skip_special_tokens=True)
    return outputs


def copying(
    model: T5ForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, texts: list[str]
) -> dict[str, float]:
    """Greedy outputs on clean inputs: share of exact copies and mean ROUGE-L F1, both 0 to 1."""
    from rouge_score.rouge_scorer import RougeScorer

    outputs, scorer = generate(model, tokenizer, texts), RougeScorer(["rougeL"])
    rouge = [scorer.score(x, y)["rougeL"].fmeasure for x, y in zip(texts, outputs, strict=True)]
    exact = [x == y for x, y in zip(texts, outputs, strict=True)]
    return {"exact_copies": sum(exact) / len(texts), "rouge_l": sum(rouge) / len(texts)}
