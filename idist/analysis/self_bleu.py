"""Self-BLEU of pairs: how much two sentences that say the same also look the same (paper section 2, Zhu et al. 2018).

The paper prints no settings, but one number to find them by: 39 for the human paraphrases of MRPC. On the positive
pairs of MRPC's test set the mean over pairs of sentence BLEU-4 without smoothing, both directions averaged, is 39.0
(sacreBLEU's tokens and NLTK's alike); add-one smoothing gives 43 to 45, exponential smoothing 40.4, corpus BLEU 47.5.
So that is the measure here. Most pairs of short sentences share no four words in a row, and then it is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sacrebleu.metrics import BLEU


def self_bleu(sentences: Sequence[str], pairs: np.ndarray) -> np.ndarray:
    """Sentence BLEU of each pair, mean of both directions.

    Args:
        sentences: of one context.
        pairs: (P, 2) int indices.

    Returns:
        (P,) float64 in 0..100.
    """
    measure = _bleu()
    both = [
        measure.sentence_score(sentences[i], [sentences[j]]).score
        + measure.sentence_score(sentences[j], [sentences[i]]).score
        for i, j in np.asarray(pairs, np.int64).reshape(-1, 2).tolist()
    ]
    return np.array(both, np.float64) / 2


def signature() -> str:
    """Settings and version in sacreBLEU's words; said beside every number."""
    import sacrebleu

    return f"mean-sentence-both-ways|case:mixed|eff:yes|tok:13a|smooth:none|version:{sacrebleu.__version__}"


@lru_cache(maxsize=1)
def _bleu() -> BLEU:
    from sacrebleu.metrics import BLEU

    return BLEU(smooth_method="none", effective_order=True)
