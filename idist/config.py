"""Every knob of a run, read from YAML; unknown keys are refused.

One dataclass per stage; a field's default is the paper's value, or its comment says why not. Critics are kept as
plain mappings here (``- rouge_l: {max: 0.75}``): each critic checks its own settings when it is built
(`idist.critics.registry`), because third parties add critics that this file cannot know.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from idist._overrides import apply_override, with_teacher
from idist._schema import build
from idist._schema import knob as _knob
from idist._sections import ControlConfig, EngineConfig, EvaluationConfig, HubConfig
from idist._yaml import read_yaml as read_yaml
from idist.errors import UserError


@dataclass
class ContextsConfig:
    """Stage `contexts`: 1 to 5 sentences from the teacher, or from a person's own text (paper section 3.1, A.1)."""

    model: str = "gpt2-xl"
    source: str | None = None  # None: the teacher writes them. Else a .txt or .parquet file or a Hub dataset's name
    column: str = "text"  # of a parquet file or Hub dataset
    split: str = "train"  # of a Hub dataset
    count: int = _knob(1000, 1)  # not published
    prefixes: str | None = None  # `news`, `biomedical`, or a YAML file in their form
    temperature: float = _knob(1.0, 0.0, 10.0)
    top_p: float = _knob(0.9, 0.0, 1.0)
    max_new_tokens: int = _knob(150, 1)  # the authors' code
    min_sentences: int = _knob(1, 1)
    max_sentences: int = _knob(5, 1)
    banned_tokens: list[str] = _knob(["\n"])  # the authors' code bans newlines
    join_digits: bool = False  # BioGPT's tokenizer splits digits


PAPER_CRITICS: list[dict[str, dict[str, Any]]] = [
    {"rouge_l": {"max": 0.75}},
    {"tree_edit_distance": {"min": 12}},
    {"entailment": {"min": 0.75, "directions": "both"}},
    {"diversity": {"min": 0.75}},
]


@dataclass
class PairsConfig:
    """Stage `pairs`: k next sentences a context, all pairs of them through the critics (paper sections 3.1 and 3.2)."""

    model: str = "gpt2-xl"
    # None: the teacher's sentences. Else pairs of another corpus, which the critics judge source before target (the
    # paper's baselines): a file, a folder or a Hub dataset, NAME@REVISION. `critics: []` keeps them all.
    source: str | None = None
    source_files: str | None = None  # which files of a folder or Hub dataset, "data/train-*"; None: all
    # Names; for a table without a header numbers from 1, the target's also as "2-": the second cell and all after it.
    source_column: str = "source"
    target_column: str = "target"  # texts, or lists of texts: several targets of one source
    # parallel: all pairs of k sentences (the paper). sequential: one x, then k times a y after context and x, held to
    # x's keywords; the pairs are (x, each y) (the paper's first version).
    generation: str = _knob("parallel", choices=("parallel", "sequential"))
    keyword_bias: float = _knob(2.0, 0.0, 100.0)  # of sequential generation, in nats; ours (docs/generation.md)
    k: int = _knob(100, 2)
    temperature: float = _knob(0.7, 0.0, 10.0)
    top_p: float = _knob(0.9, 0.0, 1.0)
    no_repeat_ngram_size: int = _knob(3, 0)  # the authors' code; the paper is silent
    max_new_tokens: int = _knob(100, 1)  # the authors' code
    min_characters: int = _knob(3, 1)  # the authors' code
    banned_tokens: list[str] = _knob([])
    join_digits: bool = False  # BioGPT's tokenizer splits digits
    critics: list[dict[str, dict[str, Any]]] = _knob(PAPER_CRITICS)
    # cost: cheap before dear. given: as listed, as the authors' code does. Of `self_distil`, too.
    order: str = _knob("cost", choices=("cost", "given"))
    # ordered: all m != n. unordered: m < n only, x is the earlier (the authors' code).
    pairing: str = _knob("ordered", choices=("ordered", "unordered"))


