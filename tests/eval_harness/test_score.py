"""``score``: the published copy-input row on the real MRPC, and what copying, silence and single examples give."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from eval_harness.metrics import score
from eval_harness.metrics.backbone import DEFAULT_BACKBONE, EMBEDDED_LAYERS
from eval_harness.pairs import read_pairs
from idist.errors import UserError

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("IDIST_DATA", ROOT.parent / "shared" / "data"))
NAMES = {"bert_ibleu", "ibleu", "bleu", "rouge_l", "self_bleu", "bertscore"}


@pytest.fixture(scope="module")
def mrpc() -> tuple[list[str], list[str]]:
    """Sentences 1 and 2 of the 1,147 positive test pairs."""
    path = DATA / "mrpc" / "msr_paraphrase_test.txt"
    if not path.is_file():
        pytest.skip("MRPC is not here: set IDIST_DATA to the folder that holds mrpc/")
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8-sig").splitlines()[1:]]
    positive = [row for row in rows if row[0] == "1"]
    return [row[3] for row in positive], [row[4] for row in positive]


def test_copy_input_on_mrpc_is_the_published_row(mrpc: tuple[list[str], list[str]]) -> None:
    """Paper, Table 2: iBLEU 1.1, BERT-iBLEU 0.0, BLEU 44.4, ROUGE-L 65.7."""
    sources, references = mrpc
    paper = score(sources, sources, references)
    assert paper.n == 1147
    assert paper.rouge_l == pytest.approx(65.74, abs=0.005)
    assert paper.bleu == pytest.approx(44.4, abs=0.3)
    assert paper.ibleu == pytest.approx(1.1, abs=0.3)
    assert paper.bert_ibleu == 0.0
    assert (paper.self_bleu, paper.bertscore) == (100.0, 100.0)
    standard = score(sources, sources, references, protocol="standard")
    assert standard.bleu == pytest.approx(47.5, abs=0.1)
    assert standard.ibleu == pytest.approx(0.7 * standard.bleu - 30.0)
    assert standard.bert_ibleu == 0.0


def test_rewording_beats_copying_and_nonsense_on_the_bundled_pairs() -> None:
    sources, targets = read_pairs(limit=60)
    human = score(targets, sources, targets)
    copied = score(sources, sources, targets)
    shuffled = score(targets[1:] + targets[:1], sources, targets)
    assert copied.bert_ibleu == 0.0 < shuffled.bert_ibleu < human.bert_ibleu
    assert (human.bleu, human.rouge_l) == (100.0, 100.0)
    assert human.ibleu == pytest.approx(70.0 - 0.3 * human.self_bleu)
    assert copied.ibleu == pytest.approx(0.7 * copied.bleu - 30.0)
    assert shuffled.bertscore < human.bertscore < copied.bertscore == 100.0


def test_per_example_scores_average_to_the_score() -> None:
    sources, targets = read_pairs(limit=8)
    result = score(sources[:4] + targets[4:], sources, targets)
    assert set(result.per_example) == NAMES
    for name, values in result.per_example.items():
        assert values.shape == (8,)
        assert np.mean(values) == pytest.approx(getattr(result, name))
    assert (result.per_example["bert_ibleu"][:4] == 0.0).all()
    assert (result.per_example["bert_ibleu"][4:] > 0.0).all()


@pytest.mark.parametrize("protocol", ["paper", "standard"])
def test_empty_predictions_score_zero(protocol: str) -> None:
    result = score(["", "  "], ["A dog runs.", "A cat sits."], ["The dog is running.", "A cat is sitting."], protocol)
    for name in NAMES:
        assert getattr(result, name) == 0.0


@pytest.mark.parametrize("protocol", ["paper", "standard"])
def test_one_example_and_other_scripts(protocol: str) -> None:
    one = score(["The dog is running."], ["A dog runs."], [["The dog runs.", "A dog is running."]], protocol)
    assert one.n == 1
    assert 0.0 < one.bert_ibleu < 100.0
    foreign = score(["Собака бежит по улице."], ["По улице бежит собака."], ["Пёс бежит по улице."], protocol)
    assert foreign.rouge_l == 0.0  # rouge_score's tokens are a-z and 0-9
    assert all(np.isfinite(getattr(foreign, name)) for name in NAMES)
    assert score(["犬"], ["犬"], ["猫"], protocol).bert_ibleu == 0.0


def test_signature_stands_beside_the_numbers() -> None:
    result = score(["The dog is running."], ["A dog runs."], ["The dog runs."], protocol="standard")
    parts = result.signature.split("; ")
    assert parts[0] == "protocol:standard"
    assert {part.split("[")[0] for part in parts[1:]} == NAMES
    assert f"backbone:{DEFAULT_BACKBONE}|layer:{EMBEDDED_LAYERS[DEFAULT_BACKBONE]}|" in result.signature
    assert result.signature in str(result)
    assert f"BERT-iBLEU {result.bert_ibleu:.1f}" in str(result)


def test_wrong_input_is_one_sentence() -> None:
    with pytest.raises(UserError, match="protocol is 'Paper', expected one of: paper, standard"):
        score(["a"], ["a"], ["a"], protocol="Paper")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="1 predictions, 2 sources, 1 references"):
        score(["a"], ["a", "b"], ["a"])


def test_importing_the_metrics_loads_no_heavy_library() -> None:
    heavy = ["torch", "transformers", "bert_score", "nltk", "pandas", "matplotlib"]
    code = f"import sys, eval_harness.metrics, eval_harness.pairs; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
