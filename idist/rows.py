"""The columns and types of every dataset that the toolkit writes.

Identifiers are strings that do not depend on the order of work: context ``c000012``; a pair of it
``c000012-003-041`` (indices of its two sentences); a self-distillation source ``s000007``; a source of another
corpus ``p0000003``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def schema(name: str) -> pa.Schema:
    """Arrow schema of a dataset: one of `COLUMNS`.

    Scores that a run's critics add to `candidates` and pairs are float32 columns named by the critic
    (``entailment_xy``, ``rouge_l``); they come after the fixed columns listed here.
    """
    import pyarrow as pa

    kinds = {
        "string": pa.string(),
        "int32": pa.int32(),
        "float32": pa.float32(),
        "list<string>": pa.list_(pa.string()),
        "list<int32>": pa.list_(pa.int32()),
        "list<float32>": pa.list_(pa.float32()),
    }
    return pa.schema([(column, kinds[kind]) for column, kind in COLUMNS[name].items()])


COLUMNS: dict[str, dict[str, str]] = {
    # One context: what the teacher is asked to continue.
    "contexts": {
        "id": "string",
        "context": "string",
        "num_sentences": "int32",
        "prefix": "string",  # "" if none; part of `context` no longer
        "source": "string",  # model name, or the file or dataset it was read from
    },
    # One context's k sampled next sentences, duplicates merged; `counts` sums to the number of usable samples.
    "sentences": {
        "context_id": "string",
        "context": "string",
        "sentences": "list<string>",
        "counts": "list<int32>",
        "failures": "list<string>",  # "INDEX: reason" of sentences that a parser or model could not handle
        # entailment scores beyond the candidates' own that the diversity critic needs, sparse: p(row => column)
        "edge_rows": "list<int32>",
        "edge_columns": "list<int32>",
        "edge_scores": "list<float32>",
    },
    # One candidate pair of one context with every score that was computed (NaN: skipped). Where all critics are
    # symmetric, i < j and the pair stands for both orders. Where one is not, with `pairs.pairing: unordered`, and where
    # sentence 0 is the source (self-distillation, `pairs.generation: sequential`), x is sentence i and y is sentence j.
    "candidates": {
        "context_id": "string",
        "i": "int32",
        "j": "int32",
        "removed_by": "string",  # critic whose floor removed it; null while within all floors
    },
    # One kept pair, oriented: train y given x.
    "pairs": {
        "id": "string",
        "context_id": "string",
        "x": "string",
        "y": "string",
    },
    # One source of another corpus with its targets (`pairs.source`); `counts`: rows that gave each target.
    "corpus": {
        "id": "string",
        "x": "string",
        "targets": "list<string>",
        "counts": "list<int32>",
    },
    # One kept pair with what its y is like (stage `control`). After these come the pair's scores, then a column for
    # each control, named by it: a tree in brackets (string), a number that is cut into buckets (float32).
    "control": {
        "id": "string",
        "context_id": "string",
        "x": "string",
        "y": "string",
        "prefix": "string",  # the codes, put before x when it is read; null: there are none
        "input": "string",  # what the student reads in training; null: it is not trained on
        "target": "string",  # what it then has to write
        "failure": "string",  # why there is no code, "CONTROL: reason"; else null
    },
    # One source of self-distillation.
    "sources": {
        "id": "string",
        "x": "string",
        "source": "string",
    },
}
