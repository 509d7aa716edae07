"""A model that no run made (a critic, one that ships) -> the folder of a model release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from idist.engine.folders import whole_folder
from idist.errors import UserError
from idist.hub.facts import ModelFacts
from idist.hub.releases import list_files, seal
from idist.models import fingerprint, resolve
from idist.provenance import versions
from idist.release.dataset import CARD, Built
from idist.release.model import copy_model, count_parameters, write_card
from idist.release.portable import portable

ABOUT = "ABOUT.md"  # the card that came with the model


def build_single(
    model: str, folder: Path, name: str, tag: str | None, templates: Path, template: str, license: str, language: str
) -> Built:
    """Build the release of a model's folder; the same folder gives the same bytes.

    The card is the template's, with a snippet that runs. A card that lies in the folder goes along as ``ABOUT.md``.

    Args:
        model: a folder or ``embedded:NAME``.
        folder: of the release.
        name: of the repository.
        tag: of the release, for the card.
        templates: folder of the card templates.
        template: which of them.
        license: identifier of the Hub's list.
        language: ISO 639-1 code.

    Raises:
        UserError: no such folder, no ``config.json`` or weights in it, no such template, disk full.
    """
    source = Path(resolve(model)[0])
    if not (source / "config.json").is_file() or not list(source.glob("*.safetensors")):
        raise UserError(f"Model {model!r} has no config.json with safetensors weights, expected a model's folder.")
    shown = portable(model, local=not model.startswith("embedded:"))
    lineage: dict[str, Any] = {
        "kind": "model",
        "name": name,
        "toolkit": {"name": "idist", "version": versions(("idist",))["idist"]},
        "models": [{"role": "model", "name": shown, "weights": fingerprint(model)}],
    }
    with whole_folder(folder) as beside:
        copy_model(source, beside)
        if (beside / CARD).is_file():
            (beside / CARD).rename(beside / ABOUT)
        write_card(beside, _facts(beside, name, tag, license, language, lineage), templates, template)
        seal(beside, lineage)
    size = sum((folder / path).stat().st_size for path in list_files(folder))
    return Built(folder, "model", name, {}, size)


def _facts(
    folder: Path, name: str, tag: str | None, license: str, language: str, lineage: dict[str, Any]
) -> ModelFacts:
    from idist.engine.shards import read_json

    config = read_json(folder / "config.json")
    about = f"{ABOUT} says what it was trained on and how good it is." if (folder / ABOUT).is_file() else ""
    return ModelFacts(
        name=name,
        title=name.rpartition("/")[2],
        tag=tag,
        language=language,
        license=license,
        base_model=None,
        dataset=None,
        seq2seq=bool(config.get("is_encoder_decoder", False)),
        prompt="{source}",
        max_source_tokens=int(config.get("max_position_embeddings") or 128),
        parameters=count_parameters(folder),
        lineage=lineage,
        description=about,
    )
