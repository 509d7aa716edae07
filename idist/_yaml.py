"""YAML as this toolkit reads it: safely, and a key that stands twice in one mapping is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from idist.errors import UserError


def read_yaml(path: Path, called: str = "") -> Any:
    """What a file holds.

    Args:
        path: the file.
        called: how messages name it (default: its path).

    Raises:
        UserError: the file is missing, not UTF-8, not YAML, or has a key twice: YAML forbids that, its usual readers
            take the last one, and the other one, perhaps a threshold, would be lost without a word.
    """
    called = called or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{called} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise UserError(f"{called} is not UTF-8 text.") from None
    return parse_yaml(text, called)


def parse_yaml(text: str, called: str) -> Any:
    """What a text says in YAML; ``called``: how messages name it.

    Raises:
        UserError: as `read_yaml`, files aside.
    """
    import yaml

    try:
        return yaml.load(text, Loader=_loader())
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that is none, such as 2024-13-45
        raise UserError(f"{called} is not YAML: {' '.join(str(error).split())}.") from None


def _loader() -> Any:
    """The safe loader, which refuses a second key."""
    import yaml

    class Strict(yaml.SafeLoader):
        def compose_mapping_node(self, anchor: Any) -> Any:
            node = super().compose_mapping_node(anchor)
            lines: dict[tuple[str, str], int] = {}
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode):
                    line, named = key.start_mark.line + 1, (key.tag, key.value)
                    if named in lines:
                        said = f"the key {key.value!r} of line {lines[named]} stands in line {line} again"
                        raise yaml.composer.ComposerError(None, None, said)
                    lines[named] = line
            return node

    return Strict
