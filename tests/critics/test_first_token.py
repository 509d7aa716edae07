"""The short way through a classifier's last layer gives what the whole layer gives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from idist.critics.first_token import FAMILIES, first_token_only

SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}


def random_classifier(family: str, **more: Any) -> Any:
    torch.manual_seed(0)
    sizes = {"vocab_size": 50, "max_position_embeddings": 40, "initializer_range": 0.3, "num_labels": 3, **SIZES}
    if family == "electra":
        sizes["embedding_size"] = 16
    return AutoModelForSequenceClassification.from_config(AutoConfig.for_model(family, **sizes, **more)).eval()


@pytest.mark.parametrize("family", [*FAMILIES, "xlm-roberta-xl", "deberta-v2"])
def test_logits_are_those_of_the_whole_layer(family: str) -> None:
    model = random_classifier(family)
    inputs = {"input_ids": torch.randint(5, 50, (6, 11), generator=torch.Generator().manual_seed(1))}
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    with torch.inference_mode():
        expected, layer = model(**inputs).logits, model.base_model.encoder.layer[-1]
        with first_token_only(model):
            found = model(**inputs).logits
            width = model.base_model(**inputs).last_hidden_state.shape[1]
        assert model.base_model.encoder.layer[-1] is layer and (model(**inputs).logits == expected).all()
    assert (found - expected).abs().max() < 1e-5 < 0.01 < expected.std()
    assert width == (1 if family in FAMILIES else 11)  # others are left as they are


def test_a_decoder_is_left_as_it_is() -> None:
    model = random_classifier("bert", is_decoder=True)
    layer = model.base_model.encoder.layer[-1]
    with first_token_only(model):
        assert model.base_model.encoder.layer[-1] is layer


def test_the_layer_is_put_back_after_an_error() -> None:
    model = random_classifier("bert")
    layer = model.base_model.encoder.layer[-1]
    with pytest.raises(IndexError), first_token_only(model):
        model(input_ids=torch.tensor([[99]]))
    assert model.base_model.encoder.layer[-1] is layer
