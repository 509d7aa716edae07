"""Decoding: against transformers, whatever the batch, and its settings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval_harness.systems import generation
from eval_harness.systems.back_translation import BackTranslation
from eval_harness.systems.generation import Decoding
from eval_harness.systems.hf_causal import HfCausal
from eval_harness.systems.hf_seq2seq import HfSeq2Seq
from eval_harness.tasks.base import Example
from idist.errors import UserError
from tests.eval_harness.tiny_models import SOURCES, rows


@pytest.mark.parametrize("kind", ["student", "bart"])
def test_beam_search_is_that_of_transformers(tiny: dict[str, str], kind: str) -> None:
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    model, tokenizer = AutoModelForSeq2SeqLM.from_pretrained(tiny[kind]), AutoTokenizer.from_pretrained(tiny[kind])
    expected = []
    for source in SOURCES:
        inputs = tokenizer(source, return_tensors="pt", truncation=True, max_length=64)
        output = model.generate(**inputs, num_beams=3, do_sample=False, max_new_tokens=12)
        expected.append(" ".join(tokenizer.decode(output[0], skip_special_tokens=True).split()))
    system = HfSeq2Seq(tiny[kind], num_beams=3, max_new_tokens=12, device="cpu")
    assert system.predict(rows(SOURCES)) == expected
    assert len(set(expected)) > 2


@pytest.mark.parametrize("size", [0, 1, 3])
def test_repeated_ngrams_are_ruled_out_as_in_transformers(tiny: dict[str, str], size: int) -> None:
    """The model's own config says 2; 0 lifts that."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    name = tiny["bart"]
    model, tokenizer = AutoModelForSeq2SeqLM.from_pretrained(name), AutoTokenizer.from_pretrained(name)
    inputs = tokenizer(SOURCES[0], return_tensors="pt")
    output = model.generate(**inputs, num_beams=2, do_sample=False, max_new_tokens=20, no_repeat_ngram_size=size)
    expected = " ".join(tokenizer.decode(output[0], skip_special_tokens=True).split())
    settings = {"num_beams": 2, "max_new_tokens": 20, "device": "cpu"}
    system = HfSeq2Seq(name, no_repeat_ngram_size=size, **settings)
    assert system.predict(rows(SOURCES[:1])) == [expected]
    assert system.settings()["no_repeat_ngram_size"] == size
    assert HfSeq2Seq(name, **settings).predict(rows(SOURCES[:1])) != [expected]


@pytest.mark.parametrize("decoding", [{"num_beams": 4}, {"do_sample": True, "temperature": 1.5, "top_p": 0.9}])
@pytest.mark.parametrize("kind", ["student", "bart", "gpt2"])
def test_same_output_whatever_the_batch(
    tiny: dict[str, str], kind: str, decoding: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    make = HfCausal if kind == "gpt2" else HfSeq2Seq
    system = make(tiny[kind], max_new_tokens=10, device="cpu", **decoding)
    examples = rows(SOURCES)
    whole = system.predict(examples)
    alone = [system.predict([example])[0] for example in examples]
    assert whole == alone
    assert system.predict(examples[::-1]) == whole[::-1]
    monkeypatch.setattr(generation, "BUDGET_CPU", 300)
    assert system.predict(examples) == whole
    assert len(set(whole)) > 2


def test_progress_is_told_batch_by_batch(tiny: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "BUDGET_CPU", 20)
    told: list[int] = []
    for system in (
        HfSeq2Seq(tiny["bart"], max_new_tokens=5, num_beams=1, device="cpu"),
        BackTranslation(tiny["bart"], back=tiny["bart"], max_new_tokens=5, num_beams=1, device="cpu"),
    ):
        told.clear()
        system.watch(told.append)
        system.predict(rows(SOURCES))
        assert sum(told) == len(SOURCES) and len(told) > 1


def test_sampling_depends_on_seed_and_id_alone(tiny: dict[str, str]) -> None:
    settings = {"max_new_tokens": 8, "do_sample": True, "device": "cpu"}
    first, again = HfSeq2Seq(tiny["t5"], **settings), HfSeq2Seq(tiny["t5"], **settings)
    examples = rows(SOURCES[:3])
    assert first.predict(examples) == again.predict(examples)
    assert HfSeq2Seq(tiny["t5"], seed=1, **settings).predict(examples) != first.predict(examples)
    twins = [Example("a", SOURCES[0], ("r",)), Example("b", SOURCES[0], ("r",))]
    assert len(set(first.predict(twins))) == 2
    nucleus = HfSeq2Seq(tiny["t5"], top_p=1e-6, **settings)
    greedy = HfSeq2Seq(tiny["t5"], num_beams=1, max_new_tokens=8, device="cpu")
    assert nucleus.predict(examples) == greedy.predict(examples)


def test_samples_follow_the_models_distribution(tiny: dict[str, str]) -> None:
    """The first token of 1,500 samples against the softmax of the model's own logits (chi-square)."""
    import torch

    system = HfSeq2Seq(tiny["bart"], max_new_tokens=1, do_sample=True, temperature=0.7, device="cpu")
    model, tokenizer = system.load(tiny["bart"], _load)
    model.generation_config.update(forced_bos_token_id=None, forced_eos_token_id=None, min_length=None)
    ids = tokenizer(SOURCES[1]).input_ids
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([ids]), decoder_input_ids=torch.tensor([[1]])).logits[0, -1]
    expected = torch.softmax(logits / 0.7, dim=-1)
    found = torch.zeros_like(expected)
    tokenizer.batch_decode = lambda output, **_: [str(int(row[0])) for row in output]
    texts = system.write((model, tokenizer), [ids] * 1500, [f"e{i}" for i in range(1500)])
    for text in texts:
        found[int(text)] += 1
    likely = expected > 5 / 1500
    observed = torch.cat([found[likely], found[~likely].sum()[None]])
    wanted = 1500 * torch.cat([expected[likely], expected[~likely].sum()[None]])
    chi_square = float(((observed - wanted) ** 2 / wanted).sum())
    freedom = len(observed) - 1
    assert freedom > 3
    assert chi_square < freedom + 5 * (2 * freedom) ** 0.5


