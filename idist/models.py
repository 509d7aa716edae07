"""A name -> a loaded model. The only module that loads weights.

A name is a Hub id (``gpt2-xl``, with ``@revision`` if wanted), a local folder, or ``embedded:NAME`` for a model that
ships with the package. All three go through the same transformers classes; safetensors only, never remote code.
"""

from __future__ import annotations

import os
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist._schema import nearest
from idist.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from idist.trees import ConstituencyParser

EMBEDDED = Path(__file__).parent / "embedded"
PACKAGES = {"py3langid": "translation"}  # models that are Python packages -> the extra of ours that installs them
ABOUT = ("training.json", "training_log.jsonl", "training_curve.png", ".gitattributes")  # of a model, not in it


def resolve(name: str) -> tuple[str, str | None]:
    """Name -> (folder or Hub id, revision or None), without touching the network.

    Raises:
        UserError: an embedded model, a local folder or a package that does not exist.
    """
    if name in PACKAGES:
        return str(_package_folder(name)), None
    if name.startswith("embedded:"):
        folder = EMBEDDED / name.removeprefix("embedded:")
        shipped = sorted(p.name for p in EMBEDDED.iterdir() if p.is_dir() and not p.name.startswith("_"))
        if folder.name not in shipped:
            raise UserError(f"Model {name!r} does not ship with idist; {nearest(folder.name, shipped)}")
        return str(folder), None
    if Path(name).is_dir():
        return name, None
    repository, _, revision = name.partition("@")
    if name.startswith(("/", "./", "../", "~")) or repository.count("/") > 1:  # a Hub id is NAME or OWNER/NAME
        raise UserError(f"Model folder {name!r} does not exist.")
    return repository, revision or None


def pick_device(device: str = "auto") -> str:
    """``auto`` -> ``cuda``, ``mps`` or ``cpu``, the first that is there."""
    import torch

    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def pick_dtype(dtype: str, device: str) -> Any:
    """``auto`` -> on CUDA bfloat16, or float16 on a GPU that has no arithmetic for it (older than Ampere); elsewhere
    float32 (half precision is up to 200 times slower on a plain CPU)."""
    import torch

    if dtype == "auto":
        dtype = "bfloat16" if device.startswith("cuda") else "float32"
        if dtype == "bfloat16" and torch.cuda.is_available() and not torch.cuda.is_bf16_supported(False):
            dtype = "float16"
    return getattr(torch, dtype)


