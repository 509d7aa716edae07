"""Tree-edit-distance floor: a paraphrase must be built differently from its source (paper section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from idist.critics.base import Answer, Critic, dial

if TYPE_CHECKING:
    from idist.critics.groups import Group
    from idist.critics.loading import Models


@dataclass
class TreeEditDistance(Critic):
    """Nodes to insert, delete or relabel to turn one constituency tree into the other; words are not nodes.

    Each distinct sentence is parsed once. Distances are exact, so that a later cut at any higher threshold holds. A
    sentence without a tree keeps the parser's reason; its pairs are removed and counted as failed.
    """

    min: int = dial(12, low=0)  # paper, A.2
    floor: int | None = dial(None, low=0)
    parser: str = dial("stanza:en")  # the paper: Stanford CoreNLP

    cost = 0.3  # mostly parsing, shared by a sentence's pairs

    def model_names(self) -> dict[str, str]:
        from idist.models import parser_encoder

        encoder = parser_encoder(self.parser)
        return {"parser": self.parser} | ({"encoder": encoder} if encoder else {})

    def load(self, models: Models) -> None:
        self._parser = models.parser(self.parser)

    def score_groups(self, batch: Sequence[tuple[Group, np.ndarray]]) -> list[Answer]:
        from idist.trees import TreeIndex
        from idist.trees.parser import ParseFailure

        involved = [np.unique(pairs) for _, pairs in batch]
        texts = dict.fromkeys(
            group.sentences[index] for (group, _), used in zip(batch, involved, strict=True) for index in used
        )
        trees = dict(zip(texts, self._parser.parse(list(texts)), strict=True))
        answers = []
        for (group, pairs), used in zip(batch, involved, strict=True):
            failures = {}
            for index in used.tolist():
                tree = trees[group.sentences[index]]
                if isinstance(tree, ParseFailure):
                    failures[index] = tree.reason
            distances = TreeIndex([trees.get(sentence) for sentence in group.sentences]).distances(pairs)
            answers.append(Answer(np.where(distances < 0, np.nan, distances)[:, None], failures))
        return answers
