"""A config without the machine in it, and the run that a release's lineage gives back."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from idist.config import RunConfig, build_config, to_dict
from idist.errors import UserError
from idist.release import differences, rebuild_config
from idist.release.portable import config_fingerprint, portable, portable_config
from idist.stages import contexts, pairs, self_distil
from tests.release.conftest import config

COMMIT = "c" * 40


@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("gpt2-xl", "gpt2-xl"),
        ("org/model@v1", "org/model@v1"),
        ("embedded:teacher", "embedded:teacher"),
        ("run:train", "run:train"),
        ("stanza:en", "stanza:en"),
        ("news", "news"),
        ("/home/me/models/t5", "local:t5"),
        ("~/t5/", "local:t5"),
        ("./t5", "local:t5"),
        ("../../t5", "local:t5"),
        ("models/of/mine", "local:mine"),
        ("my.txt", "local:my.txt"),
        ("C:\\Users\\me\\t5", "local:t5"),
        ("~", "local:folder"),
        ("..", "local:folder"),
    ],
)
def test_names(name: str, public: str) -> None:
    assert portable(name) == public
    assert portable(public) == public


def test_a_name_that_is_known_to_be_local_is_portable_whatever_its_form() -> None:
    assert portable("models/t5") == "models/t5" and portable("models/t5", local=True) == "local:t5"


def test_settings_that_are_words_stay(tmp_path: Path) -> None:
    own = build_config(
        {
            "name": "a/b/c".replace("/", "-"),
            "train": {"prompt": "/say/it/again: "},
            "hub": {"title": "Pairs/and/more", "model_card": str(tmp_path / "card.md")},
            "pairs": {"critics": [{"somebodys": {"list": str(tmp_path / "names"), "kind": "strict"}}]},
            "engine": {"workers": 7},
        }
    )
    tree = portable_config(own)
    assert tree["train"]["prompt"] == "/say/it/again: " and tree["hub"]["title"] == "Pairs/and/more"
    assert tree["pairs"]["critics"] == [{"somebodys": {"list": "local:names", "kind": "strict"}}]
    assert "model_card" not in tree["hub"] and "engine" not in tree and str(tmp_path) not in json.dumps(tree)


def test_the_fingerprint_is_of_what_rows_depend_on() -> None:
    one = config_fingerprint(portable_config(config()))
    for changes in ({"name": "other"}, {"hub.title": "Other"}, {"engine.workers": 3}, {"evaluation.num_beams": 8}):
        assert config_fingerprint(portable_config(config(changes))) == one
    for changes in ({"seed": 9}, {"pairs.k": 3}, {"train.prompt": "a"}, {"pairs.critics.rouge_l.max": 0.5}):
        assert config_fingerprint(portable_config(config(changes))) != one


def lineage(release: Path) -> dict[str, Any]:
    return dict(json.loads((release / "lineage.json").read_text()))


def test_a_release_gives_back_its_config(whole: Path, release: Path) -> None:
    rebuilt = rebuild_config(lineage(release))
    assert isinstance(rebuilt, RunConfig)
    expected = to_dict(config({"dtype": "float32"}))
    expected["engine"] = to_dict(rebuilt.engine)  # a machine's own
    assert to_dict(rebuilt) == expected
    # and that config finds all stages of the run finished
    for stage in (contexts, pairs, self_distil):
        assert stage.plan(rebuilt, whole).state == "finished"
    assert differences(lineage(release)) == []


def test_hub_models_and_datasets_are_pinned(release: Path) -> None:
    told = lineage(release)
    tree = told["config"]
    tree["pairs"]["model"] = "org/teacher@v1"
    tree["pairs"]["critics"] = [{"rouge_l": {"max": 0.5}}, {"entailment": None}]
    tree["contexts"]["source"] = "org/news"
    told["models"] = [
        {"role": "pairs.model", "name": "org/teacher", "revision": COMMIT},
        {"role": "pairs.critics.entailment.model", "name": "org/nli", "revision": COMMIT},
        {"role": "self_distil.critics.nothing.model", "name": "org/nli", "revision": COMMIT},
        {"role": "train.model", "name": "org/student", "revision": None},
    ]
    told["inputs"] = [{"role": "contexts.source", "name": "org/news", "revision": COMMIT}]
    before = copy.deepcopy(told)
    rebuilt = rebuild_config(told)
    assert told == before
    assert rebuilt.pairs.model == f"org/teacher@{COMMIT}" and rebuilt.contexts.source == f"org/news@{COMMIT}"
    assert rebuilt.pairs.critics[1] == {"entailment": {"model": f"org/nli@{COMMIT}"}}
    assert rebuilt.train.model == "embedded:student"


def test_what_was_not_published_is_asked_for(release: Path) -> None:
    told = lineage(release)
    told["config"]["train"]["model"] = "local:my-t5"
    told["config"]["pairs"]["critics"][1]["entailment"]["model"] = "local:my-nli"
    with pytest.raises(
        UserError, match=r"pairs\.critics\.entailment\.model \(my-nli\), train\.model \(my-t5\); name your own"
    ):
        rebuild_config(told)
    with pytest.raises(UserError, match=r"--set train\.model=NAME"):
        rebuild_config(told, ["pairs.critics.entailment.model=embedded:entailment"])
    names = ["pairs.critics.entailment.model=embedded:entailment", "train.model=embedded:student"]
    assert rebuild_config(told, names).train.model == "embedded:student"


def test_other_weights_and_versions_are_told(release: Path) -> None:
    told = lineage(release)
    told["toolkit"]["version"] = "0.0.1"
    told["models"][0]["weights"] = "folder:0123456789abcdef"
    told["models"].append({"role": "x", "name": "embedded:gone", "weights": "folder:1"})
    found = differences(told)
    assert found[0].startswith("It was made with idist 0.0.1, this is ")
    assert "embedded:gone no longer ships with idist." in found


def test_no_lineage_of_a_run() -> None:
    with pytest.raises(UserError, match="has no 'config'"):
        rebuild_config({"schema": 1, "files": {}})
