"""The shipped parser: one result a sentence, in order, whatever the sentence."""

from __future__ import annotations

import json
import logging
import shutil
import stat
import warnings
from pathlib import Path

import numpy as np
import pytest

from idist._parser_loading import load_network, load_parser_folder, load_stanza, stanza_parser
from idist.errors import UserError
from idist.models import EMBEDDED, load_parser
from idist.trees import ConstituencyParser, ParseFailure, Tree, TreeIndex
from idist.trees.parser import from_stanza
from idist.trees.tagger import split_words
from tests.trees.strategies import reference_distance

SENTENCES = [
    "A man in a blue shirt is riding a bike down the street.",
    "Two dogs play with a ball near the lake.",
    "The woman who sells fruit at the market smiles at her first customer.",
    "Is anyone sitting on the old bench?",
    "Children run.",
    "He didn't see the car (a red one) that was parked behind the house.",
    'A boy shouts "stop" while his sister keeps running, jumping and laughing.',
    "People wait for a train.",
]
ODD = [
    "",
    "   ",
    "Yes",
    "\u200b",
    "\u2603 \U0001f600 !!!",
    "\u4f60\u597d\u4e16\u754c",
    "((((",
    "a" * 700,
    "\ud55c" * 400,
]


@pytest.fixture(scope="module")
def parser() -> ConstituencyParser:
    return load_parser("embedded:parser", "cpu")


def _words(tree: Tree | ParseFailure) -> list[str]:
    assert isinstance(tree, Tree), tree
    return tree.words()


def test_trees_hold_the_sentences_words(parser: ConstituencyParser) -> None:
    for sentence, tree in zip(SENTENCES, parser.parse(SENTENCES), strict=True):
        assert _words(tree) == split_words(sentence)
        assert isinstance(tree, Tree) and Tree.from_brackets(tree.to_brackets()) == tree


def test_a_plain_sentence_comes_out_right(parser: ConstituencyParser) -> None:
    [tree] = parser.parse(["The dog sees a cat."])
    assert isinstance(tree, Tree)
    assert tree.linearize() == "(ROOT (S (NP (DT) (NN)) (VP (VBZ) (NP (DT) (NN))) (.)))"


def test_order_survives_failures_and_duplicates(parser: ConstituencyParser) -> None:
    mixed = [SENTENCES[0], "", SENTENCES[1], "word " * 151, SENTENCES[0], *ODD, f"  {SENTENCES[2]}\n"]
    results = parser.parse(mixed, batch_size=4)
    assert len(results) == len(mixed)
    assert results[1] == ParseFailure("empty") == results[5] == results[6]
    assert results[3] == ParseFailure("too long")
    assert results[0] == results[4]
    for position, sentence in ((0, SENTENCES[0]), (2, SENTENCES[1]), (-1, SENTENCES[2])):
        assert _words(results[position]) == split_words(sentence)


@pytest.mark.parametrize("sentence", ODD[2:])
def test_odd_sentences_give_their_own_words_or_a_reason(parser: ConstituencyParser, sentence: str) -> None:
    before, result, after = parser.parse([SENTENCES[1], sentence, SENTENCES[4]])
    assert _words(before) == split_words(SENTENCES[1]) and _words(after) == split_words(SENTENCES[4])
    if isinstance(result, Tree):
        assert result.words() == split_words(sentence)
    else:
        assert result.reason in ("empty", "too long") or result.reason.startswith("parser failed")


def test_longest_sentence_and_longest_encoding(parser: ConstituencyParser) -> None:
    just_fits, too_many_words, too_many_pieces = parser.parse(["dog " * 150, "dog " * 151, "qx " * 60 + "\ud55c" * 600])
    assert len(_words(just_fits)) == 150
    assert too_many_words == ParseFailure("too long")
    assert isinstance(too_many_pieces, Tree) or too_many_pieces == ParseFailure("too long")


def test_a_batch_gives_what_single_sentences_give(parser: ConstituencyParser) -> None:
    assert parser.parse(SENTENCES) == [tree for sentence in SENTENCES for tree in parser.parse([sentence])]
    assert parser.parse(SENTENCES, batch_size=3) == parser.parse(SENTENCES)
    assert parser.parse([]) == []


def test_one_broken_sentence_costs_only_itself(parser: ConstituencyParser, caplog: pytest.LogCaptureFixture) -> None:
    """Stanza drops a broken sentence and shifts the list: here a parser that drops each one with the word "ball"."""

    def drops(batch: list[list[tuple[str, str]]]) -> list[object]:
        logging.getLogger("stanza").error("chatter")
        return parser._parse_tagged([words for words in batch if ("ball", "NN") not in words])

    results = ConstituencyParser(parser._tag, drops).parse(SENTENCES)
    assert results[1] == ParseFailure("parser failed: no complete tree")
    assert results[:1] + results[2:] == [tree for i, tree in enumerate(parser.parse(SENTENCES)) if i != 1]
    assert "chatter" not in caplog.text

    def raises(batch: list[list[tuple[str, str]]]) -> list[object]:
        if any(("ball", "NN") in words for words in batch):
            raise ValueError("no ball games\nplease")
        return list(parser._parse_tagged(batch))

    assert ConstituencyParser(parser._tag, raises).parse(SENTENCES)[1] == ParseFailure(
        "parser failed: ValueError: no ball games"
    )


