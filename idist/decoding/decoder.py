"""The public face: prompts in, texts out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from idist.decoding.constraints import Vocabulary
from idist.decoding.sampling import Sampling, random_keys
from idist.errors import UserError
from idist.text import first_sentence, join_digits

if TYPE_CHECKING:
    import numpy as np
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from idist.decoding.loop import Stop
    from idist.decoding.prefix import Prefix

# of each prompt its keywords, each in its forms in token ids; the bonus
Favoured = tuple[Sequence[Sequence[Sequence[Sequence[int]]]], float]


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
        max_rows: rows in a batch, of all prompts together: this bounds memory.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        sampling: Sampling,
        max_rows: int = 256,
    ):
        self.model: Any = model
        self.tokenizer: Any = tokenizer
        self.sampling = sampling
        self.max_rows = max_rows
        self.vocabulary = Vocabulary(tokenizer, _end_ids(model, tokenizer))
        self._banned = self.vocabulary.banned_ids(sampling.banned_tokens)

    def next_sentences(self, contexts: Sequence[str], ids: Sequence[str], k: int, seed: int) -> list[list[str]]:
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

        Returns:
            At most k sentences a context, white space collapsed, in the order of the samples, repeated ones kept. Left
            out: those under ``min_characters`` characters or not ending in ``.``, ``?`` or ``!``.

        Raises:
            UserError: max_new_tokens leaves no room for a context.
        """
        prompts = [self._prompt_ids(context.strip()) for context in contexts]
        return self._sentences(prompts, ids, k, seed, "next sentences")

    def restatements(
        self, contexts: Sequence[str], sources: Sequence[str], ids: Sequence[str], k: int, seed: int, bias: float
    ) -> list[list[str]]:
        """Samples of the sentence that follows each context and a source after it, held to the source's keywords
        (sequential generation, first version of the paper).

        Args:
            contexts: as in `next_sentences`.
            sources: one a context, a sentence that was drawn after it.
            ids, k, seed: as in `next_sentences`; the random numbers are others.
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
        return self._sentences(prompts, ids, k, seed, "restatements", (words, bias) if bias else None)

    def _sentences(
        self,
        prompts: list[list[int]],
        ids: Sequence[str],
        k: int,
        seed: int,
        purpose: str,
        favoured: Favoured | None = None,
    ) -> list[list[str]]:
        """First sentences of k samples of each prompt; those that are none are left out."""
        from idist.decoding.loop import SentenceStop

        read = join_digits if self.sampling.join_digits else str
        stop = SentenceStop(self.tokenizer, self.vocabulary, read)
        texts = self._sample(prompts, ids, k, seed, purpose, stop=stop, favoured=favoured)
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
        self, sources: Sequence[str], ids: Sequence[str], n: int, seed: int, template: str = "{source}"
    ) -> list[list[str]]:
        """n outputs of a student for each source, white space collapsed; "" if it says nothing.

        Args:
            sources: sentences.
            ids, seed: as in `next_sentences`.
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
        texts = self._sample([to_ids(text) for text in filled], ids, n, seed, "rewrite", may_be_empty=True)
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
    ) -> list[list[str]]:
        """n texts of each prompt. Prompts of similar length share a batch of at most ``max_rows`` rows."""
        import numpy as np
        import torch

        from idist.decoding.keywords import KeywordBias
        from idist.decoding.loop import decode, never

        if len(ids) != len(prompts):
            raise ValueError(f"{len(ids)} ids for {len(prompts)} prompts")
        results: list[list[str]] = [[] for _ in prompts]
        order = sorted(range(len(prompts)), key=lambda p: len(prompts[p]), reverse=True)
        together = max(1, self.max_rows // n)
        with torch.inference_mode():
            for at in range(0, len(order), together):
                batch = order[at : at + together]
                prefix = self._prefix([prompts[p] for p in batch])
                keys = self._keys(purpose, [ids[p] for p in batch], seed, n)
                favour = KeywordBias([favoured[0][p] for p in batch], favoured[1]) if favoured else None
                index = np.repeat(np.arange(len(batch)), n)
                for first in range(0, len(index), self.max_rows):
                    part = slice(first, first + self.max_rows)
                    rows = decode(
                        prefix,
                        index[part],
                        keys[part],
                        self.sampling,
                        self.vocabulary,
                        self._banned,
                        may_be_empty,
                        stop or never,
                        favour,
                    )
                    texts = self.tokenizer.batch_decode(rows, skip_special_tokens=True)
                    for place, text in zip(index[part], texts, strict=True):
                        results[batch[place]].append(text)
        return results

    def _keys(self, purpose: str, ids: Sequence[str], seed: int, n: int) -> np.ndarray:
        import numpy as np

        steps = self.sampling.max_new_tokens
        return np.concatenate([random_keys(purpose, identifier, seed, n, steps) for identifier in ids])

    def _prefix(self, prompts: list[list[int]]) -> Prefix:
        from idist.decoding.prefix import CausalPrefix, EncodedPrefix

        pad = self.tokenizer.pad_token_id
        pad = 0 if pad is None else pad
        if not self.model.config.is_encoder_decoder:
            return CausalPrefix(self.model, prompts, pad)
        return EncodedPrefix(self.model, prompts, pad, _decoder_start(self.model))

    def _prompt_ids(self, text: str) -> list[int]:
        """Token ids of a prompt of a decoder-only model, the last ones that leave room for ``max_new_tokens``."""
        ids = list(self.tokenizer(text, verbose=False)["input_ids"]) or [_start_of_text(self.tokenizer)]
        positions = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        if positions is None:
            return ids
        room = positions - self.sampling.max_new_tokens
        if room < 2:
            raise UserError(
                f"max_new_tokens is {self.sampling.max_new_tokens}, expected at most {positions - 2}: "
                f"the model has {positions} positions, and the context needs some."
            )
        if len(ids) <= room:
            return ids
        if ids[0] in self.tokenizer.all_special_ids:  # keep what the tokenizer puts first
            return [ids[0], *ids[len(ids) - room + 1 :]]
        return ids[-room:]

    def _source_ids(self, text: str) -> list[int]:
        """Token ids of an encoder's source, cut where the encoder's positions end."""
        positions = getattr(self.model.config, "max_position_embeddings", None)
        if positions is None:
            return list(self.tokenizer(text, verbose=False)["input_ids"])
        if self.sampling.max_new_tokens >= positions:
            raise UserError(
                f"max_new_tokens is {self.sampling.max_new_tokens}, expected at most {positions - 1}: "
                f"the model's decoder has {positions} positions."
            )
        return list(self.tokenizer(text, truncation=True, max_length=positions, verbose=False)["input_ids"])


def _end_ids(model: Any, tokenizer: Any) -> list[int]:
    """Every id that ends a text: the generation config's (one or several) and the tokenizer's."""
    configured = model.generation_config.eos_token_id
    ids = configured if isinstance(configured, list) else [configured]
    return sorted({i for i in [*ids, tokenizer.eos_token_id] if i is not None})


def _start_of_text(tokenizer: Any) -> int:
    for index in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if index is not None:
            return index
    raise UserError("The prompt is empty and the tokenizer has no token for the start of a text.")


def _decoder_start(model: Any) -> int:
    for index in (model.generation_config.decoder_start_token_id, model.config.decoder_start_token_id):
        if index is not None:
            return index
    raise UserError("The model's config names no decoder_start_token_id.")
