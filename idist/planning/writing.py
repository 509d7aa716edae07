"""How fast models write: samples of the teacher, next sentences of a context, a student's candidates.

A small teacher that is on this machine writes with its own weights, through the code of the stages. Of others, and of
students (whose weights are not trained yet), the shape is enough: tokens are drawn from random weights, so many as
sentences have.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from idist.planning import depth
from idist.planning.bench import FEW_ROWS, Bench
from idist.planning.rates import Rate
from idist.planning.shapes import Shape, shape_of
from idist.planning.texts import sentences as invented
from idist.stages.contexts import context_id, window_length
from idist.stages.samples import SampleWriter, next_sentences_decoder

if TYPE_CHECKING:
    from idist.decoding import Sampling
    from idist.decoding.prefix import Prefix

ROWS = 256  # `Decoder.max_rows` on a CPU; a GPU takes more where its memory holds them
SPREAD = 4.5  # standard deviation of logits over temperature: about 30 tokens of 50,000 in the nucleus
PREFIX_TOKENS = 8  # of a dateline
STEPS = {"cpu": 2}  # decoded for one measurement; on a GPU more, because they are quick
MORE_STEPS = 16


@dataclass
class Written:
    """Rates of a teacher, and the sentences that it wrote in measuring (none: it was measured by its shape)."""

    samples: Rate | None
    sentences: Rate | None
    groups: list[list[str]]


def teachers(bench: Bench, budget: float) -> Written:
    """`contexts/samples` and `pairs/sentences`."""
    config = bench.config
    rate, contexts = None, None
    if config.contexts.source is None:
        rate, contexts = samples(bench, config.contexts.model, "contexts/samples", budget / 3)
    shape = shape_of(config.pairs.model)
    if shape.is_small:
        sentences, groups = _own_sentences(bench, contexts, budget * 2 / 3)
    else:
        sentences, groups = _sentences_by_shape(bench, shape, budget * 2 / 3), []
    return Written(rate, sentences, groups)


def samples(bench: Bench, model: str, part: str, budget: float) -> tuple[Rate, list[str] | None]:
    """Seconds a sample of stage `contexts`' settings, and contexts cut from those that were drawn."""
    settings, shape = bench.config.contexts, shape_of(model)
    together = min(bench.config.engine.shard_size, ROWS, 128)
    if not shape.is_small:
        length = settings.max_new_tokens  # a sample goes on to its limit
        asked = _Decoding(together, PREFIX_TOKENS, 1, length, settings.temperature, settings.top_p, 0)
        seconds = _by_shape(bench, shape, asked, budget)
        return Rate(part, [model], "sample", seconds, depth.said_of(shape)), None
    writer = SampleWriter(bench.config, model)
    ids = [context_id(number) for number in range(together)]
    drawn: list[Any] = []
    writer.draw(ids[:4])
    taken = bench.clock.least(lambda: drawn.append(writer.draw(ids)), budget)
    contexts = []
    for identifier, sample in zip(ids, drawn[0], strict=True):
        own = sample.leading()[: window_length(settings, bench.config.seed, identifier)]
        contexts += [" ".join(own)] if own else []
    return Rate(part, [model], "sample", taken / together, "its own weights"), contexts


