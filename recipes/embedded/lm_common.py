"""The training loop that teacher and student share: schedule, clipping, validation, resumable state, final folder.

State is one file, ``WORK/checkpoint.pt`` (tensors and plain values, read back with ``weights_only=True``), renamed
into place. A killed run continues at its last checkpoint and ends with the same weights as an undisturbed one: batches
depend on (seed, epoch) alone and the random state of dropout is stored.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common import Log, save_atomically, write_json

from idist.errors import UserError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


@dataclass(frozen=True)
class Schedule:
    """Learning rate over the steps: linear warm-up, constant, linear fall over the last 40 %.

    Until the fall begins the rate does not depend on ``steps``: a run may still be made longer or shorter.
    """

    steps: int
    warmup: int
    floor: float = 0.01
    validate_every: int = 500
    checkpoint_every: int = 250

    def factor(self, step: int) -> float:
        """Multiplier of the learning rate at ``step`` (from 0)."""
        return min((step + 1) / self.warmup, max(self.floor, min(1.0, (self.steps - step) / (0.4 * self.steps))))


@dataclass
class Progress:
    """Where a run stands: steps done, place in the data, time and tokens spent, lowest held-out loss so far."""

    step: int = 0
    epoch: int = 0
    index: int = 0
    seconds: float = 0.0
    tokens: int = 0
    best: float = float("inf")
    best_step: int = 0
    peak_gib: float = 0.0


def fit(
    model: PreTrainedModel,
    optimizer: torch.optim.Optimizer,
    schedule: Schedule,
    epoch_batches: Callable[[int], list[Any]],
    learn: Callable[[Any], torch.Tensor],
    tokens_of: Callable[[Any], int],
    validate: Callable[[], float],
    work: Path,
    log: Log,
) -> dict[str, float]:
    """Train ``model`` in place and leave in it the weights of the lowest held-out loss.

    ``epoch_batches(e)`` gives the batches of epoch e, the same ones every time. ``learn(batch)`` adds the gradients
    of the batch's mean loss and returns that loss, ``tokens_of(batch)`` its tokens (for the rate), ``validate()`` the
    mean held-out loss in nats a token. Returns the measured figures: steps, epochs, seconds, tokens, tokens per second,
    best held-out loss and its step, peak memory.
    """
    import torch

    progress = Progress()
    base = [group["lr"] for group in optimizer.param_groups]
    checkpoint, best = work / "checkpoint.pt", work / "best.pt"
    if checkpoint.is_file():
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        torch.set_rng_state(saved["rng"])
        progress = Progress(**saved["state"])
        log(f"resumed at step {progress.step}")
    before, start = progress.seconds, time.monotonic()

    def save() -> None:
        content = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "rng": torch.get_rng_state()}
        save_atomically(checkpoint, lambda path: torch.save(content | {"state": asdict(progress)}, path))

    def check() -> None:
        model.eval()
        with torch.inference_mode():
            loss = validate()
        model.train()
        if better := loss < progress.best:
            progress.best, progress.best_step = loss, progress.step
            save_atomically(best, lambda path: torch.save(model.state_dict(), path))
        log(f"step {progress.step} held-out loss {loss:.4f} perplexity {math.exp(loss):.2f}{' *' * better}")

    model.train()
    batches = epoch_batches(progress.epoch)
    recent, recent_tokens, mark = [], 0, time.monotonic()
    while progress.step < schedule.steps:
        if progress.index >= len(batches):
            progress.epoch, progress.index = progress.epoch + 1, 0
            batches = epoch_batches(progress.epoch)
        batch = batches[progress.index]
        for group, rate in zip(optimizer.param_groups, base, strict=True):
            group["lr"] = rate * schedule.factor(progress.step)
        recent.append(learn(batch))
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        progress.step, progress.index = progress.step + 1, progress.index + 1
        recent_tokens += tokens_of(batch)
        last = progress.step == schedule.steps
        if last or progress.step % 50 == 0:
            speed, mean = recent_tokens / (time.monotonic() - mark), torch.stack(recent).mean().item()
            log(f"step {progress.step}/{schedule.steps} epoch {progress.epoch} loss {mean:.4f} {speed:.0f} tokens/s")
            progress.tokens += recent_tokens
            recent, recent_tokens, mark = [], 0, time.monotonic()
        if last or progress.step % schedule.validate_every == 0:
            check()
            mark = time.monotonic()
        if last or progress.step % schedule.checkpoint_every == 0:
            progress.tokens, recent_tokens = progress.tokens + recent_tokens, 0
            progress.seconds = before + time.monotonic() - start
            progress.peak_gib = max(progress.peak_gib, log.resources()["peak_gib"])
            save()
    model.load_state_dict(torch.load(best, weights_only=True))
    model.eval()
    figures: dict[str, float] = {"steps": progress.step, "epochs": progress.epoch + progress.index / len(batches)}
    figures |= {"best_loss": progress.best, "best_step": progress.best_step, "tokens": progress.tokens}
    figures |= {"seconds": round(progress.seconds), "tokens_per_second": round(progress.tokens / progress.seconds)}
    return figures | {"peak_gib": progress.peak_gib}


def backward_through_head(hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of ``hidden @ weight.T`` against ``labels``; gradients are added to both. Returns the loss.

    ``hidden`` (N, width), ``weight`` (vocabulary, width), ``labels`` (N,) with -100 for positions that do not count.
    The logits are made 256 positions at a time: all at once they would be most of the step's memory traffic (a third
    of its time on a CPU), while a slice stays in the cache.
    """
    import torch

    count = (labels != -100).sum()
    detached = hidden.detach().requires_grad_()
    total = torch.zeros(())
    for positions in torch.arange(len(labels)).split(256):
        part = slice(int(positions[0]), int(positions[-1]) + 1)
        logits = torch.nn.functional.linear(detached[part], weight).float()
        loss = torch.nn.functional.cross_entropy(logits, labels[part], reduction="sum") / count
        loss.backward()
        total += loss.detach()
    hidden.backward(detached.grad)
    return total


