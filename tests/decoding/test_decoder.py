"""What a caller relies on: the same answer whatever the batch, sentences that end, settings that are refused."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import pytest
import torch
from transformers import BartConfig, BartForConditionalGeneration, MambaConfig, MambaForCausalLM

from idist.decoding import Decoder, Sampling
from idist.decoding.loop import SentenceStop
from idist.errors import UserError
from idist.text import first_sentence, join_digits

from .conftest import SMALL, Loaded

CONTEXTS = [
    "A man in a blue shirt is riding a bike down the street.",
    "Dogs run.",
    "",
    "A woman is cooking dinner in her kitchen, while her three children are sitting at the table and are drawing "
    "pictures of animals. She is tired. The children are loud. Outside it is raining.",
    "Zwei Männer trinken Kaffee ☕ …",
    "A boy reads",
]
IDS = [f"c{number:06}" for number in range(len(CONTEXTS))]
SAMPLING = Sampling(temperature=0.8, top_p=0.9, max_new_tokens=16)


@pytest.mark.parametrize("name", [*SMALL, "teacher"])
def test_same_sentences_whatever_the_batch(name: str, teacher: Loaded, small: Callable[[str], Loaded]) -> None:
    model, tokenizer = teacher if name == "teacher" else small(name)
    # random models hardly ever write a full stop: their whole texts are compared
    decoder = Decoder(model, tokenizer, SAMPLING)
    write = decoder.next_sentences if name == "teacher" else decoder.continuations
    together = write(CONTEXTS, IDS, 6, 3)
    assert sum(map(len, together)) >= 0.6 * 6 * len(CONTEXTS)
    order = [4, 0, 5, 2, 3, 1]
    shuffled = write([CONTEXTS[i] for i in order], [IDS[i] for i in order], 6, 3)
    assert [together[i] for i in order] == shuffled
    in_parts = Decoder(model, tokenizer, SAMPLING, max_rows=4)
    write = in_parts.next_sentences if name == "teacher" else in_parts.continuations
    for number in (1, 3):
        assert write([CONTEXTS[number]], [IDS[number]], 6, 3) == [together[number]]


def test_same_outputs_whatever_the_batch(student: Loaded) -> None:
    sources = [context for context in CONTEXTS if context]
    ids = IDS[: len(sources)]
    together = Decoder(*student, SAMPLING).rewrite(sources, ids, 10, seed=0)
    assert [len(texts) for texts in together] == [10] * len(sources)
    assert Decoder(*student, SAMPLING, max_rows=4).rewrite(sources[::-1], ids[::-1], 10, seed=0) == together[::-1]
    assert len({tuple(texts) for texts in together}) == len(sources)


def test_ids_and_seeds_make_the_difference(teacher: Loaded) -> None:
    decoder = Decoder(*teacher, SAMPLING)
    one, two = decoder.next_sentences(CONTEXTS[:1] * 2, ["a", "b"], 10, seed=0)
    assert one != two
    assert decoder.next_sentences(CONTEXTS[:1], ["a"], 10, seed=1)[0] != one
    # the first samples are the same however many are asked for
    assert (
        decoder.continuations(CONTEXTS[:1], ["a"], 20, 0)[0][:5] == decoder.continuations(CONTEXTS[:1], ["a"], 5, 0)[0]
    )


def test_stopping_early_changes_nothing(teacher: Loaded) -> None:
    """The sentences are the first ones of the texts that the same random numbers give without stopping."""
    decoder = Decoder(*teacher, Sampling(temperature=1.2, top_p=1.0, max_new_tokens=25))
    prompts = [decoder._prompt_ids(context) for context in CONTEXTS]
    whole = decoder._sample(prompts, IDS, 10, 0, purpose="next sentences")
    expected = [[s for text in texts if (s := first_sentence(text))] for texts in whole]
    assert decoder.next_sentences(CONTEXTS, IDS, 10, seed=0) == expected
    assert sum(len(text) for texts in whole for text in texts) > 1.3 * sum(len(s) for texts in expected for s in texts)


def test_sentences_are_clean(teacher: Loaded) -> None:
    sampling = Sampling(temperature=1.5, top_p=1.0, max_new_tokens=20, min_characters=20)
    for sentences in Decoder(*teacher, sampling).next_sentences(CONTEXTS, IDS, 30, seed=0):
        assert 0 < len(sentences) < 30  # so hot that many do not end in time
        for sentence in sentences:
            assert sentence == " ".join(sentence.split())
            assert sentence[-1] in ".?!" and len(sentence) >= 20
            assert first_sentence(sentence) == sentence


def test_banned_tokens(teacher: Loaded) -> None:
    model, tokenizer = teacher
    decoder = Decoder(model, tokenizer, Sampling(1.0, banned_tokens=("man", "A", "<|endoftext|>"), max_new_tokens=15))
    banned = decoder.vocabulary.banned_ids(("man",))
    assert banned and all("man" in tokenizer.decode([index]) for index in banned)
    assert decoder.vocabulary.banned_ids(("<|endoftext|>",)) == [tokenizer.eos_token_id]
    # what stands in a special token's name does not ban it
    assert tokenizer.eos_token_id not in decoder.vocabulary.banned_ids(("<", "e"))
    texts = [text for row in decoder.continuations(CONTEXTS, IDS, 20, seed=0) for text in row]
    assert not any("A" in text for text in texts)
    assert all(len(tokenizer(text)["input_ids"]) > 5 for text in texts)  # none could end
    with pytest.raises(UserError, match="leave no token"):
        Decoder(model, tokenizer, Sampling(banned_tokens=tuple(decoder.vocabulary.texts)))


def test_the_end_of_text_is_not_allowed_first(teacher: Loaded) -> None:
    decoder = Decoder(*teacher, Sampling(temperature=2.0, top_p=1.0, max_new_tokens=1))
    prompts = [decoder._prompt_ids(context) for context in CONTEXTS]
    for may_be_empty in (False, True):
        texts = decoder._sample(prompts, IDS, 50, 0, "test", may_be_empty)
        assert any(text == "" for row in texts for text in row) == may_be_empty


def test_long_contexts_lose_their_beginning(teacher: Loaded) -> None:
    model, tokenizer = teacher
    positions = model.config.max_position_embeddings
    decoder = Decoder(model, tokenizer, Sampling(no_repeat_ngram_size=0, max_new_tokens=40))
    long = "A dog runs. " * 100 + "Two women are walking along the river."
    kept = decoder._prompt_ids(long)
    assert len(kept) == positions - 40
    assert kept == tokenizer(long)["input_ids"][-len(kept) :]
    assert decoder.next_sentences([long], ["a"], 4, seed=0)[0]
    with pytest.raises(UserError, match=f"expected at most {positions - 2}"):
        Decoder(model, tokenizer, Sampling(max_new_tokens=positions)).next_sentences(["A."], ["a"], 2, seed=0)


def test_a_model_without_a_key_value_cache(teacher: Loaded) -> None:
    torch.manual_seed(0)
    model = MambaForCausalLM(MambaConfig(vocab_size=4096, hidden_size=16, num_hidden_layers=1, state_size=4)).eval()
    with pytest.raises(UserError, match="MambaForCausalLM"):
        Decoder(model, teacher[1], Sampling()).next_sentences(["A."], ["a"], 2, seed=0)


def test_a_decoder_with_too_few_positions(student: Loaded) -> None:
    sizes = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "decoder_start_token_id": 0}
    model = BartForConditionalGeneration(BartConfig(vocab_size=4096, max_position_embeddings=20, **sizes)).eval()
    source = "A man is riding a bike. " * 10  # cut to what the encoder can read
    (texts,) = Decoder(model, student[1], Sampling(max_new_tokens=19)).rewrite([source], ["a"], 2, seed=0)
    assert len(texts) == 2
    with pytest.raises(UserError, match="expected at most 19"):
        Decoder(model, student[1], Sampling(max_new_tokens=20)).rewrite([source], ["a"], 2, seed=0)


@pytest.mark.parametrize("joined", [True, False])
def test_a_number_written_digit_by_digit_ends_no_sentence(joined: bool, teacher: Loaded) -> None:
    decoder = Decoder(*teacher, Sampling(join_digits=joined))
    stop = SentenceStop(decoder.tokenizer, decoder.vocabulary, join_digits if joined else str)
    ids = np.array([decoder.tokenizer("Give 1 . 5 mg. Then a man walks.")["input_ids"]])
    is_open = np.zeros(1, bool)
    for length in range(1, ids.shape[1] + 1):
        ended, is_open = stop(ids[:, :length], is_open)
        if ended[0]:
            break
    written = decoder.tokenizer.decode(ids[0, :length].tolist())
    assert written.startswith("Give 1 . 5 mg. ") == joined and len(written) < len("Give 1 . 5 mg. Then a")
    decoder._sample = lambda *given, **more: [[written]]  # type: ignore[method-assign]
    assert decoder.next_sentences(["A."], ["a"], 1, seed=0) == [["Give 1.5 mg."] if joined else ["Give 1 ."]]


def test_a_long_source_is_read_without_a_remark(student: Loaded) -> None:
    decoder = Decoder(*student, Sampling())
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    decoder.tokenizer.deprecation_warnings.clear()  # a tokenizer remarks once
    logging.getLogger("transformers").addHandler(handler)
    try:
        length = len(decoder._source_ids("A man walks home. " * 500))
    finally:
        logging.getLogger("transformers").removeHandler(handler)
    assert length > decoder.tokenizer.model_max_length and not said


def test_templates(teacher: Loaded, student: Loaded) -> None:
    decoder = Decoder(*teacher, Sampling(0.0, max_new_tokens=10))
    (rewritten,) = decoder.rewrite([" a man "], ["a"], 1, seed=0, template="Here is {source} who")
    (continued,) = decoder.continuations(["Here is a man who"], ["a"], 1, seed=0)
    assert rewritten == [" ".join(continued[0].split())]
    with pytest.raises(UserError, match="source"):
        Decoder(*student, Sampling()).rewrite(["A man."], ["a"], 1, seed=0, template="paraphrase:")


def test_nothing_to_do(teacher: Loaded, student: Loaded) -> None:
    assert Decoder(*teacher, Sampling()).next_sentences([], [], 5, seed=0) == []
    assert Decoder(*student, Sampling()).rewrite([], [], 5, seed=0) == []
    with pytest.raises(ValueError, match="2 ids for 1 prompts"):
        Decoder(*teacher, Sampling()).next_sentences(["A."], ["a", "b"], 5, seed=0)