def rewriting(bench: Bench, model: str, budget: float) -> Rate:
    """`self_distil/rewriting`: seconds for the candidates of one source."""
    settings, shape = bench.config.self_distil, shape_of(model)
    different = max(1, round(settings.candidates * bench.yields.get("self_distil.distinct")))
    prompts = max(1, ROWS // settings.candidates)
    length = min(settings.max_new_tokens, bench.tokens)
    asked = _Decoding(
        prompts, bench.tokens, different, length, settings.temperature, settings.top_p, settings.no_repeat_ngram_size
    )
    seconds = _by_shape(bench, shape, asked, budget) * different
    return Rate("self_distil/rewriting", [model], "source", seconds, depth.said_of(shape))


def _own_sentences(bench: Bench, contexts: list[str] | None, budget: float) -> tuple[Rate, list[list[str]]]:
    config = bench.config
    decoder = next_sentences_decoder(config)
    together = max(1, ROWS // config.pairs.k)
    if not contexts:
        contexts = invented(together, bench.yields.get("pairs.words") * _context_sentences(config))
    asked = [contexts[number % len(contexts)] for number in range(together)]
    ids = [context_id(number) for number in range(together)]
    drawn: list[Any] = []
    decoder.next_sentences(asked[:1], ids[:1], 2, config.seed)  # the first call makes tables of the vocabulary
    taken = bench.clock.least(
        lambda: drawn.append(decoder.next_sentences(asked, ids, config.pairs.k, config.seed)), budget
    )
    groups = [list(dict.fromkeys(group)) for group in drawn[0]]
    texts = [text for group in groups for text in group]
    if texts:
        bench.yields.set("pairs.words", sum(len(text.split()) for text in texts) / len(texts), "the teacher, measuring")
        tokens = sum(map(len, decoder.tokenizer(texts)["input_ids"])) / sum(len(text.split()) for text in texts)
        bench.yields.set("tokens", tokens, "the teacher's tokenizer, measuring")
    rate = Rate(
        "pairs/sentences", [config.pairs.model], "sentence", taken / together / config.pairs.k, "its own weights"
    )
    return rate, groups


def _sentences_by_shape(bench: Bench, shape: Shape, budget: float) -> Rate:
    settings = bench.config.pairs
    length = min(settings.max_new_tokens, bench.tokens)
    context = round(_context_sentences(bench.config) * bench.tokens)
    prompts = max(1, ROWS // settings.k)
    asked = _Decoding(
        prompts, context, settings.k, length, settings.temperature, settings.top_p, settings.no_repeat_ngram_size
    )
    seconds = _by_shape(bench, shape, asked, budget)
    return Rate("pairs/sentences", [shape.name], "sentence", seconds, depth.said_of(shape))


def _context_sentences(config: Any) -> float:
    return (config.contexts.min_sentences + config.contexts.max_sentences) / 2


@dataclass(frozen=True)
class _Decoding:
    """What is to be decoded: ``prompts`` of ``prompt_tokens``, ``n`` texts each, ``length`` tokens a text."""

    prompts: int
    prompt_tokens: int
    n: int
    length: int
    temperature: float
    top_p: float
    no_repeat: int


def _by_shape(bench: Bench, shape: Shape, asked: _Decoding, budget: float) -> float:
    """Seconds a text."""
    if bench.device == "cpu" and not depth.measured_whole(shape):
        prompts = max(1, FEW_ROWS // asked.n)
        small = replace(asked, prompts=prompts, n=min(asked.n, FEW_ROWS))
    else:
        small = asked
    share = budget / len(depth.depths(shape))
    return depth.timed(
        shape, bench.device, bench.dtype, lambda model: _seconds_a_text(bench, model, asked, small, share)
    )


def _seconds_a_text(bench: Bench, model: Any, asked: _Decoding, small: _Decoding, budget: float) -> float:
    """The prompts' forward pass, shared by all ``asked.n`` texts of a prompt; then so many steps."""
    import torch

    with torch.inference_mode():
        read = bench.clock.least(lambda: _prefix(model, small.prompts, small.prompt_tokens), budget / 4)
        prefix = _prefix(model, small.prompts, small.prompt_tokens)
        steps = STEPS.get(bench.device, MORE_STEPS)
        sampling = _sampling(small, prefix, steps + 1)
        first = bench.clock.least(lambda: _decode(prefix, small, _for_steps(sampling, 1)), budget / 8)
        whole = bench.clock.least(lambda: _decode(prefix, small, sampling), budget / 2)
    step = max(0.0, whole - first) / steps
    rows = small.prompts * small.n
    return read / small.prompts / asked.n + (first + step * (asked.length - 1)) / rows


def _for_steps(sampling: Sampling, steps: int) -> Sampling:
    """The same, for another number of tokens."""
    return replace(sampling, max_new_tokens=steps)


def _sampling(asked: _Decoding, prefix: Prefix, steps: int) -> Sampling:
    """With a temperature at which random weights draw from as many tokens as a trained model does."""
    from idist.decoding import Sampling

    temperature = float(prefix.logits.std()) / SPREAD if asked.temperature else 0.0
    return Sampling(
        temperature=temperature, top_p=asked.top_p, no_repeat_ngram_size=asked.no_repeat, max_new_tokens=steps
    )


def _encodes(model: Any) -> bool:
    return bool(model.config.is_encoder_decoder)


def _prefix(model: Any, prompts: int, tokens: int) -> Prefix:
    import numpy as np

    from idist.decoding.prefix import CausalPrefix, EncodedPrefix

    ids = np.random.default_rng(0).integers(10, model.config.vocab_size, size=(prompts, max(1, tokens))).tolist()
    if _encodes(model):
        return EncodedPrefix(model, ids, 0, 0)
    return CausalPrefix(model, ids, 0)


def _decode(prefix: Prefix, asked: _Decoding, sampling: Sampling) -> None:
    import numpy as np

    from idist.decoding.constraints import Vocabulary
    from idist.decoding.loop import decode, never
    from idist.decoding.sampling import random_keys

    index = np.repeat(np.arange(asked.prompts), asked.n)
    keys = random_keys("planning", "", 0, len(index), sampling.max_new_tokens)
    decode(prefix, index, keys, sampling, Vocabulary(None, ()), [], True, never)
