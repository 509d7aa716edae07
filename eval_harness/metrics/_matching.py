"""The formula of BERTScore: every token finds its most similar token on the other side (Zhang et al., 2020).

bert-score pads sentences and pairs as they come, and keeps the vectors of a whole corpus; here sentences of one length
go through the encoder together, and vectors live as long as their block of pairs. The numbers are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from idist.critics.batching import batch_tokens, equal_length_batches

if TYPE_CHECKING:
    import torch

BLOCK = 1 << 16  # tokens whose vectors are kept at a time: 96 MiB for the shipped encoder, 256 MiB for a large one
_CELLS = 1 << 19  # cells of one batch of similarity matrices


def blocks(pairs: Sequence[tuple[int, int]], lengths: Sequence[int]) -> Iterator[slice]:
    """Cut pairs of sentence numbers into runs whose different sentences have about `BLOCK` tokens together."""
    start, seen, tokens = 0, set[int](), 0
    for position, pair in enumerate(pairs):
        new = set(pair) - seen
        tokens += sum(lengths[number] for number in new)
        seen |= new
        if tokens >= BLOCK:
            yield slice(start, position + 1)
            start, seen, tokens = position + 1, set(), 0
    if start < len(pairs):
        yield slice(start, len(pairs))


def encode(model: Any, sentences: Sequence[Sequence[int]]) -> tuple[torch.Tensor, np.ndarray]:
    """Token vectors of length 1, all sentences behind one another, and where each of them starts.

    Args:
        sentences: S lists of token ids, none of them empty.

    Returns:
        (tokens, D) float32 on the model's device, and (S,) int64.
    """
    import torch

    device = next(model.parameters()).device
    lengths = np.array([len(ids) for ids in sentences], np.int64)
    starts = np.cumsum(lengths) - lengths
    vectors: torch.Tensor | None = None
    with torch.inference_mode():
        for batch in equal_length_batches(lengths, batch_tokens(str(device))):
            ids = torch.tensor([sentences[number] for number in batch], device=device)  # (B, T)
            hidden = model(ids, attention_mask=torch.ones_like(ids))[0].float()  # (B, T, D)
            if vectors is None:
                vectors = torch.empty(int(lengths.sum()), hidden.shape[-1], device=device)
            places = torch.from_numpy(starts[batch][:, None] + np.arange(ids.shape[1])).to(device)
            vectors[places] = hidden / hidden.norm(dim=-1, keepdim=True)
    assert vectors is not None
    return vectors, starts


def greedy_f1(
    vectors: torch.Tensor, weights: torch.Tensor, starts: np.ndarray, lengths: np.ndarray, pairs: np.ndarray
) -> np.ndarray:
    """F1 of pairs of sentences.

    Args:
        vectors: (tokens, D) of length 1; weights: (tokens,) of each token in the means, 0 for special tokens.
        starts, lengths: (S,) of each sentence in ``vectors``.
        pairs: (P, 2) sentence numbers: prediction, reference.

    Returns:
        (P,) float64; 0 where a sentence has special tokens only.
    """
    import torch

    scores = np.zeros(len(pairs))
    longest = lengths[pairs].max(axis=1)
    order = np.argsort(-longest, kind="stable")
    at = 0
    with torch.inference_mode():
        while at < len(order):
            size = max(1, _CELLS // int(longest[order[at]]) ** 2)
            batch = order[at : at + size]
            first, mask_first = _gather(vectors, starts, lengths, pairs[batch, 0])
            second, mask_second = _gather(vectors, starts, lengths, pairs[batch, 1])
            similarity = torch.bmm(vectors[first], vectors[second].transpose(1, 2))  # (B, T1, T2)
            # A best cosine below 0 becomes 0, as it does in bert-score for every pair but the longest of a batch
            similarity.masked_fill_(~(mask_first[:, :, None] & mask_second[:, None, :]), 0.0).clamp_(min=0.0)
            precision = _mean(similarity.amax(dim=2), weights[first] * mask_first)
            recall = _mean(similarity.amax(dim=1), weights[second] * mask_second)
            f1 = 2 * precision * recall / (precision + recall)
            scores[batch] = torch.nan_to_num(f1, nan=0.0).double().cpu().numpy()
            at += size
    return scores


def _gather(
    vectors: torch.Tensor, starts: np.ndarray, lengths: np.ndarray, numbers: np.ndarray
) -> tuple[torch.Tensor, torch.Tensor]:
    """Places in ``vectors`` of sentences' tokens, (B, T), and which of them are not padding, (B, T) bool."""
    import torch

    steps = np.arange(lengths[numbers].max())
    inside = steps < lengths[numbers][:, None]
    places = starts[numbers][:, None] + np.where(inside, steps, 0)
    return torch.from_numpy(places).to(vectors.device), torch.from_numpy(inside).to(vectors.device)


def _mean(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """(B, T) and its weights -> (B,); NaN where all weights are 0."""
    return (values * weights).sum(dim=1) / weights.sum(dim=1)
