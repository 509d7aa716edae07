"""The encoder below BERTScore: loaded through bert-score, run without its detours, equal to it within 1e-5.

What bert-score knows of models is used as it is: which layer is best, how to cut the layers above it off. Tokens and
vectors are computed here, in batches of sentences of one length.
"""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from eval_harness.metrics._matching import blocks, encode, greedy_f1
from eval_harness.metrics.base import Floats
from eval_harness.metrics.models import describe
from idist.errors import UserError
from idist.models import longest_input, pick_device, resolve

if TYPE_CHECKING:
    from bert_score import BERTScorer

DEFAULT_BACKBONE = "embedded:encoder"
# Of the shipped encoder's layers 0 to 6, the last tells paraphrases from others best: area under the ROC curve
# 0.746 on 1,200 pairs of MRPC train (layers 0 to 5: 0.731 to 0.741), and entailed from other hypotheses on 1,200
# pairs of SNLI's development set: 0.775 (layer 5: 0.735, the others below 0.70)
EMBEDDED_LAYERS = {"embedded:encoder": 6}
MEMORY = 100_000  # pairs of sentences whose F1 is remembered


class Backbone:
    """An encoder that compares sentences, loaded when first asked to; remembers the pairs that it has compared."""

    def __init__(self, model: str, num_layers: int | None = None, device: str = "auto") -> None:
        """Nothing is loaded yet.

        Raises:
            UserError: an embedded model or a folder that is not there, or a revision (bert-score cannot pin one).
        """
        self._path, revision = resolve(model)
        if revision:
            raise UserError(f"BERTScore backbone {model!r}: a revision cannot be given; name a local folder instead.")
        self.model = model
        self._chosen = num_layers
        self._device = device
        self._scorer: BERTScorer | None = None
        self._memory: dict[tuple[str, str], float] = {}

    @property
    def num_layers(self) -> int:
        """The layer that is compared; raises UserError where none was given and none is known."""
        chosen = self._chosen or EMBEDDED_LAYERS.get(self.model)
        if chosen is None:
            from bert_score.utils import model2layers

            chosen = model2layers.get(self._path)
        if chosen is None:
            raise UserError(
                f"BERTScore backbone {self.model!r}: bert-score knows no best layer for it; give num_layers."
            )
        return int(chosen)

    def signature(self) -> str:
        """Backbone, layer, hash of the weights where they are local, and the versions of both libraries."""
        name, *weights = describe(self.model).split("|")
        libraries = f"bert-score:{version('bert-score')}|transformers:{version('transformers')}"
        return "|".join([f"backbone:{name}", f"layer:{self.num_layers}", *weights, "idf:no|rescaled:no", libraries])

    def f1(self, predictions: Sequence[str], references: Sequence[str]) -> Floats:
        """(n,) BERTScore F1 in 0..1; 0 where either text is empty, exactly 1 where both are the same.

        Raises:
            UserError: the model does not load, or has not that many layers.
        """
        rows = zip(predictions, references, strict=True)
        pairs = [(prediction.strip(), reference.strip()) for prediction, reference in rows]
        known = {pair: score for pair in set(pairs) if (score := self._without_model(pair)) is not None}
        new = [pair for pair in dict.fromkeys(pairs) if pair not in known]
        if new:
            known.update(zip(new, self._compute(new), strict=True))
            if len(self._memory) + len(new) > MEMORY:
                self._memory.clear()
            self._memory.update((pair, known[pair]) for pair in new[:MEMORY])
        return np.array([known[pair] for pair in pairs], dtype=np.float64)

    def load(self) -> tuple[Any, Any]:
        """The model, cut at its layer, and its tokenizer; loaded once."""
        if self._scorer is None:
            self._scorer = _load(self.model, self._path, self.num_layers, pick_device(self._device))
        return self._scorer._model, self._scorer._tokenizer

    def _without_model(self, pair: tuple[str, str]) -> float | None:
        """Score of a pair that needs no model: empty, identical, or seen before."""
        first, second = pair
        if not first or not second:
            return 0.0  # bert-score crashes on an empty candidate under transformers 5
        if first == second and any(character.isalnum() for character in first):
            return 1.0  # every token matches itself with cosine 1
        return self._memory.get(pair)

    def _compute(self, pairs: list[tuple[str, str]]) -> list[float]:
        """F1 of each pair of different, non-empty texts; 0 where a text cannot be tokenized."""
        import torch

        model, tokenizer = self.load()
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        tokens = self._tokenize(tokenizer, texts)
        position = {text: number for number, text in enumerate(texts)}
        numbered = [(position[first], position[second]) for first, second in pairs]
        scores = np.zeros(len(pairs))
        for block in blocks(numbered, [len(ids) for ids in tokens]):
            rows = np.array(numbered[block])
            rows_read = np.array([bool(tokens[a]) and bool(tokens[b]) for a, b in rows])
            if not rows_read.any():
                continue
            used, inverse = np.unique(rows[rows_read], return_inverse=True)
            sentences = [tokens[number] for number in used]
            vectors, starts = encode(model, sentences)
            special = [tokenizer.sep_token_id, tokenizer.cls_token_id]
            weights = torch.tensor([float(token not in special) for ids in sentences for token in ids])
            lengths = np.array([len(ids) for ids in sentences])
            f1 = greedy_f1(vectors, weights.to(vectors.device), starts, lengths, inverse.reshape(-1, 2))
            scores[block][rows_read] = f1
        return np.clip(scores, 0.0, 1.0).tolist()

    def _tokenize(self, tokenizer: Any, texts: list[str]) -> list[list[int]]:
        from idist.critics.batching import tokenize_each

        return tokenize_each(tokenizer, texts, truncation=True, max_length=tokenizer.model_max_length)[0]