def _load(name: str, device: str, dtype: str) -> Any:
    from idist.models import load_seq2seq

    return load_seq2seq(name, device, dtype)


def test_memory_that_does_not_suffice(tiny: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    system = HfSeq2Seq(tiny["t5"], max_new_tokens=6, device="cpu")
    expected = system.predict(rows(SOURCES))
    model, _ = system._loaded[tiny["t5"]]
    whole, sizes = model.generate, []

    def generate(**inputs: Any) -> Any:
        sizes.append(len(inputs["input_ids"]))
        if sizes[-1] > limit:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(**inputs)

    monkeypatch.setattr(model, "generate", generate)
    limit = 2
    assert system.predict(rows(SOURCES)) == expected
    assert sizes == [6, 3, 1, 2, 3, 1, 2]
    limit = 0
    with pytest.raises(UserError, match="does not fit in the memory of cpu"):
        system.predict(rows(SOURCES))


@given(st.lists(st.integers(1, 60), max_size=60), st.integers(1, 30), st.integers(1, 8), st.integers(1, 1500))
def test_batches_stay_in_the_budget(lengths: list[int], new_tokens: int, beams: int, budget: int) -> None:
    batches = list(generation._batches(lengths, new_tokens, beams, budget))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[i] for i in batch)
        assert len(batch) == 1 or len(batch) * beams * (longest + new_tokens) <= budget
    firsts = [lengths[batch[0]] for batch in batches]
    assert firsts == sorted(firsts, reverse=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_beams": 0}, "num_beams is 0"),
        ({"temperature": 0.7}, "temperature is 0.7 but nothing is sampled"),
        ({"top_p": 0.9}, "top_p is 0.9 but nothing is sampled"),
        ({"do_sample": True, "temperature": 0.0}, "temperature is 0.0"),
        ({"do_sample": True, "top_p": 1.5}, "top_p is 1.5"),
        ({"max_new_tokens": 0}, "max_new_tokens is 0"),
        ({"no_repeat_ngram_size": -1}, "no_repeat_ngram_size is -1"),
    ],
)
def test_decoding_that_makes_no_sense(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Decoding(**settings)
    with pytest.raises(UserError, match=message):
        HfSeq2Seq("embedded:student", **settings)


def test_settings_are_those_in_use(tiny: dict[str, str]) -> None:
    settings = HfSeq2Seq(tiny["t5"], device="cpu").settings()
    assert settings == {
        "model": tiny["t5"],
        "template": "{source}",
        "max_source_tokens": None,
        "do_sample": False,
        "num_beams": 4,
        "max_new_tokens": 128,
        "dtype": "float32",
    }
    sampled = HfSeq2Seq(tiny["t5"], device="cpu", do_sample=True, top_p=0.9).settings()
    assert "num_beams" not in sampled and (sampled["temperature"], sampled["top_p"], sampled["seed"]) == (1.0, 0.9, 0)
    prints = {
        HfSeq2Seq(tiny["t5"], **s).fingerprint()
        for s in ({}, {"num_beams": 2}, {"do_sample": True}, {"template": "a {source}"}, {"seed": 1}, {"device": "cpu"})
    }
    assert len(prints) == 4  # a seed that is not used, and the device, change nothing
