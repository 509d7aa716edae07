"""Shards on a Ray cluster of two nodes: same rows, also when one node is lost; errors in one sentence."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from idist.config import EngineConfig
from idist.engine import Job, run_job
from idist.engine.local import ShardStep
from idist.errors import UserError
from tests.engine.ray_nodes import Node, two_nodes
from tests.engine.work import Squares, shards_made

ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'idist[ray]'")
SHARDS = 12


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[str, Node]]:
    """The last test of this file that uses it kills the second node."""
    with two_nodes() as nodes:
        yield nodes
        ray.shutdown()


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def job(folder: Path, notes: Path, **settings: object) -> Job:
    return Job(folder, "squares", Squares(str(notes), **settings), [4] * SHARDS)  # type: ignore[arg-type]


def on(cluster: tuple[str, Node]) -> EngineConfig:
    return EngineConfig(executor="ray", ray_address=cluster[0])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("squares/*.parquet"))}


def test_an_error_of_the_work_ends_the_run_and_another_executor_goes_on(
    cluster: tuple[str, Node], tmp_path: Path, notes: Path
) -> None:
    with pytest.raises(UserError, match=r"^Row 7 of x.txt is null, expected text.$"):
        run_job(job(tmp_path / "stage", notes, fail_at=8, how="user"), on(cluster), progress=False)
    kept = contents(tmp_path / "stage")
    assert len(kept) >= 6
    report = run_job(job(tmp_path / "stage", notes), EngineConfig(), progress=False)
    assert report.made == SHARDS - len(kept) and report.rows == {"squares": 4 * SHARDS}


def test_a_bug_shows_where_it_was(cluster: tuple[str, Node], tmp_path: Path, notes: Path) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        run_job(job(tmp_path / "stage", notes, fail_at=0, how="bug"), on(cluster), progress=False)
    assert "work.py" in str(caught.value.__cause__)


def test_a_shard_that_kills_its_workers_is_named(cluster: tuple[str, Node], tmp_path: Path, notes: Path) -> None:
    with pytest.raises(UserError, match="4 of Ray's workers died with shard 3, most often for want of memory"):
        run_job(job(tmp_path / "stage", notes, fail_at=3, how="kill"), on(cluster), progress=False)
    assert shards_made(notes).count(3) == 4


def test_a_node_that_does_not_see_the_folder_is_named(cluster: tuple[str, Node], tmp_path: Path, notes: Path) -> None:
    from idist.engine.ray_cluster import RayExecutor, _Crew, connect

    connect(cluster[0])
    executor = RayExecutor(on(cluster), ShardStep(job(tmp_path / "stage", notes)), SHARDS, tmp_path / "logs")
    with pytest.raises(
        UserError, match=r"node 127\.0\.0\.[23] does not see .*logs: the run's folder must be on a disk"
    ):
        _Crew(executor).work([0])  # without the file that the nodes look for


def test_a_node_killed_in_mid_run_costs_no_row(cluster: tuple[str, Node], tmp_path: Path, notes: Path) -> None:
    run_job(job(tmp_path / "one", notes), EngineConfig(), progress=False)
    (notes / "cluster").mkdir()
    work = job(tmp_path / "stage", notes / "cluster", slow=0.8)
    killed: list[int] = []

    def lose_a_node() -> None:
        receipts = tmp_path / "stage" / "_engine" / "squares" / "receipts"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if len(list(receipts.glob("*.json"))) >= 3 and len(list((notes / "cluster").glob("open-*"))) == 2:
                break
            time.sleep(0.05)
        cluster[1].kill()
        killed.append(len(list(receipts.glob("*.json"))))

    killer = threading.Thread(target=lose_a_node)
    killer.start()
    report = run_job(work, on(cluster), progress=False)
    killer.join()
    assert 3 <= killed[0] < SHARDS and report.made == SHARDS
    assert len(list((notes / "cluster").glob("open-*"))) == 2  # both nodes had worked, each loading once
    assert contents(tmp_path / "stage") == contents(tmp_path / "one")
    assert not list((tmp_path / "stage").rglob("*.tmp"))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "No Ray cluster answers at 127.0.0.1:1: Connection refused."),
        ("cluster", "engine.ray_address (or RAY_ADDRESS) is 'cluster', expected HOST:PORT, ray://HOST:PORT or auto."),
        (
            "host:port",
            "engine.ray_address (or RAY_ADDRESS) is 'host:port', expected HOST:PORT, ray://HOST:PORT or auto.",
        ),
    ],
)
def test_an_address_without_a_cluster(address: str, message: str, tmp_path: Path, notes: Path) -> None:
    ray.shutdown()
    with pytest.raises(UserError) as caught:
        run_job(job(tmp_path, notes), EngineConfig(executor="ray", ray_address=address), progress=False)
    assert str(caught.value) == message


def test_without_ray_the_package_is_named(tmp_path: Path, notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"ray is not installed: pip install 'idist\[ray\]'"):
        run_job(job(tmp_path, notes), EngineConfig(executor="ray"), progress=False)
