"""One config of a dataset release: its rows to parquet files, and what the card says of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist.config import RunConfig
from idist.engine import digest
from idist.hub.facts import ConfigFacts, FeatureFacts, SplitFacts
from idist.hub.releases import hash_file
from idist.release.measures import Measures
from idist.release.parquet import Split, SplitWriter
from idist.release.products import Product, descriptions, held_out
from idist.release.stages import Finished

if TYPE_CHECKING:
    import pyarrow as pa

TRAIN, VALIDATION = "train", "validation"


def write_config(
    product: Product,
    config: RunConfig,
    stages: Mapping[str, Finished],
    folder: Path,
    source: str,
    measures: Measures | None,
) -> ConfigFacts:
    """Write a config's rows below the release folder.

    Args:
        product: which.
        config: the run's.
        stages: the finished ones.
        folder: of the release.
        source: the public name of what the contexts came from.
        measures: looks at the rows on the way, if it is the default config; None: it is not.
    """
    from datasets import Features

    held = held_out(product, config, stages)
    stage = stages[product.stage]
    pieces = product.pieces(stage.folder, stage.ranks(product.job), source)
    first = next(pieces)
    own = folder / product.folder
    writers = [SplitWriter(own, name, first.schema) for name in ((TRAIN, VALIDATION) if held else (TRAIN,))]
    _spread(first, writers, held, measures)
    for piece in pieces:
        _spread(piece, writers, held, measures)
    splits = [writer.close() for writer in writers]
    schema = first.schema.remove_metadata()
    told, kinds = descriptions(config, schema), Features.from_arrow_schema(schema)
    return ConfigFacts(
        name=product.name,
        default=measures is not None,
        description=product.description,
        splits=[SplitFacts(s.name, s.rows, s.bytes, f"{product.folder}/{s.name}-*.parquet") for s in splits],
        features=[FeatureFacts(name, kinds[name].dtype, told[name]) for name in schema.names],
        dataset_info=dataset_info(product.name, schema, splits),
        digest=digest_files(own),
    )


def _spread(piece: pa.Table, writers: list[SplitWriter], held: set[str], measures: Measures | None) -> None:
    """Rows to their splits: those of the held-out contexts to the second."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if measures:
        measures.look(piece)
    if len(writers) == 1:
        writers[0].write(piece)
        return
    apart = pc.is_in(piece["context_id"], value_set=pa.array(held, pa.string()))
    writers[0].write(piece.filter(pc.invert(apart)))
    writers[1].write(piece.filter(apart))


def digest_files(folder: Path) -> str:
    """16 hexadecimal digits over the parquet files of a config."""
    return digest({path.name: hash_file(path).sha256 for path in sorted(folder.glob("*.parquet"))})


def dataset_info(name: str, schema: pa.Schema, splits: list[Split]) -> dict[str, Any]:
    """The entry of the card's YAML, in the form that `datasets` writes: features, and rows and bytes of the splits."""
    from datasets import DatasetInfo, Features, SplitDict, SplitInfo
    from datasets.info import DatasetInfosDict
    from huggingface_hub import DatasetCardData

    infos = [SplitInfo(split.name, num_bytes=split.values, num_examples=split.rows) for split in splits]
    info = DatasetInfo(
        features=Features.from_arrow_schema(schema),
        splits=SplitDict({one.name: one for one in infos}),
        config_name=name,
        download_size=sum(split.bytes for split in splits),
        dataset_size=sum(split.values for split in splits),
    )
    card = DatasetCardData()
    DatasetInfosDict({name: info}).to_dataset_card_data(card)
    return dict(card["dataset_info"])