@dataclass
class TrainConfig:
    """Stage `train`: maximum likelihood of y given x (paper section 3.3). The paper publishes no training settings."""

    model: str = "t5-large"
    prompt: str = ""  # put before every source, for example "paraphrase: "
    learning_rate: float = _knob(1e-3, 0.0, 1.0)  # T5's own fine-tuning rate, with Adafactor
    optimizer: str = _knob("adafactor", choices=("adafactor", "adamw"))
    scale_parameter: bool = True  # Adafactor's rate relative to each matrix's size, as T5 was trained
    batch_size: int = _knob(64, 1)
    epochs: float = _knob(3.0, 0.0)
    max_steps: int | None = _knob(None, 1)  # at most so many steps, whatever `epochs` says; None: no limit
    warmup_steps: int = _knob(100, 0)
    label_smoothing: float = _knob(0.0, 0.0, 1.0)
    max_source_tokens: int = _knob(128, 4)
    max_target_tokens: int = _knob(128, 4)
    held_out: float = _knob(0.05, 0.0, 0.5)  # share of the contexts whose pairs are kept for the evaluation loss
    evaluations: int = _knob(10, 1)  # evaluation losses (and checkpoints) in a whole training
    patience: int = _knob(3, 0)  # evaluations without improvement before stopping; 0: never stop early

    def template(self, seq2seq: bool) -> str:
        """What a student reads, with ``{source}`` in it: the same in training, self-distillation and evaluation.

        A decoder-only student (``seq2seq`` false) needs a mark where its source ends: a line break.
        """
        return self.prompt + "{source}" + ("" if seq2seq else "\n")


@dataclass
class SelfDistilConfig:
    """Stage `self_distil`: the student paraphrases new sources, the critics judge (paper section 3.3)."""

    count: int = _knob(1000, 1)  # sources of each round; not published
    # The paper: 1. Of n, the stages `self_distil` and `train_final` are the last; each earlier one has its own pair,
    # `self_distil_1` and `train_final_1` and so on, and its student writes the next round's pairs (first version).
    rounds: int = _knob(1, 1, 99)
    model: str = "gpt2-xl"  # the teacher that writes the sources
    candidates: int = _knob(10, 1)  # the authors' code
    temperature: float = _knob(0.7, 0.0, 10.0)
    top_p: float = _knob(0.9, 0.0, 1.0)
    no_repeat_ngram_size: int = _knob(3, 0)
    max_new_tokens: int = _knob(100, 1)
    keep: str = _knob("lowest_rouge_l", choices=("lowest_rouge_l", "most_entailed", "random"))  # one kept a source
    critics: list[dict[str, dict[str, Any]]] | None = None  # None: those of `pairs`, without diversity
    with_teacher: bool = False  # train the last student on the teacher's pairs too


# The model that stage `train` left in the same run; in a later round of self-distillation that of the round before.
FIRST_STUDENT = "run:train"
FINAL_STUDENT = "run:train_final"
TRAININGS = ("train", "train_final", "train_control")


