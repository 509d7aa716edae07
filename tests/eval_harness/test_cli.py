"""The command line: what it answers, how it ends, how fast it says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from eval_harness import results
from eval_harness.__main__ import main
from eval_harness.commands import COMMANDS, load
from eval_harness.commands.run import SYSTEMS, TASKS

REPOSITORY = Path(__file__).parents[2]
HEAVY = ("torch", "transformers", "datasets", "pyarrow", "matplotlib", "stanza", "bert_score", "sacrebleu")
ROWS = "source\ttarget\n" + "".join(f"number {i} it is\tit is number {i}\n" for i in range(30))
TASK = "name: mine\ndescription: Mine\npurpose: paraphrase\nmetrics: [bleu, rouge_l]\nbundled: mine.tsv\n"
COLUMNS = "columns: {source: source, references: target}\n"


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    code = 0
    try:
        main(arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


@pytest.fixture
def task(tmp_path: Path) -> Path:
    (tmp_path / "mine.tsv").write_text(ROWS)
    path = tmp_path / "mine.yaml"
    path.write_text(TASK + COLUMNS)
    return path


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS), ["list"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom eval_harness.__main__ import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == "HEAVY []"


def test_every_command_says_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys)
    assert code == 0
    for name in COMMANDS:
        assert name in out
        assert load(name).help[:40] in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["rnu"], "Unknown command 'rnu'; did you mean 'run'?"),
        (["run", "--task", "mrcp"], "Unknown task 'mrcp'; did you mean 'mrpc'?"),
        (["run", "--system", "copy"], "Unknown system 'copy'; did you mean 'copy-input'?"),
        (["run", "--metric", "bleu,tok=x"], "unknown setting 'tok'"),
        (["run", "--device", "tpu"], "device is 'tpu', expected auto, cpu, cuda, cuda:N or mps"),
        (["run", "--metric", "cosine,device=tpu"], "device is 'tpu'"),
        (["run", "--system", "idist:embedded:student,device=tpu"], "device is 'tpu'"),
        (["run", "--system", "hf-seq2seq:"], "'hf-seq2seq:' lacks model, expected for example hf-seq2seq:MODEL"),
        (["run", "--out", "pyproject.toml"], "--out pyproject.toml cannot be written to: "),
        (["run", "--limit", "0"], "--limit is 0, expected 1 or more"),
        (["run", "--plugin", "nowhere.py"], "Plug-in nowhere.py does not exist"),
        (["run", "--task", "nowhere.yaml"], "nowhere.yaml"),
        (["run", "--task", "mrpc", "--data-dir", "nowhere"], "data folder nowhere does not exist"),
        (["run", "--system", "idist:./nowhere"], "'./nowhere' does not exist"),
        (["validate", "--data-dir", "nowhere"], "Data folder nowhere does not exist"),
    ],
)
def test_bad_input_is_one_sentence(capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str) -> None:
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ") and expected in err
    assert err.count("\n") == 1


def test_run_prints_a_table_and_leaves_files(capsys: pytest.CaptureFixture[str], task: Path, tmp_path: Path) -> None:
    systems = ["--systems", "copy-input", "lead,words=2", "--system", "copy-input"]  # a repetition is one
    code, out, err = call(capsys, "run", "--task", str(task), *systems, "--out", str(tmp_path / "out"))
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "mine (30 examples, bundled), protocol paper"
    assert lines[1].split() == ["BLEU", "ROUGE-L"]
    assert lines[2].startswith("copy-input") and lines[3].startswith("lead,words=2")
    copied = results.read(tmp_path / "out" / "mine" / "paper" / "copy-input.json").meta["scores"]["rouge_l"]
    assert f"{copied['value']:.1f} ± {(copied['high'] - copied['low']) / 2:.1f}" in lines[2]
    assert "± half the 95% bootstrap interval (1,000 resamples, seed 0)" in lines
    assert "rouge_l  mean-f1|stemmer:no|version:" in out and "bleu     mean-sentence|" in out
    assert lines[-1] == f"Files: {tmp_path / 'out' / 'mine' / 'paper'} (scores in .json, every example in .parquet)"
    assert "30/30" in err  # the bar
    code, _, err = call(capsys, "run", "--task", str(task), *systems, "--out", str(tmp_path / "out"))
    assert code == 0 and err.count("kept: ") == 2


def test_failures_and_missing_metrics_stand_in_the_table(
    capsys: pytest.CaptureFixture[str], task: Path, tmp_path: Path
) -> None:
    lines = [json.dumps({"prediction": None if i == 4 else f"it is {i}"}) for i in range(30)]
    (tmp_path / "out.jsonl").write_text("\n".join(lines))
    run = ("run", "--task", str(task), "--out", str(tmp_path / "out"))
    call(capsys, *run, "--systems", "copy-input", "--metrics", "ibleu")
    system = f"predictions:{tmp_path / 'out.jsonl'}"
    code, out, err = call(capsys, *run, "--systems", "copy-input", system, "--metrics", "bleu")
    assert code == 0
    assert "1 example without a prediction, scored as empty" in out
    assert "gave no prediction for 1 of 30 examples of mine" in err and "mine-000004: null in the file" in err
    table = out.splitlines()
    assert table[1].split() == ["BLEU", "iBLEU"] and table[3].split()[-1] == "-"


def test_the_default_is_offline_and_about_the_shipped_student(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (TASKS, SYSTEMS) == (("scenes",), ("copy-input", "idist:embedded:student"))
    monkeypatch.chdir(tmp_path)
    code, out, _ = call(capsys, "run", "--limit", "4", "--metrics", "bleu", "self_bleu")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "scenes (4 examples, the first ones, bundled), protocol paper"
    assert lines[2].startswith("copy-input") and "100.0 ± 0.0" in lines[2]
    assert lines[3].startswith("idist:embedded:student")
    student = results.read(tmp_path / "results" / "scenes" / "paper" / "idist-embedded-student.json")
    assert all(student.rows["prediction"].to_pylist())
    assert student.meta["system"]["settings"]["num_beams"] == 4


def test_interrupted_and_full_disk(
    capsys: pytest.CaptureFixture[str], task: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eval_harness.systems.copy_input import CopyInput

    arguments = ("run", "--task", str(task), "--systems", "copy-input", "--out", str(tmp_path / "out"))

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def fill(*_: object) -> None:
        raise OSError(28, "No space left on device", "here")

    monkeypatch.setattr(CopyInput, "predict", interrupt)
    code, _, err = call(capsys, *arguments)
    assert code == 130 and "the same command goes on from there" in err
    monkeypatch.setattr(CopyInput, "predict", fill)
    code, _, err = call(capsys, *arguments)
    assert code == 2 and "error: No space left on device at here; what is finished is kept." in err


def test_list_one_kind(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "list", "systems")
    assert code == 0
    assert out.splitlines()[0].endswith(" systems")
    assert "copy-input" in out and "[built in]" in out and "bleu" not in out.split()


def test_validate_lists_every_problem(capsys: pytest.CaptureFixture[str], task: Path, tmp_path: Path) -> None:
    code, out, _ = call(capsys, "validate", str(task), "bleu,protocol=standard", "mrpc", "predictions")
    assert (code, out.splitlines()[-1]) == (0, "4 checked, no problems")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((TASK + COLUMNS).replace("[bleu, rouge_l]", "[bleu, 'bleu,protocol=paper', rogue_l, strict]"))
    short = tmp_path / "short.yaml"
    short.write_text(TASK + COLUMNS + "examples: 31\n")
    unknown = tmp_path / "unknown.yaml"
    unknown.write_text(TASK + COLUMNS + "exmaples: 30\n")
    code, out, err = call(
        capsys, "validate", str(wrong), str(short), str(unknown), "bleu,protocol=x", "mrcp", "rouge_l"
    )
    assert code == 2
    assert [line.split()[-1] for line in out.splitlines()] == ["WRONG"] * 5 + ["ok"]
    for expected in (
        "error: 7 problems in 6 checked:",
        "Task 'mine': metrics: two are called 'bleu' in the results",
        "Task 'mine': metrics: Unknown metric 'rogue_l'; did you mean 'rouge_l'?",
        "Task 'mine': metrics: Unknown metric 'strict'",
        "30 examples in it, expected 31",
        "unknown key 'exmaples'; did you mean 'examples'?",
        "protocol is 'x', expected one of: paper, standard",
        "Nothing is called 'mrcp'; did you mean 'mrpc'?",
    ):
        assert expected in err


def test_validate_reads_local_data(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "quora").mkdir()
    code, out, _ = call(capsys, "validate", "--data-dir", str(tmp_path))
    assert code == 0 and "mrpc (no files there)  ok" in out
    (tmp_path / "msr_paraphrase_test.txt").write_text(
        "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t1\t2\tA b.\tB a.\n"
    )
    code, out, err = call(capsys, "validate", "--data-dir", str(tmp_path))
    assert code == 2 and "mrpc  WRONG" in out and "expected 1,147" in err
    code, _, err = call(capsys, "validate", "gigaword", "--data-dir", str(tmp_path))
    assert code == 2 and "Task 'gigaword': no files in" in err
