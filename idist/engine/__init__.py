"""How shards get run, stored and resumed. Knows nothing of language.

Words: a *stage* folder holds one or more *jobs*; a job is cut into *shards*, one parquet file per table each; a shard
is one rank of a datatrove executor. What a job was made with is its *fingerprint*.
"""

from __future__ import annotations

from idist.engine.claims import claim, compare, difference, digest, forget, has_results, peek
from idist.engine.job import Job, JobReport, NoWork, Opener, Tick
from idist.engine.jobs import run_job, run_stream
from idist.engine.lock import alone
from idist.engine.queue import check_idle
from idist.engine.shards import Shard, finished, read_table, table_path, write_bytes, write_json

__all__ = [
    "Job",
    "JobReport",
    "NoWork",
    "Opener",
    "Shard",
    "Tick",
    "alone",
    "check_idle",
    "claim",
    "compare",
    "difference",
    "digest",
    "finished",
    "forget",
    "has_results",
    "peek",
    "read_table",
    "run_job",
    "run_stream",
    "table_path",
    "write_bytes",
    "write_json",
]
