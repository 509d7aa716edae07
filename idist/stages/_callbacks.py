"""What watches a training: whole checkpoints, the log with times, divergence, a progress bar."""

from __future__ import annotations

import json
import math
import shutil
import time
from pathlib import Path
from typing import Any

from accelerate import PartialState
from tqdm import tqdm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from idist.engine import write_bytes, write_json
from idist.errors import UserError

KEPT = ("step", "epoch", "loss", "eval_loss", "learning_rate", "grad_norm", "seconds")
RECEIPT = "complete.json"  # sizes of a checkpoint's files, written after them: without it the checkpoint does not exist


def last_checkpoint(folder: Path) -> Path | None:
    """The whole checkpoint with the most steps, or None; one that a kill left unfinished has no valid receipt."""
    whole = [path for path in folder.glob("checkpoint-*") if _is_whole(path)]
    return max(whole, key=_step, default=None)


def drop_unfinished(folder: Path) -> None:
    """Delete what a kill left behind, or the trainer would count it among the checkpoints to keep."""
    for path in folder.glob("checkpoint-*"):
        if not _is_whole(path):
            shutil.rmtree(path)


class Journal(TrainerCallback):
    """Keeps ``training_log.jsonl`` and the checkpoints' receipts; stops a training that diverges.

    The log is the trainer's own history, which checkpoints carry: a resumed training continues it without a gap or a
    line twice. ``seconds`` count the training of all sessions, as far as their checkpoints reach.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.origin = time.monotonic()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take over the time of earlier sessions, and the best checkpoint where the folder has been moved."""
        before = state.log_history[-1]["seconds"] if state.log_history else 0.0
        self.origin = time.monotonic() - before
        best = Path(args.output_dir or "") / f"checkpoint-{state.best_global_step}"
        if best.is_dir():
            state.best_model_checkpoint = str(best)
        else:  # a kill came when a better one had pushed it out but was not whole yet: that one will come again
            state.best_metric = state.best_global_step = state.best_model_checkpoint = None

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Add the time to the newest entry and write the log.

        Raises:
            UserError: a loss is not finite.
        """
        entry = state.log_history[-1]
        entry["seconds"] = round(time.monotonic() - self.origin, 3)
        for key in ("loss", "eval_loss"):
            if not math.isfinite(entry.get(key, 0.0)):
                raise UserError(
                    f"Training diverged: {key} is {entry[key]} at step {entry['step']}; lower train.learning_rate "
                    f"(now {args.learning_rate:g}) and train again."
                )
        if state.is_world_process_zero:
            write_log(self.folder, state.log_history)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Write the receipt, once every process has written its part."""
        PartialState().wait_for_everyone()
        if state.is_world_process_zero:
            checkpoint = Path(args.output_dir or "") / f"checkpoint-{state.global_step}"
            (checkpoint / "training_args.bin").unlink(missing_ok=True)  # a pickle that nothing here reads
            write_json(checkpoint / RECEIPT, _sizes(checkpoint))


class Bar(TrainerCallback):
    """Steps done, rate, time left, the newest losses; on stderr."""

    def __init__(self) -> None:
        self.bar: tqdm | None = None
        self.losses: dict[str, str] = {}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Open the bar at the step that was reached before."""
        if state.is_world_process_zero:
            self.bar = tqdm(total=state.max_steps, initial=state.global_step, desc="train", unit=" steps")

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """One step further."""
        if self.bar is not None:
            self.bar.update(state.global_step - self.bar.n)

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Show the newest losses."""
        entry = state.log_history[-1]
        names = {"loss": "loss", "eval_loss": "held-out"}
        self.losses |= {name: f"{entry[key]:.3f}" for key, name in names.items() if key in entry}
        if self.bar is not None:
            self.bar.set_postfix(self.losses, refresh=False)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Leave the finished line."""
        if self.bar is not None:
            self.bar.close()


def write_log(folder: Path, history: list[dict[str, Any]]) -> None:
    """``training_log.jsonl``: one line a training or held-out loss, oldest first."""
    lines = [json.dumps(entry) + "\n" for entry in losses(history)]
    write_bytes(folder / "training_log.jsonl", "".join(lines).encode())


def losses(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries of a trainer's history that hold a loss, less what nobody reads."""
    return [
        {key: entry[key] for key in KEPT if key in entry}
        for entry in history
        if "loss" in entry or "eval_loss" in entry
    ]


def _sizes(checkpoint: Path) -> dict[str, int]:
    files = sorted(path for path in checkpoint.rglob("*") if path.is_file() and path.name != RECEIPT)
    return {str(path.relative_to(checkpoint)): path.stat().st_size for path in files}


def _is_whole(checkpoint: Path) -> bool:
    try:
        receipt = json.loads((checkpoint / RECEIPT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(receipt == _sizes(checkpoint))


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])
