"""Pretrain ``embedded:student``: a small T5-architecture denoiser of everyday scenes, from nothing.

    python recipes/embedded/student.py --data DATA

It reads a sentence with words dropped, moved and replaced, and writes the sentence as it was; one input in six is left
alone, so that it can also copy. Fine-tuning on pairs then starts from a model that looks at its input and writes
English. About 45 minutes on one core.

The optimizer decides: T5's embeddings start at standard deviation 1, which AdamW hardly moves, and the model never
learns to look at its input. Adafactor with parameter scaling (T5's own recipe) does.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import scenes
from common import Log, arguments
from denoising import Denoising, copying, mean_loss
from lm_common import Schedule, backward_through_head, fit, made_once, precision, publish, same_settings

from idist.errors import UserError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast, T5ForConditionalGeneration

GENERATED_EXAMPLES = 300  # held-out sentences that the copy rate is measured on


@dataclass(frozen=True)
class Settings:
    """What decides the weights, but for the number of steps (see ``Schedule``)."""

    seed: int = 0
    width: int = 256
    feed_forward: int = 512
    heads: int = 4
    encoder_layers: int = 4
    decoder_layers: int = 3
    vocabulary: int = 4096
    learning_rate: float = 1e-2
    dropout: float = 0.05
    warmup: int = 150
    bf16: bool = False


def train_tokenizer(sentences: list[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Unigram with ``<pad>`` 0, ``</s>`` 1 (appended to every text) and ``<unk>`` 2, as T5 has them."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=vocabulary,
        special_tokens=["<pad>", "</s>", "<unk>"],
        unk_token="<unk>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(sentences, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=256,
    )


def build_model(settings: Settings, vocabulary: int) -> T5ForConditionalGeneration:
    """T5 v1.1 (gated GELU) with random weights and one embedding for input, output and head."""
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(  # type: ignore[call-arg]
        vocab_size=vocabulary,
        d_model=settings.width,
        d_ff=settings.feed_forward,
        d_kv=settings.width // settings.heads,
        num_heads=settings.heads,
        num_layers=settings.encoder_layers,
        num_decoder_layers=settings.decoder_layers,
        feed_forward_proj="gated-gelu",
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
        dropout_rate=settings.dropout,
        tie_word_embeddings=True,
    )
    return T5ForConditionalGeneration(config)


def learn(model: T5ForConditionalGeneration, batch: dict[str, torch.Tensor], bf16: bool) -> torch.Tensor:
    """Add the gradients of the batch's mean token loss; the same loss as ``model(**batch).loss``, see the head."""
    import torch

    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        mask, labels = batch["attention_mask"], batch["labels"]
        encoded = model.encoder(input_ids=batch["input_ids"], attention_mask=mask).last_hidden_state
        decoded = model.decoder(
            input_ids=model._shift_right(labels), encoder_hidden_states=encoded, encoder_attention_mask=mask
        ).last_hidden_state
        hidden = decoded.flatten(0, 1) * model.model_dim**-0.5  # T5 scales before a tied head
        return backward_through_head(hidden, model.lm_head.weight, labels.flatten())


def train(data: Path, work: Path, out: Path, settings: Settings, schedule: Schedule) -> dict[str, float]:
    """The whole recipe: read, tokenize, train or resume, measure, write the model folder. Returns the figures."""
    import torch
    from transformers.optimization import Adafactor

    log = Log(work)
    same_settings(work, settings)
    train_split, held_out, counts = scenes.load(data, settings.seed)
    log(f"corpus {counts}")
    sentences, test_sentences = train_split.sentences(), held_out.sentences()
    tokenizer = made_once(work / "tokenizer", lambda: train_tokenizer(sentences, settings.vocabulary))
    torch.manual_seed(settings.seed)
    model = build_model(settings, len(tokenizer))
    log(f"{sum(p.numel() for p in model.parameters()):,} parameters")
    task = Denoising(tokenizer, sentences)
    test = task.batches(test_sentences, "held-out")
    figures = fit(
        model,
        Adafactor(
            model.parameters(),
            lr=settings.learning_rate,
            scale_parameter=True,
            relative_step=False,
            warmup_init=False,
        ),
        schedule,
        lambda epoch: task.batches(sentences, f"{settings.seed} {epoch}"),
        lambda batch: learn(model, batch, settings.bf16),
        lambda batch: int((batch["labels"] != -100).sum()),
        lambda: mean_loss(model, test),
        work,
        log,
    )
    model.half().float()  # measure what is shipped: weights in half precision, computed in single
    with torch.inference_mode():
        figures["shipped_loss"] = mean_loss(model, test)
        figures |= copying(model, tokenizer, test_sentences[:GENERATED_EXAMPLES])
    figures["parameters"] = sum(p.numel() for p in model.parameters())
    log(f"finished {figures}")
    publish(model, tokenizer, card(settings, figures, counts), figures, out)
    return figures


