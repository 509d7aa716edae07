"""What of a run is finished and may be published, and whether it is of the config at hand.

Only what the manifests say counts. A stage whose plain settings are those of its manifest is of this config, on
whatever machine that is asked; only where they differ are weights and files looked at, as the stages do it (a model
under another path, a default spelled out).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from idist.config import FIRST_STUDENT, RunConfig, to_dict
from idist.engine import difference, digest, peek
from idist.engine.shards import read_json
from idist.errors import UserError
from idist.release.shards import check_shard
from idist.stages import contexts, control, corpus, pairs, self_distil
from idist.stages._control_student import student_path
from idist.stages._outcome import SUMMARY
from idist.stages._training_data import digest_pairs, read_pairs
from idist.stages.rounds import base, pairs_of, round_of, with_earlier, writer
from idist.stages.runs import read_manifest, stage_folder
from idist.stages.scoring import SCORED, SELECTED, cascade_of
from idist.stages.train import training_settings

TRAININGS = ("train", "train_final", "train_control")


@dataclass(frozen=True)
class Finished:
    """A finished stage: its folder and what it wrote when it ended (``manifest.json``, of a training
    ``training.json``)."""

    name: str
    folder: Path
    manifest: Mapping[str, Any]

    def ranks(self, job: str) -> range:
        """Of a job's shards."""
        return range(self.manifest["jobs"][job]["shards"])

    def mark(self, job: str) -> Any:
        """What a job was made with."""
        return self.manifest["jobs"][job]["fingerprint"]

    @property
    def trained(self) -> bool:
        """Whether it is a training."""
        return base(self.name) in TRAININGS

    @property
    def marks(self) -> Any:
        """All fingerprints that the stage was made with."""
        if self.trained:
            return self.manifest["fingerprint"]
        return {job: self.mark(job) for job in self.manifest["jobs"]}

    @property
    def fingerprint(self) -> str:
        """16 digits over what the stage was made with."""
        return digest(self.marks)


def finished_stages(config: RunConfig, run: Path, wanted: Sequence[str]) -> dict[str, Finished]:
    """Those of the wanted stages that have finished, in their order, with those of the earlier rounds of
    self-distillation.

    Raises:
        UserError: a stage was made with another config, or from what an earlier stage has made anew since.
    """
    found: dict[str, Finished] = {}
    for name in with_earlier(wanted, config.self_distil.rounds):
        stage = _finished(run, name)
        if stage is not None:
            _CHECKS[base(name)](config, run, stage, found)
            found[name] = stage
    return found


def unfinished_stages(run: Path, wanted: Sequence[str], found: Mapping[str, Finished]) -> list[str]:
    """Those of the wanted stages that were begun and are not among those found."""
    return [name for name in wanted if name not in found and (stage_folder(run, name) / "_engine").is_dir()]


def trained_on(stages: Mapping[str, Finished], config: RunConfig, stage: str) -> list[Path]:
    """The files of pairs that a training learns from: those of the stages before it.

    Raises:
        UserError: one of those stages has not finished, or a file is not what was written.
    """
    files: list[Path] = []
    for name in trained_on_stages(config, stage):
        if name not in stages:
            raise UserError(f"Stage {name!r}, whose pairs stage {stage!r} learns from, has not finished: run it first.")
        table, job = (control.STAGE, control.CODED) if name == control.STAGE else (SELECTED, SELECTED)
        files += [check_shard(stages[name].folder, job, table, rank) for rank in stages[name].ranks(job)]
    return files


def trained_on_stages(config: RunConfig, stage: str) -> list[str]:
    """The stages whose pairs a training learns from."""
    if base(stage) != "train_final":
        return [{"train": "pairs", "train_control": control.STAGE}[stage]]
    return ["pairs", pairs_of(stage)] if config.self_distil.with_teacher else [pairs_of(stage)]


