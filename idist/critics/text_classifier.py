"""Any sequence classifier: probabilities of its labels for single texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from idist._schema import nearest
from idist.critics.batching import batch_tokens, equal_length_batches, run_or_halve, tokenize_each
from idist.errors import UserError


class TextClassifier:
    """A classifier of the Hub; what it gives is what the pipeline ``text-classification`` of transformers gives.

    Args:
        name: see `idist.models.load_classifier`.
        device, dtype: see `idist.critics.loading.Models`.

    Attributes:
        labels: L names, in the model's order.
        is_probability: False for a regression, whose output is left as it is.
    """

    def __init__(self, name: str, device: str = "auto", dtype: str = "auto") -> None:
        from idist.models import load_classifier, longest_input

        self._name = name
        self.model, self.tokenizer = load_classifier(name, device, dtype)
        config: Any = self.model.config
        self.labels = [str(config.id2label[index]) for index in range(config.num_labels)]
        self.is_probability = config.problem_type != "regression"
        self._each_alone = config.problem_type == "multi_label_classification" or config.num_labels == 1
        if config.pad_token_id is None:
            # Decoders read the last token that is no padding, and refuse batches without a padding token. Batches of
            # one length need none: with an id that no token has, the last token is read, as it is of a text alone.
            config.pad_token_id = -1
        self._longest = longest_input(self.model, self.tokenizer)
        self._budget = batch_tokens(str(self.model.device))

    def label(self, wanted: str | None) -> int:
        """Index of a label by its name, in any case; None means the only one.

        Raises:
            UserError: no such label, or several labels and none named.
        """
        if wanted is None and len(self.labels) == 1:
            return 0
        if wanted is None:
            raise UserError(f"Model {self._name!r} has the labels {', '.join(self.labels)}; set label to one of them.")
        found = [index for index, label in enumerate(self.labels) if label.lower() == wanted.lower()]
        if not found:
            raise UserError(f"Model {self._name!r} has no label {wanted!r}; {nearest(wanted, self.labels)}")
        return found[0]

    def scores(self, texts: Sequence[str], alone: bool = False) -> tuple[np.ndarray, dict[int, str]]:
        """Score texts.

        Args:
            texts: N; what is beyond the limit of the tokenizer or of the model's positions is cut off.
            alone: one text at a time, as a reference.

        Returns:
            (N, L) float32: probabilities that sum to 1; those of independent labels where the model's config says
            ``multi_label_classification`` or there is one label; raw outputs of a regression. NaN where a text cannot
            be tokenized; and index -> reason for those.
        """
        tokens, reasons = tokenize_each(self.tokenizer, texts, truncation=True, max_length=self._longest)
        scores = np.full((len(texts), len(self.labels)), np.nan, np.float32)
        lengths = [len(ids) for ids in tokens]
        for batch in equal_length_batches(lengths, 1 if alone else self._budget):
            if lengths[batch[0]]:
                for part, found in run_or_halve(lambda part: self._run([tokens[n] for n in part]), batch):
                    scores[part] = found
        empty = {n: "no tokens" for n, length in enumerate(lengths) if not length and n not in reasons}
        return scores, reasons | empty

    def _run(self, tokens: list[list[int]]) -> np.ndarray:
        import torch

        ids = torch.tensor(tokens, device=self.model.device)  # (B, T)
        with torch.inference_mode():
            logits = self.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.float()  # (B, L)
            if self.is_probability:
                logits = logits.sigmoid() if self._each_alone else logits.softmax(dim=-1)
            return logits.cpu().numpy()
