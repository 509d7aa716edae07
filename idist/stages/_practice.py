"""Practice for a student that learns codes from few pairs: sentences to be rebuilt, and words that it has never seen.

Neither is in the paper, whose pairs are millions. A student with a few thousand learns what the pairs are about instead
of what the codes say, and writes that, whatever it reads. Where the words mean nothing it can only copy them, and
where they stand in no order only the code says which one they shall have.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

PIECE = 4  # words at most that stay together where a sentence is damaged
DROPPED = 0.1  # share of its words that are lost
REPLACED = 0.7  # share of the words in common that are replaced where words are
_END = re.compile(r"[^\w]*$")
_WORD = re.compile(r"[a-z]{4,}")  # small function words and names stay
_RUN = re.compile(r"[A-Za-z]+")
_ENDINGS = ("ing", "ed", "s")
_ONSETS = [
    "b",
    "bl",
    "br",
    "c",
    "ch",
    "cl",
    "cr",
    "d",
    "dr",
    "f",
    "fl",
    "fr",
    "g",
    "gl",
    "gr",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "pl",
    "pr",
    "r",
    "s",
    "sc",
    "sh",
    "sl",
    "sm",
    "sn",
    "sp",
    "st",
    "t",
    "th",
    "tr",
    "v",
    "w",
    "wh",
    "z",
]
_VOWELS = ["a", "a", "a", "e", "e", "e", "i", "i", "o", "o", "u", "ai", "ea", "ee", "oa", "oo", "ou"]
_CODAS = [
    "b",
    "ck",
    "d",
    "ft",
    "g",
    "l",
    "ll",
    "lt",
    "m",
    "mp",
    "n",
    "n",
    "nd",
    "ng",
    "nk",
    "nt",
    "p",
    "r",
    "r",
    "rd",
    "rk",
    "rm",
    "rn",
    "rt",
    "sh",
    "sk",
    "ss",
    "st",
    "t",
    "t",
    "th",
    "x",
]


def damaged(sentence: str, rng: np.random.Generator) -> str:
    """The sentence with its pieces in another order and some words lost; how it ends stays."""
    end = _END.search(sentence).group()  # type: ignore[union-attr]  # matches the empty end, too
    words = sentence[: len(sentence) - len(end)].split()
    if words and words[0] != "I":
        words[0] = words[0][0].lower() + words[0][1:]
    pieces = []
    while words:
        size = int(rng.integers(1, PIECE + 1))
        kept = [word for word in words[:size] if rng.random() >= DROPPED]
        pieces.append(" ".join(kept))
        words = words[size:]
    text = " ".join(filter(None, (pieces[place] for place in rng.permutation(len(pieces)))))
    return text[:1].upper() + text[1:] + end if text else sentence


def renamed(x: str, y: str, rng: np.random.Generator) -> tuple[str, str]:
    """Both with most of the longer words that they share replaced, the same in both, by invented ones.

    An invented word keeps an ending (-ing, -ed, -s), so that it may stand where the other stood. Words of letters
    other than a to z stay.
    """
    shared = sorted(set(_WORD.findall(x)) & set(_WORD.findall(y)))
    names = {word: _invented(word, rng) for word in shared if rng.random() < REPLACED}
    first, second = (_RUN.sub(lambda found: names.get(found.group(), found.group()), text) for text in (x, y))
    return first, second


def _invented(word: str, rng: np.random.Generator) -> str:
    ending = next((ending for ending in _ENDINGS if word.endswith(ending)), "")
    syllables = int(rng.integers(1, 3))
    open_ones = "".join(_drawn(_ONSETS, rng) + _drawn(_VOWELS, rng) for _ in range(syllables))
    return open_ones + _drawn(_CODAS, rng) + ending


def _drawn(parts: list[str], rng: np.random.Generator) -> str:
    return parts[int(rng.integers(len(parts)))]
