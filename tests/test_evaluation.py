"""Rewriting sources with a student for the table of scores."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

from idist.config import TrainConfig
from idist.models import EMBEDDED
from recipes.evaluation import rewrite

SOURCES = [
    "A man rides a bike.",
    "Two dogs run after a red ball in the snow while their owner is watching them from a bench.",
    "Dogs run.",
    "A woman in a green coat is waiting for the bus.",
    "",
]


@pytest.fixture(scope="module")
def causal_student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random GPT-2 whose logits are far enough apart that rounding does not decide."""
    folder = tmp_path_factory.mktemp("student")
    tokenizer = AutoTokenizer.from_pretrained(EMBEDDED / "teacher")
    end = tokenizer.eos_token_id
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 128, "initializer_range": 0.3}
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), bos_token_id=end, eos_token_id=end, **sizes))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("num_beams", [1, 3])
def test_a_decoder_only_student_is_read_after_its_prompt(num_beams: int, causal_student: Path) -> None:
    config = TrainConfig(prompt="again: ", max_target_tokens=12)
    found = rewrite(causal_student, SOURCES, config, num_beams, "cpu", "float32")
    model = GPT2LMHeadModel.from_pretrained(causal_student).eval()
    tokenizer = AutoTokenizer.from_pretrained(causal_student)
    for source, output in zip(SOURCES, found, strict=True):  # alone, so that nothing is padded
        inputs = tokenizer(f"again: {source}\n", return_tensors="pt")
        with torch.inference_mode():
            ids = model.generate(
                **inputs, num_beams=num_beams, do_sample=False, max_new_tokens=12, pad_token_id=tokenizer.eos_token_id
            )
        written = tokenizer.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        assert output == " ".join(written.split()) != ""
    assert len(set(found)) > 1
