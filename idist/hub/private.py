"""The look through a release for what must not leave this machine: tokens, local paths, the machine's name."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterable
from pathlib import Path

from idist.errors import UserError
from idist.hub.releases import list_files

DATA = (".parquet", ".safetensors", ".png", ".svg", ".jpg", ".gz")  # written by libraries, from columns and tensors
VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "merges.txt", "vocabulary.json")  # a path may be a token
SECRET = "an access token"
_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{30,}\b")  # any user access token of the Hub, not only this user's
_COMMON = ("/", "/tmp", "/home", "/usr", "/opt")  # say nothing about a machine or a person


def check_private(folder: Path, paths: Iterable[Path] = (), token: str | None = None) -> None:
    """Refuse a folder whose files (data and weights aside) hold a token, a path of this machine or its name.

    Args:
        folder: release folder; its own absolute path is looked for as well.
        paths: more paths of this machine, such as the run's and the checkout's.
        token: looked for as it is, besides everything that has the form of a Hub token.

    Raises:
        UserError: names file, line and what was found; of a token only that it is one.
    """
    patterns = _patterns(folder, paths, token)
    for name in list_files(folder):
        if name.endswith(DATA):
            continue
        sought = [one for one in patterns if one[0] == SECRET] if name.endswith(VOCABULARIES) else patterns
        with (folder / name).open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, start=1):
                for what, pattern in sought:
                    if pattern.search(line):
                        raise UserError(f"{folder / name}, line {number}, holds {what}: nothing was published.")


def _patterns(folder: Path, paths: Iterable[Path], token: str | None) -> list[tuple[str, re.Pattern[str]]]:
    secrets = [(SECRET, _TOKEN)]
    if token:
        secrets.append((SECRET, re.compile(re.escape(token))))
    local = {Path.home(), Path.cwd(), folder.absolute(), folder.resolve(), *(path.absolute() for path in paths)}
    texts = sorted({str(path) for path in local} - set(_COMMON))
    found = [(f"the local path {text}", re.compile(rf"(?<![\w./-]){re.escape(text)}(?![\w.-])")) for text in texts]
    host = socket.gethostname()
    # A plain word may be a word of the texts, too; with a digit or a hyphen it is a machine's name.
    if re.search(r"[\d.-]", host) and len(host) >= 6:
        found.append((f"this machine's name {host}", re.compile(rf"(?<![\w.-]){re.escape(host)}(?![\w-])")))
    return secrets + found


def redact(text: str, token: str | None) -> str:
    """The text without the token and without everything of a token's form."""
    for secret in (token, os.environ.get("HF_TOKEN")):
        if secret:
            text = text.replace(secret, "hf_***")
    return _TOKEN.sub("hf_***", text)
