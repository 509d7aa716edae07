"""The last table of `recipes/distill.py`: copying and the students on pairs that no stage has seen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from idist.config import EvaluationConfig, TrainConfig

COLUMNS = (("bert_ibleu", "BERT-iBLEU"), ("ibleu", "iBLEU"), ("bleu", "BLEU"), ("rouge_l", "ROUGE-L"))


def evaluate(
    students: dict[str, Path], config: EvaluationConfig, train: TrainConfig, folder: Path, device: str, dtype: str
) -> tuple[str, Path]:
    """Score copy-input and every student; write predictions and scores.

    Args:
        students: row title -> model folder.
        config: which pairs, how many, beam width, BERTScore backbone.
        train: the students' prompt and token limits.
        folder: gets ``predictions.jsonl`` (one line an example) and ``scores.json``.

    Returns:
        The table as text, and the path of ``scores.json``.
    """
    from eval_harness.metrics import score
    from eval_harness.pairs import read_pairs

    sources, references = read_pairs(config.pairs, config.limit)
    systems: dict[str, list[str]] = {"copy-input": list(sources)}
    for title, model in students.items():
        systems[title] = rewrite(model, sources, train, config.num_beams, device, dtype)
    scores = {
        title: score(predictions, sources, references, bertscore_model=config.bertscore_model)
        for title, predictions in systems.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "predictions.jsonl").open("w", encoding="utf-8") as file:
        for index, (source, reference) in enumerate(zip(sources, references, strict=True)):
            row = {"source": source, "reference": reference, **{t: p[index] for t, p in systems.items()}}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    figures: dict[str, Any] = {t: {k: v for k, v in asdict(s).items() if _plain(v)} for t, s in scores.items()}
    path = folder / "scores.json"
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    signature = next(iter(scores.values())).signature
    return _table(figures, len(sources), config.pairs, signature), path


def rewrite(
    model_folder: Path, sources: Sequence[str], train: TrainConfig, num_beams: int, device: str, dtype: str
) -> list[str]:
    """Beam-search output of a student for every source, in the order given; batches are sorted by length."""
    import torch

    from idist.models import load_student
    from idist.stages._training_data import encode_sources

    loaded: tuple[Any, Any] = load_student(str(model_folder), device, dtype)
    model, tokenizer = loaded
    seq2seq = model.config.is_encoder_decoder
    rows = encode_sources(tokenizer, sources, train, seq2seq)  # the token form that it was trained on
    order = sorted(range(len(sources)), key=lambda i: len(sources[i]))
    outputs = [""] * len(sources)
    for start in range(0, len(order), 32):
        batch = order[start : start + 32]
        # `load_student` sets a decoder-only student's padding side to the left
        inputs = tokenizer.pad({"input_ids": [rows[i] for i in batch]}, return_tensors="pt").to(model.device)
        with torch.inference_mode():
            ids = model.generate(**inputs, num_beams=num_beams, do_sample=False, max_new_tokens=train.max_target_tokens)
        if not seq2seq:
            ids = ids[:, inputs["input_ids"].shape[1] :]
        for i, text in zip(batch, tokenizer.batch_decode(ids, skip_special_tokens=True), strict=True):
            outputs[i] = " ".join(text.split())
    return outputs


def _plain(value: Any) -> bool:
    return isinstance(value, (int, float, str))


def _table(figures: dict[str, Any], pairs: int, name: str | None, signature: str) -> str:
    where = name or "shipped with the harness"
    width = max(map(len, figures))
    lines = [f"{pairs} held-out pairs ({where})", " " * width + "".join(f"{title:>12}" for _, title in COLUMNS)]
    for title, row in figures.items():
        lines.append(f"{title:<{width}}" + "".join(f"{row[key]:>12.1f}" for key, _ in COLUMNS))
    return "\n".join([*lines, signature])
