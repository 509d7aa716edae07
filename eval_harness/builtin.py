"""What ships with the harness: kind -> {name: ``module:attribute``, or the path of a task's YAML}.

Nothing here is special: other packages register the same way (see ``registry``).
"""

from __future__ import annotations

from pathlib import Path

_TASKS = Path(__file__).parent / "tasks"
_TASK_NAMES = (
    "scenes",
    "scenes-syntax",
    "scenes-summary",
    "mrpc",
    "paranmt-small",
    "paranmt-small-syntax",
    "parasci-arxiv",
    "quora",
    "mscoco",
    "gigaword",
)

BUILT_IN: dict[str, dict[str, str | Path]] = {
    "task": {name: _TASKS / f"{name}.yaml" for name in _TASK_NAMES},
    "metric": {
        "bert_ibleu": "eval_harness.metrics.bert_ibleu:BertIBleu",
        "ibleu": "eval_harness.metrics.ibleu:IBleu",
        "bleu": "eval_harness.metrics.bleu:Bleu",
        "self_bleu": "eval_harness.metrics.bleu:SelfBleu",
        "rouge_l": "eval_harness.metrics.rouge_l:RougeL",
        "bertscore": "eval_harness.metrics.bertscore:BertScore",
        "ted_f": "eval_harness.metrics.ted:TedF",
        "ted_3": "eval_harness.metrics.ted:Ted3",
        "cosine": "eval_harness.metrics.cosine:Cosine",
        "compression": "eval_harness.metrics.compression:Compression",
        "faithfulness": "eval_harness.metrics.faithfulness:Faithfulness",
        "parascore": "eval_harness.metrics.parascore:ParaScore",
        "human_fluency": "eval_harness.metrics.human:HumanFluency",
        "human_faithfulness": "eval_harness.metrics.human:HumanFaithfulness",
        "human_dissimilarity": "eval_harness.metrics.human:HumanDissimilarity",
        "human_conciseness": "eval_harness.metrics.human:HumanConciseness",
    },
    "system": {
        "copy-input": "eval_harness.systems.copy_input:CopyInput",
        "lead": "eval_harness.systems.lead:Lead",
        "hf-seq2seq": "eval_harness.systems.hf_seq2seq:HfSeq2Seq",
        "hf-causal": "eval_harness.systems.hf_causal:HfCausal",
        "chat": "eval_harness.systems.chat:Chat",
        "predictions": "eval_harness.systems.predictions:Predictions",
        "back-translation": "eval_harness.systems.back_translation:BackTranslation",
        "idist": "eval_harness.systems.student:Student",
    },
}
