"""Language identification: of the package py3langid, and of a classifier whose labels are languages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import idist.models
from idist.critics import Group, build_cascade
from idist.errors import UserError
from tests.critics.random_models import TEXTS, save_classifier

packaged = pytest.mark.skipif(find_spec("py3langid") is None, reason="needs py3langid: pip install '.[translation]'")
SENTENCES = [
    "A man is playing the guitar on a street corner.",
    "Un homme joue de la guitare au coin d'une rue.",
    "Ein Mann spielt an einer Straßenecke Gitarre.",
    "Two dogs are running through the snow in the park.",
    "犬が雪の中を走っている。",
    "42",
]


@pytest.fixture(scope="module")
def languages(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_classifier("xlm-roberta", tmp_path_factory.mktemp("languages"), ["en", "fr", "de"])


def reference(folder: str, texts: list[str]) -> np.ndarray:
    """(N, 3) by the pipeline of transformers, one text at a time."""
    from transformers import pipeline

    classify = pipeline("text-classification", model=folder, tokenizer=folder, device="cpu")
    rows = [{row["label"]: row["score"] for row in classify(text, top_k=None)} for text in texts]
    return np.array([[row[label] for label in ("en", "fr", "de")] for row in rows])


def test_a_classifiers_probabilities_of_x_and_y(languages: str) -> None:
    asked = {"x": "en", "y": "fr", "min": 0.2, "floor": 0.0, "model": languages}
    cascade = build_cascade([{"language": asked}], "cpu")
    assert cascade.score_columns == ["language_x", "language_y"] and not cascade.judged_once
    [judged] = cascade.score([Group("g", TEXTS)])
    p = reference(languages, TEXTS)
    assert judged.scores["language_x"] == pytest.approx(p[judged.i, 0], abs=1e-5)
    assert judged.scores["language_y"] == pytest.approx(p[judged.j, 1], abs=1e-5)
    kept, _ = cascade.select([judged])
    both = (p[judged.i, 0] >= 0.2) & (p[judged.j, 1] >= 0.2)
    assert {(pair.i, pair.j) for pair in kept} == set(map(tuple, judged.pairs[both].tolist()))
    assert 0 < both.sum() < len(both)


def test_one_language_for_both_sides_is_symmetric(languages: str) -> None:
    cascade = build_cascade([{"language": {"x": "en", "y": "en", "floor": 0.0, "model": languages}}], "cpu")
    assert cascade.score_columns == ["language"] and cascade.judged_once
    [judged] = cascade.score([Group("g", TEXTS)])
    p = reference(languages, TEXTS)[:, 0]
    assert judged.scores["language"] == pytest.approx(np.minimum(p[judged.i], p[judged.j]), abs=1e-5)


def test_one_side_alone(languages: str) -> None:
    cascade = build_cascade([{"target": {"kind": "language", "y": "FR", "floor": 0.0, "model": languages}}], "cpu")
    assert cascade.score_columns == ["target_y"]
    [judged] = cascade.score([Group("g", TEXTS)])
    assert judged.scores["target_y"] == pytest.approx(reference(languages, TEXTS)[judged.j, 1], abs=1e-5)


@packaged
def test_py3langid_tells_languages_apart() -> None:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    cascade = build_cascade([{"language": {"x": "en", "y": "fr"}}], "cpu")
    [judged] = cascade.score([Group("g", SENTENCES)])
    p = [dict(identifier.rank(sentence)) for sentence in SENTENCES]
    assert judged.scores["language_x"] == pytest.approx(np.array([p[i]["en"] for i in judged.i]), abs=1e-6)
    assert judged.scores["language_y"] == pytest.approx(np.array([p[j]["fr"] for j in judged.j]), abs=1e-6)
    kept, _ = cascade.select([judged])
    assert {(pair.i, pair.j) for pair in kept} == {(0, 1), (3, 1)}


@packaged
def test_a_text_without_letters_is_in_no_language() -> None:
    cascade = build_cascade([{"language": {"x": "en"}}], "cpu")
    kept, _ = cascade.select(cascade.score([Group("g", [*SENTENCES, "", "\ud800"])]))
    assert {pair.i for pair in kept} == {0, 3}


@packaged
def test_scores_name_the_version_of_the_package() -> None:
    from importlib.metadata import version

    critics = build_cascade([{"language": {"x": "en"}}]).score_config()["critics"]
    assert critics["language"]["models"] == {"model": f"py3langid=={version('py3langid')}"}


def test_without_the_package_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idist.models, "find_spec", lambda name: None)
    with pytest.raises(UserError) as error:
        build_cascade([{"language": {"x": "en"}}])
    assert str(error.value) == (
        "critics.language.model: Model 'py3langid' is a package that is not installed: "
        "pip install 'idist[translation]'."
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "language has neither x nor y"),
        ({"x": False}, "language.x is False, expected a string"),
        ({"x": "en", "min": 50}, "language.min is 50.0, expected a value from 0 to 1"),
        ({"x": "en", "min": 0.5, "floor": 0.6}, "language.floor is 0.6, stricter than language.min"),
    ],
)
def test_refused_before_anything_is_loaded(settings: dict[str, Any], expected: str, languages: str) -> None:
    with pytest.raises(UserError) as error:
        build_cascade([{"language": {"model": languages, **settings}}])
    assert expected in str(error.value)


@pytest.mark.parametrize("side", ["x", "y"])
def test_a_language_that_the_model_does_not_know(side: str, languages: str) -> None:
    cascade = build_cascade([{"language": {"model": languages, side: "english"}}], "cpu")
    with pytest.raises(UserError, match="knows no language 'english'; expected one of: de, en, fr"):
        cascade.score([Group("g", TEXTS)])


def test_the_package_by_another_road(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of that name in the working directory is not taken for it."""
    (tmp_path / "py3langid").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(idist.models, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="not installed"):
        idist.models.resolve("py3langid")
