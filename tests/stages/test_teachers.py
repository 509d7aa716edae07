"""Any causal LM of the Hub as the teacher: shipped configs, run on small random models of their architectures."""

from __future__ import annotations

from pathlib import Path

import pytest

from idist.config import RunConfig, load_config
from idist.errors import UserError
from idist.models import load_causal_lm
from idist.stages import contexts, pairs
from tests.critics.random_models import save_causal_lm
from tests.stages.tiny import rows

CONFIGS = Path(__file__).parents[2] / "recipes" / "configs"
ARCHITECTURES = {
    "dimple-gpt2": ("gpt2", "GPT2LMHeadModel"),
    "dimple-biogpt": ("biogpt", "BioGptForCausalLM"),
    "dimple-biomed": ("biogpt", "BioGptForCausalLM"),
    "dimple-pythia": ("gpt_neox", "GPTNeoXForCausalLM"),
    "dimple-smollm2": ("llama", "LlamaForCausalLM"),
    "dimple-reddit": ("gpt2", "GPT2LMHeadModel"),
}
SMALL = {
    "contexts.count": 2,
    "contexts.max_new_tokens": 24,
    "pairs.k": 16,
    "pairs.max_new_tokens": 16,
    "pairs.critics": "[{rouge_l: {max: 0.8}}]",
    "device": "cpu",
}


def small(name: str, teacher: str, **more: object) -> RunConfig:
    changes = SMALL | {"teacher": teacher} | more
    return load_config(CONFIGS / f"{name}.yaml", [f"{key}={value}" for key, value in changes.items()])


@pytest.mark.parametrize("generation", ["parallel", "sequential"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_shipped_teachers_by_architecture(name: str, generation: str, tmp_path: Path) -> None:
    kind, architecture = ARCHITECTURES[name]
    teacher = save_causal_lm(kind, tmp_path / "teacher", spread=0.02)
    assert type(load_causal_lm(teacher, "cpu")[0]).__name__ == architecture
    config, run = small(name, teacher, **{"pairs.generation": generation}), tmp_path / "run"
    contexts.run(config, run, progress=False)
    result = pairs.run(config, run, progress=False)
    assert [row["source"] for row in rows(run, "contexts", "contexts")] == [teacher] * 2
    assert result.counts["contexts"] == 2 and result.counts["sentences"] > 4
    kept = rows(run, "pairs", "selected")
    assert kept and all(row["x"] != row["y"] for row in kept)
    assert {row["prefix"] != "" for row in rows(run, "contexts", "contexts")} == {config.contexts.prefixes is not None}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_one_line_names_the_teacher_of_every_stage(name: str) -> None:
    shipped = load_config(CONFIGS / f"{name}.yaml")
    assert shipped.contexts.model == shipped.pairs.model == shipped.self_distil.model
    other = load_config(CONFIGS / f"{name}.yaml", ["teacher=org/other@v1"])
    assert {other.contexts.model, other.pairs.model, other.self_distil.model} == {"org/other@v1"}


def test_biogpts_own_tokenizer(tmp_path: Path) -> None:
    pytest.importorskip("sacremoses", reason="sacremoses is not installed (extra: biomedical)")
    teacher = save_causal_lm("biogpt", tmp_path / "teacher", spread=0.02, tokenizer="biogpt")
    model, tokenizer = load_causal_lm(teacher, "cpu")
    assert type(tokenizer).__name__ == "BioGptTokenizer" and len(tokenizer) == model.config.vocab_size
    more = {"pairs.max_new_tokens": 80, "pairs.k": 48}  # a full stop is one of a hundred tokens
    config, run = small("dimple-biomed", teacher, **more), tmp_path / "run"
    contexts.run(config, run, progress=False)
    result = pairs.run(config, run, progress=False)
    assert result.counts["contexts"] == 2 and result.counts["sentences"] > 4
    kept = rows(run, "pairs", "selected")
    assert kept and not any("</w>" in row["y"] or "</s>" in row["y"] for row in kept)


def test_a_tokenizers_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    teacher = Path(save_causal_lm("biogpt", tmp_path / "teacher"))
    for file in teacher.glob("tokenizer*"):
        file.unlink()
    (teacher / "vocab.json").write_text('{"<s>": 0, "</s>": 2, "<unk>": 3, "<pad>": 1, "dog</w>": 4}')
    (teacher / "merges.txt").write_text("#version: 0.2\n")
    monkeypatch.setitem(sys.modules, "sacremoses", None)
    with pytest.raises(UserError, match=r"teacher' needs a package that is not installed: .*sacremoses"):
        load_causal_lm(str(teacher), "cpu")
