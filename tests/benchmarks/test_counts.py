"""The counting rules against torch's own counter of floating-point operations, on tiny models of each kind."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoModelForSequenceClassification

from benchmarks.counts import Causal, Classifier, Seq2Seq, Tally, Work, matrices
from idist.critics.first_token import first_token_only

WIDTH: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 48}


@pytest.fixture
def gpt2() -> Any:
    config = AutoConfig.for_model("gpt2", n_layer=3, n_embd=32, n_head=2, vocab_size=101, n_positions=64)
    return AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()


@pytest.fixture
def bert() -> Any:
    config = AutoConfig.for_model("bert", **WIDTH, vocab_size=101, max_position_embeddings=64, num_labels=3)
    return AutoModelForSequenceClassification.from_config(config, attn_implementation="eager").eval()


@pytest.fixture
def t5() -> Any:
    config = AutoConfig.for_model(
        "t5", d_model=32, d_kv=8, d_ff=48, num_layers=2, num_decoder_layers=3, num_heads=2, vocab_size=101
    )
    config.decoder_start_token_id = 0
    return AutoModelForSeq2SeqLM.from_config(config, attn_implementation="eager")


def counted(work: Any) -> int:
    with FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())


def ids(*shape: int) -> torch.Tensor:
    return torch.randint(3, 100, shape, generator=torch.Generator().manual_seed(0))


def test_a_prefix_and_a_step_of_a_causal_model(gpt2: Any) -> None:
    counter, cache = Causal(gpt2), []

    def prefix() -> None:
        cache.append(gpt2(ids(5, 7), use_cache=True, logits_to_keep=1).past_key_values)

    assert counted(prefix) == counter.forward(5, 7, 7, 1).flops
    step = counted(lambda: gpt2(ids(5, 1), past_key_values=cache[0], use_cache=True))
    assert step == counter.forward(5, 1, 8, 1).flops


def test_bytes_of_a_step_are_weights_and_cache(gpt2: Any) -> None:
    """3 layers of 12 x 32^2 entries, an output matrix of 101 x 32; keys and values of 8 tokens in 5 rows."""
    weights = 3 * 12 * 32**2 + 101 * 32
    assert matrices(gpt2) == weights
    assert Causal(gpt2).forward(5, 1, 8, 1).bytes == 4 * (weights + 5 * 8 * 3 * 2 * 32)
    assert Causal(gpt2.to(torch.bfloat16)).forward(5, 1, 8, 1).bytes == 2 * (weights + 5 * 8 * 3 * 2 * 32)


def test_a_classifier_whole_and_for_the_first_token_alone(bert: Any) -> None:
    counter = Classifier(bert)
    assert counted(lambda: bert(ids(4, 9))) == counter.forward(4, 9).flops
    with first_token_only(bert), torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        short = counted(lambda: bert(ids(4, 9)))
    assert short == counter.forward(4, 9, first_only=True).flops
    assert short < counter.forward(4, 9).flops


def test_training_and_decoding_of_an_encoder_decoder(t5: Any) -> None:
    """torch counts less than three forward passes: nothing flows back into what the embeddings gave to the first
    layers' own inputs; of these few layers that is a share, of 24 it is none."""
    counter = Seq2Seq(t5)

    def forward() -> None:
        t5(input_ids=ids(4, 9), labels=ids(4, 6))

    with torch.no_grad():
        assert counted(forward) == counter.encode(4, 9).flops + counter.decode(4, 6, 6, 9).flops
    trained = counted(lambda: t5(input_ids=ids(4, 9), labels=ids(4, 6)).loss.backward())
    assert trained == pytest.approx(counter.train(4, 9, 6).flops, rel=0.02)


def test_a_tally_sees_each_call_of_ours_and_of_generate(gpt2: Any) -> None:
    counter = Causal(gpt2)
    with Tally(gpt2, counter).watch() as tally, torch.inference_mode():
        gpt2.generate(
            input_ids=ids(1, 7), attention_mask=torch.ones(1, 7), max_new_tokens=3, min_new_tokens=3, do_sample=False
        )
    last_only, whole = (
        counter.forward(1, 7, 7, outputs) + counter.forward(1, 1, 8, 1) + counter.forward(1, 1, 9, 1)
        for outputs in (1, 7)
    )
    assert tally.work in (last_only, whole)
    gpt2(ids(1, 7))
    assert tally.work in (last_only, whole), "nobody is watching any more"


def test_work_adds_up() -> None:
    assert Work(1, 2) + Work(3, 4).times(2) == Work(7, 10)
