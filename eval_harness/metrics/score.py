"""The one call that most need: predictions in, the four numbers of the paper's Table 2 out, with their signature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from eval_harness.metrics.backbone import DEFAULT_BACKBONE
from eval_harness.metrics.base import Examples, Floats, Metric, Protocol
from eval_harness.metrics.bert_ibleu import BertIBleu
from eval_harness.metrics.bertscore import BertScore
from eval_harness.metrics.bleu import Bleu, SelfBleu
from eval_harness.metrics.ibleu import IBleu
from eval_harness.metrics.rouge_l import RougeL


@dataclass(frozen=True)
class Scores:
    """Scores times 100 of n examples, and how they were made."""

    bert_ibleu: float
    ibleu: float
    bleu: float
    rouge_l: float
    self_bleu: float  # against the source: how much was copied
    bertscore: float  # against the source: how much of the meaning was kept
    n: int
    signature: str
    per_example: dict[str, Floats] = field(repr=False, compare=False)  # name of each score above -> (n,)

    def __str__(self) -> str:
        return (
            f"BERT-iBLEU {self.bert_ibleu:.1f}  iBLEU {self.ibleu:.1f}  BLEU {self.bleu:.1f}  "
            f"ROUGE-L {self.rouge_l:.1f}  (n = {self.n}; {self.signature})"
        )


def score(
    predictions: Sequence[str],
    sources: Sequence[str],
    references: Sequence[str] | Sequence[Sequence[str]],
    protocol: Protocol = "paper",
    bertscore_model: str = DEFAULT_BACKBONE,
    num_layers: int | None = None,
) -> Scores:
    """Score n predictions; ``references[i]`` is one string or several for ``predictions[i]``.

    Args:
        protocol: ``paper`` (mean sentence BLEU) or ``standard`` (corpus sacreBLEU); see ``bleu.py``.
        bertscore_model: backbone of BERTScore, a Hub id, ``embedded:NAME`` or a local folder.
        num_layers: layer of the backbone; needed where neither bert-score nor we know a good one.

    Raises:
        UserError: lists of different lengths, no example, unknown protocol, a backbone that does not load.
    """
    examples = Examples.of(predictions, sources, references)
    metrics: list[Metric] = [
        BertIBleu(protocol, bertscore_model, num_layers),
        IBleu(protocol),
        Bleu(protocol),
        RougeL(),
        SelfBleu(protocol),
        BertScore(bertscore_model, num_layers, "sources"),
    ]
    statistics = {metric.name: metric.statistics(examples) for metric in metrics}
    return Scores(
        **{metric.name: metric.score(statistics[metric.name]) for metric in metrics},
        n=len(examples),
        signature=_signature(protocol, metrics),
        per_example={metric.name: metric.per_example(statistics[metric.name]) for metric in metrics},
    )


def _signature(protocol: str, metrics: list[Metric]) -> str:
    """The protocol, then each metric's own signature."""
    return "; ".join([f"protocol:{protocol}", *(f"{metric.name}[{metric.signature()}]" for metric in metrics)])
