"""Stage `train`: a student learns y given x by maximum likelihood (paper section 3.3).

What a training leaves in its folder: ``model/`` (an ordinary Hub folder in float32, because the next training goes on
from it; rounding to half precision is the publisher's choice), ``training_log.jsonl``, ``training_curve.png`` and, last
of all, ``training.json``. Until that file is there the training is unfinished and continues at its last whole
checkpoint. It is the stage's manifest, too: settings, seed, versions, counts and time. Several processes may call
`train` at once (``accelerate launch``): all train, the main one writes.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist._quiet import quiet_transformers
from idist.config import TrainConfig, to_dict
from idist.engine import claim
from idist.engine.shards import FULL, read_json
from idist.errors import UserError
from idist.stages._outcome import SUMMARY, kept_step, leave_model, leave_summary
from idist.stages._training_data import digest_pairs, encode_pairs, read_pairs, shortest_first, split_by_context
from idist.stages.runs import resolved_type

if TYPE_CHECKING:
    import pyarrow as pa
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerState
    from trl import SFTConfig

VERSION = 1  # of this code: raised when the same config would give another model
JOB = "train"
CHECKPOINTS = "checkpoints"


@dataclass
class TrainResult:
    """A finished training."""

    model: Path  # Hub folder
    steps: int
    eval_loss: float | None  # nats a token, of the kept checkpoint on the held-out pairs; None: nothing held out
    seconds: float  # of training, in all sessions
    pairs: int  # trained on
    held_out: int  # pairs
    resumed_from: int | None  # step of the checkpoint that this call continued at


def fingerprint(
    pairs: pa.Table | Sequence[Path], config: TrainConfig, seed: int, device: str = "auto", dtype: str = "auto"
) -> dict[str, Any]:
    """What the trained weights depend on: settings, seed, the first weights, every pair (files are read whole).

    Raises:
        UserError: as `train`, for the pairs and the model.
    """
    return _fingerprint(read_pairs(pairs), config, seed, resolved_type(device, dtype))


def training_settings(config: TrainConfig) -> dict[str, Any]:
    """The config as plain values; no limit of steps is left out, so that trainings of versions without that setting
    are still those of their configs."""
    return {key: value for key, value in to_dict(config).items() if (key, value) != ("max_steps", None)}


def train(
    pairs: pa.Table | Sequence[Path],
    config: TrainConfig,
    folder: Path,
    seed: int,
    device: str = "auto",
    dtype: str = "auto",
    progress: bool = True,
) -> TrainResult:
    """Fine-tune a student; a finished training is not repeated, an interrupted one continues.

    Args:
        pairs: table with the columns of `idist.rows` ``pairs``, or parquet files of it; the order does not matter.
        config: ``model`` is a student of either kind, encoder-decoder or decoder-only.
        folder: of the training; see the module's docstring.
        seed: of the split, the order of batches and dropout.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        dtype: of the matrix products (weights are float32): ``auto`` is bfloat16 on a GPU that has it.
        progress: a bar on stderr.

    Raises:
        UserError: bad or too few pairs, model not found, a folder of another training, divergence, a full disk.
    """
    table = read_pairs(pairs)
    sides = split_by_context(table, config.held_out, seed)
    _check_size(sides[0].num_rows, table, config)
    marks = _fingerprint(table, config, seed, resolved_type(device, dtype))
    with _full_disk_explained(folder), quiet_transformers():
        claim(folder, JOB, marks, {})
        if (folder / SUMMARY).is_file():
            shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)  # a kill came between the two
            return _result(folder, None)
        return _train(sides, config, folder, seed, device, dtype, progress, marks)


def _train(
    sides: tuple[pa.Table, pa.Table],
    config: TrainConfig,
    folder: Path,
    seed: int,
    device: str,
    dtype: str,
    progress: bool,
    marks: dict[str, Any],
) -> TrainResult:
    from accelerate import PartialState

    from idist.models import pick_device
    from idist.stages._callbacks import drop_unfinished, last_checkpoint
    from idist.stages._trainer import set_schedule, training_arguments

    arguments = training_arguments(config, folder / CHECKPOINTS, seed, pick_device(device), dtype)
    set_schedule(arguments, config, *(side.num_rows for side in sides))
    if arguments.process_index == 0:
        drop_unfinished(folder / CHECKPOINTS)
    PartialState().wait_for_everyone()
    checkpoint = last_checkpoint(folder / CHECKPOINTS)
    state = _ended(checkpoint)
    if state is None:
        state, model, tokenizer = _fit(sides, config, arguments, folder, checkpoint, progress)
    else:  # killed between its last checkpoint and its summary
        model, tokenizer = _load(str(folder / CHECKPOINTS / f"checkpoint-{kept_step(state)}"))
    if arguments.process_index == 0:
        leave_model(folder, model, tokenizer, config)
        leave_summary(folder, sides, config, arguments, state, marks)
        shutil.rmtree(folder / CHECKPOINTS)
    PartialState().wait_for_everyone()
    return _result(folder, int(checkpoint.name.rpartition("-")[2]) if checkpoint else None)


def _fit(
    sides: tuple[pa.Table, pa.Table],
    config: TrainConfig,
    arguments: SFTConfig,
    folder: Path,
    checkpoint: Path | None,
    progress: bool,
) -> tuple[TrainerState, PreTrainedModel, PreTrainedTokenizerBase]:
    """Train from the student's own weights or from a checkpoint, to the end; the model has the weights to keep."""
    from idist.stages._callbacks import Bar, Journal
    from idist.stages._trainer import build_trainer

    model, tokenizer = _load(config.model)
    rows, held_out = (encode_pairs(tokenizer, side, config, model.config.is_encoder_decoder) for side in sides)
    callbacks = [Journal(folder), *([Bar()] if progress else [])]
    trainer = build_trainer(
        model, tokenizer, rows, shortest_first(held_out) if len(held_out) else None, config, arguments, callbacks
    )
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return trainer.state, model, tokenizer


