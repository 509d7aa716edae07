"""The entailment sets, the pairs made by rule, the encoder's pruning and the critic's recipe, on tiny data of ours."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "recipes" / "embedded"))

import encoder  # noqa: E402
import entailment  # noqa: E402
import nli_data  # noqa: E402
import nli_pairs  # noqa: E402
from nli_data import CONTRADICTION, ENTAILMENT, NEUTRAL, NOT_ENTAILED, Example  # noqa: E402

from idist.errors import UserError  # noqa: E402

TEST_PREMISE = "A baker is carrying two loaves ."
WHO = ("baker", "sailor", "farmer", "painter", "nurse", "potter", "guy", "kid")
WHAT = ("is riding a bike", "is holding a large kettle", "waves beside the gate", "mends a small chair", "is eating")
WHERE = ("bakery", "harbour", "old stone bridge", "quiet library", "frozen pond", "market", "long wooden fence", "barn")
WITH = ("two lamps", "an umbrella", "seven tulips", "a drum", "wet boots", "a brass trumpet")
SCENES = [
    f"A {who} {what} near the {where} with {thing}."
    for who in WHO
    for what in WHAT
    for where in WHERE
    for thing in WITH
]
SCENES = random.Random(0).sample(SCENES, 150)
LABEL_NAMES = ("entailment", "neutral", "contradiction")


def write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_snli(data: Path, split: str, rows: list[tuple[str, str, str]]) -> None:
    for i, name in enumerate(("s1", "s2", "labels")):
        write(data / "nli" / "esnli-devtest" / f"{name}.{split}", [row[i] for row in rows])


def write_table(path: Path, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    write(path, ["\t".join(row) for row in (columns, *rows)])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every set in its real layout, with a few sentences written for this test."""
    data = tmp_path_factory.mktemp("data")
    nli, rng = data / "nli", random.Random(0)
    judged = [(rng.choice(SCENES), rng.choice(SCENES), rng.choice(LABEL_NAMES)) for _ in range(60)]
    write_snli(data, "dev", [("The baker does n't sing , she hums .", "A baker hums .", "entailment"), *judged])
    test = [
        (TEST_PREMISE, "Someone carries bread .", "entailment"),
        (TEST_PREMISE, "A baker sleeps .", "contradiction"),
    ]
    write_snli(data, "test", [*test, (TEST_PREMISE, "Fresh loaves .", "neutral"), (TEST_PREMISE, "Unsure .", "-")])
    matched = nli / "multinli-validation-matched" / "multinli_validation_std.csv"
    matched.parent.mkdir(parents=True)
    with matched.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["", "sentence1", "label"])
        for i in range(nli_data.MULTINLI_HELD_OUT + 40):
            table.writerow([i, f"PREMISE: Row {i} says so, \nHYPOTHESIS or not. HYPOTHESIS: Row {i} speaks.", i % 3])
    columns = ("sentence1", "sentence2", "gold_label")
    for split in ("train", "dev"):
        rows = [(f"A {split} potter sits .", "A potter sits.", "entailment"), *judged[:20]]
        rows.append(("A Baker is carrying two loaves.", "A baker rests.", "contradiction"))
        write_table(nli / "snli-counterfactual" / "all_combined" / f"{split}.tsv", columns, rows)
    breaking = [
        ("A big dog barks.", "A large dog barks.", "synonyms", "entailment"),
        ("A red kite.", "A blue kite.", "colors", "contradiction"),
        ("A kite.", "A toy.", "toys", "no agreement"),
    ]
    path = nli / "breaking-nli" / "breaking_nli_dataset.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        rows = [dict(zip(("sentence1", "sentence2", "category", "gold_label"), row, strict=True)) for row in breaking]
        archive.writestr("data/dataset.jsonl", "\n".join(map(json.dumps, rows)))
    med = [("No nurse ran.", "No nurse ran fast.", "entailment"), ("A nurse ran.", "A nurse ran fast.", "neutral")]
    write_table(nli / "med" / "MED.tsv", columns, med)
    joined = [("She sang and he slept .", "She sang", "entailment"), ("She sang", "She sang and he slept .", "neutral")]
    for part in ("and", "or"):
        names = ("ori_sentence", "new_sentence", "gold_label")
        write_table(nli / "help-partial" / f"leskexppmb_{part}.tsv", names, joined)
    for name, label in (("pass_trsf_pos", "entailment"), ("pass_trsf_neg", "neutral"), ("inv_trsf", "neutral")):
        row = ["1", *["ba"] * 7, f"The {name} potter hid the jar.", "The jar was hidden by the potter.", "ba", label]
        write(nli / "syntactic-augmentation" / f"{name}_large.tsv", ["\t".join(row)])
    for name in ("train", "test"):
        write(data / "text" / "coco-captions-texygen" / f"{name}.tgt", [s.lower().replace(".", " .") for s in SCENES])
    mrpc = [("Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"), ("1", "5", "6", 'He said "yes.', "He agreed.")]
    write(data / "mrpc" / "msr_paraphrase_test.txt", ["\t".join(row) for row in [*mrpc, ("0", "7", "8", "A.", "B.")]])
    for name in ("test.txt", "test_2.txt"):
        write(data / "quora" / name, [f"How does a {who} whistle?" for who in WHO])
    (data / "mscoco").mkdir()
    with gzip.open(data / "mscoco" / "validation.csv.gz", "wt", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("source", "target"), (SCENES[0], SCENES[1]), (SCENES[1], SCENES[0])])
    return data


