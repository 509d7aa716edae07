"""A batch that does not fit into memory goes through in parts, and says the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from idist.critics import Group
from idist.critics.encoding import SentenceEncoder
from idist.critics.likelihood import CausalLikelihood
from idist.critics.nli import EntailmentModel
from idist.critics.text_classifier import TextClassifier
from idist.errors import UserError

SENTENCES = [f"A {animal} {verb} home." for animal in ("dog", "cat", "man") for verb in ("runs", "walks", "comes")]
PAIRS = np.array([(0, n) for n in range(1, 9)])


def entailment(model: Any) -> np.ndarray:
    return model.ask([(Group("a", SENTENCES), PAIRS)])[0]


def vectors(model: Any) -> np.ndarray:
    return model.embed(SENTENCES)[0]


def labels(model: Any) -> np.ndarray:
    return model.scores(SENTENCES)[0]


def likelihood(model: Any) -> np.ndarray:
    tokens, _ = model.tokens(SENTENCES)
    return model.log_p([([], ids) for ids in tokens])


Ask = Callable[[Any], np.ndarray]
MODELS: dict[str, tuple[Callable[[], Any], Ask]] = {
    "entailment": (lambda: EntailmentModel("embedded:entailment", "cpu"), entailment),
    "encoder": (lambda: SentenceEncoder("embedded:encoder", "cpu"), vectors),
    "classifier": (lambda: TextClassifier("embedded:entailment", "cpu"), labels),
    "likelihood": (lambda: CausalLikelihood("embedded:teacher", "cpu"), likelihood),
}


def limit_rows(model: Any, most: int) -> list[int]:
    """From now on batches of more rows are refused, as a full GPU does; gives the list of their sizes."""
    refused: list[int] = []

    def look(module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        rows = len(kwargs["input_ids"])
        if rows > most:
            refused.append(rows)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    model.model.register_forward_pre_hook(look, with_kwargs=True)
    return refused


@pytest.mark.parametrize("kind", MODELS)
def test_a_batch_that_does_not_fit_is_halved(kind: str) -> None:
    make, ask = MODELS[kind]
    expected = ask(make())
    model = make()
    refused = limit_rows(model, 2)
    assert np.allclose(ask(model), expected, atol=1e-5) and not np.isnan(expected).any()
    assert max(refused) > 4  # halves did not fit either


@pytest.mark.parametrize("kind", ["entailment", "likelihood"])
def test_one_input_that_does_not_fit(kind: str) -> None:
    make, ask = MODELS[kind]
    model = make()
    limit_rows(model, 0)
    with pytest.raises(UserError, match=r"One text alone does not fit .* \(CUDA out of memory\."):
        ask(model)
