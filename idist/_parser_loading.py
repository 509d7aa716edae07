"""Loads a constituency parser: a folder of ours, or a stock Stanza package. Called by `idist.models` alone.

A folder of ours holds ``config.json`` (what the network looks like, its labels, the name of its encoder),
``vocabulary.json`` (words and feature names) and ``model.safetensors`` (parser and tagger weights in half precision).
The encoder is shared with other uses and lies in its own folder. Stanza's own checkpoints are pickles that store the
encoder's path and insist on a file of word vectors: building the network from these parts needs neither, and writes
nothing anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from idist.errors import UserError
from idist.trees.parser import ConstituencyParser, TaggedWords
from idist.trees.tagger import PerceptronTagger, split_words

MODEL_TYPE = "stanza-constituency"
BATCH_SIZE = 1_000  # sentences that Stanza may take at once: more than ConstituencyParser ever gives
_PIECES_A_CHARACTER = 3  # at most: a Hangul syllable, decomposed; a shorter sentence need not be counted


def load_parser_folder(folder: Path, encoder_folder: Path, device: str) -> ConstituencyParser:
    """Load a parser folder with the encoder it was trained on.

    Raises:
        UserError: a file is missing or is not what this parser needs.
    """
    config, vocabulary, weights = _read_folder(folder)
    model = load_network(folder, encoder_folder).to(device).eval()
    tagger = _tagger(config, vocabulary, weights)

    def tag(sentences: Sequence[str]) -> list[TaggedWords]:
        return [tagger.tag(split_words(sentence)) for sentence in sentences]

    def fits(words: list[str]) -> bool:
        positions = model.bert_model.config.max_position_embeddings
        if sum(map(len, words)) * _PIECES_A_CHARACTER + 2 <= positions:
            return True
        return len(model.bert_tokenizer(words, is_split_into_words=True, verbose=False)["input_ids"]) <= positions

    return ConstituencyParser(tag, lambda batch: model.parse_tagged_words(batch, BATCH_SIZE), fits)


def load_network(folder: Path, encoder_folder: Path) -> Any:
    """Stanza's network (a torch module, on the CPU) with the weights of a parser folder.

    Raises:
        UserError: as `load_parser_folder`.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    config, vocabulary, weights = _read_folder(folder)
    tokenizer = AutoTokenizer.from_pretrained(str(encoder_folder), local_files_only=True)
    with _no_progress_bar():
        encoder = AutoModel.from_pretrained(
            str(encoder_folder), local_files_only=True, dtype=torch.float32, use_safetensors=True
        )
    if encoder.config.hidden_size != config["encoder_hidden_size"]:
        raise UserError(
            f"Encoder {encoder_folder} has width {encoder.config.hidden_size}, "
            f"parser {folder} was trained with {config['encoder_hidden_size']}."
        )
    model = _network(config, vocabulary, encoder, tokenizer)
    own = {name.removeprefix("parser."): t.float() for name, t in weights.items() if name.startswith("parser.")}
    missing, unexpected = model.load_state_dict(own, strict=False)
    absent = set(missing) & {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    if absent or unexpected:
        wrong = ", ".join(sorted(absent | set(unexpected))[:3])
        raise UserError(f"{folder}/model.safetensors does not fit config.json: {wrong}.")
    return model


def load_stanza(lang: str, device: str) -> ConstituencyParser:
    """Load Stanza's own tokenizer, tagger and constituency parser of a language (downloaded on first use).

    Raises:
        UserError: no such package here, and it could not be downloaded.
    """
    import stanza

    try:
        pipeline = stanza.Pipeline(
            lang,
            processors="tokenize,pos,constituency",
            tokenize_no_ssplit=True,
            download_method=stanza.DownloadMethod.REUSE_RESOURCES,
            logging_level="ERROR",
            device=device,
        )
    except Exception as error:  # Stanza's own, requests' and plain ones: all mean that there is no such parser here
        raise UserError(f"Parser 'stanza:{lang}' cannot be loaded: {type(error).__name__}: {error}") from None
    return stanza_parser(pipeline)


def stanza_parser(pipeline: Any) -> ConstituencyParser:
    """Wrap a Stanza pipeline that tokenizes (without splitting sentences), tags and parses."""
    from stanza.models.common.doc import Document

    *before, last = pipeline.processors.values()
    model = last._model

    def tag(sentences: Sequence[str]) -> list[TaggedWords]:
        documents = [Document([], text=sentence.replace("\n", " ")) for sentence in sentences]
        for processor in before:
            documents = processor.bulk_process(documents)
        words = [[word for sentence in document.sentences for word in sentence.words] for document in documents]
        return [[(_spelled(w.text), (w.xpos if model.uses_xpos() else w.upos) or "X") for w in line] for line in words]

    return ConstituencyParser(tag, lambda batch: model.parse_tagged_words(batch, BATCH_SIZE))


def _spelled(word: str) -> str:
    """A word as brackets can hold it."""
    return "-".join(word.replace("(", "-LRB-").replace(")", "-RRB-").split())


def _network(config: dict[str, Any], vocabulary: dict[str, Any], encoder: Any, tokenizer: Any) -> Any:
    import torch
    from stanza.models.common.pretrain import Pretrain, PretrainedWordVocab
    from stanza.models.constituency.lstm_model import (
        ConstituencyComposition,
        LSTMModel,
        SentenceBoundary,
        StackHistory,
    )
    from stanza.models.constituency.parse_transitions import Transition, TransitionScheme

    kinds = {
        "constituency_composition": ConstituencyComposition,
        "constituent_stack": StackHistory,
        "sentence_boundary_vectors": SentenceBoundary,
        "transition_scheme": TransitionScheme,
        "transition_stack": StackHistory,
    }
    arguments = {key: kinds[key][value] if key in kinds else value for key, value in config["stanza"].items()}
    # The network looks up word vectors in any case; where there is an encoder, two words of zeros will do.
    vectors = Pretrain()
    vectors._vocab = PretrainedWordVocab(["the", "a"], lang="en")
    vectors._emb = torch.zeros(len(vectors._vocab), 2)
    with torch.random.fork_rng(devices=[]):  # weights drawn here are replaced: leave the caller's randomness alone
        return LSTMModel(
            pt=vectors,
            forward_charlm=None,
            backward_charlm=None,
            bert_model=encoder,
            bert_tokenizer=tokenizer,
            force_bert_saved=False,
            peft_name=None,
            transitions=[Transition.from_repr(text) for text in config["transitions"]],
            constituents=config["constituents"],
            tags=config["tags"],
            words=vocabulary["words"],
            rare_words=set(),
            root_labels=config["root_labels"],
            constituent_opens=[tuple(labels) for labels in config["constituent_opens"]],
            unary_limit=config["unary_limit"],
            args=arguments,
        )


def _tagger(config: dict[str, Any], vocabulary: dict[str, Any], weights: dict[str, Any]) -> PerceptronTagger:
    """Dense weights from the stored rows of (column, value)."""
    import numpy as np

    counts = weights["tagger.counts"].numpy()
    columns = weights["tagger.columns"].numpy()
    dense = np.zeros((len(counts), len(config["tagger_tags"])), np.float32)
    dense[np.repeat(np.arange(len(counts)), counts), columns] = weights["tagger.values"].float().numpy()
    index = {name: row for row, name in enumerate(vocabulary["tagger_features"])}
    return PerceptronTagger(index, dense, config["tagger_tags"], vocabulary["tagger_known"])


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _read_folder(folder: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Config, vocabulary and weights of a parser folder."""
    config = _read_json(folder / "config.json")
    if config.get("model_type") != MODEL_TYPE:
        raise UserError(f"{folder}/config.json: model_type is {config.get('model_type')!r}, expected {MODEL_TYPE!r}.")
    return config, _read_json(folder / "vocabulary.json"), _read_weights(folder / "model.safetensors")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise UserError(f"Parser file {path} is missing.") from None
    except ValueError as error:
        raise UserError(f"Parser file {path} is not JSON: {error}") from None
    return dict(content)


def _read_weights(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (OSError, SafetensorError) as error:
        raise UserError(f"Parser file {path} does not load: {error}") from None
