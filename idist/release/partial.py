"""What a stage has finished so far, in the form in which it will be published: parts for `idist.hub.PartialPublisher`.

A part is one shard of one config. There is no card yet that names features, so each file carries its own; and no split:
which contexts are held out may depend on all of them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from idist.config import RunConfig
from idist.engine import digest, finished
from idist.release.portable import portable, portable_config
from idist.release.products import PRODUCTS, Product
from idist.stages.runs import STAGES, stage_folder

Parts = Mapping[str, Callable[[], bytes]]


def partial_parts(config: RunConfig, run: Path, stage: str) -> Callable[[], Parts]:
    """A function that gives, whenever it is called, the parts that are finished: path in the repository -> maker of the
    file's bytes. Nothing for a stage whose product is a model.

    Args:
        config: the run's.
        run: ``runs/NAME``.
        stage: the one that is running.
    """
    wanted = [one for one in PRODUCTS if one.stage == stage and (config.hub.candidates or not one.optional)]
    folder = stage_folder(run, stage)
    named = config.contexts.source or config.contexts.model
    source = portable(named, local=Path(named).exists())

    def parts() -> Parts:
        return {
            f"{product.folder}/train-{rank:05d}.parquet": partial(shard_bytes, product, folder, rank, source)
            for product in wanted
            for rank in finished(folder, product.job)
        }

    return parts


def partial_mark(config: RunConfig, stage: str, limit: int | None = None) -> str:
    """16 digits over what a stage's parts depend on: parts of another mark are of no use beside these. The size of the
    shards and ``limit`` (of the last one) are among it."""
    later = STAGES[STAGES.index(stage) + 1 :]
    tree = portable_config(config, later)
    rows = {key: value for key, value in tree.items() if key not in ("name", "hub", "evaluation")}
    return digest(rows | {"shard_size": config.engine.shard_size, "limit": limit})


def shard_bytes(product: Product, folder: Path, rank: int, source: str) -> bytes:
    """One shard of a config as a parquet file that says its features.

    Raises:
        UserError: the shard is missing or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    from datasets import Features

    rows = pa.concat_tables(product.pieces(folder, range(rank, rank + 1), source))
    schema = Features.from_arrow_schema(rows.schema).arrow_schema
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, schema, compression="zstd") as writer:
        if rows.num_rows:  # `datasets` cannot load a file whose first row group is empty; without any it can
            writer.write_table(rows.cast(schema))
    return buffer.getvalue()
