"""A finished run -> the folder of a dataset release: parquet files, card, lineage.

``load_dataset(folder)`` works on it as it is, and pushing uploads it as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from idist.config import RunConfig
from idist.engine import alone
from idist.engine.folders import whole_folder
from idist.errors import UserError
from idist.hub.facts import ConfigFacts, DatasetFacts
from idist.hub.releases import list_files, seal
from idist.release.configs import write_config
from idist.release.lineage import lineage_of
from idist.release.measures import Measures
from idist.release.portable import shown
from idist.release.products import Product, products_of
from idist.release.stages import Finished, finished_stages, unfinished_stages
from idist.stages.scoring import SELECTED

STAGES = ("contexts", "pairs", "train", "self_distil", "control")  # what datasets come from
CARD = "README.md"


@dataclass(frozen=True)
class Built:
    """A release on disk."""

    folder: Path
    kind: str  # dataset or model
    name: str
    configs: dict[str, dict[str, int]]  # of a dataset: rows of each split of each config
    bytes: int  # of all files
    left_out: list[str] = field(default_factory=list)  # stages that were begun and have not finished


def build_dataset(
    config: RunConfig,
    run: Path,
    folder: Path,
    name: str,
    tag: str | None,
    templates: Path,
    candidates: bool | None = None,
) -> Built:
    """Build the release of a run's datasets; the same run gives the same bytes.

    Stages that have not finished are left out. The folder is replaced when all is written: a kill leaves the old
    release or the new one.

    Args:
        config: the run's.
        run: ``runs/NAME``.
        folder: of the release.
        name: of the repository, ``org/dimple``, or ``dimple`` where it has no owner.
        tag: of the release, for the card.
        templates: folder of the card templates.
        candidates: publish all scored candidate pairs, too; None: as `hub.candidates` says.

    Raises:
        UserError: no stage has finished, a stage is of another config or made from what is no longer there, a damaged
            shard, no such template, disk full, another process in the run's folder.
    """
    wanted = config.hub.candidates if candidates is None else candidates
    with alone(run):
        stages = finished_stages(config, run, STAGES)
        products = products_of(stages, wanted)
        if not products:
            raise UserError(f"{run} has no finished stage to publish: run recipes/distill.py first.")
        lineage = lineage_of("dataset", name, config, stages)
        with whole_folder(folder) as beside:
            facts = _facts(config, run, stages, products, beside, name, tag, lineage)
            _write_card(beside, facts, templates, config.hub.dataset_card)
            seal(beside, lineage)
        size = sum((folder / path).stat().st_size for path in list_files(folder))
        rows = {one.name: {split.name: split.rows for split in one.splits} for one in facts.configs}
        return Built(folder, "dataset", name, rows, size, unfinished_stages(run, STAGES, stages))


def _write_card(folder: Path, facts: DatasetFacts, templates: Path, template: str) -> None:
    from idist.hub.cards import dataset_card

    (folder / CARD).write_text(dataset_card(facts, templates, template), encoding="utf-8")


def _facts(
    config: RunConfig,
    run: Path,
    stages: dict[str, Finished],
    products: list[Product],
    folder: Path,
    name: str,
    tag: str | None,
    lineage: dict[str, Any],
) -> DatasetFacts:
    """Write the tables of all configs, and gather what the card says of them."""
    source = lineage["config"]["contexts"]
    public = source["source"] or source["model"]
    configs: list[ConfigFacts] = []
    measures: Measures | None = None
    for product in products:
        looked = None
        if measures is None:  # the first is the default one: the final pairs, or what comes nearest to them
            looked = measures = Measures(stages[product.stage].manifest["rows"][product.table], config.seed)
        configs.append(write_config(product, config, stages, folder, public, looked))
    assert measures is not None
    return DatasetFacts(
        name=name,
        title=config.hub.title or config.name,
        tag=tag,
        language=config.hub.language,
        license=config.hub.license,
        configs=configs,
        rows_shown=measures.rows,
        funnels={one.name: dict(stages[one.stage].manifest["funnel"]) for one in products if one.table == SELECTED},
        quality=measures.quality({feature.name: feature.description for feature in configs[0].features}),
        lineage=lineage,
        folder=None if "/" in name else f"{shown(run)}/hub/datasets/{name}",
    )