def same_settings(work: Path, settings: Any) -> None:
    """Refuse to continue a run that was started with other settings; record them on a fresh start."""
    path, wanted = work / "settings.json", json.loads(json.dumps(asdict(settings)))
    if path.is_file():
        found = json.loads(path.read_text(encoding="utf-8"))
        different = sorted(k for k in wanted | found if wanted.get(k) != found.get(k))
        if different:
            raise UserError(f"{path}: was started with other values of {', '.join(different)}; give another --work")
    else:
        write_json(path, wanted)


def precision(bf16: bool) -> str:
    """Words for the model card."""
    return "matrix products in bfloat16, weights in single precision" if bf16 else "single precision"


def made_once(folder: Path, make: Callable[[], PreTrainedTokenizerFast]) -> PreTrainedTokenizerFast:
    """The tokenizer in ``folder``, made at the first call: training one twice need not give the same ids."""
    from transformers import PreTrainedTokenizerFast

    if not folder.is_dir():
        save_atomically(folder, make().save_pretrained)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    for key in ("is_local", "local_files_only"):  # how it was read just now is no property of it
        tokenizer.init_kwargs.pop(key, None)
    return tokenizer


def decay_groups(model: PreTrainedModel, weight_decay: float) -> list[dict[str, Any]]:
    """Weight decay on matrices only: it would pull biases and norms towards 0 without regularizing anything."""
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]


def publish(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, card: str, figures: dict, out: Path) -> None:
    """Write the finished Hub folder beside ``out`` in half precision and rename it into place."""
    staging, old = out.with_name(out.name + ".new"), out.with_name(out.name + ".old")
    for leftover in (staging, old):
        shutil.rmtree(leftover, ignore_errors=True)
    staging.mkdir(parents=True)
    model.half().save_pretrained(staging)
    tokenizer.save_pretrained(staging)
    (staging / "README.md").write_text(card, encoding="utf-8")
    write_json(staging / "training.json", figures)
    for file in staging.iterdir():
        file.chmod(0o644)  # safetensors files are born readable by their owner alone
    if out.exists():
        out.rename(old)
    staging.rename(out)
    shutil.rmtree(old, ignore_errors=True)
