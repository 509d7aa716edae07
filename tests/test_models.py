"""Names -> models: shipped, local, missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from idist.errors import UserError
from idist.models import (
    EMBEDDED,
    fingerprint,
    label_index,
    load_causal_lm,
    load_classifier,
    load_encoder,
    load_parser,
    load_student,
    longest_input,
    parser_encoder,
    pick_dtype,
    resolve,
)


def test_unknown_embedded_model_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"did you mean 'teacher'\?"):
        resolve("embedded:teachr")


def test_missing_folder_is_named() -> None:
    with pytest.raises(UserError, match=r"'\./nowhere' does not exist"):
        resolve("./nowhere")
    with pytest.raises(UserError, match=r"'runs/typo/model' does not exist"):
        resolve("runs/typo/model")


def test_revision_is_split_off() -> None:
    assert resolve("gpt2-xl@v1") == ("gpt2-xl", "v1")
    assert resolve("google/mt5-base@refs/pr/5") == ("google/mt5-base", "refs/pr/5")


def test_folder_without_a_model_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    with pytest.raises(UserError, match="does not load"):
        load_causal_lm(str(tmp_path))


def test_offline_miss_says_offline(tmp_path: Path) -> None:
    code = (
        "from idist.models import load_causal_lm\nfrom idist.errors import UserError\n"
        "try:\n    load_causal_lm('nobody/nothing')\nexcept UserError as error:\n    print(error)"
    )
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "HF_HUB_OFFLINE=1 forbids" in done.stdout and done.stdout.count("\n") == 1


def test_label_order_is_read_from_the_model() -> None:
    model, _ = load_classifier("embedded:entailment", device="cpu")
    assert model.config.id2label[label_index(model, "entail")] == "entailment"
    with pytest.raises(UserError, match="expected one with 'entail'"):
        model.config.id2label = {0: "LABEL_0", 1: "LABEL_1"}
        label_index(model, "entail")


def test_shipped_models_load_in_full_precision_on_a_cpu() -> None:
    teacher, tokenizer = load_causal_lm("embedded:teacher", device="cpu")
    assert str(teacher.dtype) == "torch.float32" and tokenizer.padding_side == "left"
    assert tokenizer.pad_token_id is not None
    student, _ = load_student("embedded:student", device="cpu")
    assert student.config.is_encoder_decoder


@pytest.mark.parametrize(
    ("there", "native", "expected"), [(True, True, "bfloat16"), (True, False, "float16"), (False, False, "bfloat16")]
)
def test_half_precision_is_what_the_gpu_computes_in(
    there: bool, native: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation or native)
    assert pick_dtype("auto", "cuda:1") == getattr(torch, expected)
    assert pick_dtype("auto", "cpu") == torch.float32
    assert pick_dtype("float32", "cuda") == torch.float32


def test_fingerprint_follows_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    before = fingerprint(str(tmp_path))
    (tmp_path / "README.md").write_text("a card changes nothing")
    assert fingerprint(str(tmp_path)) == before
    (tmp_path / "config.json").write_text("{ }")
    assert fingerprint(str(tmp_path)) != before


def test_hidden_files_are_no_part_of_a_model(tmp_path: Path) -> None:
    folder = tmp_path / ".models" / "mine"  # only what lies inside the folder counts
    (folder / ".git").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    before = fingerprint(str(folder))
    (folder / ".git" / "index").write_text("another commit")
    (folder / ".lock").write_text("")
    assert fingerprint(str(folder)) == before
    (folder / "weights").mkdir()
    (folder / "weights" / "part").write_text("1")
    assert fingerprint(str(folder)) != before


def test_encoder_of_a_parser(tmp_path: Path) -> None:
    assert parser_encoder("embedded:parser") == "embedded:encoder"
    assert parser_encoder(str(EMBEDDED / "parser")) == "embedded:encoder"
    assert parser_encoder("stanza:en") is None and parser_encoder("embedded:nothing") is None
    for content in ("{}", "[]", "{"):
        (tmp_path / "config.json").write_text(content)
        with pytest.raises(UserError, match="names no encoder"):
            parser_encoder(str(tmp_path))
        with pytest.raises(UserError, match="names no encoder"):
            load_parser(str(tmp_path))


def test_tree_edit_distance_names_both_its_models() -> None:
    from idist.critics.tree_edit_distance import TreeEditDistance

    names = TreeEditDistance(parser="embedded:parser").model_names()
    assert names == {"parser": "embedded:parser", "encoder": "embedded:encoder"}
    assert TreeEditDistance().model_names() == {"parser": "stanza:en"}


def test_long_text_is_cut_at_the_positions_of_the_encoder(tmp_path: Path) -> None:
    from idist.critics.encoding import SentenceEncoder

    model, tokenizer = load_encoder("embedded:encoder", device="cpu")
    assert longest_input(model, tokenizer) == 512
    tokenizer.model_max_length = 100
    assert longest_input(model, tokenizer) == 100
    tokenizer.model_max_length = 10**30  # what transformers sets where a tokenizer has no limit
    assert longest_input(model, tokenizer) == 512
    tokenizer.save_pretrained(tmp_path)
    model.save_pretrained(tmp_path)
    encoder = SentenceEncoder(str(tmp_path), device="cpu", dtype="float32")
    assert encoder.tokenizer.model_max_length > 10**6
    vectors, reasons = encoder.embed(["a man runs " * 300, "a man runs " * 400, "a man runs"])
    assert not reasons and (vectors[0] == vectors[1]).all() and (vectors[0] != vectors[2]).any()


def test_positions_of_roberta_and_mpnet_begin_after_the_padding_index() -> None:
    from transformers import AutoModel, MPNetConfig, RobertaConfig, T5Config

    _, tokenizer = load_encoder("embedded:encoder", device="cpu")
    tokenizer.model_max_length = 10**30
    small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    for kind in (RobertaConfig, MPNetConfig):
        config = kind(**small, vocab_size=50, max_position_embeddings=20, pad_token_id=1)
        assert longest_input(AutoModel.from_config(config), tokenizer) == 18
    config = T5Config(d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, vocab_size=50)
    assert longest_input(AutoModel.from_config(config), tokenizer) == 2**31 - 1


def test_damaged_weights_are_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "student"
    shutil.copytree(resolve("embedded:student")[0], folder)
    os.truncate(folder / "model.safetensors", 100_000)
    with pytest.raises(UserError, match=f"folder {folder} does not load"):
        load_student(str(folder), "cpu")
