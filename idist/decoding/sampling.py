"""From logits to tokens: settings, random numbers of a context, nucleus sampling by the Gumbel-max trick.

The token drawn is the one with the largest sum of logit and Gumbel noise of its own. The usual way, one uniform number
looked up in the cumulative distribution, has the same law, but a rounding error at the nucleus's edge, one token more
or less, shifts all the others' intervals. Here it matters only if it is that very token which wins.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from idist.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn. The defaults are the pair stage's (paper section 3.1; the authors' code for the last four).

    Attributes:
        temperature: logits are divided by it; 0 is greedy.
        top_p: nucleus: the fewest most probable tokens whose mass reaches it; 1 turns it off.
        no_repeat_ngram_size: no n-gram of tokens twice, the prompt's included (decoder-only models); 0 turns it off.
        max_new_tokens: a row that has not ended by then is cut.
        banned_tokens: no token whose text contains one of these strings is drawn; a special token such as ``<unk>`` is
            named in full, and never banned for what its name contains.
        min_characters: shorter next sentences are left out.
        join_digits: in next sentences, numbers that are written digit by digit are joined (`idist.text.join_digits`)
            before their end is looked for: ``1 . 5`` does not end a sentence.
    """

    temperature: float = 0.7
    top_p: float = 0.9
    no_repeat_ngram_size: int = 3
    max_new_tokens: int = 100
    banned_tokens: tuple[str, ...] = ()
    min_characters: int = 3
    join_digits: bool = False

    def __post_init__(self) -> None:
        for name, valid, expected in (
            ("temperature", self.temperature >= 0, "0 or more"),
            ("top_p", 0 <= self.top_p <= 1, "0 to 1"),
            ("no_repeat_ngram_size", self.no_repeat_ngram_size >= 0, "0 or more"),
            ("max_new_tokens", self.max_new_tokens >= 1, "1 or more"),
            ("banned_tokens", all(self.banned_tokens), "no empty string"),
        ):
            if not valid:
                raise UserError(f"Sampling: {name} is {getattr(self, name)!r}, expected {expected}.")


def random_keys(purpose: str, identifier: str, seed: int, rows: int, steps: int) -> np.ndarray:
    """The random numbers of one context, (rows, steps) uint64, one for each token to be drawn.

    They come from a counter-based generator (Philox) keyed by a hash of purpose, run seed and context id. Those of row
    r do not depend on the number of rows, nor on anything else in the run.
    """
    import numpy as np

    digest = hashlib.blake2b(f"{purpose}\0{seed}\0{identifier}".encode(), digest_size=16).digest()
    generator = np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))
    return generator.integers(0, 2**64, size=(rows, steps), dtype=np.uint64)


def choose(logits: torch.Tensor, sampling: Sampling, place: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """One token for each sample.

    Args:
        logits: (R, V) float32, -inf where a token is banned.
        place: (S,) the row of ``logits`` that each sample draws from; rows are worked out once for all their samples.
        keys: (S,) uint64, see `random_keys`.

    Returns:
        (S,) int64 token ids, distributed as ``generate`` distributes them: temperature, then nucleus, renormalized.
    """
    import numpy as np

    if sampling.temperature == 0:
        return logits.argmax(dim=-1).cpu().numpy()[place]
    logits = logits / sampling.temperature
    if sampling.top_p < 1:
        return _choose_from_nucleus(logits, sampling.top_p, place, keys)
    values = logits.cpu().numpy()
    return _largest(values, np.broadcast_to(np.arange(values.shape[1]), values.shape), place, keys)


def _choose_from_nucleus(logits: torch.Tensor, top_p: float, place: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """The nucleus is looked for among the 64 largest logits, and only for rows where it is larger among more of them,
    up to all: exact, without a full sort."""
    import numpy as np
    import torch

    count, vocabulary = logits.shape
    totals = logits.logsumexp(dim=-1, keepdim=True)
    chosen = np.zeros(len(place), dtype=np.int64)
    pending = np.arange(count)
    size = min(64, vocabulary)
    while len(pending):
        where = torch.as_tensor(pending, device=logits.device)
        top, ids_on_device = (logits if len(pending) == count else logits[where]).topk(size, dim=-1)
        values = (top - totals[where]).cpu().numpy().astype(np.float64)
        ids = ids_on_device.cpu().numpy()
        inside, found = _nucleus(values, ids, top_p, complete=size == vocabulary)
        line = np.full(count, -1)  # of each row among those found
        line[pending[found]] = np.arange(found.sum())
        mine = np.flatnonzero(line[place] >= 0)
        width = int(inside.sum(axis=1).max(initial=1, where=found))
        scores = np.where(inside, values, -np.inf)[found, :width]
        chosen[mine] = _largest(scores, ids[found, :width], line[place[mine]], keys[mine])
        pending = pending[~found]
        size = min(size * 8, vocabulary)
    return chosen


def _nucleus(values: np.ndarray, ids: np.ndarray, top_p: float, complete: bool) -> tuple[np.ndarray, np.ndarray]:
    """Which of the largest log-probabilities are in the nucleus: as many from the top as needed to reach ``top_p``.

    Args:
        values: (R, K) log-probabilities, descending; ids: (R, K). Where equal values meet the edge, the smaller ids go
            first: those of the row are put in order, in place.
        complete: the K are the whole vocabulary.

    Returns:
        inside: (R, K), a run of True from the left; found: (R,), False where K was too few to tell.
    """
    import numpy as np

    probabilities = np.exp(values)
    above = np.cumsum(probabilities, axis=1) - probabilities  # mass of the more probable ones
    inside = above < top_p
    inside[:, 0] = True
    last = inside.sum(axis=1) - 1
    rows = np.arange(len(values))
    edge = values[rows, last]
    found = np.ones(len(values), bool) if complete else edge > values[:, -1]
    beyond = values[rows, np.minimum(last + 1, values.shape[1] - 1)]
    for row in np.flatnonzero(found & (edge == beyond) & (last + 1 < values.shape[1])):
        ids[row] = ids[row, np.lexsort((ids[row], -values[row]))]
    return inside, found


_NOISE_AT_ONCE = 1 << 20  # numbers: bounds memory where nuclei are wide


def _largest(scores: np.ndarray, ids: np.ndarray, line: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """For each sample the id with the largest score plus Gumbel noise on its line.

    Args:
        scores: (R, K) unnormalized log-probabilities; ids: (R, K); line: (S,); keys: (S,).
    """
    import numpy as np

    chosen = np.empty(len(line), np.int64)
    step = max(1, _NOISE_AT_ONCE // scores.shape[1])
    for first in range(0, len(line), step):
        part = slice(first, first + step)
        candidates = ids[line[part]]
        best = (scores[line[part]] + _gumbel(keys[part, None], candidates)).argmax(axis=1)
        chosen[part] = candidates[np.arange(len(candidates)), best]
    return chosen


def _gumbel(keys: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Gumbel noise of token ids under a key: number ``id`` of the SplitMix64 stream that starts at the key."""
    import numpy as np

    bits = keys + (ids.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)  # modulo 2^64
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    uniform = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    uniform = np.minimum(uniform, 1 - 2.0**-53)  # in (0, 1): the largest would round to 1, whose noise is infinite
    return -np.log(-np.log(uniform))
