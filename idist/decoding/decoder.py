"""The public face: prompts in, texts out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from idist.decoding.constraints import Vocabulary
from idist.decoding.memory import Part, RowLimit, RowSize, is_full, next_batch
from idist.decoding.prompts import decoder_start, end_ids, prompt_ids, source_ids
from idist.decoding.sampling import Sampling, random_keys
from idist.errors import UserError
from idist.text import first_sentence, join_digits

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from idist.decoding.loop import Stop
    from idist.decoding.prefix import Prefix

Done = Callable[[int], None]  # told after each batch how many prompts have all their texts
# of each prompt its keywords, each in its forms in token ids; the bonus
Favoured = tuple[Sequence[Sequence[Sequence[Sequence[int]]]], float]


@dataclass(frozen=True)
class _Asked:
    """A call of `Decoder._sample`."""

    prompts: list[list[int]]
    ids: Sequence[str]
    n: int
    seed: int
    purpose: str
    may_be_empty: bool
    stop: Stop
    favoured: Favoured | None


class Decoder:
    """Samples from a causal LM or an encoder-decoder, many rows at a time.

    Same answer whatever the batch: a row's random numbers come from (seed, id) alone, so a prompt gives the same texts
    alone, among others, in any order, on any number of workers. What is left is rounding: a matrix product of another
    shape may differ in its last bits, and a draw as close as that falls the other way. ``benchmarks/decoding.py
    --noise`` counts how often (float32, embedded teacher: not once in 50,000 tokens; half precision: more often). With
    ``max_rows`` below 2 k each prompt has its batches to itself, and not even that can happen.

    Args:
        model: in eval mode, on its device (`idist.models`).
        tokenizer: of the model.
        sampling: how tokens are drawn.
        max_rows: samples in a batch, of all prompts together: this bounds memory. None: as many as fit, and no more
            than are of use (`idist.decoding.memory`). Whatever it is, a batch that does not fit is halved.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        sampling: Sampling,
        max_rows: int | None = None,
    ):
        self.model: Any = model
        self.tokenizer: Any = tokenizer
        self.sampling = sampling
        self._rows = RowLimit(model.device, max_rows, self._row_size)
        self.vocabulary = Vocabulary(tokenizer, end_ids(model, tokenizer))
        self._banned = self.vocabulary.banned_ids(sampling.banned_tokens)

    @property
    def max_rows(self) -> int:
        """Samples in a batch at most; long prompts may have fewer."""
        return self._rows.most

    def next_sentences(
        self, contexts: Sequence[str], ids: Sequence[str], k: int, seed: int, done: Done | None = None
    ) -> list[list[str]]:
        """Samples of the sentence that follows each context (paper section 3.1).

        The end-of-text token is not allowed first: a teacher that has seen documents of one sentence would stop there.
        A row goes on until its first sentence has certainly ended (usually one token more), the text ends, or
        ``max_new_tokens``. Contexts longer than the model's positions lose their beginning; an empty one is the start
        of a text.

        Args:
            contexts: white space at the ends is removed: the next token brings its own.
            ids: one a context; the source of its randomness.
            k: samples a context.
            seed: of the run.
            done: see `Done`.

        Returns:
            At most k sentences a context, white space collapsed, in the order of the samples, repeated ones kept. Left
            out: those under ``min_characters`` characters or not ending in ``.``, ``?`` or ``!``.

        Raises:
            UserError: max_new_tokens leaves no room for a context.
        """
        prompts = [self._prompt_ids(context.strip()) for context in contexts]
        return self._sentences(prompts, ids, k, seed, "next sentences", done=done)

    def restatements(
        self,
        contexts: Sequence[str],
        sources: Sequence[str],
        ids: Sequence[str],
        k: int,
        seed: int,
        bias: float,
        done: Done | None = None,
    ) -> list[list[str]]:
        """Samples of the sentence that follows each context and a source after it, held to the source's keywords
        (sequential generation, first version of the paper).

        Args:
            contexts: as in `next_sentences`.
            sources: one a context, a sentence that was drawn after it.
            ids, k, seed, done: as in `next_sentences`; the random numbers are others.
            bias: bonus of tokens that write a keyword of the source, in nats (`idist.decoding.keywords`); 0 is none.

        Returns:
            As `next_sentences`; a copy of the source is not left out.

        Raises:
            UserError: as `next_sentences`.
        """
        from idist.decoding.keywords import keywords, token_forms

        pairs = zip(contexts, sources, strict=True)
        prompts = [self._prompt_ids(f"{context.strip()} {source.strip()}".strip()) for context, source in pairs]
        words = [[token_forms(self.tokenizer, word) for word in keywords(source)] for source in sources]
        return self._sentences(prompts, ids, k, seed, "restatements", (words, bias) if bias else None, done)

    def _sentences(
        self,
        prompts: list[list[int]],
        ids: Sequence[str],
        k: int,
        seed: int,
        purpose: str,
        favoured: Favoured | None = None,
        done: Done | None = None,
    ) -> list[list[str]]:
        """First sentences of k samples of each prompt; those that are none are left out."""
        from idist.decoding.loop import SentenceStop

        read = join_digits if self.sampling.join_digits else str
        stop = SentenceStop(self.tokenizer, self.vocabulary, read)
        texts = self._sample(prompts, ids, k, seed, purpose, stop=stop, favoured=favoured, done=done)
        least = self.sampling.min_characters
        return [[s for text in row if (s := first_sentence(read(text), least))] for row in texts]

    def continuations(self, prompts: Sequence[str], ids: Sequence[str], n: int, seed: int) -> list[list[str]]:
        """n whole texts after each prompt, to the end-of-text token (not allowed first) or ``max_new_tokens``.

        Args:
            prompts: a prefix such as ``New York (CNN) --``, not part of the result; "" is the start of a text.
            ids, seed: as in `next_sentences`.

        Raises:
            UserError: as `next_sentences`.
        """
        prompt_ids = [self._prompt_ids(prompt.strip()) for prompt in prompts]
        texts = self._sample(prompt_ids, ids, n, seed, purpose="continuations")
        return [[text.strip() for text in row] for row in texts]

    def rewrite(
        self,
        sources: Sequence[str],
        ids: Sequence[str],
        n: int,
        seed: int,
        template: str = "{source}",
        done: Done | None = None,
    ) -> list[list[str]]:
        """n outputs of a student for each source, white space collapsed; "" if it says nothing.

        Args:
            sources: sentences.
            ids, seed, done: as in `next_sentences`.
            template: what the student reads, with ``{source}`` in it: for an encoder-decoder what goes to the encoder,
                for a decoder-only student the prompt.

        Raises:
            UserError: as `next_sentences`, or the template has no ``{source}``.
        """
        from idist.text import clean_sentence

        if "{source}" not in template:
            raise UserError(f"Template {template!r} has no {{source}}.")
        filled = [template.replace("{source}", source.strip()) for source in sources]
        to_ids = self._source_ids if self.model.config.is_encoder_decoder else self._prompt_ids
        prompts = [to_ids(text) for text in filled]
        texts = self._sample(prompts, ids, n, seed, "rewrite", may_be_empty=True, done=done)
        return [[clean_sentence(text) for text in row] for row in texts]

    def _sample(
        self,
        prompts: list[list[int]],
        ids: Sequence[str],
        n: int,
        seed: int,
        purpose: str,
        may_be_empty: bool = False,
        stop: Stop | None = None,
        favoured: Favoured | None = None,
        done: Done | None = None,
    ) -> list[list[str]]:
        """n texts of each prompt. Prompts of similar length share a batch, the longest first: a lack of memory shows at
        once."""
        import torch

        from idist.decoding.loop import never

        if len(ids) != len(prompts):
            raise ValueError(f"{len(ids)} ids for {len(prompts)} prompts")
        asked = _Asked(prompts, ids, n, seed, purpose, may_be_empty, stop or never, favoured)
        results: list[list[str]] = [[] for _ in prompts]
        todo = [Part(p, 0, n) for p in sorted(range(len(prompts)), key=lambda p: len(prompts[p]), reverse=True)]
        free = self._rows.free()
        while todo:
            rows = self._rows.fitting(len(prompts[todo[0].prompt]), self.sampling.max_new_tokens, free)
            batch, rest = next_batch(todo, rows)
            try:
                with torch.inference_mode():
                    texts = iter(self._batch(asked, batch))
            except RuntimeError as error:  # torch.OutOfMemoryError is one
                if not is_full(error):
                    raise
            else:
                for part in batch:
                    results[part.prompt] += islice(texts, part.last - part.first)
                todo = rest
                if done is not None:
                    done(sum(part.last == n for part in batch))
                continue
            # here the exception no longer holds the tensors
            self._rows.halve(sum(part.last - part.first for part in batch), len(prompts[todo[0].prompt]))
        return results

    def _batch(self, asked: _Asked, batch: Sequence[Part]) -> list[str]:
        """The texts of some samples, part by part."""
        import numpy as np

        from idist.decoding.keywords import KeywordBias
        from idist.decoding.loop import decode

        steps = self.sampling.max_new_tokens
        keys = [random_keys(asked.purpose, asked.ids[part.prompt], asked.seed, asked.n, steps) for part in batch]
        words = [asked.favoured[0][part.prompt] for part in batch] if asked.favoured else []
        rows = decode(
            self._prefix([asked.prompts[part.prompt] for part in batch]),
            np.repeat(np.arange(len(batch)), [part.last - part.first for part in batch]),
            np.concatenate([own[part.first : part.last] for part, own in zip(batch, keys, strict=True)]),
            self.sampling,
            self.vocabulary,
            self._banned,
            asked.may_be_empty,
            asked.stop,
            KeywordBias(words, asked.favoured[1]) if asked.favoured else None,
        )
        return self.tokenizer.batch_decode(rows, skip_special_tokens=True)

    def _row_size(self) -> RowSize:
        import torch

        with torch.inference_mode():
            return RowSize.of(self._prefix)

    def _prefix(self, prompts: list[list[int]]) -> Prefix:
        from idist.decoding.prefix import CausalPrefix, EncodedPrefix

        pad = self.tokenizer.pad_token_id
        pad = 0 if pad is None else pad
        if not self.model.config.is_encoder_decoder:
            return CausalPrefix(self.model, prompts, pad)
        return EncodedPrefix(self.model, prompts, pad, decoder_start(self.model))

    def _prompt_ids(self, text: str) -> list[int]:
        return prompt_ids(self.model, self.tokenizer, text, self.sampling.max_new_tokens)

    def _source_ids(self, text: str) -> list[int]:
        return source_ids(self.model, self.tokenizer, text, self.sampling.max_new_tokens)
