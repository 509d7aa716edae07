"""Stage `train`: parity, early stopping, both kinds of student, what it leaves, bad input."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch

from eval_harness.systems.student import Student
from eval_harness.tasks.base import Example
from idist.errors import UserError
from idist.stages._training_data import encode_pairs, read_pairs, split_by_context
from idist.stages.train import fingerprint, train
from tests.stages.student import CONFIG, log, make_pairs, mean_loss, save_tiny_student


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_tiny_student(tmp_path_factory.mktemp("tiny"))


@pytest.mark.parametrize("student", ["tiny", "embedded:student"])
def test_losses_equal_seq2seq_trainers_to_the_digit(student: str, tiny: str, tmp_path: Path) -> None:
    from transformers import DataCollatorForSeq2Seq, Seq2SeqTrainer, Seq2SeqTrainingArguments
    from transformers.optimization import Adafactor

    from idist.models import load_student
    from idist.stages._trainer import build_trainer, training_arguments

    config = replace(CONFIG, model=tiny if student == "tiny" else student, patience=0)
    training, held_out = split_by_context(read_pairs(make_pairs(10)), config.held_out, 3)
    sides = training, held_out.slice(0, 8)  # a whole batch: Seq2SeqTrainer lets a short last one weigh as much

    def prepare() -> tuple[Any, ...]:
        model, tokenizer = load_student(config.model, "cpu", "float32")
        # without lengths: both trainers then draw the same random order
        return (
            model,
            tokenizer,
            *(encode_pairs(tokenizer, side, config, True).remove_columns("length") for side in sides),
        )

    steps = {"max_steps": 5, "logging_steps": 1, "warmup_steps": 2, "eval_strategy": "steps", "eval_steps": 5}
    arguments = training_arguments(config, tmp_path / "ours", 3, "cpu", "auto")
    for name, value in steps.items():
        setattr(arguments, name, value)
    ours = build_trainer(*prepare(), config, arguments, [])
    ours.train()

    model, tokenizer, rows, held_out_rows = prepare()
    settings = {"seed": 3, "per_device_train_batch_size": 8, "per_device_eval_batch_size": 8, "use_cpu": True}
    quiet = {"report_to": "none", "disable_tqdm": True, "dataloader_pin_memory": False, "save_strategy": "no"}
    theirs = Seq2SeqTrainer(
        model=model,
        args=Seq2SeqTrainingArguments(str(tmp_path / "theirs"), learning_rate=1e-2, **settings, **quiet, **steps),
        data_collator=DataCollatorForSeq2Seq(tokenizer, model=model),
        train_dataset=rows,
        eval_dataset=held_out_rows,
        processing_class=tokenizer,
        optimizers=(Adafactor(model.parameters(), lr=1e-2, scale_parameter=True, relative_step=False), None),
    )
    theirs.train()

    def losses(trainer: Any) -> list[tuple[str, float]]:
        names = ("loss", "eval_loss", "grad_norm")
        return [(name, entry[name]) for entry in trainer.state.log_history for name in names if name in entry]

    assert losses(ours) == losses(theirs) and len(losses(ours)) == 11
    for (name, one), other in zip(ours.model.named_parameters(), theirs.model.parameters(), strict=True):
        assert bool((one == other).all()), name


def test_stops_early_and_keeps_the_best_checkpoint(tiny: str, tmp_path: Path) -> None:
    config = replace(
        CONFIG,
        model=tiny,
        optimizer="adamw",
        learning_rate=0.03,
        epochs=30,
        evaluations=15,
        patience=2,
        warmup_steps=0,
    )
    # held-out targets go on after the point where all others end: at first what is common to both is learned (the loss
    # falls by nats), then the student grows sure that nothing follows (it rises by half a nat and more)
    table = make_pairs(12)
    held_out_ids = set(split_by_context(read_pairs(table), config.held_out, 0)[1]["id"].to_pylist())
    rows = table.to_pylist()
    for row in rows:
        if row["id"] in held_out_ids:
            row["y"] += " Snow falls on seven quiet mountains"
    table = pa.Table.from_pylist(rows)
    result = train(table, config, tmp_path, 0, "cpu", progress=False)
    summary = json.loads((tmp_path / "training.json").read_text())
    held_out = {line["step"]: line["eval_loss"] for line in log(tmp_path) if "eval_loss" in line}
    assert result.steps < summary["planned_steps"]
    assert held_out[summary["kept_step"]] == min(held_out.values()) == result.eval_loss
    assert list(held_out)[-3] == summary["kept_step"] > min(held_out)  # the best was not the first; two came after it
    assert mean_loss(result.model, table, config) == pytest.approx(result.eval_loss, abs=1e-4)


def test_decoder_only_student_learns_the_target_alone(tmp_path: Path) -> None:
    config = replace(
        CONFIG, model="embedded:teacher", batch_size=16, epochs=3, learning_rate=3e-3, max_target_tokens=48
    )
    table = make_pairs(16)
    result = train(table, config, tmp_path, 0, "cpu", progress=False)
    held_out = [line["eval_loss"] for line in log(tmp_path) if "eval_loss" in line]
    assert min(held_out) == result.eval_loss < held_out[0]
    assert mean_loss(result.model, table, config) == pytest.approx(result.eval_loss, abs=1e-4)


def test_a_student_that_forces_its_first_token_does_so_no_longer(tmp_path: Path) -> None:
    """BART's way of beginning each text: what it is trained on here begins with its first word."""
    from transformers import AutoTokenizer, BartConfig, BartForConditionalGeneration

    tokenizer = AutoTokenizer.from_pretrained("idist/embedded/student")
    sizes = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "max_position_embeddings": 128}
    special = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id, "bos_token_id": None}
    start = {"decoder_start_token_id": tokenizer.eos_token_id}
    torch.manual_seed(0)
    model = BartForConditionalGeneration(BartConfig(vocab_size=len(tokenizer), **sizes, **heads, **special, **start))
    model.generation_config.forced_bos_token_id = tokenizer("zebra", add_special_tokens=False).input_ids[0]
    for part in (model, tokenizer):
        part.save_pretrained(tmp_path / "bart")
    table = make_pairs(10)
    table = table.set_column(table.column_names.index("y"), "y", pa.array(["A man walks home."] * table.num_rows))
    config = replace(CONFIG, model=str(tmp_path / "bart"), epochs=15, optimizer="adamw", patience=0)
    trained = train(table, config, tmp_path / "run", 0, "cpu", progress=False).model
    assert BartForConditionalGeneration.from_pretrained(trained).generation_config.forced_bos_token_id is None
    student = Student(str(trained), num_beams=2, max_new_tokens=12, device="cpu")
    assert student.predict([Example("1", "Two girls eat lunch.", ("It is noon.",))]) == ["A man walks home."]