@lru_cache(maxsize=2)
def backbone(model: str = DEFAULT_BACKBONE, num_layers: int | None = None, device: str = "auto") -> Backbone:
    """The backbone of that name: one, whoever asks."""
    return Backbone(model, num_layers, device)


def _load(model: str, path: str, num_layers: int, device: str) -> BERTScorer:
    """bert-score's own scorer, loaded without chatter; a model that does not load becomes one sentence."""
    from bert_score import BERTScorer
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(path)
        deepest = int(getattr(config, "num_hidden_layers", num_layers))
        if not 1 <= num_layers <= deepest:
            raise UserError(f"BERTScore backbone {model!r}: num_layers is {num_layers}, expected 1 to {deepest}.")
        with _quiet(), _plain_path(path, config) as plain:
            scorer = BERTScorer(model_type=plain, num_layers=num_layers, device=device, use_fast_tokenizer=True)
    except (OSError, ValueError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"BERTScore backbone {model!r} does not load: {first}") from None
    # Half precision, as shipped on disk, is many times slower on a plain CPU, and gives other digits on a GPU
    scorer._model.float()
    # Some tokenizers state no maximum
    scorer._tokenizer.model_max_length = longest_input(scorer._model, scorer._tokenizer)
    return scorer


@contextlib.contextmanager
def _plain_path(path: str, config: Any) -> Iterator[str]:
    """The path, or a link to it: bert-score takes every path with ``t5`` anywhere in it for a T5 model."""
    if "t5" not in path or not Path(path).is_dir() or "t5" in config.model_type:
        yield path
        return
    link = Path(tempfile.gettempdir()) / f"bertscore-{uuid4().hex}"  # hexadecimal digits spell no t5
    if "t5" in str(link):
        raise UserError(f"BERTScore backbone: bert-score takes {path} for a T5 model; move it to another path.")
    link.symlink_to(Path(path).resolve(), target_is_directory=True)
    try:
        yield str(link)
    finally:
        link.unlink()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars and no warnings about weights that BERTScore does not use (poolers, upper layers)."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
