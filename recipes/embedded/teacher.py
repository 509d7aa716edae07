"""Train ``embedded:teacher``: a small GPT-2-architecture language model of everyday scenes, from nothing.

    python recipes/embedded/teacher.py --data DATA

Ordinary next-token training on the documents of ``scenes.py``; every epoch arranges them anew. About 50 minutes on
one core. It knows no labels and no paraphrases: those come out later, by sampling and filtering.
"""

from __future__ import annotations

import math
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import scenes
from common import Log, arguments
from lm_common import Schedule, backward_through_head, decay_groups, fit, made_once, precision, publish, same_settings

from idist.errors import UserError

if TYPE_CHECKING:
    import torch
    from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

END = "<|endoftext|>"
ROW_LENGTHS = (
    128,
    128,
    128,
    256,
)  # tokens; mostly the length of real use, sometimes the longest, so no position is new
TOKENS_A_BATCH = 1536
HELD_OUT_ARRANGEMENT = -1  # seed of the one arrangement that perplexity is measured on


@dataclass(frozen=True)
class Settings:
    """What decides the weights, but for the number of steps (see ``Schedule``)."""

    seed: int = 0
    width: int = 256
    layers: int = 4
    heads: int = 4
    vocabulary: int = 4096
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.1
    dropout: float = 0.1
    warmup: int = 100
    bf16: bool = False


def train_tokenizer(documents: list[list[str]], vocabulary: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE with ``<|endoftext|>`` as token 0, which begins, ends and pads."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=[END], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator((" ".join(d) for d in documents), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=END, eos_token=END, pad_token=END, model_max_length=256
    )


def pack(documents: list[list[int]], lengths: tuple[int, ...], tokens_a_batch: int) -> list[torch.Tensor]:
    """Batches (rows, length) of token ids: END document END document ...; every row begins with END and a document.

    That is how the model is used: position 0 is END and the context follows. What does not fit is cut off.
    """
    import torch

    batches: list[torch.Tensor] = []
    rows: list[list[int]] = []
    row: list[int] = []
    length = lengths[0]
    for document in documents:
        row += [0, *document]
        if len(row) < length:
            continue
        rows.append(row[:length])
        row = []
        if len(rows) == tokens_a_batch // length:
            batches.append(torch.tensor(rows))
            rows, length = [], lengths[len(batches) % len(lengths)]
    if not batches:  # a corpus smaller than a batch, or than a row
        batches.append(torch.tensor(rows or [row]))
    return batches


def build_model(settings: Settings) -> GPT2LMHeadModel:
    """GPT-2 with random weights."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        n_embd=settings.width,
        n_layer=settings.layers,
        n_head=settings.heads,
        vocab_size=settings.vocabulary,
        n_positions=256,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
        resid_pdrop=settings.dropout,
        embd_pdrop=settings.dropout,
        attn_pdrop=0.0,
        activation_function="gelu_pytorch_tanh",  # gelu_new in one kernel
    )
    return GPT2LMHeadModel(config)


def train(data: Path, work: Path, out: Path, settings: Settings, schedule: Schedule) -> dict[str, float]:
    """The whole recipe: read, tokenize, train or resume, write the model folder. Returns the measured figures."""
    import torch

    log = Log(work)
    same_settings(work, settings)
    train_split, held_out, counts = scenes.load(data, settings.seed)
    log(f"corpus {counts}")
    tokenizer = made_once(work / "tokenizer", lambda: train_tokenizer(train_split.documents(0), settings.vocabulary))
    torch.manual_seed(settings.seed)
    model = build_model(settings)
    log(f"{sum(p.numel() for p in model.parameters()):,} parameters")

    def encode(documents: list[list[str]]) -> list[list[int]]:
        return tokenizer([" ".join(d) for d in documents]).input_ids

    def epoch_batches(epoch: int) -> list[torch.Tensor]:
        seed = settings.seed * 100_000 + epoch
        batches = pack(encode(train_split.documents(seed)), ROW_LENGTHS, TOKENS_A_BATCH)
        random.Random(seed).shuffle(batches)
        return batches

    test = pack(encode(held_out.documents(HELD_OUT_ARRANGEMENT)), (128,), TOKENS_A_BATCH)

    def learn(batch: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=settings.bf16):
            hidden = model.transformer(input_ids=batch[:, :-1]).last_hidden_state.flatten(0, 1)
            return backward_through_head(hidden, model.lm_head.weight, batch[:, 1:].flatten())

    def validate() -> float:
        return sum(model(input_ids=b, labels=b).loss.item() for b in test) / len(test)

    figures = fit(
        model,
        torch.optim.AdamW(
            decay_groups(model, settings.weight_decay),
            lr=settings.learning_rate,
            betas=(0.9, 0.98),
            fused=True,
        ),
        schedule,
        epoch_batches,
        learn,
        torch.Tensor.numel,
        validate,
        work,
        log,
    )
    model.half().float()  # measure what is shipped: weights in half precision, computed in single
    with torch.inference_mode():
        figures["shipped_loss"] = validate()
    figures |= {
        "perplexity": math.exp(figures["shipped_loss"]),
        "held_out_tokens": sum(b.numel() for b in test),
    }
    figures["parameters"] = sum(p.numel() for p in model.parameters())
    log(f"finished {figures}")
    publish(model, tokenizer, card(settings, figures, counts), figures, out)
    return figures


def card(settings: Settings, figures: dict[str, float], counts: dict[str, int]) -> str:
    """The model card, filled with what was measured."""
    times = {"minutes": figures["seconds"] / 60, "millions": figures["tokens"] / 1e6}
    return CARD.format(s=settings, f=figures, c=counts, precision=precision(settings.bf16), **times)


CARD = """---
license: cc-by-sa-4.0
language: en
library_name: transformers
pipeline_tag: text-generation
tags: [gpt2, everyday-scenes, idist]
---