def test_snli_is_detokenized_and_undecided_rows_are_left_out(data: Path) -> None:
    assert nli_data.read_snli(data, "dev")[0] == Example(
        "The baker doesn't sing, she hums.", "A baker hums.", ENTAILMENT
    )
    assert [e.label for e in nli_data.read_snli(data, "test")] == [ENTAILMENT, CONTRADICTION, NEUTRAL]


def test_multinli_is_cut_at_the_last_hypothesis_mark_and_split_once_and_for_all(data: Path) -> None:
    assert nli_data.read_multinli(data)[5] == Example("Row 5 says so, \nHYPOTHESIS or not.", "Row 5 speaks.", 2)
    train, held_out = nli_data.split_multinli(data)
    assert (len(train), len(held_out)) == (40, nli_data.MULTINLI_HELD_OUT)
    assert not {e.premise for e in train} & {e.premise for e in held_out}
    assert nli_data.split_multinli(data) == (train, held_out)


def test_the_other_sets(data: Path) -> None:
    assert [e.label for e in nli_data.read_breaking(data)] == [ENTAILMENT, CONTRADICTION]
    assert nli_data.read_breaking(data, "colors") == [Example("A red kite.", "A blue kite.", CONTRADICTION)]
    assert [e.label for e in nli_data.read_med(data)] == [ENTAILMENT, NOT_ENTAILED]
    assert nli_data.read_help(data)[0] == Example("She sang and he slept.", "She sang", ENTAILMENT)
    assert nli_data.read_mrpc(data)[0] == nli_data.Pair('He said "yes.', "He agreed.", True)
    assert len(nli_data.read_mscoco(data)) == 1
    assert len(nli_data.read_captions(data)) == len(SCENES)


def test_training_sets_are_free_of_snli_test_and_of_held_out_rows(data: Path) -> None:
    sets = nli_data.training_sets(data)
    sentences = {nli_data.normalized(s) for examples in sets.values() for e in examples for s in e[:2]}
    assert nli_data.normalized(TEST_PREMISE) not in sentences
    assert "atrainpottersits" in sentences and "adevpottersits" in sentences
    _, held_out = nli_data.split_multinli(data)
    assert not {nli_data.normalized(e.premise) for e in held_out} & sentences
    assert [e.label for e in sets["passive"]] == [ENTAILMENT, ENTAILMENT]
    assert sets["passive"][1][:2] == sets["passive"][0][1::-1]
    assert {e.label for e in sets["roles_swapped"]} == {NOT_ENTAILED}
    assert len(sets["help"]) == 2, "doubles of one set count once"


def test_reversed_pairs_keep_only_labels_hardly_in_doubt() -> None:
    long, short = "A nurse in a blue coat waits near the old bridge.", "A nurse waits."
    turned = [Example(short, long, NOT_ENTAILED)]
    assert nli_pairs.reversed_pairs([Example(long, short, ENTAILMENT)]) == turned
    assert nli_pairs.reversed_pairs([Example(long, short, NEUTRAL)]) == turned
    assert nli_pairs.reversed_pairs([Example(long, long, ENTAILMENT), Example(short, long, NEUTRAL)]) == []
    flipped = nli_pairs.reversed_pairs([Example(short, long, CONTRADICTION)])
    assert flipped == [Example(long, short, CONTRADICTION)]


def test_rewrites_change_words_and_never_invent_a_plain_sentence() -> None:
    rng = random.Random(0)
    assert nli_pairs.rewrites("The man is riding a bike.", rng) == "the guy rides a bicycle."
    found = {nli_pairs.rewrites("A sailor is fixing a bike.", rng) for _ in range(60)}
    assert found == {"A sailor is fixing a bicycle.", "There is a sailor fixing a bicycle."}
    assert nli_pairs.rewrites("Potters whistle.", rng) is None
    with pytest.raises(UserError, match="cannot make"):
        nli_pairs.rewritten_pairs(["Potters whistle."], 1, rng)


def test_made_negatives(data: Path) -> None:
    unrelated = nli_pairs.unrelated_pairs(SCENES, 50, random.Random(1))
    overlapping = nli_pairs.overlapping_pairs(SCENES, 50, random.Random(1))
    assert {e.label for e in unrelated + overlapping} == {NOT_ENTAILED}
    assert all(e.premise != e.hypothesis for e in unrelated + overlapping)
    shared = [nli_pairs.words(e.premise) & nli_pairs.words(e.hypothesis) for e in overlapping]
    assert all(shared)


