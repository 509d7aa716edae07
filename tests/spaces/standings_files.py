"""Results for tests of the leaderboard: three systems on two tasks, one more on fewer examples, figures of others."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.eval_harness.result_files import rewritten, write_result

HOSTILE = "predictions:<img src=x onerror=alert(1)>${alert(2)}{{x}}`y`"
SIZE = 30


def write_all(folder: Path) -> Path:
    """Results below a folder; gives the folder.

    On ``scenes``: ``copy-input``, ``hf-seq2seq:org/close`` (worse by far) and a system with a hostile name and hostile
    outputs; the same task on 10 examples; a result marked as reported.
    """
    for place, (name, copied) in enumerate({"copy-input": 1.0, "hf-seq2seq:org/close": 0.8, HOSTILE: 0.1}.items()):
        predictions = rewritten(SIZE, copied, seed=place)
        if name == HOSTILE:
            predictions[0] = "<script>alert(3)</script> {{a}} ${b} 🙂 שלום"
        cosine = np.linspace(60, 100, SIZE) - (1 - copied) * 20
        write_result(folder, name, predictions, metrics=["ibleu", "self_bleu", "rouge_l"], means={"cosine": cosine})
    write_result(folder, "copy-input", rewritten(10, 1.0), metrics=["rouge_l"], task="scenes-summary")
    write_result(folder / "first", "lead", rewritten(10, 0.5), metrics=["rouge_l"], limit=10)
    write_result(folder, "chat:someone", rewritten(10, 0.5), metrics=["rouge_l"], reported=True)
    return folder
