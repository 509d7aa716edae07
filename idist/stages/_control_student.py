"""The student that `train_control` begins with: another one with a token for each symbol of the codes.

A symbol is one token, whatever tokenizer the student has: the shipped one has no brackets at all, and t5-large would
spend five tokens on ``(VP``, of the few hundred that source and codes have together.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist.controls import CONTROLS_FILE
from idist.engine import digest, write_bytes, write_json
from idist.engine.shards import read_json

if TYPE_CHECKING:
    import torch

    from idist.config import TrainConfig

VERSION = 1  # of this code: raised when the same inputs would give other weights
STUDENT = "student"
MARK = "student.json"


def prepare_student(model: str, controls: str, symbols: Sequence[str], folder: Path, seed: int) -> tuple[int, int]:
    """Leave ``folder/student`` unless it is there.

    Args:
        model: what it is made of.
        controls: content of its ``control.json``.
        symbols: one token each.
        folder: of the stage.
        seed: of the new tokens' embeddings.

    Returns:
        1 if it was made now, else 0; how many tokens were new.

    Raises:
        UserError: the model is not found.
    """
    from idist.models import fingerprint

    inputs = {"version": VERSION, "weights": fingerprint(model), "controls": digest({"": controls}), "seed": seed}
    mark = folder / MARK
    if mark.is_file() and (told := read_json(mark))["inputs"] == inputs and (folder / STUDENT).is_dir():
        return 0, int(told["new_tokens"])
    beside = folder / f"{STUDENT}.new"
    for old in (beside, folder / STUDENT):
        shutil.rmtree(old, ignore_errors=True)
    added = _save_with_tokens(model, symbols, beside, seed)
    write_bytes(beside / CONTROLS_FILE, controls.encode())
    beside.rename(folder / STUDENT)
    write_json(mark, {"inputs": inputs, "new_tokens": added})
    return 1, added


def _save_with_tokens(name: str, symbols: Sequence[str], folder: Path, seed: int) -> int:
    from tokenizers import AddedToken

    from idist.models import load_student

    loaded, tokenizer = load_student(name, "cpu", "float32")
    model: Any = loaded
    before = len(tokenizer)
    # special: never part of what is written; not normalized: a symbol is found as it is
    tokens = [AddedToken(symbol, special=True, normalized=False) for symbol in symbols]
    added = tokenizer.add_tokens(tokens, special_tokens=True)  # type: ignore[arg-type]  # says str, takes both
    if len(tokenizer) > model.get_input_embeddings().weight.shape[0]:  # t5-large has more rows than tokens already
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    tables = [table.weight for table in (model.get_input_embeddings(), model.get_output_embeddings()) if table]
    for weight in {id(weight): weight for weight in tables}.values():  # once where the two are tied
        _draw_rows(weight, before, len(tokenizer), seed)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return int(added)


def _draw_rows(weight: torch.Tensor, start: int, stop: int, seed: int) -> None:
    """New rows like the old ones: same mean and spread in each column, so that no two symbols begin alike."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        old = weight[:start]
        noise = torch.randn((stop - start, weight.shape[1]), generator=generator)
        weight[start:stop] = old.mean(0) + old.std(0) * noise


def student_room(folder: Path, config: TrainConfig) -> int:
    """The most symbols that leave a source at least one token of what the student of `prepare_student` reads."""
    from transformers import AutoTokenizer

    from idist.controls import code_room
    from idist.models import is_seq2seq

    own = str(folder / STUDENT)
    return code_room(AutoTokenizer.from_pretrained(own), config.template(is_seq2seq(own)), config.max_source_tokens)


def student_path(folder: Path) -> Path:
    """Where stage `control` leaves it."""
    return folder / STUDENT