def test_sampler_repeats_nothing_before_all_were_drawn() -> None:
    examples = [Example(str(i), "x", 0) for i in range(7)]
    draw = nli_pairs.sampler(examples, random.Random(0))
    assert sorted(draw(4) + draw(3)) == examples
    assert sorted(draw(14)) == sorted(examples * 2)


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        ("nli/med/MED.tsv", "a\tb", "no column 'gold_label'"),
        ("nli/syntactic-augmentation/inv_trsf_large.tsv", "1\tba", "line 1 has 2 columns, expected 12"),
        ("nli/esnli-devtest/s1.dev", "One line.", "expected equal"),
        ("nli/help-partial/leskexppmb_or.tsv", None, "leskexppmb_or.tsv is missing"),
    ],
)
def test_a_broken_file_is_named(data: Path, tmp_path: Path, file: str, line: str | None, message: str) -> None:
    for path in data.rglob("*"):
        if path.is_file():
            copy = tmp_path / path.relative_to(data)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.symlink_to(path)
    (tmp_path / file).unlink()
    if line is not None:
        write(tmp_path / file, [line])
    with pytest.raises(UserError, match=message):
        nli_data.training_sets(tmp_path)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of one layer over characters and a few words, pruned by the encoder's own functions."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    letters = [chr(c) for c in range(33, 127) if not chr(c).isupper()]
    pieces = ["[unused0]", "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters)]
    pieces += ["\u4e00", "##\u4e00", "potter", "paint", "##ing", "whistle"]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    special = [(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")]
    pair = "[CLS] $A [SEP] $B:1 [SEP]:1"
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", pair, special)
    tokenizer.add_special_tokens(list(encoder.SPECIAL))
    tokenizer.enable_padding(length=128)
    original, out = tmp_path_factory.mktemp("original"), tmp_path_factory.mktemp("base")
    tokenizer.save(str(original / "tokenizer.json"))
    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(vocab_size=len(pieces), max_position_embeddings=128, **small)
    BertModel(config).save_pretrained(original)
    counts = encoder.collections.Counter({"potter": 9, "##ing": 5, "paint": 3})
    kept = encoder.choose_pieces(vocabulary, counts, 5 + 2 * len(letters))
    encoder.prune(original, kept, out)
    return out


def test_pruned_encoder_keeps_meaningful_pieces_and_their_vectors(base: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    letters = ["w", "##h", "##i", "##s", "##t", "##l", "##e"]
    assert tokenizer.tokenize("Potter, painting whistle") == ["potter", ",", "paint", "##ing", *letters]
    assert tokenizer("potter", "paint")["input_ids"][0] == tokenizer.cls_token_id == 2
    assert "\u4e00" not in tokenizer.get_vocab() and "##!" not in tokenizer.get_vocab()
    model = AutoModel.from_pretrained(base)
    assert model.dtype == torch.float32 and model.config.vocab_size == len(tokenizer)
    before = json.loads((base / "config.json").read_text())["vocab_size"]
    assert model.get_input_embeddings().weight.shape == (before, 16)


def arguments(data: Path, base: Path, folder: Path) -> list[str]:
    """Command line of a run of 150 tiny steps."""
    where = ["--data", data, "--work", folder / "work", "--out", folder / "out", "--base", base]
    return [*map(str, where), "--steps", "150", "--save-every", "10"]


def test_a_killed_training_ends_like_an_undisturbed_one(
    data: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from safetensors.torch import load_file

    checkpoint = tmp_path / "killed" / "work" / "checkpoint.pt"
    command = [sys.executable, str(ROOT / "recipes" / "embedded" / "entailment.py")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command + arguments(data, base, tmp_path / "killed"), env=environment) as process:
        while not checkpoint.exists() and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    stopped = torch.load(checkpoint, weights_only=True)["step"]
    assert 0 < stopped < 150
    for name in ("killed", "whole"):
        monkeypatch.setattr(sys, "argv", ["entailment.py", *arguments(data, base, tmp_path / name)])
        entailment.main()
    assert f"resumed at step {stopped} of 150" in (tmp_path / "killed" / "work" / "train.log").read_text()
    resumed, whole = (load_file(tmp_path / name / "out" / "model.safetensors") for name in ("killed", "whole"))
    assert resumed.keys() == whole.keys()
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
    card = (tmp_path / "whole" / "out" / "README.md").read_text()
    assert "license: cc-by-sa-4.0" in card and "| MRPC test, paraphrases: recall | 1 |" in card
    monkeypatch.setattr(sys, "argv", ["entailment.py", *arguments(data, base, tmp_path / "whole"), "--seed", "7"])
    with pytest.raises(UserError, match="of a run with other settings"):
        entailment.main()
