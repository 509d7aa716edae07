"""What `benchmarks/gpu_rates.py` measures, one function a kind of work.

A sentence of a random model never ends, so both sides write the same number of tokens, and sentences a second are
worked out for sentences of `SENTENCE` tokens: the toolkit stops there, `generate` goes on to its limit. The temperature
is set so that as many tokens are likely as with trained weights.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.counts import Causal, Classifier, Seq2Seq, Tally
from benchmarks.gpu_shapes import Sizes, equal_sentences, free, name_of, prompts, random, save_judge, temperature_of
from benchmarks.limits import Limits
from benchmarks.record import Figure, times
from benchmarks.schedule import Part
from idist.planning.clock import Clock
from idist.planning.shapes import Shape

SENTENCE = 26  # tokens of a news sentence: 20 words
TOP_P = 0.9
TEACHER, STUDENT = "embedded:teacher", "embedded:student"  # for their tokenizers


@dataclass
class Rig:
    """Where it is measured; ``limits`` by dtype."""

    device: str
    limits: dict[str, Limits]

    @property
    def half(self) -> str:
        """The dtype of writing and reading: bfloat16, or what there is."""
        return "bfloat16" if "bfloat16" in self.limits else "float32"

    def seconds(self, work: Callable[[], Any], budget: float) -> float:
        """Of the quickest call, after one that is not counted."""
        clock = Clock(self.device)
        clock.seconds(work)
        return clock.least(work, budget)


def parts(rig: Rig, sizes: Callable[[], Sizes]) -> list[Part]:
    """In the order in which they are worth most: entailment and the first teacher before the rest."""
    asked = sizes()
    first, *others = asked.teachers
    dtypes = dict.fromkeys((rig.half, "float32"))
    wanted = [Part(f"decoding, {name_of(first)}", asked.seconds, lambda: decoding(rig, asked, first))]
    wanted += [_reading_part(rig, asked, dtype) for dtype in dtypes]
    wanted.append(Part(f"training, {name_of(asked.student)}", asked.seconds, lambda: training(rig, asked)))
    for shape in others:
        wanted.append(Part(f"decoding, {name_of(shape)}", asked.seconds, lambda s=shape: decoding(rig, asked, s)))
    return [*wanted, Part(f"generation, {name_of(asked.student)}", asked.seconds, lambda: rewriting(rig, asked))]


def decoding(rig: Rig, sizes: Sizes, shape: Shape) -> list[Figure]:
    """Tokens a second after contexts of several lengths, of one context and of several in one batch."""
    from idist.decoding import Decoder, Sampling
    from idist.models import load_causal_lm

    with random(shape, rig.device, rig.half) as model:
        _, tokenizer = load_causal_lm(TEACHER, "cpu", "float32")
        counter, figures = Causal(model), []
        sampling = Sampling(temperature_of(model), TOP_P, 0, sizes.steps)
        decoder = Decoder(model, tokenizer, sampling, max_rows=sizes.k * sizes.together)
        for count, length in [(1, length) for length in sizes.contexts] + [(sizes.together, sizes.contexts[0])]:
            texts, tokens = prompts(tokenizer, length, count)
            ids = [f"c{number:06d}" for number in range(count)]
            ours = rig.seconds(lambda t=texts, i=ids: decoder.continuations(t, i, sizes.k, 0), sizes.round)
            work = counter.forward(count, tokens, tokens, 1)
            for step in range(1, sizes.steps):
                work = work + counter.forward(count * sizes.k, 1, tokens + step, 1)
            share = rig.limits[rig.half].share(work, ours)
            plain = None
            if count == 1:
                plain = rig.seconds(lambda t=texts: _generate(model, tokenizer, t[0], sizes.k, sampling), sizes.round)
            figures += _written(
                f"{name_of(shape)}, {count} x {sizes.k} after {tokens} tokens", count, ours, plain, share, sizes
            )
    return figures


def reading(rig: Rig, sizes: Sizes, dtype: str) -> list[Figure]:
    """Pairs a second through the entailment critic's own code, all ordered pairs of a group."""
    import numpy as np

    from idist.critics import Group
    from idist.critics.nli import EntailmentModel

    figures = []
    with tempfile.TemporaryDirectory() as folder:
        save_judge(sizes.judge, Path(folder), rig.device)
        judge = EntailmentModel(folder, rig.device, dtype)
        tally = Tally(judge.model, Classifier(judge.model))
        pairs = np.argwhere(~np.eye(sizes.sentences, dtype=bool))
        for tokens in sizes.pairs:
            sentences, length = equal_sentences(judge.tokenizer, (tokens - 3) // 2, sizes.sentences)
            with tally.watch():
                judge.ask([(Group("count", sentences), pairs)])
            works = tally.work
            seconds = Clock(rig.device).least(lambda s=sentences: judge.ask([(Group("g", s), pairs)]), sizes.round)
            share = rig.limits[dtype].share(works, seconds)
            rate, least = len(pairs) / seconds, 0.5
            half = dtype != "float32"
            figures.append(
                Figure(
                    f"entailment, {name_of(sizes.judge)}, {dtype}, pairs of {2 * length + 3} tokens",
                    "pairs a second",
                    rate,
                    target="at least 50 % of the matrix rate" if half else None,
                    reached=share.achieved / share.limit >= least if half else None,
                    note="random weights in the real shape; tokenizing and assembling included",
                    share=share,
                )
            )
    free(rig.device)
    return figures


def training(rig: Rig, sizes: Sizes) -> list[Figure]:
    """Forward, backward and Adafactor's step: weights in float32, products in the half dtype, as the stage trains."""
    import torch
    from transformers.optimization import Adafactor

    figures: list[Figure] = []
    with random(sizes.student, rig.device, "float32") as model:
        model.train()
        settings: dict[str, Any] = {"scale_parameter": True, "relative_step": False, "warmup_init": False}
        optimizer, counter = Adafactor(model.parameters(), lr=1e-3, **settings), Seq2Seq(model)
        for batch in sizes.batches:
            ids = torch.randint(10, model.config.vocab_size, (batch, sizes.pair_tokens), device=rig.device)

            def step(ids: Any = ids) -> None:
                optimizer.zero_grad()
                with torch.autocast(rig.device, torch.bfloat16, enabled=rig.half == "bfloat16"):
                    loss = model(input_ids=ids, labels=ids).loss
                loss.backward()
                optimizer.step()

            try:
                seconds = rig.seconds(step, sizes.round)
            except torch.OutOfMemoryError:
                print(f"   a step of {batch} pairs does not fit")
                break
            share = rig.limits[rig.half].share(counter.train(batch, sizes.pair_tokens, sizes.pair_tokens), seconds)
            figures.append(_trained(name_of(sizes.student), batch, sizes, batch / seconds, share))
    best = max(figures, key=lambda one: one.ours, default=None)
    if best is None or best.share is None:
        return figures
    reached = best.share.achieved / best.share.limit >= 0.4
    marked = replace(best, target="at least 40 % of the matrix rate", reached=reached)
    return [marked if one is best else one for one in figures]


def rewriting(rig: Rig, sizes: Sizes) -> list[Figure]:
    """Candidates of the student, the toolkit against `generate` on the same sources."""
    from idist.decoding import Decoder, Sampling
    from idist.models import load_seq2seq

    with random(sizes.student, rig.device, rig.half) as model:
        _, tokenizer = load_seq2seq(STUDENT, "cpu", "float32")
        sampling = Sampling(temperature_of(model), TOP_P, 0, sizes.pair_tokens)
        rows = sizes.sources * sizes.candidates
        decoder, counter = Decoder(model, tokenizer, sampling, max_rows=rows), Seq2Seq(model)
        texts, tokens = prompts(tokenizer, sizes.pair_tokens, sizes.sources)
        ids = [f"s{number}" for number in range(sizes.sources)]
        ours = rig.seconds(lambda: decoder.rewrite(texts, ids, sizes.candidates, 0), sizes.round)
        work = counter.encode(sizes.sources, tokens)
        for step in range(sizes.pair_tokens):
            work = work + counter.decode(sizes.sources if step == 0 else rows, 1, step + 1, tokens)
        plain = rig.seconds(lambda: _generate(model, tokenizer, texts, sizes.candidates, sampling), sizes.round)
        share = rig.limits[rig.half].share(work, ours)
    what = f"{sizes.sources} sources x {sizes.candidates}, {sizes.pair_tokens} tokens"
    claim = f"generation, {name_of(sizes.student)}, {what}"
    return [times(claim, "texts a second", rows / ours, rows / plain, None, _random_note(), share)]


def _written(what: str, count: int, ours: float, plain: float | None, share: Any, sizes: Sizes) -> list[Figure]:
    """The same number of tokens on both sides; then sentences."""
    tokens = count * sizes.k * sizes.steps
    reached = share.achieved / share.limit >= 0.6
    target = f"at least 60 % of the {share.of}"
    claim = f"decoding, {what}"
    if plain is None:
        figure = Figure(claim, "tokens a second", tokens / ours, None, None, target, reached, _random_note(), share)
        return [figure]
    same = times(claim, "tokens a second", tokens / ours, tokens / plain, None, _random_note(), share)
    same = replace(same, target=target, reached=reached)
    sentences = min(SENTENCE, sizes.steps)
    note = f"worked out for sentences of {sentences} tokens: ours stops there, generate writes {sizes.steps}"
    rates = count * sizes.k / (ours * sentences / sizes.steps), count * sizes.k / plain
    return [same, times(f"sentences, {what}", "sentences a second", *rates, note=note)]


def _trained(name: str, batch: int, sizes: Sizes, rate: float, share: Any) -> Figure:
    note = f"{sizes.pair_tokens} + {sizes.pair_tokens} tokens a pair; {_random_note()}"
    return Figure(f"training step, {name}, {batch} pairs", "pairs a second", rate, note=note, share=share)


def _random_note() -> str:
    return "random weights in the real shape"


def _reading_part(rig: Rig, sizes: Sizes, dtype: str) -> Part:
    return Part(f"entailment, {name_of(sizes.judge)}, {dtype}", sizes.seconds, lambda: reading(rig, sizes, dtype))


def _generate(model: Any, tokenizer: Any, texts: str | list[str], k: int, sampling: Any) -> Any:
    """As many new tokens as ours writes, all of them."""
    import torch

    inputs = tokenizer([texts] if isinstance(texts, str) else texts, return_tensors="pt").to(model.device)
    inputs.pop("token_type_ids", None)
    torch.manual_seed(0)
    steps = sampling.max_new_tokens
    with torch.inference_mode():
        return model.generate(
            **inputs,
            do_sample=True,
            num_return_sequences=k,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=0,
            min_new_tokens=steps,
            max_new_tokens=steps,
            pad_token_id=tokenizer.pad_token_id,
        )
