"""What a finished training leaves in its folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist.config import TrainConfig, to_dict
from idist.controls import CONTROLS_FILE
from idist.engine import write_json
from idist.provenance import hub_commits, made_here
from idist.stages.runs import library_versions

if TYPE_CHECKING:
    import pyarrow as pa
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerState
    from trl import SFTConfig

SUMMARY = "training.json"


def kept_step(state: TrainerState) -> int:
    """The step whose weights are kept: the lowest held-out loss, or the last where nothing is held out."""
    return int(state.best_global_step or state.global_step)


def leave_model(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, config: TrainConfig) -> None:
    """``model/``, renamed into place whole."""
    model.config.use_cache = True  # trainers turn it off, and generation would stay slow for good
    model.generation_config.use_cache = True
    model.generation_config.max_new_tokens = config.max_target_tokens
    beside = folder / "model.new"
    for old in (beside, folder / "model"):
        shutil.rmtree(old, ignore_errors=True)
    model.save_pretrained(beside)
    tokenizer.save_pretrained(beside)
    codes = Path(config.model) / CONTROLS_FILE
    if codes.is_file():  # what the student can be asked for goes where the student goes
        shutil.copyfile(codes, beside / CONTROLS_FILE)
    for file in beside.iterdir():
        shutil.copymode(beside / "config.json", file)  # safetensors writes files that only their owner may read
    beside.rename(folder / "model")


def leave_summary(
    folder: Path,
    sides: tuple[pa.Table, pa.Table],
    config: TrainConfig,
    arguments: SFTConfig,
    state: TrainerState,
    marks: dict[str, Any],
) -> None:
    """Log and curve, then ``training.json``, which says that all is there."""
    from idist.stages._callbacks import losses, write_log
    from idist.stages._curve import draw_curve

    entries = losses(state.log_history)
    write_log(folder, state.log_history)
    kept = kept_step(state)
    draw_curve(
        folder / "training_curve.png", entries, kept if state.best_global_step else None, Path(config.model).name
    )
    seconds = entries[-1]["seconds"]
    write_json(
        folder / SUMMARY,
        {
            "fingerprint": marks,
            "config": to_dict(config),
            "pairs": sides[0].num_rows,
            "held_out": sides[1].num_rows,
            "contexts": [len(side["context_id"].unique()) for side in sides],
            "steps": state.global_step,
            "planned_steps": arguments.max_steps,
            "warmup_steps": arguments.warmup_steps,
            "kept_step": kept,
            "eval_loss": state.best_metric,
            "seconds": seconds,
            "pairs_per_second": round(state.global_step * config.batch_size / seconds, 1),
            "peak_gib": _peak_gib(),
            "device": str(arguments.device),
            "processes": arguments.world_size,
            "products_in": "bfloat16" if arguments.bf16 else "float16" if arguments.fp16 else "float32",
            "libraries": library_versions(),
            **made_here(),
            "commits": hub_commits(marks),
        },
    )


def _peak_gib() -> float:
    """The main process's largest resident set, in GiB."""
    import resource
    import sys

    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30, 2)