def _finished(run: Path, name: str) -> Finished | None:
    folder = stage_folder(run, name)
    if base(name) in TRAININGS:
        summary = folder / SUMMARY
        return Finished(name, folder, read_json(summary)) if summary.is_file() else None
    manifest = read_manifest(run, name)
    if manifest is None:
        return None
    stage = Finished(name, folder, manifest)
    begun = {job: (peek(folder, job) or {}).get("fingerprint") for job in manifest["jobs"]}
    return stage if begun == stage.marks else None  # begun again with other settings, or with more rows


def _check_contexts(config: RunConfig, run: Path, stage: Finished, before: Mapping[str, Finished]) -> None:
    mark = stage.mark(contexts.STAGE)
    asked = {"seed": config.seed, contexts.STAGE: to_dict(config.contexts)}

    def now() -> dict[str, Any]:
        return contexts.fingerprint(_as_made(config, mark[contexts.STAGE]), mark[contexts.STAGE]["count"])

    _compare(stage, config, asked, mark, now)


def _check_pairs(config: RunConfig, run: Path, stage: Finished, before: Mapping[str, Finished]) -> None:
    mark = stage.mark(SCORED)
    asked = {"seed": config.seed, pairs.STAGE: to_dict(config.pairs)}
    if config.pairs.source is None and contexts.STAGE in before and "contexts" in mark:
        made_from = contexts.identity(before[contexts.STAGE].manifest)[0]
        if mark["contexts"]["fingerprint"] != made_from:
            raise _made_from_others(stage, "contexts")

    def now() -> dict[str, Any]:
        _check_cut(stage, config, config.pairs.critics)
        if config.pairs.source is not None:
            read = stage.mark(corpus.CORPUS)
            opened = corpus.open_source(config.pairs)
            limit = read[corpus.CORPUS]["limit"]
            own = corpus.corpus_mark(config.pairs, None if limit == corpus.ALL else limit, opened)
            return corpus.judged_mark(config, own, mark[corpus.CORPUS]["taken"])
        made = _as_made(config, mark.get(pairs.STAGE, {}))
        return pairs.fingerprint(made, run, mark.get("contexts", {}).get("taken", 0))

    _compare(stage, config, asked, mark, now)


def _check_self_distil(config: RunConfig, run: Path, stage: Finished, before: Mapping[str, Finished]) -> None:
    mark, critics = stage.mark(SCORED), config.self_distil_critics()
    asked = {"seed": config.seed, self_distil.STAGE: to_dict(config.self_distil), "critics": critics}
    student = stage_folder(run, writer(config, stage.name)) / "model"
    number = round_of(config, stage.name)
    if student.is_dir() and mark["student"]["weights"] != _weights(student):
        raise _made_from_others(stage, student.parent.name)

    def now() -> dict[str, Any]:
        _check_cut(stage, config, critics)
        made = _as_made(config, mark[self_distil.STAGE])
        return self_distil.fingerprint(
            made, mark["sources"]["taken"], self_distil.student_folder(run, student.parent.name), number
        )

    _compare(stage, config, asked, mark, now)


def _check_control(config: RunConfig, run: Path, stage: Finished, before: Mapping[str, Finished]) -> None:
    mark = stage.mark(control.MEASURED)
    for source, made_from in mark["pairs"].items():
        if source in before and made_from != before[source].fingerprint:
            raise _made_from_others(stage, source)

    def now() -> dict[str, Any]:
        coded = {"seed": config.seed, "drop": config.control.drop}
        _refuse_other(stage, {key: stage.mark(control.CODED)[key] for key in coded}, coded)
        return control.fingerprint(config, run)

    _compare(stage, config, {"seed": config.seed, control.STAGE: to_dict(config.control)}, mark, now)


