"""A run's config without this machine in it, and back: what `lineage.json` holds, and how a release is made again.

A folder or file of this machine becomes ``local:NAME``; models that ship (``embedded:NAME``), Hub ids, parsers
(``stanza:LANGUAGE``) and the run's own student stay as they are.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from idist.config import PAPER_CRITICS, RunConfig, build_config, to_dict
from idist.engine import digest
from idist.errors import UserError

LOCAL = "local:"
_KNOWN = ("embedded:", "stanza:", "run:", LOCAL)
_OWN = ("", "~", ".", "..")  # first parts of a path that is no Hub id
_FILES = (".txt", ".parquet", ".yaml", ".yml", ".md", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".gz")
_SEPARATORS = re.compile(r"[/\\]")
# Settings of machines, not of rows.
_MACHINE = ("device", "engine")
# What a release says of itself and how its student was scored: no row depends on it.
_ABOUT = ("name", "hub", "evaluation")
# Settings that are words, whatever they look like.
_FREE = ("name", "title", "prompt", "banned_tokens", "column", "source_files", "source_column", "target_column")


def portable(name: str, local: bool = False) -> str:
    """A model's, file's or dataset's name as it may be published: ``/home/me/t5`` -> ``local:t5``.

    Args:
        name: as a config has it.
        local: it is known to be of this machine, whatever its form.
    """
    if name.startswith(_KNOWN) or not (local or has_form_of_path(name)):
        return name
    last = _SEPARATORS.split(name.rstrip("/\\"))[-1]
    return LOCAL + ("folder" if last in _OWN else last)


def has_form_of_path(name: str) -> bool:
    """Whether a name can be no Hub id: it begins as a path does, has three parts, or ends as a file does."""
    parts = _SEPARATORS.split(name)
    return parts[0] in _OWN or len(parts) > 2 or "\\" in name or name[1:2] == ":" or name.endswith(_FILES)


def portable_config(config: RunConfig, without: Sequence[str] = ()) -> dict[str, Any]:
    """The config as plain values: everything that rows and weights depend on, and what the release says of itself.

    Args:
        config: the run's.
        without: sections that the release does not depend on.
    """
    tree = to_dict(config)
    for key in (*_MACHINE, *without):
        del tree[key]
    for section, key in _texts(tree):
        section[key] = portable(section[key])
    _drop_unneeded(tree)
    return tree


def set_local(tree: dict[str, Any], role: str) -> None:
    """Make the name at a dotted role portable that is known to be of this machine."""
    here = find(tree, role.split(".")[:-1])
    key = role.rpartition(".")[2]
    if isinstance(here, dict) and isinstance(here.get(key), str):
        here[key] = portable(here[key], local=True)


def config_fingerprint(tree: Mapping[str, Any]) -> str:
    """16 digits over what rows and weights depend on, of a `portable_config`."""
    return digest({key: value for key, value in tree.items() if key not in _ABOUT})


def rebuild_config(lineage: Mapping[str, Any], overrides: Sequence[str] = ()) -> RunConfig:
    """The config of a published release, ready to run: models and datasets of the Hub at the commits that it was made
    with, wherever those are known.

    Args:
        lineage: the release's ``lineage.json``.
        overrides: ``key=value``, as for `idist.config.load_config`.

    Raises:
        UserError: no lineage of a kind that this version can read, or a model or file that was never published and
            that no override replaces.
    """
    from idist._overrides import apply_override

    tree = lineage.get("config")
    if not isinstance(tree, Mapping):
        raise UserError("lineage.json has no 'config': it is not of a run's release, which can be made again.")
    tree = copy.deepcopy(dict(tree))
    for entry in [*lineage.get("models", []), *lineage.get("inputs", [])]:
        *parents, key = str(entry["role"]).split(".")
        section = find(tree, parents)  # of a critic that self_distil takes over from pairs there is none
        if entry.get("revision") and isinstance(section, dict):
            section[key] = f"{entry['name']}@{entry['revision']}"
    for override in overrides:
        apply_override(tree, override, PAPER_CRITICS)
    missing = [section[key] for section, key in _texts(tree) if section[key].startswith(LOCAL)]
    if missing:
        keys = {_key_of(tree, name): name.removeprefix(LOCAL) for name in missing}
        raise UserError(
            "The release was made with what lay on its maker's machine and was not published: "
            f"{', '.join(f'{key} ({name})' for key, name in keys.items())}; name your own with --set "
            f"{next(iter(keys))}=NAME."
        )
    return build_config(tree, "lineage.json")


def shown(run: Path) -> str:
    """What a reader types for a run's folder: as it was given, where that says nothing of this machine."""
    return f"runs/{run.resolve().name}" if run.is_absolute() else run.as_posix()


def differences(lineage: Mapping[str, Any]) -> list[str]:
    """Sentences on what is not as it was when the release was made, so that its rows may come out otherwise: the
    toolkit's version, the weights of models that ship with it."""
    import idist
    from idist.models import EMBEDDED, fingerprint

    found = []
    version = lineage.get("toolkit", {}).get("version")
    if version != idist.__version__:
        found.append(f"It was made with idist {version}, this is {idist.__version__}.")
    shipped = {entry["name"]: entry.get("weights") for entry in lineage.get("models", [])}
    for name, weights in shipped.items():
        if not str(name).startswith("embedded:"):
            continue
        if not (EMBEDDED / str(name).removeprefix("embedded:")).is_dir():
            found.append(f"{name} no longer ships with idist.")
        elif weights and weights != fingerprint(name):
            found.append(f"{name} had other weights then.")
    return found


def _texts(value: Any) -> Iterator[tuple[Any, Any]]:
    """(mapping or list, key or index) of every text in nested plain values that may name something: of somebody
    else's critic it is not known which settings are names, so all are looked at, but for `_FREE`."""
    if isinstance(value, list):
        items: Iterable[tuple[Any, Any]] = enumerate(value)
    else:
        items = ((key, inner) for key, inner in value.items() if key not in _FREE)
    for key, inner in items:
        if isinstance(inner, (dict, list)):
            yield from _texts(inner)
        elif isinstance(inner, str):
            yield value, key


def _drop_unneeded(tree: dict[str, Any]) -> None:
    """A path in a section that no row depends on gives way to the default."""
    for name in _ABOUT[1:]:
        section = tree.get(name) or {}
        for key, value in list(section.items()):
            if any(str(one).startswith(LOCAL) for one in (value if isinstance(value, list) else [value])):
                del section[key]


def find(tree: dict[str, Any], parts: Sequence[str]) -> Any:
    """What lies at the parts of a dotted key, a critic found by its name; None: nothing does."""
    here: Any = tree
    for part in parts:
        if isinstance(here, list):
            here = next((critic for critic in here if part in critic), {})
            if here and here[part] is None:
                here[part] = {}
        here = here.get(part) if isinstance(here, dict) else None
    return here


def _key_of(tree: Mapping[str, Any], name: str) -> str:
    """Dotted key of the first place that holds ``name``, as --set takes it."""

    def search(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                yield from search(inner, f"{path}.{key}" if path else str(key))
        elif isinstance(value, list):
            for inner in value:
                yield from search(inner, path)
        elif value == name:
            yield path

    return next(search(tree, ""))
