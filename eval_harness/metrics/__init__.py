"""Metrics of paraphrase generation. Each gives statistics per example; scores are aggregates of those.

Heavy libraries (torch, transformers, bert-score) and models load when a metric that needs them is first computed.
"""

from eval_harness.metrics.base import Examples, Metric
from eval_harness.metrics.bert_ibleu import BertIBleu
from eval_harness.metrics.bertscore import BertScore
from eval_harness.metrics.bleu import Bleu, SelfBleu
from eval_harness.metrics.compression import Compression
from eval_harness.metrics.cosine import Cosine
from eval_harness.metrics.faithfulness import Faithfulness
from eval_harness.metrics.ibleu import IBleu
from eval_harness.metrics.parascore import ParaScore
from eval_harness.metrics.rouge_l import RougeL
from eval_harness.metrics.score import Scores, score
from eval_harness.metrics.ted import Ted3, TedF

__all__ = [
    "BertIBleu",
    "BertScore",
    "Bleu",
    "Compression",
    "Cosine",
    "Examples",
    "Faithfulness",
    "IBleu",
    "Metric",
    "ParaScore",
    "RougeL",
    "Scores",
    "SelfBleu",
    "Ted3",
    "TedF",
    "score",
]
