"""Settings of a Space, and a GPU that is not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from idist.errors import UserError
from space_kit.serving import on_gpu, read_settings

NAMES = {"model": "IDIST_MODEL", "dataset": "IDIST_DATASET"}


def test_a_variable_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings.json").write_text(json.dumps({"model": "you/student", "dataset": None}))
    monkeypatch.delenv("IDIST_DATASET", raising=False)
    monkeypatch.setenv("IDIST_MODEL", "")
    assert read_settings(tmp_path, NAMES) == {"model": "you/student", "dataset": None}
    monkeypatch.setenv("IDIST_MODEL", "other/student")
    assert read_settings(tmp_path, NAMES)["model"] == "other/student"


@pytest.mark.parametrize("content", ["", "{", '{"modell": null}'])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "settings.json").write_text(content)
    with pytest.raises(UserError, match="settings.json"):
        read_settings(tmp_path, NAMES)


def test_without_the_hub_a_function_stays_itself() -> None:
    def work() -> int:
        return 1

    assert on_gpu(work) is work
