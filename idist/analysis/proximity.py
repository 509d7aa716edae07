"""Paraphrastic proximity (paper section 2): how often do two next sentences of one context say the same, and how alike
do they look then? Against the number of sentences in the context, and against the temperature.

Every context is `contexts.max_sentences` sentences of one document, cut to its last 1, 2, ... of them (which of these
follows from its number, so that each length comes equally often). So the sentence to be written is always the same
one of its document, and only how much of what stands before it is shown differs. The paper draws contexts of 1 to 5
sentences and does not say from where in the document.

Of k samples after each context all pairs are judged by the run's critic `entailment`, both ways; each different
sentence is read once, and equal sentences are not shown to it. A temperature is a job of its own: what has been judged
is not judged again, and temperatures can be added.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from idist.config import RunConfig, to_dict
from idist.engine import Job, JobReport, Shard, Tick, alone, claim, digest, finished, peek, read_table, run_job
from idist.errors import UserError
from idist.stages.samples import next_sentences_decoder

if TYPE_CHECKING:
    import pyarrow as pa

    from idist.critics import Cascade
    from idist.decoding import Decoder

VERSION = 1  # of this code: raised when the same config would give other rows
STAGE = "proximity"
CONTEXTS = "contexts"  # stage and table that are read
GROWS = "contexts.taken"  # a context's pairs are the same, however many contexts there are
# The temperatures of the paper's figure 3 are not in its text.
TEMPERATURES = (0.3, 0.5, 0.7, 0.9, 1.1)
CRITIC = "entailment"


@dataclass
class JudgeWork:
    """The work of one temperature's job: a shard of contexts."""

    config: RunConfig
    run: Path
    temperature: float
    sizes: list[int]

    def open(self) -> tuple[Decoder, Cascade, list[dict[str, Any]]]:
        """The teacher; the critic, which loads its model when it first scores; all contexts."""
        return (
            next_sentences_decoder(self.config, self.temperature),
            entailment_of(self.config),
            read_contexts(self.config, self.run),
        )

    def shard(self, opened: tuple[Decoder, Cascade, list[dict[str, Any]]], rank: int, tick: Tick) -> Shard:
        """Contexts of shard ``rank``: sample, merge equal sentences, judge, measure the equivalent pairs."""
        from idist.analysis.self_bleu import self_bleu
        from idist.critics import Group

        decoder, cascade, contexts = opened
        start = sum(self.sizes[:rank])
        rows = contexts[start : start + self.sizes[rank]]
        ids = [row["id"] for row in rows]
        k = self.config.pairs.k
        drawn = decoder.next_sentences([row["context"] for row in rows], ids, k, self.config.seed)
        distinct = [Counter(sentences) for sentences in drawn]
        groups = [Group(identifier, list(counts)) for identifier, counts in zip(ids, distinct, strict=True)]
        judged = []
        together = max(1, 1000 // k)  # enough pairs to fill batches, few enough for the bar to move
        for first in range(0, len(groups), together):
            judged += cascade.score(groups[first : first + together])
            tick(len(groups[first : first + together]))
        table: list[dict[str, Any]] = []
        for row, counts, one in zip(rows, distinct, judged, strict=True):
            kept, _ = cascade.select([one])
            pairs = np.array([[pair.i, pair.j] for pair in kept], np.int64).reshape(-1, 2)
            table.append(
                {
                    "context_id": row["id"],
                    "context": row["context"],
                    "num_sentences": row["num_sentences"],
                    "sentences": one.sentences,
                    "counts": list(counts.values()),
                    "x": pairs[:, 0].tolist(),
                    "y": pairs[:, 1].tolist(),
                    "entailment_xy": [pair.scores[f"{CRITIC}_xy"] for pair in kept],
                    "entailment_yx": [pair.scores[f"{CRITIC}_yx"] for pair in kept],
                    "self_bleu": self_bleu(one.sentences, pairs).tolist(),
                    "failures": [f"{index}: {reason}" for index, reason in sorted(one.failures.items())],
                }
            )
        totals = {"contexts": len(rows), "sentences": sum(map(len, drawn)), "distinct": sum(map(len, distinct))}
        totals["equivalent"] = sum(len(row["x"]) for row in table)
        totals["failures"] = sum(len(row["failures"]) for row in table)
        return Shard({job_name(self.temperature): _table(table)}, totals)


def job_name(temperature: float) -> str:
    """``t0.7``: job and table of a temperature."""
    return f"t{temperature:g}"


def judge(
    config: RunConfig, folder: Path, temperatures: Sequence[float] = TEMPERATURES, progress: bool = True
) -> dict[float, JobReport]:
    """Sample and judge at every temperature, or what is missing of it.

    Args:
        config: `contexts.min_sentences` and `max_sentences` are the shortest and longest context, `pairs` how sentences
            are drawn; of its critics `entailment` judges, the others do not.
        folder: ``runs/NAME``, with the stage `contexts` finished.
        temperatures: `pairs.temperature` is added, since the curve over context lengths is drawn at it.
        progress: a bar a temperature on stderr.

    Returns:
        What each temperature's job holds, in rising order.

    Raises:
        UserError: contexts missing or too short, no critic `entailment` or one that asks one way only, the folder was
            made with another config, model not found, disk full, another process in the folder.
    """
    with alone(folder):
        contexts = read_contexts(config, folder)
        own, size = folder / STAGE, config.engine.shard_size
        reports = {}
        for temperature in sorted({*temperatures, config.pairs.temperature}):
            job = job_name(temperature)
            mark = fingerprint(config, folder, temperature, len(contexts))
            size = claim(own, job, mark, {"shard_size": config.engine.shard_size}, grows=GROWS)["shard_size"]
            sizes = [min(size, len(contexts) - start) for start in range(0, len(contexts), size)]
            work = JudgeWork(config, folder, temperature, sizes)
            reports[temperature] = run_job(Job(own, job, work, sizes), config.engine, progress)
    return reports


def judged_rows(folder: Path, temperature: float) -> list[dict[str, Any]]:
    """What `judge` left of a temperature: a row a context, in their order.

    Columns: ``context_id``, ``context``, ``num_sentences``; ``sentences``, different ones, and ``counts``, how often
    each was drawn; the equivalent pairs as indices ``x`` and ``y`` of sentences with ``entailment_xy``,
    ``entailment_yx`` (0..1) and ``self_bleu`` (0..100); ``failures``, ``INDEX: reason``.
    """
    own, job = folder / STAGE, job_name(temperature)
    return [row for rank in sorted(finished(own, job)) for row in read_table(own, job, job, rank).to_pylist()]


def entailment_of(config: RunConfig) -> Cascade:
    """The run's critic `entailment`, alone.

    Raises:
        UserError: there is none, or it asks in one direction only.
    """
    from idist.critics import build_cascade

    chosen = [critic for critic in config.pairs.critics if CRITIC in critic]
    if not chosen:
        raise UserError("pairs.critics has no entailment, expected the critic that says which pairs are equivalent.")
    cascade = build_cascade(chosen, config.device, config.dtype, config.seed)
    if not cascade.judged_once:
        raise UserError("pairs.critics.entailment.directions is 'forward', expected 'both': equivalence needs both.")
    return cascade


def read_contexts(config: RunConfig, folder: Path) -> list[dict[str, Any]]:
    """The run's contexts, each cut to its last sentences.

    Returns:
        Rows with ``id``, ``context`` and ``num_sentences``. Documents that have fewer than `contexts.max_sentences`
        sentences are left out.

    Raises:
        UserError: there are no contexts, or none is long enough.
    """
    from idist.text import split_sentences

    shortest, longest = config.contexts.min_sentences, config.contexts.max_sentences
    own = folder / CONTEXTS
    ranks = sorted(finished(own, CONTEXTS))
    rows, seen = [], 0
    for rank in ranks:
        for row in read_table(own, CONTEXTS, CONTEXTS, rank).to_pylist():
            seen += 1
            sentences = split_sentences(row["context"])
            if len(sentences) >= longest:
                length = shortest + int(row["id"][1:]) % (longest - shortest + 1)
                cut = " ".join(sentences[:longest][-length:])
                rows.append({"id": row["id"], "context": cut, "num_sentences": length})
    if not rows:
        raise UserError(
            f"{own} has {seen} contexts, none of them with {longest} sentences; expected the stage contexts to have "
            "made some (contexts.max_sentences says how long they have to be)."
        )
    return rows


def fingerprint(config: RunConfig, folder: Path, temperature: float, taken: int) -> dict[str, Any]:
    """What the rows of a temperature depend on.

    Raises:
        UserError: no critic `entailment`.
    """
    from idist.models import fingerprint as weights
    from idist.models import pick_device, pick_dtype

    settings = to_dict(config.pairs)
    kept = ("k", "top_p", "no_repeat_ngram_size", "max_new_tokens", "min_characters", "banned_tokens", "join_digits")
    cascade = entailment_of(config)
    scored = cascade.score_config()
    begun = peek(folder / CONTEXTS, CONTEXTS) or {"fingerprint": {}}
    contexts = dict(begun["fingerprint"])
    contexts[CONTEXTS] = {key: value for key, value in contexts.get(CONTEXTS, {}).items() if key != "count"}
    return {
        "version": VERSION,
        "seed": config.seed,
        "pairs": {key: settings[key] for key in kept}
        | {
            "temperature": temperature,
            "weights": weights(config.pairs.model),
            "dtype": str(pick_dtype(config.dtype, pick_device(config.device))).removeprefix("torch."),
        },
        "lengths": [config.contexts.min_sentences, config.contexts.max_sentences],
        "contexts": {"taken": taken, "fingerprint": digest(contexts)},
        "scores": {"version": scored["version"]}
        | {key: scored["critics"][CRITIC][key] for key in ("settings", "models")},
        "thresholds": cascade.select_config(),
    }


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    texts, whole, parts = pa.list_(pa.string()), pa.list_(pa.int32()), pa.list_(pa.float32())
    kinds = {
        "context_id": pa.string(),
        "context": pa.string(),
        "num_sentences": pa.int32(),
        "sentences": texts,
        "counts": whole,
        "x": whole,
        "y": whole,
        "entailment_xy": parts,
        "entailment_yx": parts,
        "self_bleu": parts,
        "failures": texts,
    }
    return pa.Table.from_pylist(rows, schema=pa.schema(list(kinds.items())))
