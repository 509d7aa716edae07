"""Nucleus sampling against transformers' processors and against the definition; random numbers; n-gram bans."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import NoRepeatNGramLogitsProcessor, TemperatureLogitsWarper, TopPLogitsWarper

from idist.decoding import Sampling
from idist.decoding.constraints import ban_repeated_ngrams
from idist.decoding.sampling import _gumbel, _nucleus, choose, random_keys
from idist.errors import UserError


def keys(count: int, seed: int = 0) -> np.ndarray:
    return random_keys("test", "", seed, 1, count)[0]


def drawn(logits: torch.Tensor, sampling: Sampling, count: int) -> np.ndarray:
    """Tokens of one row, ``count`` times."""
    return choose(logits[None], sampling, np.zeros(count, int), keys(count))


def reference(logits: torch.Tensor, sampling: Sampling) -> np.ndarray:
    """The probabilities that ``generate`` draws from."""
    scores = TemperatureLogitsWarper(sampling.temperature)(None, logits[None])
    if sampling.top_p < 1:
        scores = TopPLogitsWarper(sampling.top_p)(None, scores)
    return scores.double().softmax(-1)[0].numpy()


@pytest.mark.parametrize("spread", [0.0, 3.0, 30.0])
@pytest.mark.parametrize("top_p", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("vocabulary", [7, 64, 65, 600, 5000])
def test_frequencies_are_those_of_generate(vocabulary: int, top_p: float, spread: float) -> None:
    generator = torch.Generator().manual_seed(vocabulary)
    logits = torch.randn(vocabulary, generator=generator) * spread + torch.linspace(0, 0.5, vocabulary)
    logits[3] = float("-inf")
    sampling = Sampling(temperature=0.7, top_p=top_p)
    expected = reference(logits, sampling)
    draws = 1000 if vocabulary == 5000 else 4000
    counts = np.bincount(drawn(logits, sampling, draws), minlength=vocabulary)
    assert counts[expected == 0].sum() == 0
    # tokens too rare to be compared one by one are compared together
    common = expected * draws >= 10
    pairs = [*zip(counts[common], expected[common] * draws, strict=True)]
    if (rest := expected[~common].sum() * draws) >= 10:
        pairs.append((counts[~common].sum(), rest))
    statistic = sum((count - mean) ** 2 / mean for count, mean in pairs)
    assert pairs and statistic < len(pairs) + 4 * np.sqrt(2 * len(pairs))


@pytest.mark.parametrize("top_p", [0.1, 0.6, 0.9, 0.99])
def test_the_nucleus_is_that_of_generate(top_p: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(200, 300, generator=generator) * torch.linspace(0.2, 12, 200)[:, None]
    values, ids = (logits - logits.logsumexp(-1, keepdim=True)).sort(dim=-1, descending=True)
    inside, found = _nucleus(values.double().numpy(), ids.numpy(), top_p, complete=True)
    assert found.all()
    kept = np.take_along_axis(TopPLogitsWarper(top_p)(None, logits).isfinite().numpy(), ids.numpy(), axis=1)
    assert (kept == inside).all()
    # too few of the largest: either they say so, or they say the same
    for few in (1, 5, 64):
        partly, found = _nucleus(values[:, :few].double().numpy(), ids[:, :few].numpy(), top_p, complete=False)
        assert (partly[found] == inside[found, :few]).all()
        assert (inside[found].sum(axis=1) < few).all()


def test_noise_is_finite_where_the_uniform_number_would_round_to_one() -> None:
    largest, smallest = 0x31628AF67B2131AB, 0x61C8864680B583EB  # keys of which the first number is all ones, all zeros
    noise = _gumbel(np.array([largest, smallest], np.uint64), np.array([0, 0]))
    assert np.isfinite(noise).all() and noise[0] > 36 and noise[1] < -3.5


def test_ties_at_the_edge_go_to_the_smaller_ids() -> None:
    logits = torch.zeros(200)
    logits[150] = 5.0  # mass 0.427; the others 0.00288 each
    kept = set(drawn(logits, Sampling(temperature=1.0, top_p=0.5), 10000).tolist())
    assert kept == {150, *range(len(kept) - 1)}
    assert len(kept) == 1 + int(np.ceil((0.5 - 0.42725) / 0.0028782))
    with_ties = torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0, 1.0])
    assert set(drawn(with_ties, Sampling(temperature=1.0, top_p=0.45), 1000).tolist()) == {0, 2}


def test_one_token_more_in_the_nucleus_changes_only_its_own_draws() -> None:
    logits = torch.randn(500, generator=torch.Generator().manual_seed(0))
    narrow, wide = (drawn(logits, Sampling(1.0, top_p), 5000) for top_p in (0.9, 0.91))
    changed = narrow != wide
    assert 0 < changed.mean() < 0.03
    assert not np.isin(wide[changed], narrow).any()


def test_rows_do_not_touch_each_other() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(40, 900, generator=generator) * torch.linspace(0, 8, 40)[:, None]  # wide and narrow nuclei
    rng = np.random.default_rng(0)
    place, key = rng.integers(0, 40, 300), keys(300)
    together = choose(logits, Sampling(), place, key)
    alone = [choose(logits[p, None], Sampling(), np.zeros(1, int), k[None])[0] for p, k in zip(place, key, strict=True)]
    assert together.tolist() == alone


def test_greedy_ignores_the_random_numbers() -> None:
    logits = torch.tensor([[0.0, 2.0, 1.0], [5.0, 2.0, 1.0]])
    assert choose(logits, Sampling(0.0), np.array([0, 1, 0]), keys(3)).tolist() == [1, 0, 1]


def test_random_numbers_belong_to_seed_id_and_purpose() -> None:
    block = random_keys("a", "c1", 0, 5, 7)
    assert block.shape == (5, 7) and block.dtype == np.uint64
    assert (random_keys("a", "c1", 0, 3, 7) == block[:3]).all()  # row r whatever the number of rows
    for other in [("b", "c1", 0), ("a", "c2", 0), ("a", "c1", 1)]:
        assert not np.isin(random_keys(*other, 5, 7), block).any()


def test_noise_is_gumbel_and_independent() -> None:
    noise = _gumbel(keys(400)[:, None], np.arange(400)[None])
    uniform = np.exp(-np.exp(-noise))
    assert abs(uniform.mean() - 0.5) < 5 * np.sqrt(1 / 12 / 160000)
    ranks = np.sort(uniform.ravel())
    assert np.abs(ranks - np.linspace(0, 1, len(ranks))).max() < 2 / 400  # Kolmogorov-Smirnov, far in the tail
    for one, two in ((uniform[:-1], uniform[1:]), (uniform[:, :-1], uniform[:, 1:])):  # next key, next token
        assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 5 / 400
    extreme = _gumbel(np.array([[0, 2**64 - 1]], np.uint64), np.array([[0, 0]]))
    assert np.isfinite(extreme).all()


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 4), st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=9), min_size=1, max_size=4))
def test_repeated_ngrams(size: int, histories: list[list[int]]) -> None:
    width = max(map(len, histories))
    padded = torch.tensor([[-1] * (width - len(history)) + history for history in histories])
    logits = torch.zeros(len(histories), 4)
    ban_repeated_ngrams(logits, padded, size)
    for row, history in zip(logits, histories, strict=True):
        expected = NoRepeatNGramLogitsProcessor(size)(torch.tensor([history]), torch.zeros(1, 4))[0]
        assert row.tolist() == expected.tolist()


@pytest.mark.parametrize(
    "wrong", [{"temperature": -1.0}, {"top_p": 1.5}, {"max_new_tokens": 0}, {"banned_tokens": ("",)}]
)
def test_settings_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(UserError, match=next(iter(wrong))):
        Sampling(**wrong)  # type: ignore[arg-type]
