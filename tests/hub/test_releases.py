"""Release folders: sealed, checked, free of what is private; names and tags."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idist.errors import UserError
from idist.hub import check_name, check_private, check_tag, next_tag, read_release, seal
from idist.hub.private import redact
from tests.hub.made import TOKEN, make_release


def test_sealing_lists_everything_and_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = make_release(tmp_path, {"data/é x.txt": "é"})
    first = (folder / "lineage.json").read_bytes()
    listed = json.loads(first)["files"]
    assert set(listed) == {"README.md", "data/train.txt", "data/é x.txt"} and listed["data/é x.txt"]["bytes"] == 2
    seal(folder, {"kind": "dataset", "name": "acme/dimple"})
    assert (folder / "lineage.json").read_bytes() == first
    release = read_release(folder)
    assert set(release.files) == {*listed, "lineage.json"} and release.lineage["schema"] == 1


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda folder: (folder / "data" / "train.txt").write_text("two\n"), "is not what lineage.json lists"),
        (lambda folder: (folder / "data" / "train.txt").write_text("longer\n"), "is not what lineage.json lists"),
        (lambda folder: (folder / "data" / "train.txt").unlink(), "is missing, but listed in"),
        (lambda folder: (folder / "more.txt").write_text("x"), "more.txt is not listed in"),
        (lambda folder: (folder / "lineage.json").unlink(), "holds no lineage.json: expected a release folder"),
        (lambda folder: (folder / "lineage.json").write_text("{"), "is not valid JSON"),
    ],
)
def test_a_release_that_is_not_what_was_built(tmp_path: Path, damage: object, sentence: str) -> None:
    folder = make_release(tmp_path)
    damage(folder)  # type: ignore[operator]
    with pytest.raises(UserError, match=sentence):
        read_release(folder)


def test_a_release_has_a_card(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("x")
    seal(tmp_path, {})
    with pytest.raises(UserError, match=r"lists no README\.md: a release has a card"):
        read_release(tmp_path)


@pytest.mark.parametrize("name", ["README.md", "config.json", "run.yaml", "rows.jsonl", "notes.txt"])
@pytest.mark.parametrize("what", ["token", "form of a token", "home", "folder", "run", "here"])
def test_private_things_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, what: str) -> None:
    home, run, folder, here = (tmp_path / part for part in ("ada", "runs/mini", "built", "checkout"))
    here.mkdir()
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.chdir(here)
    own = "my-own-token"
    private = {"token": own, "form of a token": TOKEN, "home": home, "folder": folder, "run": run, "here": here}
    text = f"first line\n  path: '{private[what]}{'/x' if 'token' not in what else ''}'\n"
    make_release(folder, {name: text})
    with pytest.raises(UserError, match=rf"{name}, line 2, holds (an access token|the local path)") as error:
        check_private(folder, [run], token=own)
    assert own not in str(error.value) and TOKEN not in str(error.value)


def test_the_machine_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "ada-laptop-3")
    make_release(tmp_path / "a", {"run.json": '{"host": "ada-laptop-3"}'})
    with pytest.raises(UserError, match="holds this machine's name"):
        check_private(tmp_path / "a")
    make_release(tmp_path / "b", {"run.json": '{"host": "ada-laptop-34", "word": "mini"}'})
    check_private(tmp_path / "b")
    monkeypatch.setattr(socket, "gethostname", lambda: "mini")  # a word of many cards
    check_private(tmp_path / "b")


def test_ordinary_text_is_not_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/root"))
    text = "https://x.org/root/y /rooted hf_ hf_short /tmp/x /home runs/mini/pairs\n"
    check_private(make_release(tmp_path / "built", {"notes.md": text, "weights.safetensors": TOKEN}), token="hf_own")


def test_redacting() -> None:
    assert redact(f"a {TOKEN} b my-own c", "my-own") == "a hf_*** b hf_*** c"


@given(st.lists(st.tuples(*[st.integers(0, 30)] * 3), max_size=6))
def test_next_tag_is_above_all(versions: list[tuple[int, int, int]]) -> None:
    tags = [f"v{major}.{minor}.{patch}" for major, minor, patch in versions]
    tag = next_tag([*tags, "first", "v9", "1.99.0"])
    check_tag(tag)
    number = tuple(map(int, tag[1:].split(".")))
    if versions:
        highest = max(versions)
        assert number == (highest[0], highest[1] + 1, 0) and number > highest
    else:
        assert tag == "v1.0.0"


@given(st.from_regex(r"[a-z0-9][a-zA-Z0-9._-]{0,30}", fullmatch=True))
def test_names_are_those_of_the_client(name: str) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        check_name(f"org/{name}", with_owner=True)
    except UserError:
        with pytest.raises(HFValidationError):
            validate_repo_id(f"org/{name}")
    else:
        validate_repo_id(f"org/{name}")
