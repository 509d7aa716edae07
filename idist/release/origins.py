"""Models and texts that a run's stages read, as their manifests have them: each with its role, which is the key of the
config that names it, at its commit on the Hub or with what identifies its content."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from idist.config import RunConfig
from idist.engine import digest
from idist.provenance import DATASET
from idist.release.portable import portable
from idist.release.stages import Finished
from idist.stages import contexts, control, corpus
from idist.stages.scoring import SCORED
from idist.stages.sources import DRAWN

_COMMIT = re.compile(r"[0-9a-f]{40}")
_FOLDER = "folder:"  # of a fingerprint that is no name


def models_of(config: RunConfig, stages: Mapping[str, Finished]) -> Iterator[dict[str, Any]]:
    """Every model with its role, which is the key of the config that names it."""
    if "contexts" in stages and config.contexts.source is None:
        mark = stages["contexts"].mark(contexts.STAGE)[contexts.STAGE]
        yield _model("contexts.model", config.contexts.model, mark["weights"], stages["contexts"])
    if "pairs" in stages:
        if config.pairs.source is None:
            mark = stages["pairs"].mark(SCORED)["pairs"]
            yield _model("pairs.model", config.pairs.model, mark["weights"], stages["pairs"])
        yield from _critics("pairs.critics", config.pairs.critics, stages["pairs"])
    if "train" in stages:
        yield _model(
            "train.model", config.train.model, stages["train"].manifest["fingerprint"]["student"], stages["train"]
        )
    if "self_distil" in stages:
        mark = stages["self_distil"].mark(DRAWN)["samples"]
        yield _model("self_distil.model", config.self_distil.model, mark["weights"], stages["self_distil"])
        yield from _critics("self_distil.critics", config.self_distil_critics(), stages["self_distil"])
    if control.STAGE in stages:
        own = stages[control.STAGE]
        settings = {name: given or {} for entry in config.control.controls for name, given in entry.items()}
        for name, parsers in own.mark(control.MEASURED)["parsers"].items():
            for key, weights in parsers.items():
                named = settings.get(name, {}).get(key) or _unnamed(key, weights)
                yield _model(f"control.controls.{name}.{key}", named, weights, own)
    for name in ("train_final", "train_control"):
        if name in stages and not getattr(config, name).model.startswith("run:"):
            model, final = getattr(config, name).model, stages[name]
            weights = final.manifest["fingerprint"]["student"]
            yield _model(f"{name}.model", model, weights, final)


def _critics(role: str, critics: list[dict[str, dict[str, Any]]], stage: Finished) -> Iterator[dict[str, Any]]:
    """The models that the stored scores were made with. A name that the config leaves out is another critic's (as the
    diversity critic takes the entailment model) or the critic's default, which the fingerprint names."""
    settings = {name: own or {} for critic in critics for name, own in critic.items()}
    scored = stage.manifest["config"]["scores"]["critics"]
    uses = [(name, key, weights) for name, own in scored.items() for key, weights in own["models"].items()]
    names = {weights: settings[name][key] for name, key, weights in uses if key in settings.get(name, {})}
    for name, key, weights in uses:
        chosen = settings.get(name, {}).get(key) or names.get(weights) or _unnamed(key, weights)
        yield _model(f"{role}.{name}.{key}", chosen, weights, stage)


def _unnamed(key: str, weights: str) -> str:
    """A model that no key of the config names: a default, a package, or what another model builds on."""
    if not weights.startswith(_FOLDER):
        return re.split("@|==", weights)[0]
    from idist.models import EMBEDDED, fingerprint

    shipped = (f"embedded:{path.name}" for path in sorted(EMBEDDED.iterdir()) if path.is_dir())
    return next((name for name in shipped if fingerprint(name) == weights), key)


def _named(weights: str) -> str:
    return weights.partition("@")[0]


def _model(role: str, name: str, weights: str, stage: Finished) -> dict[str, Any]:
    """A model of the Hub at its commit, if the stage noted it; any other by its weights."""
    entry: dict[str, Any] = {"role": role}
    if weights.startswith("stanza:"):
        return entry | {"name": weights}
    if "@" not in weights:
        return entry | {"name": portable(name, local=True), "weights": weights}
    return entry | {"name": _named(weights), "revision": _revision(weights, stage, "")}


def inputs_of(config: RunConfig, stages: Mapping[str, Finished]) -> Iterator[dict[str, Any]]:
    """Texts that were read: Hub datasets at their commits, files by their hashes."""
    if "contexts" in stages and config.contexts.source is not None:
        mark = stages["contexts"].mark(contexts.STAGE)[contexts.STAGE]["text"]
        role = {"role": "contexts.source"}
        if mark.startswith(("file:", _FOLDER)):
            yield role | {"name": portable(config.contexts.source, local=True), "sha256": mark.partition(":")[2]}
        else:
            yield role | {"name": _named(mark), "revision": _revision(mark, stages["contexts"], DATASET)}
    if "pairs" in stages and config.pairs.source is not None:
        read = stages["pairs"].mark(corpus.CORPUS)[corpus.CORPUS]
        role = {"role": "pairs.source"}
        if read["revision"]:
            yield role | {"name": _named(config.pairs.source), "revision": read["revision"]}
        else:
            yield role | {"name": portable(config.pairs.source, local=True), "sha256": digest({"files": read["files"]})}
    if config.contexts.prefixes and portable(config.contexts.prefixes) != config.contexts.prefixes:
        words = next(values_at([stage.marks for stage in stages.values()], "prefix_words"), None)
        yield {"role": "contexts.prefixes", "name": portable(config.contexts.prefixes), "sha256": words}


def _revision(weights: str, stage: Finished, kind: str) -> str | None:
    """The commit, if the name holds one or the stage noted it; else None."""
    asked = weights.partition("@")[2]
    noted = stage.manifest.get("commits", {}).get(kind + weights)
    return asked if _COMMIT.fullmatch(asked) else noted


def values_at(value: Any, key: str) -> Iterator[Any]:
    """All values at a key, anywhere in nested plain values; None is not one."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == key and inner is not None:
                yield inner
            else:
                yield from values_at(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from values_at(inner, key)
