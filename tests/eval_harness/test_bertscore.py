"""BERTScore equals bert-score's own function on the shipped encoder, and survives what bert-score does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_harness.metrics import BertIBleu, BertScore, Examples, _matching
from eval_harness.metrics.backbone import EMBEDDED_LAYERS, Backbone, backbone
from eval_harness.metrics.bert_ibleu import harmonic
from eval_harness.pairs import read_pairs
from idist.errors import UserError
from idist.models import resolve

ENCODER = "embedded:encoder"
LAYER = EMBEDDED_LAYERS[ENCODER]


@pytest.fixture(scope="module")
def folder() -> str:
    return resolve(ENCODER)[0]


def oracle(predictions: list[str], references: list[str] | list[list[str]], layer: int = LAYER) -> np.ndarray:
    import bert_score

    path = resolve(ENCODER)[0]
    _, _, f1 = bert_score.score(predictions, references, model_type=path, num_layers=layer, device="cpu")
    return f1.numpy()


def test_f1_is_bert_score(folder: str) -> None:
    sources, targets = read_pairs(limit=24)
    targets = [*targets[1:12], *targets[:1], *targets[12:]]  # half of them wrong pairs
    expected = oracle(sources, targets)
    assert backbone(ENCODER).f1(sources, targets) == pytest.approx(expected, abs=1e-5)
    assert Backbone(folder, num_layers=2, device="cpu").f1(sources[:4], targets[:4]) == pytest.approx(
        oracle(sources[:4], targets[:4], layer=2), abs=1e-5
    )


def byte_pair_roberta(folder: Path) -> str:
    """A RoBERTa with random weights and a tokenizer of its own kind: no token types, a separator at either end."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import RobertaConfig, RobertaModel

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        read_pairs()[0], trainers.BpeTrainer(vocab_size=500, special_tokens=special, initial_alphabet=alphabet)
    )
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos": "<s>", "eos": "</s>", "sep": "</s>", "cls": "<s>", "pad": "<pad>", "unk": "<unk>", "mask": "<mask>"}
    described = {"tokenizer_class": "RobertaTokenizer", "model_max_length": 62, "add_prefix_space": False}
    described |= {f"{name}_token": token for name, token in names.items()}
    (folder / "tokenizer_config.json").write_text(json.dumps(described), encoding="utf-8")
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
    config = RobertaConfig(vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=64, pad_token_id=1, **sizes)
    RobertaModel(config).save_pretrained(folder)
    return str(folder)


def test_other_tokenizers_and_cut_texts(tmp_path: Path) -> None:
    import bert_score

    model = byte_pair_roberta(tmp_path)
    sources, targets = read_pairs(limit=30)
    sources[3], targets[5], targets[7] = " ".join(sources), "Ja! 犬 </s> x", "."
    _, _, expected = bert_score.score(
        sources, targets, model_type=model, num_layers=2, device="cpu", use_fast_tokenizer=True
    )
    assert Backbone(model, 2, "cpu").f1(sources, targets) == pytest.approx(expected.numpy(), abs=1e-5)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """Vectors live as long as a block; a sentence that is in two blocks is computed twice."""
    sources, targets = read_pairs(limit=12)
    first, second = [*sources, *sources], [*targets, *targets[1:], targets[0]]
    whole = Backbone(folder, LAYER, "cpu").f1(first, second)
    monkeypatch.setattr(_matching, "BLOCK", 100)
    monkeypatch.setattr(_matching, "_CELLS", 1000)
    assert Backbone(folder, LAYER, "cpu").f1(first, second) == pytest.approx(whole, abs=1e-6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=40), st.integers(1, 60))
def test_blocks_hold_every_pair_once_and_few_tokens(pairs: list[tuple[int, int]], limit: int) -> None:
    lengths = list(range(1, 11))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_matching, "BLOCK", limit)
        cut = list(_matching.blocks(pairs, lengths))
    assert [pair for block in cut for pair in pairs[block]] == pairs
    for block in cut:
        before = {number for pair in pairs[block][:-1] for number in pair}
        assert sum(lengths[number] for number in before) < limit


def test_best_of_several_references_and_of_the_source() -> None:
    sources, targets = read_pairs(limit=9)
    references = [[targets[i], *targets[i + 1 : i + 1 + i % 3]] for i in range(9)]
    examples = Examples.of(sources, targets, references)
    metric = BertScore(ENCODER)
    assert metric.statistics(examples)[:, 0] == pytest.approx(100 * oracle(sources, references), abs=1e-3)
    against_source = BertScore(ENCODER, against="sources").statistics(examples)[:, 0]
    assert against_source == pytest.approx(100 * oracle(sources, targets), abs=1e-3)


