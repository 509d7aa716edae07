"""What a model is like, without its weights: its own config where that is at hand, else the table that ships."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from idist.config import read_yaml
from idist.errors import UserError
from idist.models import resolve

TABLE = Path(__file__).parents[1] / "data" / "planning" / "shapes.yaml"
REAL_AT_MOST = 100_000_000  # parameters: larger models are measured by their shape even where their weights are here
DEPTHS = ("num_hidden_layers", "num_layers", "num_decoder_layers", "encoder_layers", "decoder_layers", "n_layer")


@dataclass(frozen=True)
class Shape:
    """A model's config and where it was found.

    Attributes:
        name: as the run's config names it.
        config: of transformers; not to be changed.
        known_from: ``its folder``, ``the local cache``, ``the table of well-known shapes`` or ``the Hub``.
        weights_here: they lie in a folder on this machine.
    """

    name: str
    config: Any
    known_from: str
    weights_here: bool

    @cached_property
    def parameters(self) -> int:
        """Number of weights, counted on a model that takes no memory."""
        import torch

        with torch.device("meta"):
            return sum(weights.numel() for weights in unfilled_model(self.config).parameters())

    @property
    def layers(self) -> int:
        """Layers, of an encoder-decoder those of the deeper side."""
        return max(self.depths().values())

    @property
    def width(self) -> int:
        """Numbers in a token's vector."""
        return int(self.config.hidden_size)

    @property
    def is_small(self) -> bool:
        """Small enough to be measured with its own weights."""
        return self.weights_here and self.parameters <= REAL_AT_MOST

    def depths(self) -> dict[str, int]:
        """The settings that say how many layers there are."""
        kept = self.config.to_dict()
        return {name: int(kept[name]) for name in DEPTHS if isinstance(kept.get(name), int)}

    def cut(self, layers: int) -> Any:
        """A config of the same width with at most so many layers on each side."""
        import copy

        config = copy.deepcopy(self.config)
        for name, depth in self.depths().items():
            setattr(config, name, min(depth, layers))
        kinds = getattr(config, "layer_types", None)
        if kinds:
            config.layer_types = list(kinds)[:layers]
        return config


@cache
def shape_of(name: str) -> Shape:
    """The shape behind a model's name; the Hub is asked last, and for a config only.

    Raises:
        UserError: nothing is known of the model here.
    """
    path, revision = resolve(name)
    if Path(path).is_dir():
        return Shape(name, _explained(name, path, None, local=True), "its folder", True)
    try:
        return Shape(name, _config(path, revision, local=True), "the local cache", False)
    except (OSError, ValueError):
        pass
    table = read_yaml(TABLE)
    if path in table:
        return Shape(name, _from_table(table[path]), "the table of well-known shapes", False)
    if os.environ.get("HF_HUB_OFFLINE") != "1":
        try:
            return Shape(name, _config(path, revision, local=False), "the Hub", False)
        except (OSError, ValueError):
            pass
    raise UserError(
        f"Nothing is known of the shape of model {name!r}: it is in no folder and not in the local cache, the Hub does "
        f"not give its config, and the table of well-known shapes has no such name; expected one of them, or a model "
        f"of the same size in its place (--set)."
    )


def empty_model(config: Any) -> Any:
    """A model of this config with random weights, on torch's current device: with the head that its kind writes with,
    an encoder without one."""
    import transformers

    return _class_for(config, transformers).from_config(config).eval()


def unfilled_model(config: Any) -> Any:
    """`empty_model` without drawing weights, which takes long for large ones."""
    from transformers.initialization import no_init_weights

    with no_init_weights():
        model = empty_model(config)
    model.tie_weights()
    return model


def _class_for(config: Any, transformers: Any) -> Any:
    if config.is_encoder_decoder:
        return transformers.AutoModelForSeq2SeqLM
    causal = transformers.models.auto.modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    masked = transformers.models.auto.modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    if config.model_type in causal and config.model_type not in masked:
        return transformers.AutoModelForCausalLM
    return transformers.AutoModel


def writes(config: Any) -> str:
    """``seq2seq``, ``causal`` or, for an encoder, ``reads``."""
    import transformers

    chosen = _class_for(config, transformers)
    names = {transformers.AutoModelForSeq2SeqLM: "seq2seq", transformers.AutoModelForCausalLM: "causal"}
    return names.get(chosen, "reads")


def _config(path: str, revision: str | None, local: bool) -> Any:
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(path, revision=revision, local_files_only=local)


def _explained(name: str, path: str, revision: str | None, local: bool) -> Any:
    try:
        return _config(path, revision, local)
    except (OSError, ValueError) as error:
        raise UserError(
            f"Model {name!r}: folder {path} has no config that transformers reads: {str(error).splitlines()[0]}"
        ) from None


def _from_table(entry: dict[str, Any]) -> Any:
    from transformers import AutoConfig

    settings = dict(entry)
    return AutoConfig.for_model(settings.pop("type"), **settings)
