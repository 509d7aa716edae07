"""Make ``embedded:entailment``: a cross-encoder that says whether one sentence entails another.

It starts from ``embedded:encoder`` and learns from the entailment sets whose licences let weights ship, plus
pairs made by rule. Its job is "entails both ways at 0.75": precise on near-paraphrases, and no unrelated pair passes.
Killed and started again with the same arguments, it goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import nli_data
import nli_pairs
from common import EMBEDDED, MINILM_SHA256, Log, arguments, save_atomically, write_json
from encoder import install, save_model
from entailment_quality import card, evaluate
from nli_data import ENTAILMENT, LABELS, Example

from idist.errors import UserError

# Shares of the training stream, in percent. Gold sets come nearly twice each.
MIX = {
    "snli": 27,
    "multinli": 24,
    "counterfactual": 22,
    "breaking": 4,
    "synonyms": 2,
    "med": 3,
    "help": 1.5,
    "passive": 2,
    "roles_swapped": 2,
    "reversed": 5,
    "unrelated": 1,
    "overlapping": 1.5,
    "identical": 9,
    "rewritten": 9,
    "garbled": 13,
    "fronted": 4,
}
BATCH = 32
RATE = 1.2e-4
MAX_TOKENS = 96


def training_stream(data: Path, total: int, seed: int) -> tuple[list[Example], dict[str, tuple[int, int]]]:
    """About ``total`` examples in the order of training, mixed by `MIX`; the same for the same seed.

    Beside them, for each set, how many were drawn and how many different ones there were to draw from.
    """
    rng = random.Random(seed)
    sets = nli_data.training_sets(data)
    captions = nli_data.read_captions(data)
    scenes = sorted({s for e in sets["snli"] + sets["counterfactual"] for s in e[:2]})
    other = sorted({s for e in sets["multinli"] for s in e[:2]})
    sizes = {name: round(total * share / sum(MIX.values())) for name, share in MIX.items()}
    sets["reversed"] = nli_pairs.reversed_pairs(sets["snli"] + sets["counterfactual"])
    sets["unrelated"] = nli_pairs.unrelated_pairs(captions + scenes + other, sizes["unrelated"], rng)
    sets["overlapping"] = nli_pairs.overlapping_pairs(captions, sizes["overlapping"], rng)
    sets["rewritten"] = nli_pairs.rewritten_pairs(captions + scenes, sizes["rewritten"], rng)
    sets["garbled"] = nli_pairs.garbled_pairs(captions + scenes, sizes["garbled"], rng)
    sets["fronted"] = nli_pairs.fronted_pairs(captions + scenes, sizes["fronted"], rng)
    same = rng.choices(captions + scenes + other, k=sizes["identical"])
    sets["identical"] = [Example(s, rng.choice((s, s.lower(), s.rstrip("."))), ENTAILMENT) for s in same]
    stream = [e for name, size in sizes.items() for e in nli_pairs.sampler(sets[name], rng)(size)]
    rng.shuffle(stream)
    return stream, {name: (size, len(sets[name])) for name, size in sizes.items()}


def batches(stream: list[Example], tokenizer: Any, seed: int) -> list[list[Example]]:
    """Batches of `BATCH` examples of like length: sorted by tokens within windows of 100 batches, then shuffled."""
    left, right = ([e[side] for e in stream] for side in (0, 1))
    length = [len(ids) for ids in tokenizer(left, right, truncation=True, max_length=MAX_TOKENS)["input_ids"]]
    rng = random.Random(seed)
    found: list[list[Example]] = []
    for start in range(0, len(stream) - BATCH + 1, BATCH * 100):
        window = sorted(range(start, min(len(stream), start + BATCH * 100)), key=length.__getitem__)
        cut = [window[i : i + BATCH] for i in range(0, len(window) - BATCH + 1, BATCH)]
        rng.shuffle(cut)
        found.extend([stream[i] for i in rows] for rows in cut)
    return found


class Critic:
    """The model with its tokenizer."""

    def __init__(self, folder: Path) -> None:
        """Load a critic or, to be trained, a bare encoder (which gets a new, seeded classification head)."""
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        labels = dict(enumerate(LABELS))
        self.model = AutoModelForSequenceClassification.from_pretrained(
            folder, dtype=torch.float32, id2label=labels, label2id={name: i for i, name in labels.items()}
        )
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    def logits(self, pairs: list[tuple[str, str]]) -> Any:
        """Logits (len(pairs), 3) of one batch."""
        left, right = (list(side) for side in zip(*pairs, strict=True))
        batch = self.tokenizer(
            left,
            right,
            truncation=True,
            max_length=MAX_TOKENS,
            padding=True,
            pad_to_multiple_of=4,
            return_tensors="pt",
        )
        return self.model(**batch).logits

    def probabilities(self, pairs: list[tuple[str, str]]) -> Any:
        """Probabilities (len(pairs), 3), float32, in the order of the pairs; sorted by length inside."""
        import torch

        self.model.eval()
        order = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0]) + len(pairs[i][1]))
        result = torch.empty(len(pairs), len(LABELS))
        with torch.inference_mode():
            for start in range(0, len(order), 64):
                rows = order[start : start + 64]
                result[rows] = self.logits([pairs[i] for i in rows]).softmax(-1)
        return result


def loss_of(logits: Any, examples: list[Example]) -> Any:
    """Mean negative log-likelihood; for NOT_ENTAILED that of neutral and contradiction together."""
    import torch

    logp = logits.float().log_softmax(-1)
    logp = torch.cat([logp, logp[:, 1:].logsumexp(-1, keepdim=True)], dim=-1)  # (B, 4)
    return torch.nn.functional.nll_loss(logp, torch.tensor([e.label for e in examples]))


def train(args: argparse.Namespace, log: Log) -> tuple[Critic, dict[str, Any]]:
    """Train for ``args.steps`` batches, with a checkpoint every ``args.save_every``; resumes from the last one.

    Gives the critic and, for the card, seconds of training (all runs together) and the sets' sizes.
    """
    import torch

    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    critic = Critic(args.base)
    model, steps, warm_up = critic.model, args.steps, max(1, args.steps // 16)
    plain = [p for p in model.parameters() if p.ndim <= 1]
    matrices = [p for p in model.parameters() if p.ndim > 1]
    groups = [{"params": matrices, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE)
    # Warm-up, then linear decay to zero.
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / warm_up, max(0.0, (steps - s) / max(1, steps - warm_up)))
    )
    stream, sizes = training_stream(args.data, (steps + 1) * BATCH, args.seed)
    data = batches(stream, critic.tokenizer, args.seed)[:steps]
    arguments_used = {"steps": steps, "seed": args.seed, "base": str(args.base), "mix": MIX, "rate": RATE}
    checkpoint, done, seconds = args.work / "checkpoint.pt", 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        if state["arguments"] != arguments_used:
            raise UserError(f"{checkpoint} is of a run with other settings: {state['arguments']}; use another --work.")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["rng"])
        done, seconds = state["step"], state["seconds"]
        log(f"resumed at step {done} of {steps}")

    def save(path: Path) -> None:
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
        }
        state.update(rng=torch.get_rng_state(), step=step, arguments=arguments_used)
        state["seconds"] = seconds + log.resources()["seconds"]
        torch.save(state, path)

    half = torch.autocast("cpu", torch.bfloat16) if args.bf16 else contextlib.nullcontext()
    model.train()
    running = 0.0
    for step, batch in enumerate(data[done:], done + 1):
        with half:
            logits = critic.logits([e[:2] for e in batch])
        loss = loss_of(logits, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        running += loss.item()
        if step % 50 == 0:
            rate = (step - done) * BATCH / log.resources()["seconds"]
            log(f"step {step}/{steps} loss {running / 50:.4f} {rate:.1f} pairs/s")
            running = 0.0
        if step % args.save_every == 0 or step == steps:
            save_atomically(checkpoint, save)
    return critic, {
        "seconds": seconds + log.resources()["seconds"] if done < steps else seconds,
        "sizes": sizes,
    }


def main() -> None:
    """Train (or resume), measure, write the card, install."""
    parser = arguments("entailment", __doc__.splitlines()[0])
    parser.add_argument("--base", type=Path, default=EMBEDDED / "encoder", help="encoder, or critic, to start from")
    parser.add_argument("--history", default="", help="for the card: how a --base that is a critic was made")
    parser.add_argument("--steps", type=int, default=3200, help=f"batches of {BATCH} pairs")
    parser.add_argument("--save-every", type=int, default=200, help="steps between checkpoints")
    parser.add_argument("--bf16", action="store_true", help="bfloat16 autocast: faster only with AVX512-BF16 or AMX")
    parser.add_argument("--measure", type=Path, help="train nothing, measure this critic (same label order)")
    args = parser.parse_args()
    import torch

    torch.set_num_threads(args.threads)
    log = Log(args.work)
    if args.measure:
        print(json.dumps(evaluate(Critic(args.measure), args.data, log), indent=1))
        return
    critic, training = train(args, log)
    finished = args.work / "model"
    finished.mkdir(exist_ok=True)
    save_model(critic.model, finished)
    critic.tokenizer.save_pretrained(finished)
    critic = Critic(finished)  # what ships is what is measured
    figures = evaluate(critic, args.data, log)
    figures.update(
        parameters=critic.model.num_parameters() / 1e6,
        history=args.history,
        megabytes=(finished / "model.safetensors").stat().st_size / 1e6,
        vocabulary=critic.model.config.vocab_size,
        pairs_seen=args.steps * BATCH,
        arithmetic="bfloat16 autocast" if args.bf16 else "float32",
        minutes=training["seconds"] / 60,
        peak_gib=log.resources()["peak_gib"],
        **{"sha256": MINILM_SHA256, "steps": args.steps, "batch": BATCH, "rate": RATE},
        **{"max_tokens": MAX_TOKENS, "seed": args.seed},
    )
    write_json(args.work / "figures.json", figures)
    (finished / "README.md").write_text(card(figures, training["sizes"]), encoding="utf-8")
    install(finished, args.out)
    log(f"installed in {args.out}")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
