"""What a card says: plain values that the builder of a release fills and `idist.hub.cards` renders.

Everything here is already public: names are Hub ids, ``local:NAME`` or ``embedded:NAME``, never a path of a machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FeatureFacts:
    """One column of a config. `type` is what a reader understands: ``string``, ``float32``, ``list of string``."""

    name: str
    type: str
    description: str = ""


@dataclass(frozen=True)
class SplitFacts:
    """One split of a config. `bytes`: its parquet files together. `files`: a glob inside the repository."""

    name: str
    rows: int
    bytes: int
    files: str  # data/train-*.parquet


@dataclass(frozen=True)
class ConfigFacts:
    """One config of a dataset repository.

    `default`: ``load_dataset`` without a config name gives this one; exactly one of a dataset's configs is.
    `dataset_info`: the entry of the card's YAML as `datasets` writes it (``features``, ``splits``,
    ``download_size``, ``dataset_size``); ``config_name`` is set here if it is missing.
    `digest`: hexadecimal digits over the files of the config. It goes into the YAML, because `datasets` takes two
    folders of one name and one YAML for the same dataset, and gives for the second the cached rows of the first.
    """

    name: str
    default: bool
    description: str
    splits: list[SplitFacts]
    features: list[FeatureFacts]
    dataset_info: dict[str, Any] = field(default_factory=dict)
    digest: str = ""

    @property
    def rows(self) -> int:
        return sum(split.rows for split in self.splits)

    @property
    def bytes(self) -> int:
        return sum(split.bytes for split in self.splits)


@dataclass(frozen=True)
class QualityFacts:
    """A measured column over the rows of the default config: mean, 5 % quantile, median, 95 % quantile."""

    name: str
    description: str
    mean: float
    low: float
    median: float
    high: float


@dataclass(frozen=True)
class DatasetReference:
    """A dataset that something was made from: a Hub id with its commit, or a name without an owner."""

    name: str  # org/dimple, or dimple in a folder
    revision: str | None = None  # commit; None in a folder
    tag: str | None = None  # v1.0.0
    fingerprint: str | None = None  # of its rows, where there is no commit
    config: str = "default"
    title: str | None = None


@dataclass
class DatasetFacts:
    """A dataset release.

    Attributes:
        name: ``org/dimple`` on a Hub, ``dimple`` in a folder.
        tag: ``v1.0.0``; None while it is not known, then the card pins nothing.
        license: identifier of the Hub's list (``apache-2.0``, ``unknown``, ...).
        configs: in the order of the card.
        rows_shown: about ten rows of the default config; the columns are those of the first row.
        funnels: config name -> funnel as manifests have it:
            ``{"groups": int, "steps": [{"name", "seen", "removed", "failed"}], "kept": int}``.
        lineage: content of ``lineage.json`` (without ``files``, which is not known yet).
        size_category: ``1K<n<10K``; None: from the rows of the default config.
        tasks: more Hub task categories than those of the template.
        folder: what a reader types for the release folder where `name` has no owner, relative to the checkout:
            ``runs/mini/hub/datasets/dimple``. None: ``datasets/NAME``.
    """

    name: str
    title: str
    tag: str | None
    language: str
    license: str
    configs: list[ConfigFacts]
    rows_shown: list[dict[str, Any]] = field(default_factory=list)
    funnels: dict[str, dict[str, Any]] = field(default_factory=dict)
    quality: list[QualityFacts] = field(default_factory=list)
    lineage: dict[str, Any] = field(default_factory=dict)
    size_category: str | None = None
    tasks: list[str] = field(default_factory=list)
    folder: str | None = None


@dataclass(frozen=True)
class ModelResult:
    """One score of one system on one task.

    `value`, `low` and `high` are on the metric's own scale; `low` and `high` bound the 95 % bootstrap interval.
    `signature` names everything that made the score; `protocol` is the harness's (``paper``, ``standard``).
    """

    task: str  # the harness's task: mrpc, scenes
    dataset: str  # Hub id or name: nyu-mll/glue
    split: str | None
    metric: str  # bert_ibleu
    title: str  # BERT-iBLEU
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None  # examples
    signature: str = ""
    protocol: str = ""
    system: str = ""  # who was scored; only cards that list several systems show it
    higher_is_better: bool | None = None  # None: neither direction is better, or it is not known


@dataclass
class ModelFacts:
    """A model release.

    Attributes:
        name: ``org/impossible-t5`` on a Hub, ``impossible-t5`` in a folder.
        base_model: what training began with: Hub id (with ``@REVISION`` where it is known), ``embedded:student``, ...
        dataset: what it was trained on; None where that is not known.
        seq2seq: encoder and decoder; False: decoder only.
        prompt: what the model reads, with ``{source}`` in it; for a controlled model ``{control}``, its codes, right
            before it.
        generation: keyword arguments of ``generate`` for the usage snippet: ``{"num_beams": 4, "max_new_tokens": 64}``.
        parameters: number of weights.
        training: content of ``training.json`` in portable form: ``config`` (settings), ``pairs``, ``held_out``,
            ``steps``, ``kept_step``, ``eval_loss``, ``seconds``, ``device``, ``peak_gib``, ...
        results: what the harness measured of this model.
        lineage: content of ``lineage.json`` (without ``files``).
        curve: ``training_curve.png`` lies in the release.
        inputs: example values for the usage snippet: ``{"source": ...}``; the template has its own for those missing.
        folder: as of `DatasetFacts`: ``runs/mini/hub/models/impossible-t5``. None: ``models/NAME``.
        description: a sentence or two about this very model, after the template's own.
    """

    name: str
    title: str
    tag: str | None
    language: str
    license: str
    base_model: str | None
    dataset: DatasetReference | None
    seq2seq: bool
    prompt: str
    max_source_tokens: int
    generation: dict[str, Any] = field(default_factory=dict)
    parameters: int | None = None
    training: dict[str, Any] = field(default_factory=dict)
    results: list[ModelResult] = field(default_factory=list)
    lineage: dict[str, Any] = field(default_factory=dict)
    curve: bool = False
    inputs: dict[str, str] = field(default_factory=dict)
    folder: str | None = None
    description: str = ""


@dataclass
class ResultsFacts:
    """A dataset of evaluation results, one row a result. Fields as of `DatasetFacts`; `results` fills its table."""

    name: str
    title: str
    tag: str | None
    language: str
    license: str
    configs: list[ConfigFacts]
    results: list[ModelResult] = field(default_factory=list)
    lineage: dict[str, Any] = field(default_factory=dict)
    folder: str | None = None