def test_what_a_training_leaves(tiny: str, tmp_path: Path) -> None:
    from PIL import Image
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    config = replace(CONFIG, model=tiny, label_smoothing=0.1, max_target_tokens=40)
    table = make_pairs(10)
    result = train(table, config, tmp_path, 0, "cpu", progress=False)
    assert {path.name for path in tmp_path.iterdir() if not path.name.startswith("_")} == {
        "model",
        "training.json",
        "training_curve.png",
        "training_log.jsonl",
    }
    model, tokenizer = AutoModelForSeq2SeqLM.from_pretrained(result.model), AutoTokenizer.from_pretrained(result.model)
    assert model.config.use_cache and model.generation_config.max_new_tokens == 40
    assert str(model.dtype) == "torch.float32" and tokenizer.eos_token_id == model.config.eos_token_id
    assert not list(result.model.glob("*.bin"))
    assert Image.open(tmp_path / "training_curve.png").size[0] > 300
    summary = json.loads((tmp_path / "training.json").read_text())
    assert summary["fingerprint"] == json.loads(json.dumps(fingerprint(table, config, 0, "cpu")))
    assert (result.pairs, result.held_out) == (summary["pairs"], summary["held_out"])
    assert result.pairs + result.held_out == table.num_rows
    assert result.steps == 2 * -(-result.pairs // 8)

    written = (tmp_path / "training.json").stat().st_mtime_ns
    again = train(table.take(list(range(table.num_rows))[::-1]), config, tmp_path, 0, "cpu", progress=False)
    assert again == result and (tmp_path / "training.json").stat().st_mtime_ns == written
    with pytest.raises(UserError, match=r"learning_rate = 0\.01, this run asks for 0\.02"):
        train(table, replace(config, learning_rate=2e-2), tmp_path, 0, "cpu")
    with pytest.raises(UserError, match="pairs = "):
        train(make_pairs(11), config, tmp_path, 0, "cpu")


def test_a_named_number_type_is_the_same_training() -> None:
    table, config = make_pairs(4), replace(CONFIG, model="embedded:student")
    auto = fingerprint(table, config, 0, "cpu")
    assert auto == fingerprint(table, config, 0, "cpu", "float32") != fingerprint(table, config, 0, "cpu", "bfloat16")


def test_nothing_is_reported_to_anyone(tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trl.trainer import base_trainer

    sent: list[Any] = []
    monkeypatch.setattr(base_trainer, "send_telemetry", lambda *args, **kwargs: sent.append(args))
    train(make_pairs(10), replace(CONFIG, model=tiny, epochs=0.5, held_out=0.0), tmp_path, 0, "cpu", progress=False)
    assert not sent


def test_without_held_out_pairs_the_last_weights_are_kept(tiny: str, tmp_path: Path) -> None:
    result = train(make_pairs(4), replace(CONFIG, model=tiny, held_out=0.0), tmp_path, 0, "cpu", progress=False)
    assert result.eval_loss is None and result.held_out == 0 and result.steps == 4
    assert all("eval_loss" not in line for line in log(tmp_path))


def test_a_diverging_training_is_one_sentence(tiny: str, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    broken = tmp_path / "broken"
    shutil.copytree(tiny, broken)
    tensors = load_file(broken / "model.safetensors")
    tensors["shared.weight"][5] = float("nan")
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match="Training diverged: loss is nan at step 1; lower train.learning_rate"):
        train(make_pairs(10), replace(CONFIG, model=str(broken)), tmp_path / "run", 0, "cpu", progress=False)


def test_too_few_pairs_name_the_counts(tiny: str, tmp_path: Path) -> None:
    config = replace(CONFIG, model=tiny)
    with pytest.raises(UserError, match="4 pairs of 1 contexts are too few.*two contexts"):
        train(make_pairs(1), config, tmp_path, 0, "cpu")
    with pytest.raises(UserError, match=r"8 pairs of 2 contexts.*4 are left.*batch_size = 8"):
        train(make_pairs(2), config, tmp_path, 0, "cpu")
    assert not list(tmp_path.iterdir())


def test_steps_end_at_their_limit(tiny: str, tmp_path: Path) -> None:
    config = replace(CONFIG, model=tiny, epochs=50, held_out=0.0, max_steps=3)
    done = train(make_pairs(10), config, tmp_path, 0, "cpu", progress=False)
    assert done.steps == 3
    marks = fingerprint(make_pairs(10), config, 0, "cpu")
    assert marks["train"]["max_steps"] == 3
    assert "max_steps" not in fingerprint(make_pairs(10), replace(config, max_steps=None), 0, "cpu")["train"]