def test_distances_of_parsed_trees_equal_apted(parser: ConstituencyParser) -> None:
    trees = parser.parse([*SENTENCES, ""])
    index = TreeIndex(trees)
    pairs = np.array([(i, j) for i in range(len(SENTENCES)) for j in range(i)])
    expected = np.array([reference_distance(trees[i], trees[j]) for i, j in pairs])  # type: ignore[arg-type]
    assert (index.distances(pairs) == expected).all()
    for floor in (4, 12, 25):
        assert (index.at_least(pairs, floor)[0] == (expected >= floor)).all()


def test_loading_is_silent_and_leaves_randomness_alone(capfd: pytest.CaptureFixture[str]) -> None:
    import torch

    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = load_parser_folder(EMBEDDED / "parser", EMBEDDED / "encoder", "cpu")
    assert torch.equal(torch.rand(4), expected)
    assert len(_words(loaded.parse(["Rain falls."])[0])) == 3
    assert capfd.readouterr() == ("", "")


def test_a_read_only_folder_loads_and_stays_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "parser"
    shutil.copytree(EMBEDDED / "parser", folder)
    names = sorted(path.name for path in folder.iterdir())
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    loaded = load_parser_folder(folder, EMBEDDED / "encoder", "cpu")
    assert isinstance(loaded.parse(["Rain falls."])[0], Tree)
    assert sorted(path.name for path in folder.iterdir()) == names


def test_broken_folders_are_explained(tmp_path: Path) -> None:
    folder = tmp_path / "parser"
    encoder = EMBEDDED / "encoder"
    with pytest.raises(UserError, match=r"config\.json is missing"):
        load_parser_folder(folder, encoder, "cpu")
    shutil.copytree(EMBEDDED / "parser", folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "bert"}), encoding="utf-8")
    with pytest.raises(UserError, match="model_type is 'bert'"):
        load_parser_folder(folder, encoder, "cpu")
    (folder / "config.json").write_text(json.dumps(config | {"encoder_hidden_size": 77}), encoding="utf-8")
    with pytest.raises(UserError, match="trained with 77"):
        load_parser_folder(folder, encoder, "cpu")
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"\x00" * 20)
    with pytest.raises(UserError, match=r"model\.safetensors does not load"):
        load_parser_folder(folder, encoder, "cpu")


def test_a_stock_stanza_package_that_is_not_here_is_explained() -> None:
    with pytest.raises(UserError, match="stanza:xx-none"):
        load_stanza("xx-none", "cpu")


def test_a_stanza_pipeline_parses_through_the_same_interface(tmp_path: Path) -> None:
    """Stanza's own Pipeline: the shipped network saved as a Stanza checkpoint, a tagger as a Stanza variant."""
    import stanza
    from stanza.models.common.doc import Document
    from stanza.models.common.pretrain import Pretrain, PretrainedWordVocab
    from stanza.models.constituency.trainer import Trainer
    from stanza.pipeline.processor import ProcessorVariant, register_processor_variant

    network = load_network(EMBEDDED / "parser", EMBEDDED / "encoder")
    network.args |= {"retag_package": "ours", "retag_method": "xpos", "bert_model": str(EMBEDDED / "encoder")}
    network.args |= {"wordvec_pretrain_file": None, "charlm_forward_file": None, "charlm_backward_file": None}
    Trainer(network).save(str(tmp_path / "constituency.pt"))
    vectors = Pretrain(str(tmp_path / "vectors.pt"))
    vectors._vocab, vectors._emb = PretrainedWordVocab(["the", "a"], lang="en"), network.embedding.weight
    vectors.save(vectors.filename)
    (tmp_path / "resources.json").write_text("{}", encoding="utf-8")

    @register_processor_variant("pos", "suffixes")
    class SuffixTagger(ProcessorVariant):  # type: ignore[misc]
        """Tags enough words for a parser to have something to read."""

        OVERRIDE = True

        def __init__(self, config: dict[str, str]) -> None: ...

        def process(self, document: Document) -> Document:
            for sentence in document.sentences:
                for word in sentence.words:
                    word.xpos = {"s": "VBZ", "e": "DT", ".": "."}.get(word.text[-1], "NN")
            return document

    pipeline = stanza.Pipeline(
        "en",
        dir=str(tmp_path),
        processors={"tokenize": "default", "pos": "suffixes", "constituency": "default"},
        download_method=None,
        allow_unknown_language=True,
        logging_level="ERROR",
        device="cpu",
        tokenize_pretokenized=True,
        pos_with_suffixes=True,
        constituency_model_path=str(tmp_path / "constituency.pt"),
        constituency_pretrain_path=str(tmp_path / "vectors.pt"),
    )
    sentences = ["the dog sees the cat .", "", "the train stops .", "the dog sees the cat ."]
    results = stanza_parser(pipeline).parse(sentences)
    assert results[1] == ParseFailure("empty") and results[0] == results[3]
    for position in (0, 2):
        expected = from_stanza(pipeline(sentences[position]).sentences[0].constituency)
        assert results[position] == expected and expected.words() == sentences[position].split()


def test_trees_with_words_that_brackets_cannot_hold_are_refused() -> None:
    from stanza.models.constituency.parse_tree import Tree as StanzaTree

    with pytest.raises(ValueError, match="label or word"):
        from_stanza(StanzaTree("ROOT", [StanzaTree("NN", [StanzaTree("a(b")])]))
    with pytest.raises(ValueError, match="single word"):
        from_stanza(StanzaTree("word"))
