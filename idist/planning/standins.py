"""Critics whose models are not here: their own code runs with tiny models in those places, which count what they read.

What a critic does besides its model (tokens, batches, trees) and how many tokens it sends through the model depend on
the sentences and pairs alone, so a tiny model tells both. What the tokens cost is measured on a model of the real
shape (`idist.planning.reading`). So any critic that gets its models from `idist.critics.loading.Models` can be
planned, those of other packages too.
"""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from idist.errors import UserError
from idist.models import resolve
from idist.planning.bench import Bench
from idist.planning.shapes import Shape, shape_of, writes

PARSER = "embedded:parser"
LABELS = ("contradiction", "entailment", "neutral")
_TOKENIZERS = {"reads": "embedded:entailment", "causal": "embedded:teacher", "seq2seq": "embedded:student"}
_WIDTH: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}


@dataclass
class StandIns:
    """Names of models that are not here -> folders of tiny ones.

    Attributes:
        shapes: folder -> what it stands for.
        tokens: (folder, tokens of an input) -> tokens that it has read.
    """

    bench: Bench
    shapes: dict[str, Shape] = field(default_factory=dict)
    tokens: Counter[tuple[str, int]] = field(default_factory=Counter)

    def composition(self, critics: Sequence[Mapping[str, Mapping[str, Any] | None]], built: Sequence[Any]) -> list[Any]:
        """A run's composition with stand-ins in the place of models that are not here, or that are large."""
        by_name = {critic.name: critic for critic in built}
        changed = []
        for entry in critics:
            [(name, settings)] = entry.items() if isinstance(entry, Mapping) else [(entry, {})]
            critic = by_name[name]
            fields = {one.name for one in dataclasses.fields(critic)}
            own = {key: self._instead(model) for key, model in critic.model_names().items() if key in fields}
            changed.append({name: {**(settings or {}), **own}})
        return changed

    def watch(self, loaded: Mapping[str, list[Any]]) -> None:
        """Count what stand-ins read from now on; ``loaded`` as `Models.loaded` gives it."""
        for name, held in loaded.items():
            if name in self.shapes:
                for one in held:
                    one.model.register_forward_pre_hook(self._counter(name), with_kwargs=True)

    def _counter(self, name: str) -> Any:
        def count(module: Any, arguments: Any, named: Mapping[str, Any]) -> None:
            ids = named["input_ids"]  # (B, T)
            self.tokens[name, ids.shape[1]] += ids.numel()

        return count

    def _instead(self, name: str) -> str:
        if name.startswith("stanza:"):
            return name if _has_stanza(name.removeprefix("stanza:")) else self._other_parser(name)
        try:
            shape = shape_of(name)
        except UserError:
            if Path(resolve(name)[0]).is_dir():  # a parser's folder, a package: no model of transformers
                return name
            raise
        if shape.is_small:
            return name
        folder = self.bench.scratch / f"{len(self.shapes)}"
        _make(folder, shape)
        self.shapes[str(folder)] = shape
        return str(folder)

    def _other_parser(self, name: str) -> str:
        self.bench.remark(f"{name} is not on this machine: {PARSER} was measured in its place.")
        return PARSER


def _has_stanza(language: str) -> bool:
    from stanza.resources.common import DEFAULT_MODEL_DIR

    root = Path(os.environ.get("STANZA_RESOURCES_DIR", DEFAULT_MODEL_DIR))
    return (root / language / "constituency").is_dir()


def _make(folder: Path, shape: Shape) -> None:
    """A model of one narrow layer, with a shipped tokenizer."""
    import transformers

    from idist.planning.shapes import empty_model

    kind = writes(shape.config)
    source, _ = resolve(_TOKENIZERS[kind])
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    positions = getattr(shape.config, "max_position_embeddings", None) or 512
    sizes: dict[str, dict[str, Any]] = {
        "seq2seq": {"model_type": "t5", "d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2},
        "causal": {"model_type": "gpt2", "n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": positions},
        "reads": {"model_type": "bert", "max_position_embeddings": positions, **_WIDTH},
    }
    config = transformers.AutoConfig.for_model(vocab_size=len(tokenizer), decoder_start_token_id=0, **sizes[kind])
    if kind == "reads":
        config.id2label, config.label2id = _labels(shape)
    empty_model(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _labels(shape: Shape) -> tuple[dict[int, str], dict[str, int]]:
    """The model's own where they have names; else those of entailment."""
    own = {int(index): str(label) for index, label in (shape.config.id2label or {}).items()}
    if not own or all(label.startswith("LABEL_") for label in own.values()):
        own = dict(enumerate(LABELS))
    return own, {label: index for index, label in own.items()}