def test_empty_identical_and_odd_texts(capfd: pytest.CaptureFixture[str]) -> None:
    long = "a man walks " * 400  # 1,200 words: cut to the encoder's 512 tokens
    predictions = ["", " ", "A dog runs.", "A dog runs.", "犬が走る。", "\u200b", "\u200b", long]
    references = ["A dog runs.", "", "", "A dog runs. ", "A dog runs.", "A dog runs.", "\u200b", "A man walks."]
    f1 = backbone(ENCODER).f1(predictions, references)
    assert f1[[0, 1, 2]].tolist() == [0.0, 0.0, 0.0]
    assert f1[3] == 1.0
    assert 0.0 < f1[4] < 1.0
    assert f1[[5, 6]].tolist() == [0.0, 0.0]  # no token at all
    assert 0.0 < f1[7] < 1.0
    assert capfd.readouterr() == ("", "")


def test_repeated_pairs_are_computed_once(monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    fresh = Backbone(folder, num_layers=LAYER, device="cpu")
    seen: list[tuple[str, str]] = []
    compute = fresh._compute
    monkeypatch.setattr(fresh, "_compute", lambda pairs: seen.extend(pairs) or compute(pairs))
    first = fresh.f1(["A dog runs.", "A cat sits.", "A dog runs."], ["The dog is running."] * 3)
    assert first[0] == first[2] != first[1]
    assert len(seen) == 2
    again = fresh.f1(["A dog runs.", "A dog runs.", "x"], ["The dog is running.", "A dog runs.", "y"])
    assert again[0] == first[0]
    assert seen[2:] == [("x", "y")]
    assert backbone(ENCODER) is backbone(ENCODER)


def test_path_with_t5_in_it_is_not_taken_for_a_t5_model(tmp_path: Path, folder: str) -> None:
    link = tmp_path / "my-t5-runs" / "encoder"
    link.parent.mkdir()
    link.symlink_to(folder, target_is_directory=True)
    pair = ["A dog runs."], ["The dog is running."]
    assert Backbone(str(link), LAYER, device="cpu").f1(*pair) == pytest.approx(oracle(*pair), abs=1e-5)


def test_unusable_backbones_are_named(tmp_path: Path, folder: str) -> None:
    pair = ["A dog runs."], ["The dog is running."]
    with pytest.raises(UserError, match="knows no best layer for it; give num_layers"):
        Backbone(folder).f1(*pair)
    with pytest.raises(UserError, match="num_layers is 7, expected 1 to 6"):
        Backbone(ENCODER, 7).f1(*pair)
    with pytest.raises(UserError, match="'roberta-large@abc': a revision cannot be given"):
        Backbone("roberta-large@abc")
    with pytest.raises(UserError, match="does not load"):
        Backbone(str(tmp_path), 1).f1(*pair)
    with pytest.raises(UserError, match="does not ship with idist"):
        Backbone("embedded:encodr")
    with pytest.raises(UserError, match="BERTScore: against is 'reference', expected one of: references, sources"):
        BertScore(against="reference")


def test_signature_names_backbone_layer_weights_and_versions(folder: str) -> None:
    import transformers

    signature = BertScore(ENCODER).signature()
    assert signature.startswith(f"against:references|backbone:{ENCODER}|layer:{LAYER}|weights:folder:")
    assert f"bert-score:{version('bert-score')}|transformers:{transformers.__version__}" in signature
    local = Backbone(folder, LAYER, device="cpu").signature()
    assert local.startswith(f"backbone:encoder|layer:{LAYER}|weights:folder:")  # the folder's name, not its path
    assert local.split("|")[2] == signature.split("|")[3]
    assert BertScore(ENCODER, against="sources").signature() == signature.replace("references", "sources")


def test_harmonic_mean_by_hand() -> None:
    similarity, self_bleu = np.array([0.9, 0.8, 0.0, 1.0, 1.0]), np.array([0.5, 0.0, 0.3, 1.0, 0.0])
    expected = [5 / (4 / 0.9 + 2), 5 / (4 / 0.8 + 1), 0.0, 0.0, 1.0]
    assert harmonic(similarity, self_bleu, beta=4.0) == pytest.approx(expected)
    assert harmonic(similarity[:1], self_bleu[:1], beta=1.0) == pytest.approx([2 / (1 / 0.9 + 2)])
    with pytest.raises(UserError, match="beta is 0"):
        BertIBleu(beta=0)


QUIET_AND_OFFLINE = """
import socket, sys
def refuse(*_, **__):
    print("NETWORK", file=sys.stderr)
    raise OSError("no network in this test")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from eval_harness.metrics import score
print(score(["A dog is running."], ["A dog runs."], ["The dog runs."], bertscore_model=sys.argv[1], num_layers=6).n)
"""


def test_local_folder_needs_no_network_and_prints_nothing(folder: str) -> None:
    """In a process of its own, without HF_HUB_OFFLINE: no connection tried, nothing on stderr."""
    root = Path(__file__).parents[2]
    environment = {k: v for k, v in os.environ.items() if "OFFLINE" not in k} | {"PYTHONPATH": str(root)}
    command = [sys.executable, "-c", QUIET_AND_OFFLINE, folder]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")
