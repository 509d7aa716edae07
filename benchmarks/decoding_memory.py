"""Memory of decoding k = 100 next sentences of one context: measured, beside what the shapes say.

    OMP_NUM_THREADS=1 python benchmarks/decoding_memory.py                   GPT2-XL, a context of 100 tokens
    OMP_NUM_THREADS=1 python benchmarks/decoding_memory.py --shape gpt2 --plain

Weights are random, in the published shape: memory does not depend on what they say. Random logits are nearly flat, so
that all samples differ from the first token on and none of them shares a row: the most that k samples can take. What is
read is this process's peak resident memory, less what it was before the model and before decoding. ``--plain`` runs
``generate(num_return_sequences=k)`` in a process of its own; its cache copies the context k times from the start, and
all of it again at every token.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.record import Figure, add_argument, record

SHAPES = {"gpt2": (12, 768, 12), "gpt2-xl": (48, 1600, 25)}  # layers, width, heads
NUMBER = {"float32": 4, "bfloat16": 2}
VOCABULARY, POSITIONS = 50_257, 1_024
GIB = 2**30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=tuple(SHAPES), default="gpt2-xl", help="(default: %(default)s)")
    parser.add_argument("--k", type=int, default=100, help="samples (default: %(default)s)")
    parser.add_argument("--context", type=int, default=100, help="tokens of the context (default: %(default)s)")
    parser.add_argument("--new-tokens", type=int, default=3, help="tokens a sample (default: %(default)s)")
    parser.add_argument("--dtype", choices=tuple(NUMBER), default="float32", help="(default: %(default)s)")
    parser.add_argument("--plain", action="store_true", help="plain generate, too")
    parser.add_argument("--child", choices=("ours", "plain"), help=argparse.SUPPRESS)
    add_argument(parser)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measured(options)))
        return
    figures = [figure(options, "ours", child("ours"))]
    if options.plain:
        figures.append(figure(options, "plain", child("plain")))
    record(f"decoding_memory_{options.shape}", figures, options.record)


def child(side: str) -> dict[str, float]:
    """The measurement in a process of its own: a peak never goes down again."""
    done = subprocess.run(
        [sys.executable, __file__, *[word for word in sys.argv[1:] if word != "--record"], "--child", side],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def expected(shape: str, dtype: str, k: int, context: int, new_tokens: int) -> dict[str, float]:
    """Bytes: weights; the context's cache; what k rows of context and new tokens take."""
    layers, width, _ = SHAPES[shape]
    weights = (VOCABULARY + POSITIONS) * width + layers * (12 * width * width + 13 * width) + 2 * width
    token = 2 * layers * width * NUMBER[dtype]
    return {"weights": weights * NUMBER[dtype], "prefix": context * token, "rows": k * (context + new_tokens) * token}


def measured(options: argparse.Namespace) -> dict[str, float]:
    """Bytes: weights, and the peak of decoding above them."""
    import torch

    before = resident()
    model = random_model(options.shape, getattr(torch, options.dtype))
    loaded = resident()
    context = torch.randint(0, VOCABULARY, (1, options.context), generator=torch.Generator().manual_seed(0))
    run = ours if options.child == "ours" else plain
    with torch.inference_mode():
        run(model, context, options.k, options.new_tokens)
    return {"weights": loaded - before, "decoding": peak() - loaded}


def ours(model: Any, context: Any, k: int, new_tokens: int) -> None:
    """The decoder's own loop; no text is needed."""
    import numpy as np

    from idist.decoding import Sampling
    from idist.decoding.loop import decode, never
    from idist.decoding.prefix import CausalPrefix
    from idist.decoding.sampling import random_keys

    keys = random_keys("memory", "c", 0, k, new_tokens)
    sampling = Sampling(temperature=1.0, max_new_tokens=new_tokens)
    decode(CausalPrefix(model, context.tolist(), 0), np.zeros(k, int), keys, sampling, NoEnd(), [], False, never)


class NoEnd:
    """A vocabulary in which nothing ends a text."""

    end_ids: frozenset[int] = frozenset()


def plain(model: Any, context: Any, k: int, new_tokens: int) -> None:
    """As the authors generate."""
    model.generate(
        context,
        do_sample=True,
        top_p=0.9,
        top_k=0,
        num_return_sequences=k,
        no_repeat_ngram_size=3,
        max_new_tokens=new_tokens,
        min_new_tokens=new_tokens,
        pad_token_id=0,
    )


def random_model(shape: str, dtype: Any) -> Any:
    """GPT-2 of a published shape, its weights made in ``dtype`` at once."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    layers, width, heads = SHAPES[shape]
    config = GPT2Config(n_layer=layers, n_embd=width, n_head=heads)
    with torch.device("meta"):
        model: Any = GPT2LMHeadModel(config).to(dtype)
    model = model.to_empty(device="cpu").eval()
    model.tie_weights()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.fill_(1.0 if name.endswith(("ln_1.weight", "ln_2.weight", "ln_f.weight")) else 0.0)
            if weight.dim() == 2:
                weight.uniform_(-0.03, 0.03)
    return model


def resident() -> float:
    """Resident memory of this process now, in bytes."""
    import psutil

    return float(psutil.Process().memory_info().rss)


def peak() -> float:
    """Its peak so far, in bytes."""
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def figure(options: argparse.Namespace, side: str, found: dict[str, float]) -> Figure:
    """Peak of one side; the formula is in the note."""
    by_shape = expected(options.shape, options.dtype, options.k, options.context, options.new_tokens)
    full = expected(options.shape, options.dtype, options.k, options.context, 100)
    who = "our decoder" if side == "ours" else "generate"
    note = (
        f"by the shape: weights {by_shape['weights'] / GIB:.2f}, the context's cache {by_shape['prefix'] / GIB:.3f}, "
        f"{options.k} rows {by_shape['rows'] / GIB:.2f} GiB; measured: weights {found['weights'] / GIB:.2f}, decoding "
        f"{found['decoding'] / GIB:.2f} GiB; with 100 new tokens the rows would be {full['rows'] / GIB:.2f} GiB "
        "(not run)"
    )
    what = f"{options.k} samples of {options.new_tokens} tokens after {options.context}, {options.dtype}"
    total = (found["weights"] + found["decoding"]) / GIB
    return Figure(f"memory of {who}, {options.shape}: {what}", "GiB", total, note=note)


if __name__ == "__main__":
    main()
