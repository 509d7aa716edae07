"""k samples after one prefix: next sentences of a context, whole texts of a teacher, outputs of a student.

>>> model, tokenizer = load_causal_lm("embedded:teacher")
>>> decoder = Decoder(model, tokenizer, Sampling(temperature=0.7, top_p=0.9))
>>> decoder.next_sentences(["A man is riding a bike."], ids=["c000000"], k=100, seed=0)

The settings mean what they mean in transformers' ``generate``; what differs is the work. A prefix is run once for its
k rows; a row stops where its sentence ends instead of at ``max_new_tokens``; finished rows leave the batch. And the
randomness belongs to the context, not to the batch (`idist.decoding.sampling.random_keys`).
"""

from __future__ import annotations

from idist.decoding.decoder import Decoder
from idist.decoding.sampling import Sampling

__all__ = ["Decoder", "Sampling"]
