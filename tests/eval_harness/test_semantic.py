"""Cosine, faithfulness, ParaScore and compression against the models and formulas written out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval_harness.metrics import Compression, Cosine, Examples, Faithfulness, ParaScore
from eval_harness.metrics.backbone import EMBEDDED_LAYERS
from eval_harness.metrics.parascore import divergence
from eval_harness.pairs import read_pairs
from idist._schema import build
from idist.errors import UserError
from idist.models import load_classifier, load_encoder, resolve

ENCODER, CRITIC = "embedded:encoder", "embedded:entailment"


@pytest.fixture(scope="module")
def examples() -> Examples:
    """Predictions near the source, and a wrong one; two references each."""
    sources, targets = read_pairs(limit=10)
    predictions = [*targets[:8], targets[0], sources[9]]
    return Examples.of(
        predictions, sources, [[target, source] for target, source in zip(targets, sources, strict=True)]
    )


def values(metric: Any, examples: Examples) -> list[float]:
    statistics = metric.statistics(examples)
    assert statistics.shape == (len(examples), 1)
    return statistics[:, 0].tolist()


def hidden(texts: list[str], pooling: str) -> np.ndarray:
    """(n, D) vectors of length 1, one text at a time."""
    import torch

    model, tokenizer = load_encoder(ENCODER, "cpu")
    rows = []
    for text in texts:
        with torch.no_grad():
            output = model(**tokenizer(text, return_tensors="pt"))
        states = output.last_hidden_state[0]
        vector = {"mean": states.mean(0), "cls": states[0], "pooler": output.pooler_output[0]}[pooling].numpy()
        rows.append(vector / np.linalg.norm(vector))
    return np.array(rows)


@pytest.mark.parametrize("pooling", ["mean", "cls", "pooler"])
def test_cosine_is_that_of_the_encoders_vectors(examples: Examples, pooling: str) -> None:
    expected = (hidden(examples.predictions, pooling) * hidden(examples.sources, pooling)).sum(axis=1)
    assert values(Cosine(pooling=pooling), examples) == pytest.approx(100 * expected, abs=1e-3)
    assert values(Cosine(pooling=pooling), examples)[9] == 100.0


def test_pooling_follows_the_model() -> None:
    assert "|pooling:mean|" in Cosine().signature()
    assert "|pooling:pooler|" in Cosine("princeton-nlp/sup-simcse-roberta-large").signature()
    assert "|pooling:cls|" in Cosine("princeton-nlp/unsup-simcse-bert-base-uncased").signature()
    assert "|pooling:mean|" in Cosine("princeton-nlp/sup-simcse-roberta-large", "mean").signature()
    with pytest.raises(UserError, match="Cosine: pooling is 'max', expected one of: auto, mean, cls, pooler"):
        Cosine(pooling="max")


def test_faithfulness_is_the_classifiers_probability(examples: Examples) -> None:
    import torch

    model, tokenizer = load_classifier(CRITIC, "cpu")
    label = {name.lower(): index for index, name in model.config.id2label.items()}["entailment"]
    expected = []
    for source, prediction in zip(examples.sources, examples.predictions, strict=True):
        with torch.no_grad():
            logits = model(**tokenizer(source, prediction, return_tensors="pt")).logits[0]
        expected.append(100 * float(logits.softmax(0)[label]))
    expected[9] = 100.0  # a copy
    assert values(Faithfulness(), examples) == pytest.approx(expected, abs=1e-2)
    middle = float(np.mean(sorted(expected)[4:6]))  # half of them on either side, whatever the weights
    shares = values(Faithfulness(threshold=middle / 100), examples)
    assert shares == [100.0 * (p >= middle) for p in expected]
    assert sum(shares) == 500.0


def test_parascore_is_its_formula(examples: Examples) -> None:
    import bert_score
    from nltk import edit_distance

    def similarity(texts: list[str]) -> np.ndarray:
        layers, folder = EMBEDDED_LAYERS[ENCODER], resolve(ENCODER)[0]
        return bert_score.score(examples.predictions, texts, model_type=folder, num_layers=layers, device="cpu")[
            2
        ].numpy()

    expected = []
    to_source, to_reference = similarity(examples.sources), similarity([r[0] for r in examples.references])
    rows = zip(examples.predictions, examples.sources, to_source, to_reference, strict=True)
    for prediction, source, s, r in rows:
        d = edit_distance(prediction, source) / max(len(prediction), len(source))
        expected.append((s, r, 0.35 if d >= 0.35 else d * 1.35 / 0.35 - 1))
    both = [100 * (max(s, r) + 0.05 * rewording) for s, r, rewording in expected]
    free = [100 * (s + 0.05 * rewording) for s, _, rewording in expected]
    assert values(ParaScore(), examples) == pytest.approx(both, abs=1e-3)
    assert values(ParaScore(against="sources"), examples) == pytest.approx(free, abs=1e-3)
    without = Examples.of(examples.predictions, examples.sources)
    assert values(ParaScore(), without) == values(ParaScore(against="sources"), examples)
    assert free[9] == pytest.approx(95.0)  # a copy
    doubled = [100 * (s + 0.1 * rewording) for s, _, rewording in expected]
    assert values(ParaScore(against="sources", omega=0.1), examples) == pytest.approx(doubled, abs=1e-3)


def test_divergence_rises_to_gamma_and_stays() -> None:
    predictions = ["abcdefghij", "abcdefghix", "abcdefgxyz", "abcdefxxyz", "0123456789", "abcdefghijklmnopqrst"]
    scores = divergence(predictions, ["abcdefghij"] * 6, 0.35)
    assert scores == pytest.approx([-1.0, 0.1 * 1.35 / 0.35 - 1, 0.3 * 1.35 / 0.35 - 1, 0.35, 0.35, 0.35])


def test_compression_counts_characters() -> None:
    examples = Examples.of(["abc", "", "abcdef", "犬", " ab\n"], ["abcdef", "abc", "abc", "犬犬", "ab"])
    metric = Compression()
    assert values(metric, examples) == [50.0, 0.0, 200.0, 50.0, 100.0]
    assert metric.score(metric.statistics(examples)) == 80.0
    assert values(metric, Examples.of(["", "ab"], ["", " "])) == [0.0, 200.0]


@pytest.mark.parametrize("metric", [Cosine(), Faithfulness(), Faithfulness(threshold=0.5), ParaScore()])
def test_empty_copied_and_odd_predictions(metric: Any) -> None:
    source = "A dog runs."
    predictions = ["", " \n", source, "犬が走る。", "\u200b", "a man walks " * 400, "\ud800"]
    scores = values(metric, Examples.of(predictions, [source] * 7, [["The dog is running."]] * 7))
    assert scores[:2] == [0.0, 0.0]
    assert scores[2] == pytest.approx(95.0 if isinstance(metric, ParaScore) else 100.0)
    assert np.isfinite(scores).all()
    assert max(scores[4], scores[6]) < scores[2]
    assert values(metric, Examples.of([""], [""], ["x"])) == [0.0]


def test_punctuation_alone_is_not_faithful() -> None:
    """The classifier itself finds a hypothesis without words entailed."""
    examples = Examples.of([".", "\u200b", "...", "!"], ["A dog runs.", "A dog runs.", "...", "A dog runs."])
    assert values(Faithfulness(), examples) == [0.0, 0.0, 0.0, 0.0]


def test_signatures_name_settings_models_and_versions() -> None:
    import transformers

    library = f"|transformers:{transformers.__version__}"
    assert Faithfulness().signature().startswith("score:mean-probability|source-entails-prediction|model:embedded:")
    assert Faithfulness(threshold=0.75).signature().startswith("score:share-at-least-0.75|")
    assert ParaScore().signature().startswith("omega:0.05|gamma:0.35|against:source-and-references|backbone:embedded:")
    assert ParaScore(against="sources").signature().startswith("omega:0.05|gamma:0.35|against:source|backbone:")
    assert all(library in metric.signature() for metric in (Cosine(), Faithfulness(), ParaScore()))
    assert all("|weights:folder:" in metric.signature() for metric in (Cosine(), Faithfulness(), ParaScore()))
    assert Compression().signature() == "mean-ratio|unit:characters"


def test_wrong_settings_are_named() -> None:
    with pytest.raises(UserError, match=r"Faithfulness: threshold is 1\.5, expected a number from 0 to 1"):
        Faithfulness(threshold=1.5)
    with pytest.raises(UserError, match="ParaScore: omega is -1, expected 0 or more"):
        ParaScore(omega=-1)
    with pytest.raises(UserError, match="ParaScore: gamma is 0"):
        ParaScore(gamma=0.0)
    with pytest.raises(UserError, match="ParaScore: against is 'both sides', expected one of: both, sources"):
        ParaScore(against="both sides")
    with pytest.raises(UserError, match="ParaScore: num_layers is 0, expected 1 or more"):
        ParaScore(num_layers=0)
    assert build(ParaScore, {"omega": "1e-1", "num_layers": 3}, "spec", "") == ParaScore(omega=0.1, num_layers=3)
    with pytest.raises(UserError, match="unknown key 'omga'; did you mean 'omega'?"):
        build(ParaScore, {"omga": 1.0}, "spec", "")


LIGHT = """
import sys
import numpy as np
from eval_harness import metrics
from eval_harness.statistics import bootstrap, paired_test
made = [getattr(metrics, name)() for name in metrics.__all__ if name not in ("Examples", "Metric", "Scores", "score")]
for metric in made:
    width = {"bleu": 10, "self_bleu": 10, "ibleu": 20}.get(metric.name, 1)
    statistics = np.arange(12.0 * width).reshape(12, width)
    low, high = bootstrap(metric, statistics, 10)
    assert metric.signature() and metric.title and low <= high, metric
    paired_test(metric, statistics, statistics[::-1], resamples=10)
heavy = ["torch", "transformers", "bert_score", "nltk", "pandas", "matplotlib", "stanza"]
print(len(made), [name for name in heavy if name in sys.modules])
"""


def test_metrics_are_made_and_aggregate_again_without_any_model() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout == "12 []\n"
