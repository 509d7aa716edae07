"""Who may publish where; what nobody is told: tokens never reach output, logs or exceptions."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from idist.errors import UserError
from idist.hub import HubTarget
from tests.hub.conftest import QUICK, child
from tests.hub.made import NAME, OTHER_TOKEN, TOKEN, make_release
from tests.hub.mini_hub import MiniHub
from tests.hub.mini_hub_faults import Fault


def test_a_private_repository(hub: MiniHub, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    HubTarget(hub.url, TOKEN, private=True).publish(folder, "dataset", NAME)
    assert hub.repo("datasets", NAME).load()["private"] is True
    assert not HubTarget(hub.url, TOKEN).publish(folder, "dataset", NAME).made  # stays as it is
    assert hub.repo("datasets", NAME).load()["private"] is True


def test_what_is_public_does_not_pass_for_private(hub: MiniHub, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    HubTarget(hub.url, TOKEN).publish(folder, "dataset", NAME)
    make_release(folder, {"data/secret.txt": "secret"})
    for act in ("plan", "publish"):
        with pytest.raises(UserError, match="dataset acme/dimple exists and is public: --private is for new"):
            getattr(HubTarget(hub.url, TOKEN, private=True), act)(folder, "dataset", NAME)
    assert hub.titles("datasets", NAME) == ["initial commit", "Release v1.0.0"]


def test_without_a_token(hub: MiniHub, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    for act in ("plan", "publish"):
        with pytest.raises(UserError, match="needs a token of the Hub: set HF_TOKEN or run `hf auth login`"):
            getattr(HubTarget(hub.url), act)(folder, "dataset", NAME)
    assert not hub.requests


def test_the_token_comes_from_the_ordinary_places(
    hub: MiniHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_release(tmp_path / "new")
    (tmp_path / "no-token").write_text(TOKEN)  # where `hf auth login` puts it, by the fixture
    assert HubTarget(hub.url).publish(folder, "dataset", "acme/by-login").made
    (tmp_path / "no-token").unlink()
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert HubTarget(hub.url).publish(folder, "dataset", "acme/by-variable").made


def test_a_token_that_is_not_accepted(hub: MiniHub, tmp_path: Path) -> None:
    wrong = "hf_" + "w" * 34
    with pytest.raises(UserError, match=r"does not accept the token \(401\): set HF_TOKEN") as error:
        HubTarget(hub.url, wrong).publish(make_release(tmp_path / "new"), "dataset", NAME)
    assert wrong not in str(error.value)


@pytest.mark.parametrize("private", [True, False])
def test_a_repository_of_others(hub: MiniHub, tmp_path: Path, private: bool) -> None:
    folder = make_release(tmp_path / "new")
    HfApi(hub.url, TOKEN).create_repo(NAME, repo_type="dataset", private=private)
    with pytest.raises(UserError, match=r"gives no right to do that \(403\) \(You don't have the rights"):
        HubTarget(hub.url, OTHER_TOKEN, waits=QUICK).publish(folder, "dataset", NAME)
    assert hub.titles("datasets", NAME) == ["initial commit"]


def test_a_space_and_its_kind_of_page(hub: MiniHub, tmp_path: Path) -> None:
    target, page = HubTarget(hub.url, TOKEN), "---\ntitle: Demo\nsdk: static\n---\n"
    folder = make_release(tmp_path / "new", {"index.html": "<h1>Demo</h1>"}, card=page)
    assert target.publish(folder, "space", "acme/demo").tag == "v1.0.0"
    info = HfApi(hub.url, TOKEN).space_info("acme/demo")
    assert info.sdk == "static" and "index.html" in [file.rfilename for file in info.siblings]
    repo = hub.repo("spaces", "acme/demo")
    assert repo.text(repo.resolve("main"), "README.md") == page  # the Hub's own first page is replaced
    with pytest.raises(UserError, match=r"README\.md names no sdk in its front matter, expected 'sdk: gradio'"):
        target.publish(make_release(tmp_path / "plain"), "space", "acme/plain")


def test_a_card_that_the_hub_does_not_accept(hub: MiniHub, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new", card="---\nlicense: [mit\n---\n")
    with pytest.raises(UserError, match=r": Invalid metadata in README\.md\. - YAML Metadata Error: .*\.$"):
        HubTarget(hub.url, TOKEN).publish(folder, "dataset", NAME)
    assert hub.titles("datasets", NAME) == ["initial commit"]
    make_release(folder)
    HubTarget(hub.url, TOKEN).publish(folder, "dataset", NAME)
    assert hub.counted("POST", "/api/validate-yaml") == 1


@pytest.mark.parametrize("address", ["/refs$", "/commit/main$", "^/_lfs/", "/tag/", "/api/repos/create"])
@pytest.mark.parametrize("how", ["drop", "status"])
def test_no_token_in_output_logs_or_exceptions(
    hub: MiniHub,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    how: str,
    address: str,
) -> None:
    # at DEBUG the HTTP library shows what this server is made to send: the token itself
    caplog.set_level(logging.DEBUG if how == "drop" else logging.INFO)
    method = {"/refs$": "GET", "^/_lfs/": "PUT"}.get(address, "POST")
    hub.faults.append(Fault(method, address, how, 403, {"X-Error-Message": f"token {TOKEN} may not"}, times=1000))
    target = HubTarget(hub.url, TOKEN, waits=(0.0,))
    with pytest.raises(UserError) as error:
        target.publish(make_release(tmp_path / "new", {"a.parquet": b"1" * (1 << 21)}), "dataset", NAME)
    told = capfd.readouterr()
    shown = "".join(traceback.format_exception(error.value)) + repr(error.value) + repr(target)
    assert how != "status" or "token hf_*** may not" in str(error.value)
    everything = shown + told.out + told.err + caplog.text
    assert TOKEN not in everything


def test_no_token_in_what_a_program_prints(hub: MiniHub, tmp_path: Path) -> None:
    """A traceback that nobody caught, in a process with the clients' own logging at its most talkative."""
    program = "import sys; from pathlib import Path; from idist.hub import HubTarget\n"
    program += "HubTarget(waits=(0.0,)).publish(Path(sys.argv[1]), 'dataset', 'acme/dimple')"
    hub.faults.append(Fault("PUT", "^/_lfs/", "status", 500))  # the client remarks on the address, which is signed
    hub.faults.append(Fault("POST", "/commit/main$", "status", 500, times=1000))
    folder = make_release(tmp_path / "new", {"a.parquet": b"1" * (1 << 21)})
    ran = child(program, hub, tmp_path / "home", str(folder), HF_HUB_VERBOSITY="debug")
    assert "the Hub answered 500, 2 times" in ran.stderr and ran.returncode == 1
    assert TOKEN not in ran.stderr + ran.stdout and "sig=" not in ran.stderr
