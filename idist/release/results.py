"""A table of evaluation results -> the folder of a dataset release."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist.engine.folders import whole_folder
from idist.hub.facts import ConfigFacts, FeatureFacts, ModelResult, ResultsFacts, SplitFacts
from idist.hub.releases import list_files, seal
from idist.provenance import versions
from idist.release.configs import dataset_info, digest_files
from idist.release.dataset import CARD, Built
from idist.release.parquet import Split, SplitWriter

if TYPE_CHECKING:
    import pyarrow as pa

SPLIT, CONFIG, DATA = "train", "default", "data"


def build_results(
    table: pa.Table,
    descriptions: Mapping[str, str],
    shown: Sequence[ModelResult],
    files: Mapping[str, tuple[dict[str, Any], Path]],
    folder: Path,
    name: str,
    tag: str | None,
    templates: Path,
    title: str,
    license: str,
    shown_folder: str | None = None,
) -> Built:
    """Build the release of a table; the same table gives the same bytes with the same version of the toolkit.

    Args:
        table: one row a score.
        descriptions: column -> what it holds.
        shown: scores for the card's table.
        files: stem in the repository -> (JSON, parquet file) of results that are published whole.
        folder, name, tag, templates: as of `build_dataset`.
        title: of the card.
        license: identifier of the Hub's list.
        shown_folder: what a reader of the card types for the release, where its name has no owner.

    Raises:
        UserError: no such template, disk full.
    """
    from idist.hub.cards import results_card

    with whole_folder(folder) as beside:
        writer = SplitWriter(beside / DATA, SPLIT, table.schema)
        writer.write(table)
        split = writer.close()
        own = _config(table, descriptions, split, digest_files(beside / DATA))
        facts = ResultsFacts(name, title, tag, "en", license, [own], list(shown), folder=shown_folder)
        for stem, (meta, rows) in files.items():
            place = beside / f"{stem}.json"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps(meta, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            place.with_suffix(".parquet").write_bytes(rows.read_bytes())
        (beside / CARD).write_text(results_card(facts, templates), encoding="utf-8")
        seal(beside, _lineage(name, table))
    size = sum((folder / path).stat().st_size for path in list_files(folder))
    return Built(folder, "dataset", name, {CONFIG: {SPLIT: split.rows}}, size)


def _config(table: pa.Table, descriptions: Mapping[str, str], split: Split, digest: str) -> ConfigFacts:
    from datasets import Features

    kinds = Features.from_arrow_schema(table.schema)
    return ConfigFacts(
        name=CONFIG,
        default=True,
        description="one row a score",
        splits=[SplitFacts(SPLIT, split.rows, split.bytes, f"{DATA}/{SPLIT}-*.parquet")],
        features=[FeatureFacts(n, kinds[n].dtype, descriptions.get(n, "")) for n in table.schema.names],
        dataset_info=dataset_info(CONFIG, table.schema, [split]),
        digest=digest,
    )


def _lineage(name: str, table: pa.Table) -> dict[str, Any]:
    return {
        "kind": "results",
        "name": name,
        "toolkit": {"name": "idist", "version": versions(("idist",))["idist"]},
        "rows": table.num_rows,
        "systems": sorted(set(table["system"].to_pylist())),
        "tasks": sorted(set(table["task"].to_pylist())),
    }
