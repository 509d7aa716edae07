"""A connection broken anywhere, an error of the server, a conflict, a rate limit: one release, nothing twice."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from idist.errors import UserError
from idist.hub import HubTarget, retries
from tests.hub.conftest import QUICK
from tests.hub.made import NAME, TOKEN, make_release
from tests.hub.mini_hub import MiniHub
from tests.hub.mini_hub_faults import Fault

LARGE = b"PAR1" * (1 << 19)  # 2 MiB: sent before the commit
API = "^/api/datasets/acme/dimple"
# Every request that publishing a second release into a new or an existing repository makes.
REQUESTS = {
    "info": ("GET", f"{API}$"),
    "create": ("POST", "^/api/repos/create$"),
    "refs": ("GET", f"{API}/refs$"),
    "tree": ("GET", f"{API}/tree/"),
    "commits": ("GET", f"{API}/commits/"),
    "preupload": ("POST", f"{API}/preupload/"),
    "batch": ("POST", "/info/lfs/objects/batch$"),
    "upload": ("PUT", "^/_lfs/"),
    "yaml": ("POST", "^/api/validate-yaml$"),
    "commit": ("POST", f"{API}/commit/main$"),
    "head": ("HEAD", "/resolve/"),
    "file": ("GET", "/resolve/"),
    "tag": ("POST", f"{API}/tag/"),
}
FAULTS = {
    "drop": {"how": "drop"},
    "break": {"how": "break"},
    "lose": {"how": "lose"},
    "cut": {"how": "cut"},
    "500": {"how": "status", "status": 500},
    "503": {"how": "status", "status": 503},
    "429": {"how": "status", "status": 429, "headers": {"Retry-After": "0"}},
}


def check_whole(hub: MiniHub, folder: Path, tag: str, releases: int = 1) -> None:
    """Main and the tag hold the release; so many commits made releases; each large file was taken once."""
    repo = hub.repo("datasets", NAME)
    for revision in ("main", tag):
        held = {path: repo.content(file).read_bytes() for path, file in repo.files(repo.resolve(revision)).items()}
        del held[".gitattributes"]
        assert held == {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}
    assert hub.titles("datasets", NAME)[1:] == [f"Release v1.{number}.0" for number in range(releases)]
    sent = [path for method, path, status in hub.requests if method == "PUT" and status == 200]
    assert len(sent) == len(set(sent)) == releases


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("request_", REQUESTS)
def test_a_fault_at_any_request_is_survived(hub: MiniHub, tmp_path: Path, request_: str, fault: str) -> None:
    target, folder = HubTarget(hub.url, TOKEN, waits=QUICK), tmp_path / "new"
    struck = Fault(*REQUESTS[request_], **FAULTS[fault])
    hub.faults.append(struck)
    make_release(folder, {"data/a.parquet": LARGE})
    assert target.publish(folder, "dataset", NAME, "v1.0.0").made
    check_whole(hub, folder, "v1.0.0")
    assert struck.struck == 1
    assert not target.publish(folder, "dataset", NAME, "v1.0.0").made


@pytest.mark.parametrize("fault", ["lose", "503"])
@pytest.mark.parametrize("request_", [name for name in REQUESTS if name not in ("create", "commits")])
def test_a_fault_in_a_second_release_is_survived(hub: MiniHub, tmp_path: Path, request_: str, fault: str) -> None:
    target, folder = HubTarget(hub.url, TOKEN, waits=QUICK), tmp_path / "new"
    target.publish(make_release(folder, {"data/a.parquet": LARGE, "old.txt": "old"}), "dataset", NAME)
    struck = Fault(*REQUESTS[request_], **FAULTS[fault])
    hub.faults.append(struck)
    make_release(folder, {"data/a.parquet": LARGE[::-1]}, card="---\nlicense: mit\n---\nSecond.\n")
    target.publish(folder, "dataset", NAME)
    check_whole(hub, folder, "v1.1.0", releases=2)
    assert struck.struck == 1


@pytest.mark.parametrize("fault", ["drop", "lose", "cut", "503"])
@pytest.mark.parametrize("request_", REQUESTS)
def test_a_fault_that_stays_is_one_sentence_and_the_next_run_completes(
    hub: MiniHub, tmp_path: Path, request_: str, fault: str
) -> None:
    target, folder = HubTarget(hub.url, TOKEN, waits=(0.0,)), make_release(tmp_path / "new", {"data/a.parquet": LARGE})
    struck = Fault(*REQUESTS[request_], **FAULTS[fault], times=1000)
    hub.faults.append(struck)
    lost = fault == "lose"
    try:
        target.publish(folder, "dataset", NAME, "v1.0.0")
    except UserError as error:
        assert "run the same command again: it goes on from there." in str(error) and "\n" not in str(error)
        assert struck.struck >= 2
    else:  # carried out without an answer, then found done; or an empty answer, which cannot be cut
        assert (lost and request_ in ("commit", "tag", "upload")) or fault == "cut"
    hub.faults.clear()
    target.publish(folder, "dataset", NAME, "v1.0.0")
    repo = hub.repo("datasets", NAME)
    assert repo.resolve("v1.0.0") == repo.resolve("main")
    assert hub.titles("datasets", NAME) == ["initial commit", "Release v1.0.0"]
    assert hub.counted("PUT", "/_lfs/") <= 1


@pytest.mark.parametrize("status", [409, 412])
def test_a_conflict_is_looked_at_again(hub: MiniHub, tmp_path: Path, status: int) -> None:
    hub.faults.append(Fault(*REQUESTS["commit"], "status", status, times=2))
    folder = make_release(tmp_path / "new", {"data/a.parquet": LARGE})
    HubTarget(hub.url, TOKEN, waits=QUICK).publish(folder, "dataset", NAME, "v1.0.0")
    check_whole(hub, folder, "v1.0.0")


def test_someone_else_commits_in_between(hub: MiniHub, tmp_path: Path) -> None:
    api = HfApi(hub.url, TOKEN)

    def meddle() -> None:
        api.upload_file(path_or_fileobj=b"mine", path_in_repo="notes.md", repo_id=NAME, repo_type="dataset")

    hub.faults.append(Fault(*REQUESTS["commit"], "call", action=meddle))
    folder = make_release(tmp_path / "new")
    done = HubTarget(hub.url, TOKEN, waits=QUICK).publish(folder, "dataset", NAME, "v1.0.0")
    repo = hub.repo("datasets", NAME)
    assert hub.titles("datasets", NAME) == ["initial commit", "Upload notes.md with huggingface_hub", "Release v1.0.0"]
    assert repo.text(repo.resolve("v1.0.0"), "notes.md") == "mine" and repo.resolve("v1.0.0") == done.commit


def test_the_tag_is_on_our_commit_whatever_comes_after_it(hub: MiniHub, tmp_path: Path) -> None:
    api = HfApi(hub.url, TOKEN)

    def meddle() -> None:
        api.upload_file(path_or_fileobj=b"later", path_in_repo="README.md", repo_id=NAME, repo_type="dataset")

    hub.faults.append(Fault(*REQUESTS["tag"], "call", action=meddle))
    done = HubTarget(hub.url, TOKEN).publish(make_release(tmp_path / "new"), "dataset", NAME, "v1.0.0")
    repo = hub.repo("datasets", NAME)
    assert repo.resolve("v1.0.0") == done.commit != repo.resolve("main")
    assert repo.text(repo.resolve("v1.0.0"), "README.md") != "later"


def test_someone_else_writes_our_path_in_between(hub: MiniHub, tmp_path: Path) -> None:
    api = HfApi(hub.url, TOKEN)

    def meddle() -> None:
        api.upload_file(path_or_fileobj=b"theirs", path_in_repo="data/train.txt", repo_id=NAME, repo_type="dataset")

    hub.faults.append(Fault(*REQUESTS["commit"], "call", action=meddle))
    folder = make_release(tmp_path / "new")
    with pytest.raises(UserError, match=r"data/train\.txt is there and was not published by idist"):
        HubTarget(hub.url, TOKEN, waits=QUICK).publish(folder, "dataset", NAME, "v1.0.0")
    repo = hub.repo("datasets", NAME)
    assert repo.text(repo.resolve("main"), "data/train.txt") == "theirs" and not repo.load()["tags"]


def test_the_same_release_from_two_machines_at_once(hub: MiniHub, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new", {"data/a.parquet": LARGE})
    first, second = (HubTarget(hub.url, TOKEN, waits=QUICK) for _ in range(2))
    other = []
    hub.faults.append(
        Fault(
            *REQUESTS["commit"], "call", action=lambda: other.append(second.publish(folder, "dataset", NAME, "v1.0.0"))
        )
    )
    assert first.publish(folder, "dataset", NAME, "v1.0.0").commit == other[0].commit
    check_whole(hub, folder, "v1.0.0")


def test_the_tag_is_set_by_someone_else_in_between(hub: MiniHub, tmp_path: Path) -> None:
    api = HfApi(hub.url, TOKEN)

    def meddle() -> None:
        first = api.list_repo_commits(NAME, repo_type="dataset")[-1].commit_id
        api.create_tag(NAME, tag="v1.0.0", revision=first, repo_type="dataset")

    folder = make_release(tmp_path / "new", {"data/a.parquet": LARGE})
    hub.faults.append(Fault(*REQUESTS["tag"], "call", action=meddle))
    target = HubTarget(hub.url, TOKEN, waits=QUICK)
    with pytest.raises(UserError, match=r"tag v1\.0\.0 was set meanwhile .*another --tag, or .*--overwrite\.$"):
        target.publish(folder, "dataset", NAME, "v1.0.0")
    target.publish(folder, "dataset", NAME, "v1.0.0", overwrite=True)
    check_whole(hub, folder, "v1.0.0")


@pytest.mark.parametrize("request_", ["drop tag", "set tag"])
@pytest.mark.parametrize("fault", ["drop", "lose", "503"])
def test_a_fault_while_a_tag_is_moved(hub: MiniHub, tmp_path: Path, request_: str, fault: str) -> None:
    target, folder = HubTarget(hub.url, TOKEN, waits=QUICK), tmp_path / "new"
    target.publish(make_release(folder), "dataset", NAME, "v1.0.0")
    make_release(folder, {"data/x.txt": "x"})
    hub.faults.append(Fault("DELETE" if request_ == "drop tag" else "POST", f"{API}/tag/", **FAULTS[fault]))
    target.publish(folder, "dataset", NAME, "v1.0.0", overwrite=True)
    repo = hub.repo("datasets", NAME)
    assert repo.resolve("v1.0.0") == repo.resolve("main") and repo.text(repo.resolve("main"), "data/x.txt") == "x"


@pytest.mark.parametrize("headers", [{"Retry-After": "7"}, {"RateLimit": '"api";r=0;t=7'}])
def test_the_hub_says_how_long_to_wait(
    hub: MiniHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(retries.time, "sleep", slept.append)
    hub.faults.append(Fault(*REQUESTS["commit"], "status", 429, headers))
    HubTarget(hub.url, TOKEN, waits=(1.0, 2.0)).publish(make_release(tmp_path / "new"), "dataset", NAME)
    assert slept == [7.0]


def test_waits_grow_and_each_is_told(
    hub: MiniHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(retries.time, "sleep", slept.append)
    hub.faults.append(Fault(*REQUESTS["tag"], "status", 503, times=1000))
    with pytest.raises(UserError, match=r"the Hub answered 503, 5 times; run the same command again"):
        HubTarget(hub.url, TOKEN).publish(make_release(tmp_path / "new"), "dataset", NAME)
    assert slept == [2.0, 8.0, 30.0, 60.0]
    told = capfd.readouterr().err
    assert [f"try {number} of 5 in" in told for number in (2, 3, 4, 5)] == [True] * 4 and told.count("\n") == 4


def test_a_very_long_rate_limit_is_left_to_the_person(hub: MiniHub, tmp_path: Path) -> None:
    hub.faults.append(Fault(*REQUESTS["commit"], "status", 429, {"Retry-After": "3000"}))
    with pytest.raises(UserError, match=r"rate of requests \(429\), to be tried again in 50 minutes; .* goes on"):
        HubTarget(hub.url, TOKEN, waits=QUICK).publish(make_release(tmp_path / "new"), "dataset", NAME)


def test_a_gitignore_on_the_hub_that_swallows_files_is_told(hub: MiniHub, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    api = HfApi(hub.url, TOKEN)
    api.create_repo(NAME, repo_type="dataset")
    api.upload_file(path_or_fileobj=b"*.txt\n", path_in_repo=".gitignore", repo_id=NAME, repo_type="dataset")
    with pytest.raises(UserError, match=r"does not take data/train\.txt: look for them in its \.gitignore"):
        HubTarget(hub.url, TOKEN, waits=QUICK).publish(folder, "dataset", NAME)
    assert not hub.repo("datasets", NAME).load()["tags"]


def test_a_connection_that_went_silent_is_given_up(
    hub: MiniHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "TIMEOUT", 0.5)
    published = threading.Event()
    hub.faults.append(Fault(*REQUESTS["commit"], "drop", action=lambda: published.wait(30)))
    folder, started = make_release(tmp_path / "new", {"data/a.parquet": LARGE}), time.monotonic()
    HubTarget(hub.url, TOKEN, waits=QUICK).publish(folder, "dataset", NAME, "v1.0.0")
    assert time.monotonic() - started < 25
    published.set()
    check_whole(hub, folder, "v1.0.0")


def test_no_hub_at_all(hub: MiniHub, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    with pytest.raises(UserError, match=r"the connection failed \(ConnectError\), 5 times; run the same command again"):
        HubTarget("http://127.0.0.1:9", TOKEN, waits=QUICK).publish(folder, "dataset", NAME)


def test_offline_is_said(hub: MiniHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="HF_HUB_OFFLINE is set"):
        HubTarget(hub.url, TOKEN, waits=QUICK).plan(make_release(tmp_path / "new"), "dataset", NAME)
    assert not hub.requests
