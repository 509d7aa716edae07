"""The parser's training recipe, on a small treebank of our own: scores, splits, tagger, resuming."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from idist.errors import UserError
from idist.models import EMBEDDED
from idist.trees import ConstituencyParser, Tree

RECIPES = Path(__file__).resolve().parents[2] / "recipes" / "embedded"
NOUNS, VERBS = ("dog", "girl", "train", "cook", "bird"), ("sees", "hears", "follows", "likes")


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(RECIPES))
    return importlib.import_module("parser")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """24 documents of 4 trees, two of them of a genre that may not be used."""
    folder = tmp_path / "data" / "treebank"
    folder.mkdir(parents=True)
    for number in range(24):
        trees = []
        for verb in VERBS:
            first, second = NOUNS[number % 5], NOUNS[(number + len(verb)) % 5]
            rest = (
                f"(NP (DT a) (NN {second}))"
                if number % 2
                else f"(NP (NP (DT a) (NN {second})) (PP (IN in) (NP (NN {first}))))"
            )
            trees.append(f"(ROOT (S (NP (DT the) (NN {first}))\n (VP (VBZ {verb}) {rest}) (. .)))")
        genre = "fiction" if number >= 22 else "news"
        (folder / f"GUM_{genre}_{number:02}.ptb").write_text("\n\n".join(trees) + "\n", encoding="utf-8")
    return tmp_path / "data"


def test_f1_counts_labelled_brackets(recipe: ModuleType) -> None:
    gold = Tree.from_brackets("(ROOT (S (NP (DT a) (NN b)) (VP (VBZ c) (NP (NN d)))))")
    other = Tree.from_brackets("(ROOT (S (NP (DT a) (NN b)) (VBZ c) (NP (NN d))))")
    scorer = recipe.parser_scorer
    assert scorer.brackets(gold) == {("S", 0, 4): 1, ("NP", 0, 2): 1, ("VP", 2, 4): 1, ("NP", 3, 4): 1}
    assert scorer.f1([(gold, gold)]) == 1
    assert scorer.f1([(gold, other)]) == pytest.approx(2 * 3 / 7)
    assert scorer.f1([]) == 0


def test_documents_are_not_split_and_some_are_left_out(recipe: ModuleType, data: Path) -> None:
    treebank = recipe.read_treebank(data / "treebank", 0)
    assert (len(treebank.train), len(treebank.development), len(treebank.test)) == (4 * 4, 6 * 4, 12 * 4)
    assert treebank.left_out == {"non-commercial licence": 8}
    assert treebank.trees_by_genre == {"news": 16}
    assert recipe.read_treebank(data / "treebank", 0) == treebank
    assert recipe.read_treebank(data / "treebank", 1).test_documents != treebank.test_documents
    with pytest.raises(UserError, match=r"no \.ptb file"):
        recipe.read_treebank(data, 0)


def test_tagger_learns_and_jackknifed_tags_are_in_order(recipe: ModuleType, data: Path) -> None:
    treebank = recipe.read_treebank(data / "treebank", 0)
    sentences = [recipe.preterminals(tree) for tree in treebank.train + treebank.development]
    tagger = recipe.train_tagger(sentences, 3, 0)
    assert recipe.accuracy(tagger, [recipe.preterminals(tree) for tree in treebank.test]) > 0.95
    tags = recipe.jackknifed(sentences, 3, 0)
    assert [len(line) for line in tags] == [len(sentence) for sentence in sentences]
    assert sum(a == b for line, s in zip(tags, sentences, strict=True) for a, (_, b) in zip(line, s, strict=True)) > 100


def test_a_killed_run_ends_with_the_same_weights(recipe: ModuleType, data: Path, tmp_path: Path) -> None:
    encoder = EMBEDDED / "encoder"
    settings = recipe.Settings(epochs=2, trees_an_epoch=40, batch=10, cooldown=1)

    def run(name: str, log: object) -> bytes:
        work, out = tmp_path / name, tmp_path / f"{name}-out"
        recipe.make(data, encoder, work, out, settings, log)
        return (out / "model.safetensors").read_bytes()

    class Killed(recipe.Log):  # type: ignore[name-defined, misc]
        """Dies when the second epoch is announced, before anything of it is saved."""

        def __call__(self, message: str) -> None:
            super().__call__(message)
            if message.startswith("epoch 2/2"):
                raise KeyboardInterrupt

    undisturbed = run("whole", recipe.Log(tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        run("killed", Killed(tmp_path / "killed"))
    assert run("killed", recipe.Log(tmp_path / "killed")) == undisturbed
    assert "resumed after epoch 1" in (tmp_path / "killed" / "train.log").read_text(encoding="utf-8")
    assert "F1" in (tmp_path / "whole-out" / "README.md").read_text(encoding="utf-8")

    loaded = recipe.load_parser_folder(tmp_path / "whole-out", encoder, "cpu")
    assert isinstance(loaded, ConstituencyParser)
    [tree] = loaded.parse(["the girl sees a dog ."])
    assert isinstance(tree, Tree) and tree.words() == ["the", "girl", "sees", "a", "dog", "."]
