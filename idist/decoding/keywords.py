"""Keywords of a sentence, and a bias that holds a continuation to them (sequential generation, paper's first version).

A token that begins a keyword, or goes on with one that is half written, gets a bonus on its logit; a keyword that has
been written gets none any more. The distribution that is drawn from is thereby exactly defined, at the price of one
comparison of token ids a row: no search, no second pass. The first version of the paper constrains decoding by the
input's keywords; how is not known to us, so the list of function words and the size of the bonus are ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

_WORD = re.compile(r"\w+(?:['’\-]\w+)*")
# English words that say little alone. A text of another language keeps all its words of two letters and more.
_FUNCTION_WORDS = (
    "a about above after again against all almost also although am among an and another any anybody anyone "
    "anything are around as at away back be became because become been before behind being below beside between "
    "both but by can can't could did didn't do does doesn't doing don't done down during each either else enough "
    "even ever every everyone everything few for from further gets getting go goes going got had has hasn't have "
    "haven't having he he's her here hers herself him himself his how however i i'm if in inside into is isn't it "
    "it's its itself just least less let like made make makes many may me might mine more most much must my "
    "myself near neither never next no nobody none nor not nothing now of off often on once one only onto or "
    "other others our ours out outside over own per quite rather said same say says several shall she she's "
    "should since so some somebody someone something still such than that that's the their theirs them themselves "
    "then there there's these they thing things this those though through to together too toward towards under "
    "until up upon us very was wasn't way we well were weren't what when where whether which while who whom whose "
    "why will with within without won't would yet you your yours yourself"
)
_STOPS = frozenset(_FUNCTION_WORDS.split())


def keywords(sentence: str) -> list[str]:
    """The words of a sentence that carry its content, in order, each once: no function words, no single letters.
    Numbers are among them.

    The sentence's first word is given in lower case unless it has other capitals (``Dogs`` -> ``dogs``, ``NASA``): a
    name that begins the sentence loses its capital here; `token_forms` tries both.
    """
    found: dict[str, str] = {}
    for place, match in enumerate(_WORD.finditer(sentence)):
        word = match.group()
        plain = word.lower().replace("’", "'")
        if plain in _STOPS or (len(word) == 1 and not word.isdigit()):
            continue
        found.setdefault(plain, plain if place == 0 and word[1:] == word[1:].lower() else word)
    return list(found.values())


def token_forms(tokenizer: Any, keyword: str) -> list[list[int]]:
    """Token ids of a keyword within a text: as it is, and with a capital, as at the beginning of a sentence."""
    spellings = dict.fromkeys((keyword, keyword[:1].upper() + keyword[1:]))
    return [ids for spelling in spellings if (ids := _ids_within_text(tokenizer, spelling))]


def _ids_within_text(tokenizer: Any, word: str) -> list[int]:
    """Ids of a word after another one: tokenizers put the space between two words in one of them, or in neither."""
    before, both = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("a", f"a {word}"))
    if both[: len(before)] == before and len(both) > len(before):
        return list(both[len(before) :])
    return list(tokenizer(word, add_special_tokens=False)["input_ids"])


class KeywordBias:
    """Adds ``bias`` to the logits of tokens that write keywords.

    Args:
        prompts: of each prompt its keywords, of each keyword its forms in token ids (`token_forms`).
        bias: in nats, before the temperature.
    """

    def __init__(self, prompts: Sequence[Sequence[Sequence[Sequence[int]]]], bias: float):
        self.bias = bias
        flat = [[(word, list(form)) for word, forms in enumerate(words) for form in forms] for words in prompts]
        count = max((len(forms) for forms in flat), default=0)
        longest = max((len(form) for forms in flat for _, form in forms), default=0)
        self._ids = np.full((len(flat), count, longest), -1)  # (B, F, T); no token has the id -1
        self._word = np.full((len(flat), count), -1)  # (B, F) the number of the keyword that a form is of
        for prompt, forms in enumerate(flat):
            for place, (word, form) in enumerate(forms):
                self._ids[prompt, place, : len(form)], self._word[prompt, place] = form, word
        self._length = (self._ids >= 0).sum(axis=2)

    def __call__(self, logits: torch.Tensor, prompt: np.ndarray, written: np.ndarray) -> None:
        """Change the logits in place; a token of several keywords gets the bonus once.

        Args:
            logits: (R, V).
            prompt: (R,) the prompt that each row continues.
            written: (R, t) token ids written after it.
        """
        import torch

        ids, length = self._ids[prompt], self._length[prompt]  # (R, F, T), (R, F)
        wanted = ~self._written(ids, length, self._word[prompt], written)
        rows, tokens = [], []
        for size in range(min(ids.shape[2], written.shape[1] + 1)):  # tokens of the form that are there already
            ending = written[:, written.shape[1] - size :]
            begun = wanted & (length > size) & (ids[:, :, :size] == ending[:, None, :]).all(axis=2)
            row, form = np.nonzero(begun)
            rows.append(row)
            tokens.append(ids[row, form, size])
        if rows:
            places = (torch.as_tensor(np.concatenate(one), device=logits.device) for one in (rows, tokens))
            at = tuple(places)
            logits[at] = logits[at] + self.bias

    def _written(self, ids: np.ndarray, length: np.ndarray, word: np.ndarray, written: np.ndarray) -> np.ndarray:
        """(R, F) bool: a form of the same keyword is there."""
        found = np.zeros(length.shape, bool)
        for size in range(1, min(ids.shape[2], written.shape[1]) + 1):
            windows = np.lib.stride_tricks.sliding_window_view(written, size, axis=1)  # (R, t - size + 1, size)
            there = (windows[:, None] == ids[:, :, None, :size]).all(axis=3).any(axis=2)
            found |= there & (length == size)
        return (found[:, None, :] & (word[:, :, None] == word[:, None, :])).any(axis=2)
