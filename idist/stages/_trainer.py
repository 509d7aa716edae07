"""TRL's SFTTrainer for students of both kinds, and its settings.

TRL's trainer is made for decoder-only models: its loss runs the model's backbone and multiplies the last hidden state
by the output matrix itself (a fused head). On T5 that breaks: the backbone wants decoder inputs, the labels must not
be shifted, and T5 scales its hidden states first. `Seq2SeqSFTTrainer` therefore goes back to the loss of
`transformers.Trainer`, which asks the model; its losses, gradients and weights equal `Seq2SeqTrainer`'s to the digit
(a test holds it to that). One trainer with one set of arguments serves both kinds of student. In two places it is
better than `Seq2SeqTrainer`: a short last batch weighs by its rows in the held-out loss, and several processes do not
multiply the loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import DataCollatorForSeq2Seq, EarlyStoppingCallback, Trainer, TrainerCallback
from transformers.optimization import Adafactor
from transformers.trainer_callback import PrinterCallback, ProgressCallback
from transformers.trainer_pt_utils import LabelSmoother
from trl import SFTConfig, SFTTrainer

from idist.config import TrainConfig
from idist.errors import UserError

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MEGA_BATCH = 50  # batches that are sorted by length together: enough to be of one length, few enough to stay random
LOGS = 10  # training losses logged from one evaluation to the next, at most


class LengthGroupedSampler(torch.utils.data.Sampler[int]):
    """A random order in which each batch holds rows of about one length, drawn from (seed, epoch) alone.

    transformers' own sampler draws from the global random state: a resumed training would see other batches than an
    undisturbed one. The epoch is asked for when the order is drawn.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int, epoch: Callable[[], int]) -> None:
        self.lengths = torch.as_tensor(lengths)
        self.batch_size, self.seed, self.epoch = batch_size, seed, epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 100_003 + self.epoch())
        order = torch.randperm(len(self.lengths), generator=generator)
        batches: list[torch.Tensor] = []
        for mega in order.split(self.batch_size * MEGA_BATCH):
            batches += mega[self.lengths[mega].argsort(stable=True, descending=True)].split(self.batch_size)
        short = [batches.pop()] if len(batches[-1]) < self.batch_size else []  # stays last, or batches would straddle
        for index in torch.randperm(len(batches), generator=generator).tolist():
            yield from batches[index].tolist()
        for batch in short:
            yield from batch.tolist()