# Embedded teacher: a GPT-2-architecture language model of everyday scenes

The teacher that `idist` distils from when no network is at hand. GPT-2 architecture, {f[parameters]:,} parameters
(width {s.width}, {s.layers} layers, {s.heads} heads, byte-level BPE of {s.vocabulary:,}), trained from nothing, no
pretrained weights involved. It was trained to continue text and nothing else: no pairs marked as paraphrases, no labels
to predict, no instructions.

## Data and licences

| text | licence |
|---|---|
| SNLI development and test sets | CC BY-SA 4.0 |
| counterfactually revised SNLI | Apache-2.0 |
| COCO captions (20,000, Texygen's selection) | CC BY 4.0 |

{c[train sentences, distinct]:,} distinct sentences for training, {c[held-out sentences, distinct]:,} held out (split by
premise, and by caption), arranged into documents anew in every epoch:

- *stories*: a premise and the hypotheses that were not labelled as contradicting it; premise first (half), last (30 %)
  or anywhere;
- *albums*: two to six captions or premises of alike scenes, grouped by shared rare words (TF-IDF cosine between 0.25
  and 0.80, no labels). They are there so that the sentence after a context is as long as a caption and stays with the
  scene. Some sentences of an album tell of the same scene in other words, as captions do; none is marked as such;
- *singles*: one contradicted hypothesis of 7 words or more alone.

So labels were used for one thing: which hypotheses stand beside their premise. People wrote those hypotheses after
reading the premise. Other hypotheses of fewer than 5 words, sentences of more than 40, and sentences with quotes or
brackets were dropped, and so were those of the MSCOCO evaluation pairs
({c[sentences dropped: in MSCOCO evaluation]} found). The weights are under CC BY-SA 4.0, because of SNLI. SNLI's
test set is among the text: do not evaluate language modelling on it.

## Training

AdamW (betas 0.9, 0.98), learning rate {s.learning_rate}, warm-up {s.warmup} steps, constant, then a linear fall to
almost 0 over the last 40 % of the steps; weight decay {s.weight_decay} on matrices; dropout {s.dropout}. {f[steps]:,}
steps of 1,536 tokens ({millions:.1f} M tokens, {f[epochs]:.1f} epochs), in rows of 128 and 256 tokens that begin with
`<|endoftext|>` and a document; seed {s.seed}; {precision}. {minutes:.0f} minutes on a shared CPU core
({f[tokens_per_second]:,} tokens a second), {f[peak_gib]:.1f} GiB. Recipe: `recipes/embedded/teacher.py`.

## Measured

Held-out perplexity a token, weights as shipped (half precision, computed in single), {f[held_out_tokens]:,} tokens in
rows of 128: **{f[perplexity]:.2f}** (loss {f[shipped_loss]:.4f}; before rounding to half {f[best_loss]:.4f}).
Perplexities of other tokenizers or arrangements do not compare.

## Use and limits

Begin with `<|endoftext|>`, then the context, then let it go on (temperature 0.7, top-p 0.9); ban `<|endoftext|>` as the
first token after a context: documents of one sentence taught it to stop there. Up to 256 tokens. English of everyday
scenes and nothing else. It writes mostly well-formed sentences, and some that repeat themselves or mix two things up
("a wave on a wave"). It repeats the biases of crowd-written captions (gender, profession, age, ethnicity). Made for
tests and demonstrations of the pipeline, not for text that people rely on.
"""


def main() -> int:
    """Command line."""
    import torch

    parser = arguments("teacher", __doc__)
    parser.add_argument("--steps", type=int, default=3400, help="training steps")
    parser.add_argument("--width", type=int, default=Settings.width, help="model width (a multiple of 4 heads)")
    parser.add_argument("--checkpoint-every", type=int, default=250, help="steps between checkpoints")
    parser.add_argument("--bf16", action="store_true", help="matrix products in bfloat16 (CPUs with AVX512-BF16 only)")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    settings = Settings(seed=args.seed, width=args.width, bf16=args.bf16)
    try:
        schedule = Schedule(args.steps, settings.warmup, checkpoint_every=args.checkpoint_every)
        train(args.data, args.work, args.out, settings, schedule)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