def _check_training(config: RunConfig, run: Path, stage: Finished, before: Mapping[str, Finished]) -> None:
    settings = getattr(config, base(stage.name))
    mark, plain = stage.manifest["fingerprint"], training_settings(settings)
    files = trained_on(before, config, stage.name)
    if mark["pairs"] != digest_pairs(read_pairs(files)):
        raise _made_from_others(stage, trained_on_stages(config, stage.name)[-1])
    asked = {"seed": config.seed, "model": plain.pop("model"), "train": plain}
    recorded = {"seed": mark["seed"], "model": stage.manifest["config"]["model"], "train": mark["train"]}
    if stage.name == "train_control":
        asked["model"] = str(student_path(stage_folder(run, control.STAGE)))
    elif asked["model"] == FIRST_STUDENT:
        asked["model"] = str(stage_folder(run, writer(config, stage.name)) / "model")
    dtype = mark["dtype"] if config.dtype == "auto" else config.dtype

    def now() -> dict[str, Any]:
        return {**asked, "model": _weights(asked["model"]), "dtype": dtype}

    if recorded == asked and dtype == mark["dtype"]:
        return
    _refuse_other(stage, {**recorded, "model": mark["student"], "dtype": mark["dtype"]}, now())


_CHECKS: dict[str, Callable[[RunConfig, Path, Finished, Mapping[str, Finished]], None]] = {
    "contexts": _check_contexts,
    "pairs": _check_pairs,
    "train": _check_training,
    "self_distil": _check_self_distil,
    "train_final": _check_training,
    "control": _check_control,
    "train_control": _check_training,
}


def _compare(
    stage: Finished,
    config: RunConfig,
    asked: Mapping[str, Any],
    mark: Mapping[str, Any],
    now: Callable[[], Mapping[str, Any]],
) -> None:
    """Plain settings first; where they differ, the fingerprint that the stage would have now."""
    recorded, section = stage.manifest["config"], base(stage.name)
    dtype = mark.get(section, {}).get("dtype", config.dtype)
    # how many rows were wanted is not compared: --limit asks for fewer, and the rows are the same
    differs = {
        key for key, value in _uncounted(asked, section).items() if value != _uncounted(recorded, section).get(key)
    }
    if differs or config.dtype not in ("auto", dtype):
        _refuse_other(stage, mark, now())


def _uncounted(settings: Mapping[str, Any], name: str) -> dict[str, Any]:
    plain = json.loads(json.dumps(settings))
    plain.get(name, {}).pop("count", None)
    return dict(plain)


def _check_cut(stage: Finished, config: RunConfig, critics: Any) -> None:
    """Scores that serve these thresholds, and the very thresholds that were cut at."""
    cascade = cascade_of(config, critics)
    cascade.check_scores(stage.manifest["config"]["scores"])
    cut = stage.mark(SELECTED)
    thresholds = {"thresholds": json.loads(json.dumps(cascade.select_config()))}
    if "keep" in cut:
        thresholds["keep"] = config.self_distil.keep
    _refuse_other(stage, {key: cut[key] for key in thresholds}, thresholds)


def _refuse_other(stage: Finished, made: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    found = difference(made, json.loads(json.dumps(asked)))
    if found:
        key, old, new = found
        raise UserError(
            f"{stage.folder} was made with {key} = {json.dumps(old)}, this config has {json.dumps(new)}; publish it "
            f"with the config that made it, or make it again: --from {stage.name}."
        )


def _made_from_others(stage: Finished, source: str) -> UserError:
    return UserError(
        f"{stage.folder} was made from another {stage_folder(stage.folder.parent, source)} than the one that is there "
        f"now; make it again before it is published: --from {stage.name}."
    )


def _as_made(config: RunConfig, mark: Mapping[str, Any]) -> RunConfig:
    """With the number type that ``auto`` stood for where the rows were made, not the one that it stands for here."""
    return replace(config, dtype=mark["dtype"]) if config.dtype == "auto" and "dtype" in mark else config


def _weights(name: Path | str) -> str:
    from idist.models import fingerprint

    return fingerprint(str(name))
