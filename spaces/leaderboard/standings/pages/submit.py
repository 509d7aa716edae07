"""How results come to this page."""

from __future__ import annotations

SUBMIT = """\
### Measure a system

The harness scores it on the test sets that ship, or on your own copies of the others (`--data-dir`):

```
idist-eval run --tasks scenes --systems hf-seq2seq:org/model,num_beams=4
idist-eval run --tasks scenes --systems predictions:outputs.txt
```

`outputs.txt` has one line for each example, made with whatever you like (the sources of `scenes` are in
`eval_harness/data/scenes_pairs.tsv`). `idist-eval list tasks` and `idist-eval list systems` say what else there is.
Each result goes to `results/`: the scores as JSON, every example as parquet.

### Look at it here

```
make leaderboard
```

shows `results/` and the evaluations of the runs in `runs/`; `IDIST_RESULTS=folder,owner/name` shows other folders and
datasets instead. A result that comes while the page is open is there after *Reload*.

### Publish it

```
python recipes/publish_results.py results --examples --push you/results --dry-run
python recipes/publish_results.py results --examples --push you/results
```

The first line says what would be sent. With `--examples` others can test their systems against yours and read what it
wrote; without, only the scores leave your machine (some benchmarks may not be handed on). Names of your folders stay
with you.

### Have it on a public board

A board lists the datasets that it reads. Ask its owner to add yours, or publish a board of your own:

```
python recipes/push_space.py leaderboard --set results=you/results,other/results --push you/leaderboard
```

A link may name a task: `?task=mrpc`.

Results are compared only on the same task, protocol, examples and metric signature; others get a table of their own.
"""


def add() -> None:
    """Into the open tab."""
    import gradio as gr

    gr.Markdown(SUBMIT, elem_id="submit-page", elem_classes="kit-text")
