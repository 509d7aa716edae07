"""The composition for translation, through the stage `pairs`, with small random models in the real architectures."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from idist.config import RunConfig, load_config
from idist.critics import Funnel, build_cascade
from idist.stages import contexts, pairs
from tests.critics.random_models import TEXTS, save_causal_lm, save_classifier
from tests.stages.tiny import contents, rows

CONFIG = Path(__file__).parents[2] / "recipes" / "configs" / "translation.yaml"
LANGUAGE, ENTAILMENT = 0.01, 0.2  # thresholds that random models' scores lie on both sides of


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A multilingual decoder, an XLM-R for NLI in the order of labels of the config's model, an XLM-R for languages."""
    folder = tmp_path_factory.mktemp("models")
    nli = ["contradiction", "neutral", "entailment"]
    return {
        "teacher": save_causal_lm("bloom", folder / "teacher", spread=0.02),
        "nli": save_classifier("xlm-roberta", folder / "nli", nli),
        "languages": save_classifier("xlm-roberta", folder / "languages", ["en", "fr"], seed=1),
    }


@pytest.fixture(scope="module", params=["classifier", "py3langid"])
def config(request: pytest.FixtureRequest, models: dict[str, str], tmp_path_factory: Any) -> RunConfig:
    """The shipped config with other models, low thresholds and a text with both languages for contexts."""
    if request.param == "py3langid" and find_spec("py3langid") is None:
        pytest.skip("needs py3langid: pip install '.[translation]'")
    text = tmp_path_factory.mktemp("text") / "bilingual.txt"
    text.write_text("\n\n".join(f"{a} {b}" for a, b in zip(TEXTS[::2], TEXTS[1::2], strict=False)), encoding="utf-8")
    changes = {
        "contexts.source": str(text),
        "contexts.count": 3,
        "pairs.model": models["teacher"],
        "pairs.k": 24,
        "pairs.max_new_tokens": 24,
        "pairs.no_repeat_ngram_size": 0,
        "pairs.critics.language.min": LANGUAGE,
        "pairs.critics.language.floor": LANGUAGE / 2,
        "pairs.critics.entailment.model": models["nli"],
        "pairs.critics.entailment.min": ENTAILMENT,
        "pairs.critics.entailment.floor": ENTAILMENT / 2,
        "pairs.critics.diversity.floor": 0.5,
        "engine.shard_size": 2,
    }
    if request.param == "classifier":
        changes["pairs.critics.language.model"] = models["languages"]
    return load_config(CONFIG, [f"{key}={value}" for key, value in changes.items()])


