"""Random models of a few thousand weights in real architectures, with a small tokenizer of two languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ENGLISH = ["the", "dog", "cat", "sleeps", "runs", "in", "a", "house", "and", "sees", "big"]
FRENCH = ["le", "chien", "chat", "dort", "court", "dans", "une", "maison", "et", "voit", "grand"]
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
TEXTS = [
    "the dog sleeps.",
    "le chien dort.",
    "a big cat runs in the house and sees the dog.",
    "le grand chat court dans une maison et voit le chien et le chat et la maison.",
    "runs.",
    "the the the the the",
    "chat dog",
]


def save_tokenizer(folder: Path, kind: str = "plain", **options: Any) -> int:
    """Words of both languages, each with the space before it, and a full stop; gives the size of the vocabulary.

    Args:
        folder: of the model.
        kind: ``plain``: nothing before or after a text; ``start``: ``<s>`` before it; ``roberta``: ``<s> a </s>``, and
            ``<s> a </s></s> b </s>``.
        options: of `PreTrainedTokenizerFast`, such as ``model_max_length``.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = [*SPECIAL, ".", *(f"▁{word}" for word in (*ENGLISH, *FRENCH))]
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="<unk>"))
    split = pre_tokenizers.Split(".", "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(prepend_scheme="first"), split])
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    if kind != "plain":
        end = " </s>" if kind == "roberta" else ""
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"<s> $A{end}",
            pair=f"<s> $A{end}{end} $B{end}",
            special_tokens=[("<s>", 1), ("</s>", 2)],
        )
    names = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    names |= {"model_input_names": ["input_ids", "attention_mask"]} | options
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    return len(words)


def save_qwen_tokenizer(folder: Path) -> int:
    """Qwen's own class, byte by byte, with a few merges; it has no token for the beginning of a text."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import Qwen2Tokenizer

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.save(str(folder / "whole.json"))
    trained = json.loads((folder / "whole.json").read_text())["model"]
    (folder / "whole.json").unlink()
    Qwen2Tokenizer(trained["vocab"], [tuple(merge) for merge in trained["merges"]]).save_pretrained(folder)
    return len(trained["vocab"])


def save_biogpt_tokenizer(folder: Path) -> int:
    """BioGPT's own class: Moses' words (package sacremoses), cut into pieces that end in ``</w>``; ``</s>`` before."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import BioGptTokenizer

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], end_of_word_suffix="</w>", show_progress=False
    )
    tokenizer.train_from_iterator([text.replace(".", " .") for text in (*TEXTS, "1 2 3 4 5 6 7 8 9 0 mg")], trainer)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "whole.json"))
    trained = json.loads((folder / "whole.json").read_text())["model"]
    (folder / "whole.json").unlink()
    (folder / "vocab.json").write_text(json.dumps(trained["vocab"]))
    merges = "\n".join(f"{' '.join(merge)} 1" for merge in trained["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n")
    BioGptTokenizer(folder / "vocab.json", folder / "merges.txt").save_pretrained(folder)
    return len(trained["vocab"])


def save_causal_lm(kind: str, folder: Path, seed: int = 0, spread: float = 0.5, tokenizer: str = "plain") -> str:
    """A ``gpt2``, ``gpt_neox``, ``llama``, ``biogpt``, ``bloom``, ``qwen2`` or ``xglm``; gives the folder.

    Args:
        kind: architecture.
        folder: of the model.
        seed: of the weights.
        spread: their standard deviation: above 0.1 the next word is far from equally likely.
        tokenizer: kind of `save_tokenizer`, or ``biogpt``; a ``qwen2`` has its own.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    own = {
        "gpt2": {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 48},
        "gpt_neox": sizes | {"max_position_embeddings": 128},
        "llama": sizes | {"num_key_value_heads": 1, "max_position_embeddings": 128},
        "biogpt": sizes | {"max_position_embeddings": 128},
        "bloom": {"hidden_size": 16, "n_layer": 2, "n_head": 2},
        "xglm": {"d_model": 16, "num_layers": 2, "attention_heads": 2, "ffn_dim": 32, "init_std": spread},
        "qwen2": {
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "intermediate_size": 32,
        },
    }[kind]
    torch.manual_seed(seed)
    if kind == "qwen2":
        words = save_qwen_tokenizer(folder)
    else:
        words = save_biogpt_tokenizer(folder) if tokenizer == "biogpt" else save_tokenizer(folder, tokenizer)
    ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    config = AutoConfig.for_model(kind, vocab_size=words, initializer_range=spread, **ids, **own)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return str(folder)


def save_classifier(
    kind: str, folder: Path, labels: list[str], seed: int = 0, problem: str | None = None, **settings: Any
) -> str:
    """A sequence classifier, ``roberta``, ``xlm-roberta``, ``deberta-v2`` or ``gpt2``; gives the folder.

    Args:
        kind: architecture.
        folder: of the model.
        labels: names in order.
        seed: of the weights.
        problem: ``problem_type`` of the config.
        settings: more of the config.
    """
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    torch.manual_seed(seed)
    words = save_tokenizer(folder, "plain" if kind == "gpt2" else "roberta")
    sizes = (
        {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 48}
        if kind == "gpt2"
        else {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
        | {"max_position_embeddings": 49, "type_vocab_size": 1, "pad_token_id": 0}
    )
    config = AutoConfig.for_model(
        kind,
        vocab_size=words,
        initializer_range=0.5,
        id2label=dict(enumerate(labels)),
        label2id={label: n for n, label in enumerate(labels)},
        problem_type=problem,
        **(sizes | settings),
    )
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    return str(folder)
