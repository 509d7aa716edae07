"""Judged groups as columns of the tables `sentences` and `candidates` of `idist.rows`, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from idist.critics.groups import Judged


def sentence_columns(judged: Sequence[Judged]) -> dict[str, list[Any]]:
    """Columns of `sentences` that critics know, one row a group; ``context`` and ``counts`` are the caller's."""
    return {
        "context_id": [one.id for one in judged],
        "sentences": [one.sentences for one in judged],
        "failures": [[f"{index}: {reason}" for index, reason in sorted(one.failures.items())] for one in judged],
        "edge_rows": [one.edges[0] for one in judged],
        "edge_columns": [one.edges[1] for one in judged],
        "edge_scores": [one.edges[2] for one in judged],
    }


def candidate_columns(judged: Sequence[Judged], score_columns: Sequence[str]) -> dict[str, Any]:
    """Columns of `candidates`, one row a pair, group by group; the scores' columns come last.

    Args:
        judged: groups of one cascade.
        score_columns: `Cascade.score_columns`.
    """
    return {
        "context_id": [one.id for one in judged for _ in range(len(one.i))],
        "i": _joined([one.i for one in judged], np.int32),
        "j": _joined([one.j for one in judged], np.int32),
        "removed_by": [name for one in judged for name in one.removed_by],
        **{column: _joined([one.scores[column] for one in judged], np.float32) for column in score_columns},
    }


def read_judged(
    sentences: Any, candidates: Any, scored: dict[str, Any], score_columns: Sequence[str], oriented: bool
) -> list[Judged]:
    """Inverse of `sentence_columns` and `candidate_columns`.

    Args:
        sentences, candidates: tables: an Arrow table, or a mapping of columns.
        scored: the `score_config` that the scores were made under.
        score_columns: `Cascade.score_columns`.
        oriented: `Cascade.is_oriented` of these groups.

    Raises:
        ValueError: candidates of a context that `sentences` does not have.
    """
    texts, pairs = _columns(sentences), _columns(candidates)
    names = np.asarray(pairs["context_id"], object)
    starts = np.flatnonzero(names[1:] != names[:-1]) + 1 if len(names) else np.zeros(0, np.int64)
    slices = {
        str(names[start]): slice(start, stop)
        for start, stop in zip([0, *starts], [*starts, len(names)], strict=True)
        if len(names)
    }
    unknown = set(slices) - set(texts["context_id"])
    if unknown:
        raise ValueError(f"candidates of {sorted(unknown)[0]!r}, which has no sentences")
    arrays = {key: np.asarray(pairs[key], np.int32) for key in ("i", "j")}
    scores = {column: np.asarray(pairs[column], np.float32) for column in score_columns}
    removed_by = np.array(list(pairs["removed_by"]), object)
    judged = []
    for row, name in enumerate(texts["context_id"]):
        here = slices.get(name, slice(0, 0))
        judged.append(
            Judged(
                id=name,
                sentences=list(texts["sentences"][row]),
                i=arrays["i"][here],
                j=arrays["j"][here],
                scores={column: values[here] for column, values in scores.items()},
                removed_by=removed_by[here],
                edges=(
                    np.asarray(texts["edge_rows"][row], np.int32),
                    np.asarray(texts["edge_columns"][row], np.int32),
                    np.asarray(texts["edge_scores"][row], np.float32),
                ),
                failures=dict(_failure(line) for line in texts["failures"][row]),
                oriented=oriented,
                scored=scored,
            )
        )
    return judged


def _failure(line: str) -> tuple[int, str]:
    index, _, reason = line.partition(": ")
    return int(index), reason


def _columns(table: Any) -> Mapping[str, Any]:
    return table if isinstance(table, Mapping) else table.to_pydict()


def _joined(arrays: list[np.ndarray], kind: Any) -> np.ndarray:
    return np.concatenate(arrays).astype(kind) if arrays else np.zeros(0, kind)