@pytest.fixture(scope="module")
def run(config: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "translation"
    contexts.run(config, folder, progress=False)
    pairs.run(config, folder, progress=False)
    return folder


def test_the_shipped_composition_is_oriented_and_ends_with_the_dear() -> None:
    if find_spec("py3langid") is None:
        pytest.skip("needs py3langid: pip install '.[translation]'")
    cascade = build_cascade(load_config(CONFIG).pairs.critics)
    assert [critic.name for critic in cascade.critics] == ["length_ratio", "language", "entailment", "diversity"]
    assert not cascade.judged_once
    assert cascade.score_columns[1:3] == ["language_x", "language_y"]


def test_both_orders_of_every_pair_are_candidates(run: Path) -> None:
    sizes = {row["context_id"]: len(row["sentences"]) for row in rows(run, "pairs", "sentences")}
    assert len(sizes) == 3 and min(sizes.values()) > 2
    candidates = rows(run, "pairs", "candidates")
    found = [(row["context_id"], row["i"], row["j"]) for row in candidates]
    assert found == [(c, i, j) for c, size in sizes.items() for i in range(size) for j in range(size) if i != j]


def test_scores_are_those_of_the_models_alone(run: Path, config: RunConfig, models: dict[str, str]) -> None:
    """Each kept or removed by what transformers (or py3langid) says of its sentences, x before y."""
    from transformers import pipeline

    entails = pipeline("text-classification", model=models["nli"], tokenizer=models["nli"], device="cpu")
    language = _language_of(config)
    settings = {name: values for critic in config.pairs.critics for name, values in critic.items()}
    ratio = settings["length_ratio"]
    texts = {row["context_id"]: row["sentences"] for row in rows(run, "pairs", "sentences")}
    candidates = rows(run, "pairs", "candidates")
    asked = 0
    for row in candidates:
        x, y = (texts[row["context_id"]][row[side]] for side in ("i", "j"))
        assert row["length_ratio"] == pytest.approx(len(y) / len(x))
        if not ratio["floor"] <= len(y) / len(x) < ratio["ceiling"]:
            assert row["removed_by"] == "length_ratio" and np.isnan(row["language_x"])
            continue
        assert row["language_x"] == pytest.approx(language(x, "en"), abs=1e-5)
        assert row["language_y"] == pytest.approx(language(y, "fr"), abs=1e-5)
        if min(row["language_x"], row["language_y"]) < LANGUAGE / 2:
            assert row["removed_by"] == "language" and np.isnan(row["entailment_xy"])
        elif asked < 60:  # the reference takes its time
            asked += 1
            both = entails([{"text": x, "text_pair": y}, {"text": y, "text_pair": x}], top_k=None)
            forward, backward = (next(r["score"] for r in ranked if r["label"] == "entailment") for ranked in both)
            known = [p for p in (row["entailment_xy"], row["entailment_yx"]) if not np.isnan(p)]
            assert known and all(min(abs(p - forward), abs(p - backward)) < 1e-5 for p in known)
            assert (row["removed_by"] == "entailment") == (min(forward, backward) < ENTAILMENT / 2)
    assert asked > 10


def test_kept_pairs_are_within_the_thresholds_in_their_order(run: Path) -> None:
    kept = rows(run, "pairs", "selected")
    assert kept
    for row in kept:
        assert min(row["language_x"], row["language_y"]) >= np.float32(LANGUAGE)
        assert min(row["entailment_xy"], row["entailment_yx"]) >= np.float32(ENTAILMENT)
        assert 0.5 <= len(row["y"]) / len(row["x"]) < 2.0
        context, i, j = row["id"].split("-")
        texts = {one["context_id"]: one["sentences"] for one in rows(run, "pairs", "sentences")}[context]
        assert (row["x"], row["y"]) == (texts[int(i)], texts[int(j)]), "never turned"


def test_another_language_threshold_needs_no_model(
    run: Path, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = contents(run, "sentences", "candidates")
    before = rows(run, "pairs", "selected")
    settings = next(critic["language"] for critic in config.pairs.critics if "language" in critic)
    monkeypatch.setitem(settings, "min", 1.0)
    result = pairs.run(config, run, progress=False)
    assert contents(run, "sentences", "candidates") == scored
    assert result.rows["selected"] < len(before)
    step = next(step for step in Funnel.from_dict(result.funnel).steps if step.name == "language")
    assert step.removed == step.seen > 0
    monkeypatch.undo()
    pairs.run(config, run, progress=False)
    assert rows(run, "pairs", "selected") == before


def _language_of(config: RunConfig) -> Any:
    """(text, language) -> probability, by the package or by the pipeline of transformers."""
    settings = next(critic["language"] for critic in config.pairs.critics if "language" in critic)
    if "model" in settings:
        from transformers import pipeline

        model = settings["model"]
        classify = pipeline("text-classification", model=model, tokenizer=model, device="cpu")
        known: dict[str, dict[str, float]] = {}

        def by_classifier(text: str, language: str) -> float:
            if text not in known:
                known[text] = {row["label"]: row["score"] for row in classify(text, top_k=None)}
            return known[text][language]

        return by_classifier
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    return lambda text, language: dict(identifier.rank(text))[language]