def _load(name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """On the CPU: the trainer moves it to where it belongs, which is its own GPU for each process."""
    from idist.models import load_student

    model, tokenizer = load_student(name, "cpu", "float32")
    model.generation_config.forced_bos_token_id = None  # BART's: `encode_pairs`' targets start with their first word
    return model, tokenizer


def _check_size(train_pairs: int, table: pa.Table, config: TrainConfig) -> None:
    if train_pairs < config.batch_size:
        contexts = len(table["context_id"].unique())
        raise UserError(
            f"{table.num_rows} pairs of {contexts} contexts are too few to train on: {train_pairs} are left after "
            f"train.held_out = {config.held_out:g}, expected at least one batch (train.batch_size = "
            f"{config.batch_size}); make more pairs or lower train.batch_size."
        )
    if config.epochs == 0:
        raise UserError("train.epochs is 0, expected more than 0.")


def _fingerprint(table: pa.Table, config: TrainConfig, seed: int, dtype: str) -> dict[str, Any]:
    from idist.models import fingerprint as weights

    settings = training_settings(config)
    student = weights(settings.pop("model"))  # what it is, not where it lies: a run's folder may be moved
    return {
        "version": VERSION,
        "seed": seed,
        "dtype": dtype,
        "train": settings,
        "student": student,
        "pairs": digest_pairs(table),
    }


def _ended(checkpoint: Path | None) -> TrainerState | None:
    """The state at a checkpoint after which there was nothing left to train (last step, or patience used up)."""
    from transformers import TrainerState

    if checkpoint is None:
        return None
    state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    control = state.stateful_callbacks["TrainerControl"]
    return state if control["args"]["should_training_stop"] else None


def _result(folder: Path, resumed_from: int | None) -> TrainResult:
    summary = read_json(folder / SUMMARY)
    names = ("steps", "eval_loss", "seconds", "pairs", "held_out")
    return TrainResult(folder / "model", **{name: summary[name] for name in names}, resumed_from=resumed_from)


@contextlib.contextmanager
def _full_disk_explained(folder: Path) -> Iterator[None]:
    """A full disk becomes one sentence, whichever library met it (torch and safetensors keep no errno)."""
    try:
        yield
    except Exception as error:
        words = (*(errno.errorcode[number] for number in FULL), "No space left", "File too large", "inline_container")
        if getattr(error, "errno", None) not in FULL and not any(word in str(error) for word in words):
            raise
        raise UserError(
            f"{folder} could not be written: no space left; make room and run the same command again, the training "
            "continues at its last whole checkpoint."
        ) from error
