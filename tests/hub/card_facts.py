"""Realistic facts of releases: a small dataset, its student, results."""

from __future__ import annotations

from typing import Any

from idist.hub.facts import (
    ConfigFacts,
    DatasetFacts,
    DatasetReference,
    FeatureFacts,
    ModelFacts,
    ModelResult,
    QualityFacts,
    ResultsFacts,
    SplitFacts,
)

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TEXTS = {"id": "string", "context_id": "string", "x": "string", "y": "string"}
COLUMNS = {**TEXTS, "rouge_l": "float32", "entailment_xy": "float32", "entailment_yx": "float32"}
WORDS = {"x": "source", "y": "target", "rouge_l": "ROUGE-L F1 of x and y, 0 to 1"}

LINEAGE: dict[str, Any] = {
    "schema": 1,
    "kind": "dataset",
    "name": "acme/dimple",
    "toolkit": {"name": "idist", "version": "0.1.0", "commit": COMMIT},
    "config": {
        "name": "mini",
        "pairs": {
            "critics": [
                {"rouge_l": {"max": 0.75, "floor": 0.85}},
                {"entailment": {"min": 0.75, "directions": "both", "model": "embedded:entailment"}},
                {"diversity": {"min": 0.75}},
            ]
        },
        "self_distil": {"critics": None},
    },
    "config_fingerprint": "f132413283d60221",
    "seed": 0,
    "stages": {
        "contexts": {"fingerprint": "19aa", "rows": {"contexts": 600}, "counts": {}, "funnel": {}, "seconds": 14.9},
        "pairs": {"fingerprint": "aa26", "rows": {"selected": 283}, "counts": {"failures": 0}, "seconds": 580.5},
    },
    "models": [
        {"role": "contexts.model", "name": "openai-community/gpt2-xl", "revision": COMMIT},
        {"role": "pairs.model", "name": "openai-community/gpt2-xl", "revision": COMMIT},
        {"role": "pairs.critics.entailment.model", "name": "embedded:entailment", "weights": "folder:ee9b0fcd36ab115d"},
    ],
    "inputs": [{"name": "EdinburghNLP/xsum", "revision": COMMIT}],
    "libraries": {"python": "3.11.7", "idist": "0.1.0", "torch": "2.13.0"},
    "hardware": {"cpu": "Some CPU", "cores": 2, "memory_mib": 8192, "gpu": None},
}
FUNNEL = {
    "groups": 600,
    "steps": [
        {"name": "rouge_l", "seen": 213642, "removed": 12417, "failed": 0},
        {"name": "entailment", "seen": 201225, "removed": 200198, "failed": 3},
        {"name": "diversity", "seen": 1027, "removed": 744, "failed": 0},
    ],
    "kept": 283,
}


def config(
    name: str, default: bool, folder: str, columns: dict[str, str], rows: tuple[int, int], digest: str = "0123"
) -> ConfigFacts:
    """A config with train and validation and its YAML as `datasets` writes it."""
    splits = [
        SplitFacts(split, count, 70 * count + 500, f"{folder}/{split}-*.parquet")
        for split, count in zip(("train", "validation"), rows, strict=True)
    ]
    info = {
        "features": [{"name": column, "dtype": kind} for column, kind in columns.items()],
        "splits": [{"name": split.name, "num_bytes": split.bytes, "num_examples": split.rows} for split in splits],
        "download_size": sum(split.bytes for split in splits),
        "dataset_size": sum(split.bytes for split in splits),
    }
    features = [FeatureFacts(column, kind, WORDS.get(column, "")) for column, kind in columns.items()]
    return ConfigFacts(name, default, f"pairs of stage {name}", splits, features, info, digest)


def dataset_facts(**changes: Any) -> DatasetFacts:
    """DIMPLE in small, on a Hub, with its first release."""
    values: dict[str, Any] = {
        "name": "acme/dimple",
        "title": "DIMPLE mini",
        "tag": "v1.0.0",
        "language": "en",
        "license": "unknown",
        "configs": [
            config("default", True, "data", COLUMNS, (2, 1)),
            config("teacher", False, "teacher", TEXTS, (2, 1)),
        ],
        "rows_shown": [{"x": "The men are walking.", "y": "A group of men | walking."}] * 10,
        "funnels": {"default": FUNNEL, "teacher": FUNNEL},
        "quality": [
            QualityFacts("rouge_l", "ROUGE-L F1 of x and y", 0.6123, 0.4, 0.62, 0.7456),
            QualityFacts("words of x", "by blanks", 8.7, 5, 7, 16.9),
        ],
        "lineage": LINEAGE,
    }
    return DatasetFacts(**{**values, **changes})


RESULTS = [
    ModelResult(
        "scenes",
        "scenes",
        "test",
        "bert_ibleu",
        "BERT-iBLEU",
        51.519314,
        49.1,
        53.8,
        220,
        "beta:4|a[b:c]",
        "paper",
        "",
        True,
    ),
    ModelResult("scenes", "scenes", "test", "ibleu", "iBLEU", -7.692, -9.0, -6.1, 220, "alpha:0.7|tok:intl", "paper"),
    ModelResult("mrpc", "nyu-mll/glue", "test", "rouge_l", "ROUGE-L", 46.8, None, None, 1147, "", "standard"),
]


def model_facts(**changes: Any) -> ModelFacts:
    """The student of that dataset."""
    values: dict[str, Any] = {
        "name": "acme/impossible-t5",
        "title": "Impossible-T5 mini",
        "tag": "v1.0.0",
        "language": "en",
        "license": "cc-by-sa-4.0",
        "base_model": "embedded:student",
        "dataset": DatasetReference("acme/dimple", COMMIT, "v1.0.0"),
        "seq2seq": True,
        "prompt": "{source}",
        "max_source_tokens": 64,
        "generation": {"num_beams": 4, "max_new_tokens": 20},
        "parameters": 6_427_648,
        "training": {
            "config": {"learning_rate": 0.002, "optimizer": "adafactor", "epochs": 12.0, "prompt": ""},
            "pairs": 212,
            "held_out": 11,
            "steps": 102,
            "planned_steps": 168,
            "kept_step": 51,
            "eval_loss": 0.3197295,
            "seconds": 25.2,
            "device": "cpu",
        },
        "results": RESULTS,
        "lineage": {**LINEAGE, "kind": "model", "name": "acme/impossible-t5"},
        "curve": True,
    }
    return ModelFacts(**{**values, **changes})


def results_facts(**changes: Any) -> ResultsFacts:
    """Results of two systems as a dataset."""
    columns = {"system": "string", "task": "string", "metric": "string", "value": "float64"}
    values: dict[str, Any] = {
        "name": "acme/results",
        "title": "Results of DIMPLE mini",
        "tag": "v1.0.0",
        "language": "en",
        "license": "apache-2.0",
        "configs": [config("default", True, "data", columns, (2, 1))],
        "results": [ModelResult(**{**vars(result), "system": "idist:student"}) for result in RESULTS],
    }
    return ResultsFacts(**{**values, **changes})
