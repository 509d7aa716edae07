"""Training of Stanza's shift-reduce constituency parser, one seeded epoch after another, resumable at each.

Stanza's own loop is replaced, its batches are not: here the learning rate falls at each batch (Stanza's plateau
scheduler never fires in a run this short), an epoch depends on (seed, epoch) alone, so that a killed run ends with
the weights of an undisturbed one, and the development score needs no Java.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import Log, save_atomically, write_json


@dataclass(frozen=True)
class Settings:
    """What decides the weights."""

    seed: int = 0
    epochs: int = 14
    trees_an_epoch: int = 2000
    batch: int = 20
    learning_rate: float = 3e-3
    decay: float = 1 / 20  # of the learning rate, lost in each epoch
    cooldown: int = 8  # last epochs, over which the learning rate falls to its floor at the latest
    floor: float = 0.02  # of the learning rate
    oracle_from: int = 3  # epoch from which the parser learns to recover from its own errors

    def rate(self, done: float) -> float:
        """Learning rate after ``done`` epochs."""
        factor = min(1 - done * self.decay, (self.epochs - done) / self.cooldown)
        return self.learning_rate * max(self.floor, factor)


def stanza_arguments(work: Path, encoder: Path, settings: Settings) -> dict[str, Any]:
    """Stanza's options: a small network on a frozen encoder. Writes the file of word vectors that it insists on."""
    import torch
    from stanza.models.common.pretrain import Pretrain, PretrainedWordVocab
    from stanza.models.constituency_parser import parse_args

    vectors = Pretrain(str(work / "vectors.pt"))
    vectors._vocab = PretrainedWordVocab(["the", "a"], lang="en")
    vectors._emb = torch.zeros(len(vectors._vocab), 2)
    vectors.save(vectors.filename)
    options = {
        "mode": "train",
        "lang": "en",
        "shorthand": "en_gum",
        "device": "cpu",
        "hidden_size": 128,
        "delta_embedding_dim": 32,
        "tag_embedding_dim": 20,
        "num_lstm_layers": 1,
        "num_output_layers": 2,
        "optim": "adamw",
        "learning_rate": settings.learning_rate,
        "oracle_initial_epoch": settings.oracle_from,
        "seed": settings.seed,
        "bert_model": encoder,
        "bert_hidden_layers": 7,
        "wordvec_pretrain_file": vectors.filename,
        "save_dir": work,
        "save_name": "unused.pt",
    }
    flags = ["--no_retag", "--no_check_valid_states", "--no_checkpoint", "--no_multistage"]
    return dict(parse_args([*flags, *(text for key, value in options.items() for text in (f"--{key}", str(value)))]))


def train(
    train_trees: list[Any],
    development_trees: list[Any],
    score: Callable[[Any], float],
    work: Path,
    encoder: Path,
    settings: Settings,
    log: Log,
) -> tuple[Any, dict[str, float]]:
    """Train, or go on where ``work`` says; trees are Stanza's, with the tags that the parser is to see.

    ``score(model)`` is the development F1. Returns Stanza's trainer with the weights of the best epoch, and figures.
    """
    import torch
    from stanza.models.common.foundation_cache import FoundationCache
    from stanza.models.constituency import parser_training
    from stanza.models.constituency.in_order_oracle import InOrderOracle
    from stanza.models.constituency.trainer import Trainer

    for name in ("stanza", "stanza.constituency.trainer"):
        logging.getLogger(name).setLevel(logging.WARNING)
    arguments = stanza_arguments(work, encoder, settings)
    random.seed(settings.seed)
    torch.manual_seed(settings.seed)
    cache = FoundationCache(local_files_only=True)
    trainer, sequences, _, _ = parser_training.build_trainer(arguments, train_trees, development_trees, [], cache, None)
    checkpoint, best = work / "checkpoint.pt", work / "best.pt"
    spent, peak = 0.0, 0.0  # of earlier processes and of this one
    if checkpoint.is_file():
        trainer = Trainer.load(str(checkpoint), arguments, load_optimizer=True, foundation_cache=cache)
        spent, peak = json.loads((work / "spent.json").read_text(encoding="utf-8"))
        log(f"resumed after epoch {trainer.epochs_trained}, best F1 {trainer.best_f1:.4f}")
    items = parser_training.compose_train_data(train_trees, sequences)
    oracle = InOrderOracle(trainer.root_labels, None, None, None)
    while trainer.epochs_trained < settings.epochs:
        trainer.epochs_trained += 1
        started = log.resources()["seconds"]
        _epoch(trainer, _epoch_items(items, trainer.epochs_trained, settings), oracle, arguments, settings)
        trainer.model.eval()
        development = score(trainer.model)
        spent += log.resources()["seconds"] - started
        peak = max(peak, log.resources()["peak_gib"])
        log(f"epoch {trainer.epochs_trained}/{settings.epochs}: development F1 {development:.4f}, {spent:.0f} s")
        if development > trainer.best_f1:
            trainer.best_f1, trainer.best_epoch = development, trainer.epochs_trained
            save_atomically(best, lambda path: trainer.save(str(path), save_optimizer=False))
        write_json(work / "spent.json", [spent, peak])
        save_atomically(checkpoint, lambda path: trainer.save(str(path), save_optimizer=True))
    figures = {
        "best_epoch": trainer.best_epoch,
        "development_f1": trainer.best_f1,
        "training_seconds": spent,
        "peak_gib": peak,
    }
    return Trainer.load(str(best), arguments, foundation_cache=cache), figures


def _epoch_items(items: list[Any], epoch: int, settings: Settings) -> list[Any]:
    """The trees of an epoch, sorted by length: consecutive stretches of an endless series of shuffled passes."""
    size = settings.trees_an_epoch
    first_pass = (epoch - 1) * size // len(items)
    stream: list[Any] = []
    skip = (epoch - 1) * size - first_pass * len(items)
    number = first_pass
    while len(stream) < skip + size:
        shuffled = list(items)
        random.Random(f"{settings.seed}-{number}").shuffle(shuffled)
        stream += shuffled
        number += 1
    return sorted(stream[skip : skip + size], key=lambda item: len(item.gold_sequence))


def _epoch(trainer: Any, items: list[Any], oracle: Any, arguments: dict[str, Any], settings: Settings) -> None:
    import torch
    from stanza.models.constituency import parser_training

    epoch = trainer.epochs_trained
    random.seed(f"{settings.seed}-epoch-{epoch}")
    torch.manual_seed(settings.seed * 1000 + epoch)
    batches = [items[start : start + settings.batch] for start in range(0, len(items), settings.batch)]
    random.shuffle(batches)
    transitions = {transition: torch.tensor([i]) for i, transition in enumerate(trainer.transitions)}
    loss = torch.nn.CrossEntropyLoss(reduction="sum")
    trainer.train()
    for number, batch in enumerate(batches):
        for group in trainer.optimizer.param_groups:
            group["lr"] = settings.rate(epoch - 1 + number / len(batches))
        statistics = parser_training.train_model_one_batch(
            epoch, number, trainer.model, batch, transitions, lambda outputs: outputs, loss, oracle, arguments
        )
        trainer.batches_trained += 1
        if statistics.nans == 0:
            trainer.optimizer.step()
        trainer.optimizer.zero_grad()
