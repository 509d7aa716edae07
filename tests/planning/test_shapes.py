"""Shapes of models that are not here, and times drawn out from shallow ones."""

from __future__ import annotations

import pytest

from idist.errors import UserError
from idist.planning import depth
from idist.planning.shapes import shape_of, writes


def test_the_table_gives_models_of_the_published_sizes() -> None:
    assert shape_of("gpt2-xl").parameters == 1_557_611_200
    assert shape_of("t5-large").parameters == 737_668_096
    assert shape_of("alisawuffles/roberta-large-wanli").parameters == pytest.approx(355_359_744, rel=0.001)
    assert [writes(shape_of(name).config) for name in ("gpt2-xl", "t5-large", "roberta-large")] == [
        "causal",
        "seq2seq",
        "reads",
    ]


def test_a_revision_does_not_hide_a_well_known_shape() -> None:
    assert shape_of("gpt2@main").layers == 12


def test_a_model_on_this_machine_is_known_from_its_folder() -> None:
    shape = shape_of("embedded:teacher")
    assert shape.is_small and shape.known_from == "its folder" and shape.layers == 4


def test_an_unknown_model_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match="shape of model 'nobody/nothing'"):
        shape_of("nobody/nothing")


def test_a_cut_model_has_fewer_layers_on_both_sides_and_the_same_width() -> None:
    shape = shape_of("t5-large")
    model = depth.random_model(shape_of("t5-small"), 1, "cpu", "float32")
    assert len(model.encoder.block) == len(model.decoder.block) == 1
    assert model.config.d_model == 512
    assert shape.config.num_layers == 24  # the shape itself stays


def test_random_weights_give_finite_numbers_that_differ_by_token() -> None:
    import torch

    model = depth.random_model(shape_of("t5-small"), 1, "cpu", "float32").eval()
    ids = torch.tensor([[11, 12, 13], [14, 15, 16]])
    with torch.inference_mode():
        logits = model(input_ids=ids, decoder_input_ids=ids).logits
    assert torch.isfinite(logits).all() and logits.std() > 0
    assert not torch.equal(logits[0], logits[1])


def test_time_is_drawn_out_in_a_straight_line() -> None:
    shape = shape_of("gpt2-xl")
    assert depth.drawn_out(shape, [(1, 5.0), (3, 9.0)]) == pytest.approx(3.0 + 2.0 * 48)
    assert depth.drawn_out(shape, [(48, 7.0)]) == 7.0


def test_noise_does_not_make_layers_free() -> None:
    assert depth.drawn_out(shape_of("gpt2-xl"), [(1, 5.0), (3, 4.0)]) > 48 * 4.0 / 3 - 1e-9
