"""Back-translation with tiny random models: the ways in which a model is told its languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval_harness import specs
from eval_harness.systems.back_translation import BackTranslation, _languages
from eval_harness.systems.hf_seq2seq import HfSeq2Seq
from idist.errors import UserError
from tests.eval_harness.tiny_models import ROOT, SOURCES, rows, save_tiny

SHORT = {"max_new_tokens": 8, "num_beams": 2, "device": "cpu"}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Two models of one language pair."""
    folder = tmp_path_factory.mktemp("pair")
    return save_tiny("bart", folder / "there", 1), save_tiny("bart", folder / "back", 2)


@pytest.fixture(scope="module")
def nllb(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model of many languages whose tokenizer marks the source's and whose decoder starts with the target's."""
    import torch
    from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

    letters = ["▁", *"abcdefghijklmnopqrstuvwxyzAST.", "▁a", "▁t"]
    vocabulary = {word: i for i, word in enumerate(["<s>", "<pad>", "</s>", "<unk>", *letters])}
    languages = ["eng_Latn", "deu_Latn", "fra_Latn"]
    tokenizer = NllbTokenizer(vocab=vocabulary, merges=[("▁", "a"), ("▁", "t")], extra_special_tokens=languages)
    torch.manual_seed(0)
    sizes = {"d_model": 32, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_position_embeddings": 64}
    layers = {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    config = M2M100Config(vocab_size=len(tokenizer), init_std=0.5, **sizes, **layers)
    folder = str(tmp_path_factory.mktemp("nllb"))
    M2M100ForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_there_and_back(pair: tuple[str, str]) -> None:
    """The same as two systems of one model each, one after the other."""
    there, back = (HfSeq2Seq(model, **SHORT) for model in pair)
    expected = back.predict(rows(there.predict(rows(SOURCES))))
    system = BackTranslation(pair[0], back=pair[1], **SHORT)
    assert system.predict(rows(SOURCES)) == expected
    assert expected != there.predict(rows(SOURCES)) and len(set(expected)) > 1
    assert [system.predict([row])[0] for row in rows(SOURCES)] == expected


def test_both_models_are_in_settings_and_fingerprint(pair: tuple[str, str]) -> None:
    system = BackTranslation(pair[0], back=pair[1], **SHORT)
    assert system.models() == {"model": pair[0], "back": pair[1]}
    assert {"model", "back", "pivot", "language", "num_beams", "max_new_tokens", "dtype"} <= set(system.settings())
    turned = BackTranslation(pair[1], back=pair[0], **SHORT)
    assert turned.fingerprint() != system.fingerprint()
    system.predict(rows(SOURCES[:1]))
    assert set(system._loaded) == set(pair)
    system.close()
    assert not system._loaded


def test_spec_and_bad_settings(pair: tuple[str, str]) -> None:
    spec = specs.parse(f"back-translation:{pair[0]},back={pair[1]},num_beams=2")
    assert specs.construct(BackTranslation, spec).back == pair[1]
    with pytest.raises(UserError, match="has no model that translates back, expected for example"):
        BackTranslation(pair[0])
    with pytest.raises(UserError, match="did you mean 'student'"):
        BackTranslation(pair[0], back="embedded:students")
    with pytest.raises(UserError, match="has no encoder"):
        BackTranslation(pair[0], back="embedded:teacher", **SHORT).predict(rows(SOURCES[:1]))


def test_model_of_many_languages(nllb: str) -> None:
    """Against `generate` called as NLLB's documentation has it."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    model = AutoModelForSeq2SeqLM.from_pretrained(nllb)

    def translate(text: str, source: str, target: str) -> str:
        tokenizer = AutoTokenizer.from_pretrained(nllb, src_lang=source)
        output = model.generate(
            **tokenizer(text, return_tensors="pt"),
            forced_bos_token_id=tokenizer.convert_tokens_to_ids(target),
            max_new_tokens=8,
            num_beams=2,
        )
        assert output[0, 1] == tokenizer.convert_tokens_to_ids(target)
        return " ".join(tokenizer.decode(output[0], skip_special_tokens=True).split())

    expected = [translate(translate(text, "eng_Latn", "deu_Latn"), "deu_Latn", "eng_Latn") for text in SOURCES]
    system = BackTranslation(nllb, back=nllb, language="eng_Latn", pivot="deu_Latn", **SHORT)
    assert system.predict(rows(SOURCES)) == expected
    other = BackTranslation(nllb, back=nllb, language="eng_Latn", pivot="fra_Latn", **SHORT)
    assert other.predict(rows(SOURCES)) != expected and other.fingerprint() != system.fingerprint()


def test_languages_that_are_missing_or_unknown(nllb: str) -> None:
    with pytest.raises(
        UserError,
        match=r"knows several languages; set language= .* and pivot=, for example deu_Latn, eng_Latn, fra_Latn",
    ):
        BackTranslation(nllb, back=nllb, language="eng_Latn", **SHORT).predict(rows(SOURCES))
    with pytest.raises(UserError, match=r"has no target language 'deu_Latin'; did you mean 'deu_Latn'\?"):
        BackTranslation(nllb, back=nllb, language="eng_Latn", pivot="deu_Latin", **SHORT).predict(rows(SOURCES))


def test_mark_of_the_target_before_the_source(tmp_path: Path) -> None:
    """As in the Marian models of several target languages; a model without such marks is told nothing."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    there, back = (save_tiny("bart", tmp_path / name) for name in ("there", "back"))
    model, tokenizer = AutoModelForSeq2SeqLM.from_pretrained(there), AutoTokenizer.from_pretrained(there)
    tokenizer.add_tokens([">>fra<<", ">>ita<<"])
    model.resize_token_embeddings(len(tokenizer))
    model.save_pretrained(there)
    tokenizer.save_pretrained(there)
    marked = HfSeq2Seq(there, template=">>ita<< {source}", **SHORT).predict(rows(SOURCES))
    expected = HfSeq2Seq(back, **SHORT).predict(rows(marked))
    assert BackTranslation(there, back=back, pivot="ita", **SHORT).predict(rows(SOURCES)) == expected
    with pytest.raises(UserError, match="has no target language 'spa'"):
        BackTranslation(there, back=back, pivot="spa", **SHORT).predict(rows(SOURCES))


def test_marian_tokenizers(tmp_path: Path) -> None:
    """Vocabularies of both sides, and languages named by a mark, with Marian's own tokenizer."""
    import json

    import sentencepiece
    from transformers import MarianConfig, MarianMTModel, MarianTokenizer

    text = tmp_path / "text.txt"
    text.write_text("\n".join(SOURCES * 20))
    for side in ("source", "target"):
        sentencepiece.SentencePieceTrainer.train(
            input=str(text), model_prefix=str(tmp_path / side), vocab_size=30, minloglevel=2
        )
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "source.model"))
    words = [pieces.id_to_piece(i) for i in range(pieces.get_piece_size())]
    vocabulary = {word: i for i, word in enumerate(["</s>", "<unk>", ">>fra<<", ">>ita<<", *words[3:], "<pad>"])}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
    tokenizer = MarianTokenizer(
        str(tmp_path / "source.model"), str(tmp_path / "target.model"), str(tmp_path / "vocab.json")
    )
    sizes = {"d_model": 32, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_position_embeddings": 64}
    layers = {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    pad = vocabulary["<pad>"]
    ids = {"pad_token_id": pad, "decoder_start_token_id": pad, "eos_token_id": 0, "forced_eos_token_id": 0}
    model = MarianMTModel(MarianConfig(vocab_size=len(vocabulary), init_std=0.5, **sizes, **layers, **ids))
    folder = str(tmp_path / "model")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    assert _languages(folder, tokenizer, None, "ita") == (">>ita<< ", None)
    assert tokenizer(">>ita<< Snow.").input_ids[0] == vocabulary[">>ita<<"]
    system = BackTranslation(folder, back=folder, language="fra", pivot="ita", **SHORT)
    there = HfSeq2Seq(folder, template=">>ita<< {source}", **SHORT).predict(rows(SOURCES))
    back = HfSeq2Seq(folder, template=">>fra<< {source}", **SHORT).predict(rows(there))
    assert system.predict(rows(SOURCES)) == back


def test_one_pair_needs_no_languages(pair: tuple[str, str]) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(ROOT / "idist" / "embedded" / "student")
    assert _languages("x", tokenizer, None, None) == ("", None)