def card(settings: Settings, figures: dict[str, float], counts: dict[str, int]) -> str:
    """The model card, filled with what was measured."""
    return CARD.format(
        s=settings, f=figures, c=counts, precision=precision(settings.bf16), minutes=figures["seconds"] / 60
    )


CARD = """---
license: cc-by-sa-4.0
language: en
library_name: transformers
pipeline_tag: text2text-generation
tags: [t5, denoising, everyday-scenes, idist]
---

# Embedded student: a T5-architecture denoiser of everyday scenes

The student that `idist` fine-tunes on distilled pairs when no network is at hand. T5 v1.1 architecture (gated GELU,
tied embeddings), {f[parameters]:,} parameters, trained from nothing, no pretrained weights involved. By itself it is
**not** a paraphraser: it repairs damaged sentences and copies whole ones. Fine-tune it on pairs.

## Data and licences

| text | licence |
|---|---|
| SNLI development and test sets: premises and hypotheses, as plain sentences | CC BY-SA 4.0 |
| counterfactually revised SNLI, as plain sentences | Apache-2.0 |
| COCO captions (20,000, Texygen's selection) | CC BY 4.0 |

{c[train sentences, distinct]:,} distinct sentences for training, {c[held-out sentences, distinct]:,} held out (split by
premise, and by caption). Sentences of the MSCOCO evaluation pairs
({c[sentences dropped: in MSCOCO evaluation]} found) were removed. No pairs and no labels were used as such. The weights
are under CC BY-SA 4.0, because of SNLI. SNLI's test set is among the text: do not evaluate on it.

## Training

Input: the sentence with words dropped (12 %), shuffled within a window of 3 (60 % of inputs), turned around one point
(50 %) and up to two words replaced; one input in six is left as it is. Target: the sentence. Unigram tokenizer of
{s.vocabulary:,}. Adafactor at {s.learning_rate} with parameter scaling, warm-up {s.warmup} steps,
constant, linear fall over the last 40 %; dropout {s.dropout}; {f[steps]:,} steps of about 1,024 target tokens
({f[epochs]:.1f} epochs); seed {s.seed}; {precision}.
{minutes:.0f} minutes on one shared CPU core ({f[tokens_per_second]:,} target tokens a second),
{f[peak_gib]:.1f} GiB. Recipe: `recipes/embedded/student.py`.

## Measured on held-out sentences, with the weights as shipped (half precision, computed in single)

| | |
|---|---|
| loss on noisy inputs, nats a token (before rounding to half: {f[best_loss]:.4f}) | {f[shipped_loss]:.4f} |
| clean inputs copied exactly, greedy, 300 sentences | {f[exact_copies]:.1%} |
| ROUGE-L F1 of the output against the clean input, the same sentences | {f[rouge_l]:.3f} |

## Use and limits

```python
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer
```

Load in single precision on a CPU. English sentences of everyday scenes, up to 40 words; names, numbers, other genres
and other languages come out wrong. It repeats the biases of crowd-written captions (gender, profession, age). Made for
tests and demonstrations of the pipeline, not for text that people rely on.
"""


def main() -> int:
    """Command line."""
    import torch

    parser = arguments("student", __doc__)
    parser.add_argument("--steps", type=int, default=4000, help="training steps")
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
