"""A finished training -> the folder of a model release: weights, tokenizer, card, training log, lineage.

``from_pretrained(folder)`` works on it as it is, and pushing uploads it as it is.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from idist.config import RunConfig
from idist.engine import alone
from idist.engine.folders import link_or_copy, whole_folder
from idist.engine.shards import read_json
from idist.errors import UserError
from idist.hub.facts import DatasetReference, ModelFacts, ModelResult
from idist.hub.releases import list_files, seal
from idist.release.dataset import CARD, Built
from idist.release.lineage import lineage_of
from idist.release.portable import shown
from idist.release.products import held_out_source
from idist.release.stages import Finished, finished_stages
from idist.stages._outcome import SUMMARY

STAGES = {  # what each training comes from
    "train": ("contexts", "pairs", "train"),
    "train_final": ("contexts", "pairs", "train", "self_distil", "train_final"),
    "train_control": ("contexts", "pairs", "train", "self_distil", "train_final", "control", "train_control"),
}
LOG, CURVE = "training_log.jsonl", "training_curve.png"
SETTINGS = ("config.json", "generation_config.json", "tokenizer_config.json", "special_tokens_map.json")
WEIGHTS = ".safetensors"
PARTS = (WEIGHTS, ".json", ".md", ".jinja", ".model", "vocab.txt", "merges.txt", "LICENSE", "LICENSE.txt")
_OF_TRAINERS = ("trainer_state.json", "all_results.json", "train_results.json", "eval_results.json")
# What transformers notes of where a model was loaded from.
_PLACES = ("_name_or_path", "name_or_path", "is_local", "local_files_only")
_PATH = re.compile(r"(file://|~?/[^/\s]+/|[A-Za-z]:\\)")


def build_model(
    config: RunConfig,
    run: Path,
    stage: str,
    folder: Path,
    name: str,
    tag: str | None,
    templates: Path,
    dataset: DatasetReference | None,
    results: list[ModelResult],
) -> Built:
    """Build the release of a trained student; the same run gives the same bytes.

    Weights are linked, not copied, where the file system can do that. The folder is replaced when all is written.

    Args:
        config: the run's.
        run: ``runs/NAME``.
        stage: ``train``, ``train_final`` or ``train_control``.
        folder: of the release.
        name: of the repository, ``org/impossible-t5``, or ``impossible-t5`` where it has no owner.
        tag: of the release, for the card.
        templates: folder of the card templates.
        dataset: the release that the student learned from, if there is one.
        results: what the harness measured, for the card.

    Raises:
        UserError: the training has not finished, is of another config or made from what is no longer there, no such
            template, disk full, another process in the run's folder.
    """
    if stage not in STAGES:
        raise UserError(f"Stage {stage!r} makes no model, expected one of: {', '.join(STAGES)}.")
    with alone(run):
        stages = finished_stages(config, run, STAGES[stage])
        if stage not in stages:
            raise UserError(f"{run / stage} has no {SUMMARY}: run the stage {stage!r} before it is published.")
        lineage = lineage_of("model", name, config, stages, dataset)
        with whole_folder(folder) as beside:
            copy_model(stages[stage].folder / "model", beside)
            training = _copy_training(stages[stage], beside, lineage["config"][stage]["model"])
            facts = _facts(config, run, stage, beside, name, tag, lineage, training, dataset, results)
            source = held_out_source(stage, config, stages)
            facts.inputs |= {"source": source} if source else {}
            write_card(beside, facts, templates, _template(config, stage, templates))
            seal(beside, lineage)
        size = sum((folder / path).stat().st_size for path in list_files(folder))
        return Built(folder, "model", name, {}, size)


def write_card(folder: Path, facts: ModelFacts, templates: Path, template: str) -> None:
    from idist.hub.cards import model_card

    (folder / CARD).write_text(model_card(facts, templates, template), encoding="utf-8")


def _template(config: RunConfig, stage: str, templates: Path) -> str:
    """The config's; of a controlled student that one's form for it, if it has one."""
    controlled = f"{config.hub.model_card}-control"
    wanted = stage == "train_control" and (templates / f"{controlled}.md").is_file()
    return controlled if wanted else config.hub.model_card


def copy_model(source: Path, target: Path) -> None:
    """What a model's folder needs to be loaded, and its card: settings without the places they were read from, weights
    by link. What else lies there (checkpoints, logs, hidden files) stays where it is."""
    for name in sorted(path.name for path in source.iterdir() if path.is_file()):
        if name.startswith(".") or not name.endswith(PARTS) or name in _OF_TRAINERS:
            continue
        file = target / name
        if name in SETTINGS:
            _write_json(file, without_places(read_json(source / name)))
        elif name.endswith(WEIGHTS):
            link_or_copy(source / name, file)
        else:
            shutil.copyfile(source / name, file)


def without_places(value: Any) -> Any:
    """Nested plain values without the keys under which transformers notes places, and without paths elsewhere."""
    if isinstance(value, dict):
        kept = {key: inner for key, inner in value.items() if key not in _PLACES and not _is_path(inner)}
        return {key: without_places(inner) for key, inner in kept.items()}
    if isinstance(value, list):
        return [without_places(inner) for inner in value]
    return value


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and bool(_PATH.match(value))


def _copy_training(stage: Finished, target: Path, first: str) -> dict[str, Any]:
    """Log, curve and ``training.json`` with the public name of the model that training began with; gives the last."""
    for name in (LOG, CURVE):
        if (stage.folder / name).is_file():
            shutil.copyfile(stage.folder / name, target / name)
    summary = dict(stage.manifest)
    summary["config"] = {**summary["config"], "model": first}
    _write_json(target / SUMMARY, summary)
    return summary


def _base_model(lineage: Mapping[str, Any], config: RunConfig, stage: str) -> str:
    """What training began with, before any stage of this run: Hub id at its commit, or a name."""
    first = stage
    while getattr(config, first).model.startswith("run:"):
        first = getattr(config, first).model.removeprefix("run:")
    entry = next((one for one in lineage["models"] if one["role"] == f"{first}.model"), None)
    if entry is None:
        return str(lineage["config"][first]["model"])
    return f"{entry['name']}@{entry['revision']}" if entry.get("revision") else str(entry["name"])


def _facts(
    config: RunConfig,
    run: Path,
    stage: str,
    folder: Path,
    name: str,
    tag: str | None,
    lineage: dict[str, Any],
    training: dict[str, Any],
    dataset: DatasetReference | None,
    results: list[ModelResult],
) -> ModelFacts:
    settings = getattr(config, stage)
    seq2seq = bool(read_json(folder / "config.json").get("is_encoder_decoder", False))
    prompt = settings.template(seq2seq)
    return ModelFacts(
        name=name,
        title=name.rpartition("/")[2],
        tag=tag,
        language=config.hub.language,
        license=config.hub.license,
        base_model=_base_model(lineage, config, stage),
        dataset=dataset,
        seq2seq=seq2seq,
        prompt=prompt.replace("{source}", "{control}{source}") if stage == "train_control" else prompt,
        max_source_tokens=settings.max_source_tokens,
        generation={"num_beams": config.evaluation.num_beams, "max_new_tokens": settings.max_target_tokens},
        parameters=count_parameters(folder),
        training={**training, "config": {key: value for key, value in training["config"].items() if key != "model"}},
        results=results,
        lineage=lineage,
        curve=(folder / CURVE).is_file(),
        folder=None if "/" in name else f"{shown(run)}/hub/models/{name}",
    )


def count_parameters(folder: Path) -> int:
    """Numbers in all weights, from their files' heads."""
    from math import prod

    from safetensors import SafetensorError, safe_open

    total = 0
    for path in sorted(folder.glob(f"*{WEIGHTS}")):
        try:
            with safe_open(path, framework="numpy") as weights:
                total += sum(prod(weights.get_slice(key).get_shape()) for key in weights.keys())  # noqa: SIM118
        except SafetensorError as error:
            raise UserError(f"{path.name} of the model is damaged: {str(error).splitlines()[0]}") from None
    return total


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
