"""Run configs: what is refused, and how the message helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from idist.config import FIRST_STUDENT, RunConfig, build_config, dump_yaml, load_config, to_dict
from idist.errors import UserError

CONFIGS = Path(__file__).resolve().parents[1] / "recipes" / "configs"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda p: p.stem)
def test_shipped_configs_load_and_survive_a_round_trip(path: Path, tmp_path: Path) -> None:
    config = load_config(path)
    copy = tmp_path / "copy.yaml"
    copy.write_text(dump_yaml(config))
    assert to_dict(load_config(copy)) == to_dict(config)
    assert config.name == path.stem


def test_defaults_are_the_papers() -> None:
    config = RunConfig()
    assert (config.pairs.k, config.pairs.temperature, config.pairs.top_p) == (100, 0.7, 0.9)
    assert (config.contexts.temperature, config.contexts.top_p, config.contexts.max_sentences) == (
        1.0,
        0.9,
        5,
    )
    settings = {name: values for critic in config.pairs.critics for name, values in critic.items()}
    assert settings["rouge_l"]["max"] == settings["entailment"]["min"] == settings["diversity"]["min"] == 0.75
    assert settings["tree_edit_distance"]["min"] == 12


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"pears": {}}, r"unknown key 'pears'; did you mean 'pairs'\?"),
        ({"pairs": {"temprature": 1}}, r"unknown key 'pairs.temprature'; did you mean 'temperature'\?"),
        ({"pairs": {"k": 1}}, "pairs.k is 1, expected 2 or more"),
        ({"pairs": {"k": "many"}}, "pairs.k is 'many', expected a whole number"),
        ({"pairs": {"k": True}}, "pairs.k is True, expected a whole number"),
        ({"pairs": {"top_p": 1.5}}, "pairs.top_p is 1.5, expected a value from 0 to 1"),
        ({"pairs": {"top_p": float("nan")}}, "pairs.top_p is nan"),
        ({"pairs": 3}, "pairs is 3, expected a section of keys"),
        ({"pairs": {"critics": [3]}}, r"pairs.critics\[0\] is 3, expected NAME"),
        ({"pairs": {"critics": [{"rouge_l": 3}]}}, r"pairs.critics\[0\]"),
        ({"train": {"optimizer": "sgd"}}, "train.optimizer is 'sgd', expected one of: adafactor, adamw"),
        ({"contexts": {"min_sentences": 4, "max_sentences": 2}}, "contexts.min_sentences is 4"),
        ({"name": "a/b"}, "expected a plain folder name"),
        ({"device": "tpu"}, "device is 'tpu'"),
        ({"teacher": 3}, "teacher is 3, expected a string"),
        ({"teacher": "gpt2", "pairs": 3}, "pairs is 3, expected a section of keys"),
        ({"pairs": {"generation": "serial"}}, "pairs.generation is 'serial', expected one of: parallel, sequential"),
        ({"pairs": {"keyword_bias": -1}}, "pairs.keyword_bias is -1.0, expected a value from 0 to 100"),
    ],
)
def test_bad_values_are_named(tree: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        build_config(tree, "my.yaml")


def test_scientific_notation_is_a_number() -> None:
    assert build_config({"train": {"learning_rate": "1e-3"}}).train.learning_rate == 1e-3


def test_final_training_inherits_and_starts_from_the_first_student() -> None:
    config = build_config({"train": {"epochs": 7, "model": "t5-small"}, "train_final": {"batch_size": 8}})
    assert (config.train_final.epochs, config.train_final.batch_size) == (7.0, 8)
    assert config.train_final.model == FIRST_STUDENT


def test_overrides(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("pairs:\n  k: 10\n")
    config = load_config(path, ["pairs.k=50", "pairs.critics.rouge_l.max=0.6", "contexts.prefixes=news"])
    assert config.pairs.k == 50
    assert config.pairs.critics[0] == {"rouge_l": {"max": 0.6}}
    assert config.contexts.prefixes == "news"
    assert RunConfig().pairs.critics[0] == {"rouge_l": {"max": 0.75}}


def test_the_teacher_is_one_key(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("teacher: gpt2\npairs: {model: gpt2-large}\nself_distil: {count: 5}\n")
    models = [
        [config.contexts.model, config.pairs.model, config.self_distil.model]
        for config in (load_config(path), load_config(path, ["teacher=a/b", "contexts.model=c"]))
    ]
    assert models == [["gpt2", "gpt2-large", "gpt2"], ["c", "a/b", "a/b"]]
    copy = tmp_path / "copy.yaml"
    copy.write_text(dump_yaml(load_config(path)))
    assert to_dict(load_config(copy)) == to_dict(load_config(path)) | {"name": "run"}


def test_overrides_of_critics_named_alone_or_inherited(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("pairs:\n  critics: [rouge_l, diversity]\n")
    config = load_config(path, ["pairs.critics.rouge_l.max=0.6", "self_distil.critics.rouge_l.max=0.5"])
    assert config.pairs.critics == [{"rouge_l": {"max": 0.6}}, {"diversity": {}}]
    assert config.self_distil_critics() == [{"rouge_l": {"max": 0.5}}]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("pairs.k", "has no value"),
        ("pairs.critics.rogue_l.max=1", r"no critic 'rogue_l'; did you mean 'rouge_l'\?"),
        ("pairs.k.x=3", "unknown key|is a value"),
        ("pairs.q=3", "unknown key 'pairs.q'"),
        ("name=2024-13-45", "'2024-13-45' is not YAML: month must be"),
        ("pairs.critics=[{rouge_l: {max: 0.7, max: 0.8}}]", "the key 'max' of line 1 stands in line 1 again"),
    ],
)
def test_bad_overrides(tmp_path: Path, override: str, message: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("pairs:\n  k: 10\n")
    with pytest.raises(UserError, match=message):
        load_config(path, [override])


def test_files_that_are_no_config(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"missing.yaml cannot be read"):
        load_config(tmp_path / "missing.yaml")
    path = tmp_path / "bad.yaml"
    path.write_text("a: [1")
    with pytest.raises(UserError, match="is not YAML"):
        load_config(path)
    path.write_text("pairs:\n  k: 50\n  top_p: 0.9\n  k: 100\n")
    with pytest.raises(UserError, match=r"bad.yaml is not YAML: the key 'k' of line 2 stands in line 4 again\.$"):
        load_config(path)
    path.write_text("name: 2024-13-45")
    with pytest.raises(UserError, match=r"bad.yaml is not YAML: month must be in 1..12\.$"):
        load_config(path)
    path.write_text("- 1")
    with pytest.raises(UserError, match="expected a mapping"):
        load_config(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="bad.yaml"):
        load_config(path)


def test_anchors_and_merge_keys(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(
        "contexts: &teacher {model: gpt2, temperature: 0.5}\n"
        "pairs:\n  <<: *teacher\n  temperature: 0.9\n  k: 5\n"
        "self_distil: {<<: [*teacher], count: 7}\n"
    )
    config = load_config(path)
    assert (config.pairs.model, config.pairs.temperature, config.pairs.k) == ("gpt2", 0.9, 5)
    assert (config.self_distil.model, config.self_distil.temperature, config.self_distil.count) == ("gpt2", 0.5, 7)
    path.write_text("pairs:\n  <<: {k: 5}\n  <<: {k: 6}\n")
    with pytest.raises(UserError, match="the key '<<' of line 2 stands in line 3 again"):
        load_config(path)