class _Ours(SFTTrainer):
    """What both kinds share: batches of one length, no telemetry, no card of its own in every checkpoint."""

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> torch.utils.data.Sampler | None:
        rows: Any = self.train_dataset
        if "length" not in rows.column_names:
            return super()._get_train_sampler(train_dataset)
        batch = self.args.train_batch_size * self.args.world_size
        steps = math.ceil(len(rows) / batch)
        return LengthGroupedSampler(rows["length"], batch, self.args.seed, lambda: self.state.global_step // steps)

    def _send_telemetry(self) -> None:
        """TRL reports every trainer that is made to its authors; this toolkit reports nothing to anyone."""

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """The card of a released student is written by the toolkit, once, with its lineage."""


class CausalSFTTrainer(_Ours):
    """Decoder-only students: TRL's trainer with its own loss."""


class Seq2SeqSFTTrainer(_Ours):
    """Encoder-decoder students (T5): TRL's trainer with `transformers.Trainer`'s loss; see the module's docstring."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # T5's signature lets transformers believe that its loss is a sum over all processes' tokens; it is a mean
        # over its own, and would be multiplied by the number of processes (loss and gradient both).
        self.model_accepts_loss_kwargs = False

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """The loss that the model itself computes from ``labels``, or the smoothed one."""
        return Trainer.compute_loss(self, model, inputs, return_outputs, num_items_in_batch)


def training_arguments(config: TrainConfig, folder: Path, seed: int, device: str, dtype: str) -> SFTConfig:
    """What does not depend on the number of pairs; settles the device and the number of processes.

    Weights are always float32. On CUDA matrix products run in bfloat16 where the GPU has it (``dtype`` ``auto``):
    weights in half precision would lose most of Adafactor's small updates.
    """
    on_gpu = device != "cpu" and torch.cuda.is_available()
    half = dtype == "bfloat16" or (dtype == "auto" and on_gpu and torch.cuda.is_bf16_supported(False))
    if dtype == "float16" and not on_gpu:
        raise UserError("dtype is 'float16', which trains on CUDA only; expected 'auto', 'float32' or 'bfloat16'.")
    # TRL saves memory by computing activations twice; these students fit. transformers 5.21 renamed the setting.
    fields = SFTConfig.__dataclass_fields__
    name = "activation_checkpointing" if "activation_checkpointing" in fields else "gradient_checkpointing"
    twice: dict[str, Any] = {name: False}
    arguments = SFTConfig(
        output_dir=str(folder),
        dataset_kwargs={"skip_prepare_dataset": True},  # rows come tokenized
        use_cpu=device == "cpu",
        bf16=half,
        fp16=dtype == "float16",
        **twice,
        seed=seed % 2**32,
        loss_type="nll",  # TRL 1.14's default is "chunked_nll", which replaces the model's forward
        learning_rate=config.learning_rate,
        optim="adamw_torch",
        lr_scheduler_type="linear",
        logging_nan_inf_filter=False,  # it would hide a training that diverges
        prediction_loss_only=True,
        restore_callback_states_from_checkpoint=True,  # the patience that is used up
        dataloader_pin_memory=on_gpu,
        ddp_find_unused_parameters=False,
        report_to="none",
        disable_tqdm=True,
        log_level="error",
        log_level_replica="error",
    )
    if arguments.n_gpu > 1:
        # Several GPUs but one process: TRL refuses, and the others are `accelerate launch`'s to use.
        arguments._n_gpu = 1
    if config.batch_size % arguments.world_size:
        raise UserError(
            f"train.batch_size is {config.batch_size}, expected a multiple of the {arguments.world_size} processes: "
            "it is the batch of one step over all of them."
        )
    arguments.per_device_train_batch_size = config.batch_size // arguments.world_size
    arguments.per_device_eval_batch_size = arguments.per_device_train_batch_size
    return arguments


def set_schedule(arguments: SFTConfig, config: TrainConfig, rows: int, held_out_rows: int) -> None:
    """Fill in steps, warm-up, logging, evaluations and checkpoints for so many training and held-out pairs."""
    steps = math.ceil(math.ceil(rows / config.batch_size) * config.epochs)
    steps = min(steps, config.max_steps or steps)
    every = math.ceil(steps / config.evaluations)
    logging = max(1, every // LOGS)
    every = math.ceil(every / logging) * logging  # a whole number of logs, so that a resumed log has none half done
    arguments.max_steps = steps
    arguments.warmup_steps = min(config.warmup_steps, steps // 2)
    arguments.logging_steps = logging
    arguments.save_steps = every
    arguments.save_total_limit = 2  # the last one and the best one
    if held_out_rows:
        arguments.eval_strategy = "steps"
        arguments.eval_steps = every
        arguments.load_best_model_at_end = True
        arguments.metric_for_best_model = "eval_loss"
        arguments.greater_is_better = False


def build_trainer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    train_rows: Dataset,
    held_out_rows: Dataset | None,
    config: TrainConfig,
    arguments: SFTConfig,
    callbacks: list[TrainerCallback],
) -> SFTTrainer:
    """The trainer for this student; rows are those of `encode_pairs`."""
    seq2seq = model.config.is_encoder_decoder
    trainer = (Seq2SeqSFTTrainer if seq2seq else CausalSFTTrainer)(
        model=model,
        args=arguments,
        data_collator=DataCollatorForSeq2Seq(tokenizer, model=model) if seq2seq else None,
        train_dataset=train_rows,
        eval_dataset=held_out_rows,
        processing_class=tokenizer,
        optimizer_cls_and_kwargs=optimizer_of(config),
    )
    if config.label_smoothing:
        # SFTConfig's own setting is on its way out of TRL; what it did is this.
        trainer.label_smoother = LabelSmoother(epsilon=config.label_smoothing)
    for chatter in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(chatter)
    if held_out_rows is not None and config.patience:
        trainer.add_callback(EarlyStoppingCallback(config.patience))
    for callback in callbacks:
        trainer.add_callback(callback)
    return trainer


def optimizer_of(config: TrainConfig) -> tuple[type[torch.optim.Optimizer], dict[str, Any]] | None:
    """Adafactor as T5 was trained; None leaves AdamW to the trainer. (``optim="adafactor"`` cannot scale.)"""
    if config.optimizer == "adamw":
        return None
    settings = {"scale_parameter": config.scale_parameter, "relative_step": False, "warmup_init": False}
    return Adafactor, {"lr": config.learning_rate, **settings}
