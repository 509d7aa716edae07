"""Words of texts as numbers, millions of them in seconds.

A text is put in lower case; every character that is no letter, mark or digit of any script is a word of its own; the
rest is parted at white space. The paper names no tokenizer, nor does the work that it follows. pyarrow does the work,
whole columns at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_SIGN = r"([^\p{L}\p{M}\p{N}\s])"


class Words:
    """Numbers words from 0 in the order in which they are first seen. Memory grows with the number of different ones
    (about 100 bytes each), not with the text."""

    def __init__(self) -> None:
        self._number: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._number)

    def read(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Words of texts, one text after the other.

        Args:
            texts: N of any length; half a surrogate pair counts as a question mark.

        Returns:
            (W,) int64 numbers of the words of all texts, and (N,) int64 words in each.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        try:
            column = pa.array(texts, pa.large_string())
        except UnicodeEncodeError:
            column = pa.array([text.encode(errors="replace").decode() for text in texts], pa.large_string())
        spaced = pc.replace_substring_regex(pc.utf8_lower(column), pattern=_SIGN, replacement=r" \1 ")
        rows = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(spaced))
        lengths = pc.list_value_length(rows).to_numpy(zero_copy_only=False).astype(np.int64)
        coded = rows.flatten().dictionary_encode()
        own = [self._number.setdefault(word, len(self._number)) for word in coded.dictionary.to_pylist() if word]
        ids = np.full(len(coded.dictionary), -1, np.int64)
        ids[[place for place, word in enumerate(coded.dictionary.to_pylist()) if word]] = own
        numbers = ids[coded.indices.to_numpy()] if len(coded) else np.zeros(0, np.int64)
        if (numbers < 0).any():  # a text without a word is one empty word to pyarrow
            empty = np.bincount(np.repeat(np.arange(len(lengths)), lengths)[numbers < 0], minlength=len(lengths))
            lengths, numbers = lengths - empty, numbers[numbers >= 0]
        return numbers, lengths