def load_causal_lm(
    name: str, device: str = "auto", dtype: str = "auto"
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Teacher, or critic: a causal LM in eval mode and its tokenizer (padding side left; pad token set)."""
    return _load("AutoModelForCausalLM", name, device, dtype, padding_side="left")


def load_seq2seq(
    name: str, device: str = "auto", dtype: str = "auto"
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Student: an encoder-decoder in eval mode and its tokenizer."""
    return _load("AutoModelForSeq2SeqLM", name, device, dtype)


def load_classifier(
    name: str, device: str = "auto", dtype: str = "auto"
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Critic: a sequence classifier, of pairs or of single texts, in eval mode and its tokenizer."""
    return _load("AutoModelForSequenceClassification", name, device, dtype)


def load_encoder(
    name: str, device: str = "auto", dtype: str = "auto"
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Sentence encoder in eval mode and its tokenizer."""
    return _load("AutoModel", name, device, dtype)


def load_student(
    name: str, device: str = "auto", dtype: str = "auto"
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Student of either kind: encoder-decoder if its config says so, causal LM otherwise."""
    if is_seq2seq(name):
        return load_seq2seq(name, device, dtype)
    return load_causal_lm(name, device, dtype)


def is_seq2seq(name: str) -> bool:
    """Whether the model's config says encoder-decoder."""
    return bool(_config(name).is_encoder_decoder)


def load_parser(name: str, device: str = "auto") -> ConstituencyParser:
    """Constituency parser: a folder of ours (``embedded:parser``) or ``stanza:LANGUAGE`` (downloads on first use)."""
    from idist._parser_loading import load_parser_folder, load_stanza

    if name.startswith("stanza:"):
        return load_stanza(name.removeprefix("stanza:"), pick_device(device))
    path, _ = resolve(name)
    if not Path(path).is_dir():
        raise UserError(f"Parser {name!r} is no folder, expected a parser's folder, embedded:parser or stanza:en.")
    encoder, _ = resolve(_named_encoder(Path(path)))
    return load_parser_folder(Path(path), Path(encoder), pick_device(device))


def load_language_identifier() -> Any:
    """py3langid's identifier, whose ``rank`` gives (language, probability) for all its ``labels``.

    Raises:
        UserError: the package is not installed.
    """
    _package_folder("py3langid")
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def parser_encoder(name: str) -> str | None:
    """Name of the encoder that a parser's folder builds on, from its ``config.json``: with other weights in it, the
    same parser gives other trees. None for ``stanza:LANGUAGE``, and for a name that is no folder (`load_parser` says
    what is wrong with it).

    Raises:
        UserError: the folder's ``config.json`` is missing or names no encoder.
    """
    folder = EMBEDDED / name.removeprefix("embedded:") if name.startswith("embedded:") else Path(name)
    return _named_encoder(folder) if folder.is_dir() else None


def longest_input(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Tokens, special ones included, that an encoder can read at once: the tokenizer's limit or that of the model's
    positions, whichever is less; 2^31 - 1 if neither is set."""
    limits = [tokenizer.model_max_length, 2**31 - 1]
    positions = getattr(model.config, "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:
        # These families number positions from the one after the padding index on.
        shifted = any(family in model.config.model_type for family in ("roberta", "camembert", "longformer", "mpnet"))
        limits.append(positions - (model.config.pad_token_id or 0) - 1 if shifted else positions)
    return int(min(limits))


def label_index(model: PreTrainedModel, word: str) -> int:
    """Index of the label that contains ``word`` (``entail``) in the model's own config: the order differs by model.

    Raises:
        UserError: no label or several labels match.
    """
    labels = {int(index): str(label).lower() for index, label in (model.config.id2label or {}).items()}
    found = [index for index, label in labels.items() if word in label and "not" not in label.split("_")]
    if len(found) != 1:
        raise UserError(
            f"Model {model.config._name_or_path!r} has labels {sorted(labels.values())}, expected one with {word!r}."
        )
    return found[0]


def fingerprint(name: str) -> str:
    """What identifies the weights behind a name: for a folder, sizes and hashes of its files (not of hidden ones);
    for a package its version; for a Hub id name@revision: pin the revision (``gpt2-xl@COMMIT``) where the repository
    may change.

    Reads every byte of a local folder once (about 0.1 s for 70 MB). Never touches the network.
    """
    import hashlib

    path, revision = resolve(name)
    if name in PACKAGES:
        return f"{name}=={metadata.version(name)}"
    if not Path(path).is_dir():
        return f"{path}@{revision or 'main'}"
    digest = hashlib.sha256()
    for file in _files_of_model(Path(path)):
        digest.update(f"{file.relative_to(path)}:{file.stat().st_size}\n".encode())
        with file.open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
    return f"folder:{digest.hexdigest()[:16]}"


def _package_folder(name: str) -> Path:
    """Raises UserError: the package is not installed."""
    found = find_spec(name)
    if found is None or found.origin is None:
        raise UserError(f"Model {name!r} is a package that is not installed: pip install 'idist[{PACKAGES[name]}]'.")
    return Path(found.origin).parent


def _files_of_model(folder: Path) -> list[Path]:
    """Sorted; without what is only about the model, and without ``.git``, ``.cache`` and the like."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.name not in ABOUT
        and path.suffix != ".md"
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _named_encoder(folder: Path) -> str:
    import json

    try:
        return str(json.loads((folder / "config.json").read_text(encoding="utf-8"))["encoder"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"Parser {folder}: config.json is missing or names no encoder.") from None


def _config(name: str) -> Any:
    from transformers import AutoConfig

    path, revision = resolve(name)
    return _explained(name, lambda: AutoConfig.from_pretrained(path, revision=revision))


def _load(
    auto: str, name: str, device: str, dtype: str, padding_side: str | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    import transformers

    path, revision = resolve(name)
    device = pick_device(device)
    transformers.utils.logging.disable_progress_bar()  # a bar for each file of weights breaks a stage's own
    tokenizer = _explained(name, lambda: transformers.AutoTokenizer.from_pretrained(path, revision=revision))
    model = _explained(
        name,
        lambda: getattr(transformers, auto).from_pretrained(
            path, revision=revision, dtype=pick_dtype(dtype, device), use_safetensors=True
        ),
    )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if padding_side:
        tokenizer.padding_side = padding_side
    return model.to(device).eval(), tokenizer


def _explained(name: str, load: Any) -> Any:
    """Run a loader; a model that is not there becomes one sentence, offline and online told apart."""
    from safetensors import SafetensorError

    try:
        return load()
    except ImportError as error:  # a tokenizer's package
        raise UserError(f"Model {name!r} needs a package that is not installed: {_first_line(error)}") from None
    except (OSError, ValueError, SafetensorError) as error:
        path, _ = resolve(name)
        if Path(path).is_dir():
            raise UserError(f"Model {name!r}: folder {path} does not load: {_first_line(error)}") from None
        if os.environ.get("HF_HUB_OFFLINE") == "1":
            raise UserError(
                f"Model {name!r} is not in the local cache and HF_HUB_OFFLINE=1 forbids downloading it."
            ) from None
        if _unreachable(error):
            raise UserError(
                f"Model {name!r} is not in the local cache and the Hub cannot be reached; go online once, "
                "or name a local folder or an embedded:MODEL."
            ) from None
        raise UserError(f"Model {name!r} was not found on the Hub: {_first_line(error)}") from None


def _unreachable(error: BaseException | None) -> bool:
    """Whether a connection failure is anywhere in the chain of causes."""
    while error is not None:
        kind = type(error).__name__
        if "Connect" in kind or "Timeout" in kind or "OfflineMode" in kind or "LocalEntryNotFound" in kind:
            return True
        if "couldn't connect" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
