"""What ``lineage.json`` says: from what, by what, where and with which result a release was made.

Everything is read from the manifests that the stages left when they ended, never from this machine as it is now: the
same run gives the same lineage, wherever and whenever it is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from idist.config import RunConfig
from idist.hub.facts import DatasetReference
from idist.release.origins import inputs_of, models_of, values_at
from idist.release.portable import LOCAL, config_fingerprint, portable_config, set_local
from idist.release.stages import Finished
from idist.stages import contexts, control
from idist.stages.scoring import SCORED

TOOLKIT = "idist"


def lineage_of(
    kind: str, name: str, config: RunConfig, stages: Mapping[str, Finished], dataset: DatasetReference | None = None
) -> dict[str, Any]:
    """The content of ``lineage.json``, but for ``schema`` and ``files``, which are added when the folder is sealed.

    Args:
        kind: ``dataset`` or ``model``.
        name: of the repository.
        config: the run's.
        stages: those that the release comes from.
        dataset: what a model was trained on.
    """
    tree = config_as_made(config, stages)
    last = list(stages.values())[-1].manifest if stages else {}
    content: dict[str, Any] = {
        "kind": kind,
        "name": name,
        "toolkit": {
            "name": TOOLKIT,
            "version": last.get("libraries", {}).get(TOOLKIT),
            "commit": last.get("commit"),
        },
        "config": tree,
        "config_fingerprint": config_fingerprint(tree),
        "seed": config.seed,
        "stages": {stage.name: _stage(stage) for stage in stages.values()},
        "models": list(models_of(config, stages)),
        "inputs": list(inputs_of(config, stages)),
    }
    if dataset is not None:
        content["dataset"] = {key: value for key, value in vars(dataset).items() if value is not None}
    return content | {"libraries": _libraries(stages), "hardware": _hardware(stages)}


def config_as_made(config: RunConfig, stages: Mapping[str, Finished]) -> dict[str, Any]:
    """`portable_config` with the numbers of rows that were made (``--limit`` may have asked for fewer), and the number
    type that ``auto`` stood for."""
    without = [] if control.STAGE in stages else [control.STAGE, "train_control"]
    tree = portable_config(config, without)
    for entry in [*models_of(config, stages), *inputs_of(config, stages)]:
        if entry["name"].startswith(LOCAL):  # its form alone does not always say so
            set_local(tree, entry["role"])
    if "contexts" in stages:
        tree["contexts"]["count"] = stages["contexts"].mark(contexts.STAGE)[contexts.STAGE]["count"]
    if "self_distil" in stages:
        tree["self_distil"]["count"] = stages["self_distil"].mark(SCORED)["sources"]["taken"]
    types = set(values_at([stage.marks for stage in stages.values()], "dtype"))
    if config.dtype == "auto" and len(types) == 1:
        tree["dtype"] = types.pop()
    return tree


def _stage(stage: Finished) -> dict[str, Any]:
    own = stage.manifest
    if stage.trained:
        rows = {"pairs": own["pairs"], "held_out": own["held_out"]}
        counts = {key: own[key] for key in ("steps", "kept_step", "eval_loss")}
    else:
        rows, counts = own["rows"], own["counts"]
    return {
        "fingerprint": stage.fingerprint,
        "rows": rows,
        "counts": counts,
        "funnel": own.get("funnel", {}),
        "seconds": own["seconds"],
        "commit": own.get("commit"),
    }


def _libraries(stages: Mapping[str, Finished]) -> dict[str, str]:
    """Versions over all stages; where they differ all of them, in order."""
    found: dict[str, list[str]] = {}
    for stage in stages.values():
        for library, version in stage.manifest.get("libraries", {}).items():
            if version not in found.setdefault(library, []):
                found[library].append(version)
    return {library: ", ".join(versions) for library, versions in found.items()}


def _hardware(stages: Mapping[str, Finished]) -> list[dict[str, Any]]:
    """Every machine that a stage was made on, once."""
    machines: list[dict[str, Any]] = []
    for stage in stages.values():
        machines += [machine for machine in stage.manifest.get("hardware", []) if machine not in machines]
    return machines
