"""The everyday-scenes corpus and the teacher's and student's training, on a tiny data folder written here."""

from __future__ import annotations

import dataclasses
import gzip
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "recipes" / "embedded"))

import lm_common  # noqa: E402
import scenes  # noqa: E402
import student  # noqa: E402
import teacher  # noqa: E402
from common import Log  # noqa: E402

from idist.errors import UserError  # noqa: E402

BANNED = "A gardener waters seven yellow tulips."
WHO = ("gardener", "baker", "sailor", "farmer", "dancer", "painter", "drummer", "nurse", "welder", "potter")
WHAT = ("lifts a heavy basket", "mends a broken chair", "waves at the crowd", "cleans a long window")
WHERE = ("beside the old stone bridge", "in front of a quiet bakery", "at the edge of a frozen pond")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in the real layout, 120 premises with three hypotheses each."""
    root = tmp_path_factory.mktemp("data")
    snli, cf = root / "nli" / "esnli-devtest", root / "nli" / "snli-counterfactual"
    captions, coco = root / "text" / "coco-captions-texygen", root / "mscoco"
    for folder in (snli, captions, coco, cf / "original", cf / "revised_hypothesis", cf / "revised_premise"):
        folder.mkdir(parents=True)
    columns: dict[str, list[str]] = {"s1": [], "s2": [], "labels": []}
    for who, what, where in itertools.product(WHO, WHAT, WHERE):
        for hypothesis, label in (
            (f"someone {what} {where} .", "entailment"),
            (f"The {who} {what} for a friend .", "neutral"),
            (f"The {who} is asleep at home in a soft bed .", "contradiction"),
        ):
            columns["s1"].append(f"A {who} {what} {where} . ")
            columns["s2"].append(hypothesis)
            columns["labels"].append(label)
    columns["s2"][0], columns["s2"][1] = "He lifts .", BANNED.replace(".", " .")
    for name, lines in columns.items():
        (snli / f"{name}.dev").write_text("\n".join(lines[:180]) + "\n", encoding="utf-8")
        (snli / f"{name}.test").write_text("\n".join(lines[180:]) + "\n", encoding="utf-8")
    rows = {
        "original": "A cook does n't drop the pan.\tA cook is holding a pan tightly.\tneutral\n",
        "revised_hypothesis": "A cook does n't drop the pan.\tA cook throws the pan far away.\tcontradiction\n",
        "revised_premise": "A cook grips the pan.\tA cook is holding a pan tightly.\tentailment\n",
    }
    for folder_name, row in rows.items():
        for part in ("train", "dev", "test"):
            body = row if part == "train" else ""
            (cf / folder_name / f"{part}.tsv").write_text("sentence1\tsentence2\tgold_label\n" + body, encoding="utf-8")
    train = [f"a {who} with a {thing} {where} ." for who in WHO for thing in ("hat", "cane") for where in WHERE]
    (captions / "train.tgt").write_text("\n".join([*train, BANNED.lower()]) + "\n", encoding="utf-8")
    (captions / "test.tgt").write_text("two kites fly high over a windy beach .\n", encoding="utf-8")
    for name in ("test", "validation"):
        with gzip.open(coco / f"{name}.csv.gz", "wt", encoding="utf-8") as file:
            file.write(f"source,target\n{BANNED},the tulips get water from a gardener\n")
    return root


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a man does n't see the dog 's ball , or hears it !", ["A man doesn't see the dog's ball, or hears it!"]),
        ("A Boy Is Looking Out From A Wooden Gate", ["A boy is looking out from a wooden gate."]),
        ("Two men are rowing . They are tired .", ["Two men are rowing.", "They are tired."]),
        ("He reads `` help '' on a spoon .", []),
        (" ".join(["word"] * 41), []),
    ],
)
def test_clean_undoes_tokenization_and_drops_what_is_no_prose(raw: str, expected: list[str]) -> None:
    assert scenes.clean(raw) == expected


def test_load_parses_labels_drops_short_and_evaluation_sentences(data: Path) -> None:
    train, held_out, counts = scenes.load(data)
    everything = {scenes.normalize(s) for s in train.sentences() + held_out.sentences()}
    assert scenes.normalize(BANNED) not in everything  # stood in a caption and in a hypothesis
    assert counts["sentences dropped: in MSCOCO evaluation"] == 2
    assert "he lifts" not in everything
    stories = {story.premise: story.hypotheses for story in train.stories + held_out.stories}
    assert stories["A cook doesn't drop the pan.",] == ()  # its one hypothesis contradicts it
    assert stories["A cook grips the pan.",] == ("A cook is holding a pan tightly.",)
    first = "A baker mends a broken chair in front of a quiet bakery."
    assert len(stories[first,]) == 2
    assert "The baker is asleep at home in a soft bed." in train.singles + held_out.singles
    assert "Two kites fly high over a windy beach." in train.captions + held_out.captions


def test_split_depends_on_premise_and_seed_alone(data: Path) -> None:
    first, again, other = scenes.load(data, 0), scenes.load(data, 0), scenes.load(data, 1)
    assert first[0].sentences() == again[0].sentences()
    assert first[1].stories == again[1].stories
    assert first[1].stories != other[1].stories
    train, held_out = first[0], first[1]
    assert held_out.stories
    seen = {scenes.normalize(s) for s in train.sentences()}
    assert not seen & {scenes.normalize(s) for s in held_out.sentences()}


def test_documents_are_arranged_by_the_seed_and_use_every_sentence_once(data: Path) -> None:
    train, _, _ = scenes.load(data)
    documents = train.documents(3)
    assert documents == train.documents(3)
    assert documents != train.documents(4)
    stories = sum(len(story.premise) + len(story.hypotheses) for story in train.stories)
    assert sum(map(len, documents)) == stories + len(train.pool()) + len(train.singles)
    assert max(map(len, documents)) > 3  # albums group alike captions
    premise_last = [story for story in train.stories if len(story.hypotheses) == 2]
    endings = {tuple(d)[-1] for d in documents}
    assert any(story.premise[-1] in endings for story in premise_last)


def test_neighbours_are_alike_and_not_the_same() -> None:
    pool = ["A red kite over the beach.", "A red kite above the sand.", "A red kite over a beach.", "Two cats asleep."]
    assert scenes.alike_sentences(pool) == [[1], [0, 2], [1], []]


def test_a_folder_without_data_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="esnli-devtest"):
        scenes.load(tmp_path)


SETTINGS = teacher.Settings(width=32)
SCHEDULE = lm_common.Schedule(steps=12, warmup=SETTINGS.warmup, checkpoint_every=2)


def test_a_killed_training_ends_with_the_weights_of_an_undisturbed_one(data: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "recipes/embedded/teacher.py"), "--data", str(data), "--width", "32"]
    command += ["--steps", "12", "--checkpoint-every", "2", "--work", str(tmp_path / "killed")]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    process = subprocess.Popen([*command, "--out", str(tmp_path / "a")], env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    while not (tmp_path / "killed" / "checkpoint.pt").exists():
        assert process.poll() is None, "the training ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "a").exists(), "the kill came too late to show anything"
    figures = teacher.train(data, tmp_path / "killed", tmp_path / "a", SETTINGS, SCHEDULE)
    assert figures["steps"] == 12
    assert "resumed at step" in (tmp_path / "killed" / "train.log").read_text(encoding="utf-8")
    teacher.train(data, tmp_path / "whole", tmp_path / "b", SETTINGS, SCHEDULE)
    undisturbed, resumed = (load_file(tmp_path / name / "model.safetensors") for name in "ba")
    assert all((undisturbed[key] == resumed[key]).all() for key in undisturbed | resumed)
    assert "cc-by-sa-4.0" in (tmp_path / "a" / "README.md").read_text(encoding="utf-8")


def test_other_settings_are_refused_in_the_same_work_folder(tmp_path: Path) -> None:
    lm_common.same_settings(tmp_path, SETTINGS)
    lm_common.same_settings(tmp_path, SETTINGS)
    with pytest.raises(UserError, match="width"):
        lm_common.same_settings(tmp_path, dataclasses.replace(SETTINGS, width=64))


def test_student_learns_with_the_models_own_loss_and_can_be_published(data: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    settings = student.Settings(width=32, feed_forward=32, dropout=0.0, vocabulary=300)
    schedule = lm_common.Schedule(steps=3, warmup=settings.warmup)
    student.train(data, tmp_path / "work", tmp_path / "out", settings, schedule)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    model = AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "out", dtype=torch.float32)
    sentences = ["A baker waves.", "Two kites fly high over the beach."]
    assert tokenizer(sentences[0]).input_ids[-1] == tokenizer.eos_token_id == 1
    assert tokenizer.decode(tokenizer(sentences[0]).input_ids, skip_special_tokens=True) == sentences[0]
    (batch,) = student.Denoising(tokenizer, sentences).batches(sentences, "test")
    expected = model(**batch).loss
    expected.backward()
    gradients = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    torch.testing.assert_close(student.learn(model, batch, bf16=False), expected.detach())
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name], msg=name)


def test_log_reports_resources(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log("hello")
    assert log.path.read_text(encoding="utf-8").endswith("hello\n")
    assert log.resources()["peak_gib"] > 0
