"""Sections of a run's config that say how it is run, scored and published, and how a student is controlled.

Those of the method's stages are in `idist.config`, which has all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from idist._schema import knob as _knob


@dataclass
class ControlConfig:
    """Stage `control`: what each pair's y is like, as codes that a student reads before x (paper section 3.5).

    `controls` is a composition like the critics': each control checks its own settings (`idist.controls.registry`).
    Attributes cut into buckets (`length_ratio`, `lexical_overlap`, `syntactic_distance`) are of the paper's first
    version.
    """

    controls: list[dict[str, dict[str, Any]]] = _knob([{"syntax": {}}])
    with_teacher: bool = False  # the teacher's pairs, too
    # None: the kept pairs as they are. Else other thresholds of their critics, within the floors that they were scored
    # with: their candidates are cut again at these, and all that are kept are taken, several a source.
    thresholds: list[dict[str, dict[str, Any]]] | None = None
    both_ways: bool = False  # x given y, too: for pairs that are entailed both ways
    # So many of self-distillation's sources are to be rebuilt by their own codes out of their damaged words. None in
    # the paper, whose millions of pairs say what codes mean; a few thousand do not.
    rebuilt: int = _knob(0, 0)
    # Share of the rows whose common words are trained on as invented ones, so that the student learns to copy what it
    # has not seen. None in the paper.
    renamed: float = _knob(0.0, 0.0, 1.0)
    # Share of the codes that are left out, so that the student does not need a wish for every control. The paper: none
    # is left out.
    drop: float = _knob(0.0, 0.0, 1.0)


@dataclass
class EngineConfig:
    """How and where shards are run (docs/scale.md). Rows never depend on these, save that `shard_size` fixes which
    rows share a file."""

    executor: str = _knob("local", choices=("local", "ray", "slurm", "hf_jobs"))
    # Shards at the same time. None: here one process, or one a GPU; elsewhere as many as there is room for. Several
    # processes of this machine divide its cores and GPUs.
    workers: int | None = _knob(None, 1)
    shard_size: int = _knob(32, 1)  # contexts (or sources x 10) in a shard: what a kill can cost
    cpus: int = _knob(1, 1)  # cores of a worker of Ray or Slurm
    gpus: int | None = _knob(None, 0)  # of a worker of Ray or Slurm. None: Ray: one if the cluster has any; Slurm: none
    ray_address: str | None = None  # HOST:PORT, ray://HOST:PORT or auto. None: as `ray.init()`: RAY_ADDRESS, or here
    slurm_options: list[str] = _knob(["--time=04:00:00"])  # of sbatch, for every shard: ["--partition=gpu", ...]
    hf_folder: str | None = None  # what HF Jobs share: hf://buckets/NAME/BUCKET/FOLDER
    hf_flavor: str = "cpu-basic"  # hardware of a Job
    hf_timeout: str = "2h"  # of a Job
    hf_dependencies: list[str] = _knob([])  # what a Job installs: idist at your commit


@dataclass
class EvaluationConfig:
    """What `recipes/distill.py` scores its students on at its end, with the evaluation harness."""

    # of the harness: names or YAML files; a .tsv or .csv with the columns source and target is a task, too
    tasks: list[str] = _knob(["scenes"])
    data_dir: str | None = None  # where tasks that do not ship have their files; None: the Hub
    baselines: list[str] = _knob(["copy-input"])  # systems of the harness
    metrics: list[str] = _knob([])  # of the harness; none: each task's own
    limit: int | None = _knob(None, 1)  # examples of each task
    num_beams: int = _knob(4, 1)  # of the students


@dataclass
class HubConfig:
    """What a release says of itself (`recipes/publish.py`). Nothing that a stage makes depends on it."""

    title: str | None = None  # of the dataset, on its card; None: the run's name
    language: str = "en"  # ISO 639-1 code
    # A Hub licence identifier. Texts sampled from a model carry no licence of their own: name what the teacher's
    # terms and its training data allow.
    license: str = "unknown"
    dataset_card: str = "dimple"  # a template of `model_cards/`, or a path
    model_card: str = "impossible-t5"
    candidates: bool = False  # publish all scored candidate pairs, too: large (paper scale: 10^9 rows)
