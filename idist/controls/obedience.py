"""Asked against obtained: figures over what a student wrote for each code."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 1000
SEED = 0
INTERVAL = (2.5, 97.5)  # percentiles: 95 % of the resampled means


def mean_with_interval(values: Sequence[float]) -> dict[str, float | None]:
    """``mean``, and ``low`` and ``high`` of its 95 % percentile bootstrap interval over sources.

    Of no value all three are None; of one there is no interval.
    """
    import numpy as np

    if len(values) < 2:
        return {"mean": float(values[0]) if len(values) else None, "low": None, "high": None}
    found = np.asarray(values, np.float64)
    drawn = np.random.default_rng(SEED).integers(len(found), size=(RESAMPLES, len(found)))
    low, high = np.percentile(found[drawn].mean(axis=1), INTERVAL)
    return {"mean": float(found.mean()), "low": float(low), "high": float(high)}


def share_of(hits: Sequence[bool]) -> float | None:
    """Share of True, 0 to 1; None of nothing."""
    return sum(hits) / len(hits) if len(hits) else None


def rises(means: Sequence[float | None]) -> bool:
    """Whether each is larger than the one before; not where one of them is missing."""
    return None not in means and all(first < second for first, second in pairwise(means))  # type: ignore[operator]


def rank_correlation(asked: Sequence[int] | np.ndarray, obtained: Sequence[float] | np.ndarray) -> float:
    """Spearman's, ties at their mean rank, -1 to 1; 0 where one of the two never changes or there is nothing."""
    import numpy as np

    first, second = _ranks(np.asarray(asked, np.float64)), _ranks(np.asarray(obtained, np.float64))
    if not len(first) or first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def correlation_interval(obtained: Sequence[Sequence[float]]) -> dict[str, float | None]:
    """``correlation_low`` and ``correlation_high``: 95 % percentile bootstrap interval of `rank_correlation`.

    Args:
        obtained: values for each code, in the codes' order.

    The values of each code are drawn again by themselves. Those of one source under several codes are more alike than
    that assumes, so the interval is rather too wide than too narrow. Both are None where a code has less than two.
    """
    import numpy as np

    if not obtained or min(map(len, obtained)) < 2:
        return {"correlation_low": None, "correlation_high": None}
    generator = np.random.default_rng(SEED)
    values = [np.asarray(own, np.float64) for own in obtained]
    places = np.repeat(np.arange(len(values)), [len(own) for own in values])
    found = [
        rank_correlation(places, np.concatenate([own[generator.integers(len(own), size=len(own))] for own in values]))
        for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(found, INTERVAL)
    return {"correlation_low": float(low), "correlation_high": float(high)}


def of_numbers(buckets: Sequence[str], obtained: Sequence[Sequence[float]], bucket_of: Any) -> dict[str, Any]:
    """Figures of an attribute.

    Args:
        buckets: codes, low to high.
        obtained: values for each of them.
        bucket_of: value -> its code.

    Returns:
        ``codes``: of each its mean with interval and the ``share`` of values in its own bucket, all None for a code
        without values; ``rises``: whether the means do; ``correlation``: Spearman's between code and value, over all
        values, and its interval (`correlation_interval`).
    """
    rows: list[dict[str, Any]] = []
    for code, values in zip(buckets, obtained, strict=True):
        share = share_of([bucket_of(value) == code for value in values])
        rows.append({"code": code, **mean_with_interval(values), "share": share})
    places = [place for place, values in enumerate(obtained) for _ in values]
    everything = [value for values in obtained for value in values]
    return {
        "codes": rows,
        "rises": rises([row["mean"] for row in rows]),
        "correlation": rank_correlation(places, everything),
        **correlation_interval(obtained),
    }


def of_distances(codes: Sequence[str], distances: Sequence[np.ndarray]) -> dict[str, Any]:
    """Figures of a control whose values lie nearer to one code or to another.

    Args:
        codes: those asked for.
        distances: of each (n, codes): how far each of its n outputs is from every code.

    Returns:
        ``codes``: of each the mean distance to itself with interval, the mean distance to the ``others``, and the
        ``share`` of outputs to which no other code is nearer; all None for a code without outputs.
    """
    rows = []
    for place, (code, own) in enumerate(zip(codes, distances, strict=True)):
        others = [column for column in range(len(codes)) if column != place]
        rows.append(
            {
                "code": code,
                **mean_with_interval(own[:, place].tolist()),
                "others": float(own[:, others].mean()) if others and len(own) else None,
                "share": share_of((own[:, place] <= own.min(axis=1)).tolist()),
            }
        )
    return {"codes": rows}


def _ranks(values: np.ndarray) -> np.ndarray:
    import numpy as np

    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]  # type: ignore[no-any-return]