@dataclass
class RunConfig:
    """A whole run. `name` is its folder under `runs/`.

    `train_final` trains the first student further on its own filtered pairs (paper section 3.3); settings that it
    does not name are those of `train`. `train_control` trains the last student further on pairs with codes; its
    settings are those of `train` unless it names them, with twice the source tokens: codes are read, too.
    """

    name: str = "run"
    seed: int = _knob(0, 0)
    device: str = _knob("auto", choices=("auto", "cpu", "cuda", "mps"))
    dtype: str = _knob("auto", choices=("auto", "float32", "float16", "bfloat16"))
    contexts: ContextsConfig = field(default_factory=ContextsConfig)
    pairs: PairsConfig = field(default_factory=PairsConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    self_distil: SelfDistilConfig = field(default_factory=SelfDistilConfig)
    train_final: TrainConfig = field(default_factory=lambda: TrainConfig(model=FIRST_STUDENT))
    control: ControlConfig = field(default_factory=ControlConfig)
    train_control: TrainConfig = field(
        default_factory=lambda: TrainConfig(model=FINAL_STUDENT, max_source_tokens=2 * TrainConfig.max_source_tokens)
    )
    engine: EngineConfig = field(default_factory=EngineConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    hub: HubConfig = field(default_factory=HubConfig)

    def self_distil_critics(self) -> list[dict[str, dict[str, Any]]]:
        """Critics of self-distillation: its own, or those of `pairs` less diversity (one pair is kept a source)."""
        if self.self_distil.critics is not None:
            return self.self_distil.critics
        kinds = [{(settings or {}).get("kind", name) for name, settings in c.items()} for c in self.pairs.critics]
        return [c for c, kind in zip(self.pairs.critics, kinds, strict=True) if "diversity" not in kind]


def load_config(path: Path | str, overrides: Sequence[str] = ()) -> RunConfig:
    """Read a YAML run config and apply ``key=value`` overrides (``pairs.k=50``).

    Args:
        path: YAML file; its keys are the fields of `RunConfig`.
        overrides: dotted keys; values are parsed as YAML. A critic's setting is reached by the critic's name:
            ``pairs.critics.rouge_l.max=0.6``.

    Raises:
        UserError: file missing or not YAML, a key that stands twice, unknown key (the nearest valid one is named),
            wrong type, out of range.
    """
    path = Path(path)
    tree = read_yaml(path, f"Config {path}")
    if not isinstance(tree, dict):
        raise UserError(f"Config {path} holds {type(tree).__name__}, expected a mapping of keys.")
    tree.setdefault("name", path.stem)
    for override in overrides:
        apply_override(tree, override, PAPER_CRITICS)
    return build_config(tree, str(path))


def build_config(tree: Mapping[str, Any], where: str = "config") -> RunConfig:
    """Mapping -> checked `RunConfig`; `train_final` and `train_control` take what they do not set from `train`, and the
    stages that a teacher writes for take their ``model`` from the key ``teacher``.

    Raises:
        UserError: as `load_config`; `where` names the source in the message.
    """
    tree = with_teacher(tree, where)
    first, last, control = (tree.get(stage) or {} for stage in TRAININGS)
    if isinstance(first, Mapping) and isinstance(last, Mapping):
        tree["train_final"] = {**first, "model": FIRST_STUDENT, **last}
    if isinstance(first, Mapping) and isinstance(control, Mapping):
        tree["train_control"] = {**first, "model": FINAL_STUDENT, **_room_for_codes(first), **control}
    config = build(RunConfig, tree, where, "")
    _check_relations(config, where)
    return config


def _room_for_codes(train: Mapping[str, Any]) -> dict[str, Any]:
    """Source tokens of `train_control`; a value of another type is refused when `train` is checked."""
    limit = train.get("max_source_tokens", TrainConfig.max_source_tokens)
    return {"max_source_tokens": 2 * limit} if isinstance(limit, int) and not isinstance(limit, bool) else {}


def _check_relations(config: RunConfig, where: str) -> None:
    contexts = config.contexts
    if contexts.min_sentences > contexts.max_sentences:
        raise UserError(
            f"{where}: contexts.min_sentences is {contexts.min_sentences}, expected at most "
            f"contexts.max_sentences ({contexts.max_sentences})."
        )
    if not config.name or set(config.name) & set("/\\") or config.name.startswith("."):
        raise UserError(f"{where}: name is {config.name!r}, expected a plain folder name.")
    for stage in TRAININGS:
        if not getattr(config, stage).epochs:
            raise UserError(f"{where}: {stage}.epochs is 0, expected more than 0.")


def to_dict(config: Any) -> dict[str, Any]:
    """Plain nested values of a config dataclass, ready for YAML or for a fingerprint."""
    return dataclasses.asdict(config)


def dump_yaml(config: Any) -> str:
    """The config as YAML text, keys in the order of the dataclass."""
    import yaml

    return yaml.safe_dump(to_dict(config), sort_keys=False, allow_unicode=True)
