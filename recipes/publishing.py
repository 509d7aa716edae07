"""Releases of a run: built, then published to the Hub, or without an account to a folder of the same layout."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist.config import RunConfig
from idist.engine.shards import read_json, write_json
from idist.errors import UserError
from recipes.published import made, planned

if TYPE_CHECKING:
    from idist.hub import Published, Target
    from idist.hub.facts import DatasetReference, ModelResult
    from idist.release import Built

TEMPLATES = Path(__file__).resolve().parents[1] / "model_cards"
DATASET_STAGES = ("contexts", "pairs", "self_distil", "control")
MODEL_STAGES = ("train", "train_final", "train_control")
CONFIGS = {"train": "teacher", "train_final": "default", "train_control": "control"}  # what each student learned from
PUBLISHED = "published.json"  # in the run's folder: where its dataset is, for the cards of its students
STAGING = ".release-"


@dataclass(frozen=True)
class Options:
    """Where releases go, from the command line.

    Attributes:
        name: ``org/dimple``; None: the run's name, in the folder ``runs/NAME/hub``.
        model: name of the student's repository; None: that of the dataset and ``-student``, or ``name`` itself where
            a recipe makes nothing but a model.
        tag, private, overwrite: see `idist.hub`.
        candidates: publish all scored candidates, too.
    """

    name: str | None = None
    model: str | None = None
    tag: str | None = None
    private: bool = False
    overwrite: bool = False
    candidates: bool | None = None


def add_arguments(parser: argparse.ArgumentParser, models: bool = True) -> None:
    """The options of `Options`."""
    group = parser.add_argument_group("publishing")
    group.add_argument("--push", metavar="ORG/NAME", help="publish to this repository of the Hugging Face Hub")
    if models:
        group.add_argument("--push-model", metavar="ORG/NAME", help="the student's repository (default: NAME-student)")
    group.add_argument("--tag", help="of the release (default: v1.0.0, then the next minor version)")
    group.add_argument("--private", action="store_true", help="a repository that is made is private")
    group.add_argument("--overwrite", action="store_true", help="replace a release under the same tag; says what")


def read_options(args: argparse.Namespace) -> Options:
    """The options, checked as far as that needs no network.

    Raises:
        UserError: no such name or tag; an option without ``--push`` that means nothing without it.
    """
    from idist.hub import check_name, check_tag

    model = getattr(args, "push_model", None)
    for name in (args.push, model):
        if name is not None:
            check_name(name, with_owner=True)
    if args.push is None and (model or args.private):
        raise UserError(f"{'--push-model' if model else '--private'} says nothing without --push ORG/NAME.")
    if args.tag is not None:
        check_tag(args.tag)
    return Options(args.push, model, args.tag, args.private, args.overwrite, getattr(args, "candidates", None))


class NothingFinishedError(UserError):
    """A run has nothing yet that could be published."""


class Publisher:
    """Publishes what a run has made.

    Args:
        config: the run's.
        run: ``runs/NAME``.
        options: where to.
        dry_run: say what would be done; nothing is left on the disk, nothing is sent.
    """

    def __init__(self, config: RunConfig, run: Path, options: Options, dry_run: bool = False) -> None:
        self.config, self.run, self.options, self.dry_run = config, run, options, dry_run
        self.on_hub = options.name is not None
        self.target = target_of(options, run)

    def publish(self, stages: Sequence[str], results: Sequence[Path] = (), named_model: bool = False) -> list[str]:
        """The dataset if a stage of it is among ``stages``, then the last student among them.

        Args:
            stages: those whose products are wanted; what has not finished is left out.
            results: files of the harness's results, for the student's card.
            named_model: the name is the student's own, not the dataset's.

        Returns:
            Lines that say what was made and where.

        Raises:
            UserError: nothing has finished, what `idist.release` and `idist.hub` raise.
        """
        lines: list[str] = []
        name = self.options.name or self.config.name
        if any((self.run / stage / "manifest.json").is_file() for stage in stages if stage in DATASET_STAGES):
            lines += self._dataset(name)
        trained = [stage for stage in stages if stage in MODEL_STAGES and self._finished(stage)]
        for stage in _last_students(trained):
            lines += self._model(stage, self._model_name(stage, name, named_model), results)
        if not lines:
            raise NothingFinishedError(f"{self.run}: none of {', '.join(stages)} has finished, nothing to publish.")
        return lines

    def partial(self, stage: str, limit: int | None) -> AbstractContextManager[Any]:
        """While the block runs, what ``stage`` has finished is published on the branch ``partial``; only to the Hub,
        and only of a stage that has not ended before."""
        ended = (self.run / stage / "manifest.json").is_file()
        if not self.on_hub or stage not in DATASET_STAGES or ended or self.dry_run:
            return nullcontext()
        from idist.hub import PartialPublisher
        from idist.release import partial_mark, partial_parts

        name, parts = str(self.options.name), partial_parts(self.config, self.run, stage)
        mark = partial_mark(self.config, stage, limit)
        return PartialPublisher(self.target, "dataset", name, parts, mark=mark)

    def _dataset(self, name: str) -> list[str]:
        from idist.hub import drop_partial
        from idist.release import build_dataset

        def build(folder: Path, tag: str) -> Built:
            wanted = self.options.candidates
            return build_dataset(self.config, self.run, folder, name, tag, TEMPLATES, wanted)

        published, lines = release("dataset", name, build, self.run, self.options, self.dry_run)
        if published is not None:
            self._remember(name, published)
        if self.on_hub and published is not None:
            drop_partial(self.target, "dataset", name)
        return lines

    def _remember(self, name: str, published: Published) -> None:
        """Where this run's dataset lies, so that its students' cards name it whenever they are published."""
        path = self.run / PUBLISHED
        known = read_json(path) if path.is_file() else {}
        place = {"name": name, "revision": published.commit, "tag": published.tag, "stages": self._stages()}
        write_json(path, known | {self._where(): place})

    def _reference(self, stage: str) -> DatasetReference | None:
        """The release that holds what a student learned from; None where it was not published, or was made anew."""
        from idist.hub.facts import DatasetReference

        path = self.run / PUBLISHED
        place = read_json(path).get(self._where()) if path.is_file() else None
        if place is None or any(mark != place["stages"].get(name) for name, mark in self._stages().items()):
            return None
        return DatasetReference(place["name"], place["revision"], place["tag"], config=CONFIGS[stage])

    def _stages(self) -> dict[str, str]:
        """Fingerprints of the finished stages of the dataset."""
        found = {stage: self.run / stage / "manifest.json" for stage in DATASET_STAGES}
        return {stage: read_json(path)["fingerprint"] for stage, path in found.items() if path.is_file()}

    def _where(self) -> str:
        from huggingface_hub import constants

        return constants.ENDPOINT if self.on_hub else "folder"

    def _model(self, stage: str, name: str, results: Sequence[Path]) -> list[str]:
        from idist.release import build_model

        scores, reference = model_results(results, self.run / stage / "model"), self._reference(stage)

        def build(folder: Path, tag: str) -> Built:
            return build_model(self.config, self.run, stage, folder, name, tag, TEMPLATES, reference, scores)

        return release("model", name, build, self.run, self.options, self.dry_run)[1]

    def _model_name(self, stage: str, name: str, named: bool) -> str:
        chosen = self.options.model or (name if named and self.on_hub else f"{name}-student")
        return f"{chosen}-control" if stage == "train_control" and not named else chosen

    def _finished(self, stage: str) -> bool:
        return (self.run / stage / "training.json").is_file()


def target_of(options: Options, place: Path) -> Target:
    """The Hub if a name was given, else ``PLACE/hub``."""
    from idist.hub import FolderTarget, HubTarget

    target: Target
    target = FolderTarget(place / "hub") if options.name is None else HubTarget(private=options.private)
    target.paths = (place.resolve(), TEMPLATES.parent)  # of this machine: nothing published may name them
    return target


def release(
    kind: str, name: str, build: Callable[[Path, str], Built], place: Path, options: Options, dry_run: bool
) -> tuple[Published | None, list[str]]:
    """Build and publish; what was published (None: dry run), and lines that say so.

    Without ``--tag``, what is there already keeps its tag, so that nothing is made twice.

    Args:
        build: (folder, tag) -> the release in that folder.
        place: folder beside whose files the release is built, so that large ones can be linked; nothing stays there.
    """
    target = target_of(options, place)
    _sweep(place)
    staging = place / f"{STAGING}{os.getpid()}"  # another process may publish the same run
    tags = [options.tag] if options.tag else [target.current_tag(kind, name), target.next_tag(kind, name)]
    try:
        for tag in filter(None, tags):
            built = build(staging / kind, tag)
            plan = target.plan(built.folder, kind, name, tag, options.overwrite)
            if plan.done or tag == tags[-1]:
                break
        left = [f"   not finished, left out: {', '.join(built.left_out)}"] if built.left_out else []
        if dry_run:
            return None, [*planned(plan, built), *left]
        published = target.publish(built.folder, kind, name, plan.tag, options.overwrite)
        return published, [*made(published, built, plan.replaces), *left]
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _sweep(place: Path) -> None:
    """Remove what processes that are gone left half-built."""
    import psutil

    for left in place.glob(f"{STAGING}*"):
        pid = left.name.removeprefix(STAGING)
        if not (pid.isdigit() and psutil.pid_exists(int(pid))):
            shutil.rmtree(left, ignore_errors=True)


def _last_students(trained: Sequence[str]) -> list[str]:
    """The final student stands for the first one; a controlled one is a model of its own."""
    plain = [stage for stage in trained if stage != "train_control"]
    return [*plain[-1:], *(stage for stage in trained if stage == "train_control")]


def results_of(run: Path, places: Sequence[Path] | None = None) -> list[Path]:
    """Result files of the harness: those asked for, or those that recipes/distill.py left."""
    from eval_harness.results import find

    own = run / "evaluation"
    wanted = places if places is not None else [own] if any(own.glob("*/*/*.json")) else []
    return [path for place in wanted for path in find(place)]


def model_results(files: Sequence[Path], model: Path) -> list[ModelResult]:
    """Scores of one model among results of the harness, for its card; the model is known by its weights."""
    from eval_harness import registry, results, specs

    found, known = [], registry.discover()
    for path in files:
        meta = results.read(path).meta
        spec = specs.parse(meta["system"]["spec"])
        if spec.name != "idist":
            continue
        here = known.system(specs.Spec(spec.name, str(model), spec.settings))
        if here.fingerprint() == meta["system"]["fingerprint"]:
            found += [card_result(meta, metric) for metric in meta["scores"]]
    return found


def card_result(meta: dict[str, Any], metric: str) -> ModelResult:
    """One score of a result of the harness in the form that cards take."""
    from idist.hub.facts import ModelResult

    task, score = meta["task"], meta["scores"][metric]
    return ModelResult(
        task=task["name"],
        dataset=task.get("hub") or task["name"],
        split=task.get("split"),
        metric=metric,
        protocol=meta["protocol"],
        system=meta["system"]["spec"],
        **{name: score[name] for name in ("title", "value", "low", "high", "n", "signature", "higher_is_better")},
    )
