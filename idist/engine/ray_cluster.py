"""Shards on a Ray cluster: workers that keep their models, and a run that outlives the loss of a node.

datatrove's own Ray executor gives every shard a fresh pool of forked processes, so that models are loaded once a shard,
takes an error of the work for the end of that shard alone, and waits for ever for a worker whose node is lost while it
starts. So this one keeps its frame (markers, logs, ranks) and hands out the ranks itself.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import time
import uuid
from collections import Counter, deque
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from datatrove.executor.base import PipelineExecutor
from datatrove.executor.ray import RayPipelineExecutor

import idist
from idist.config import EngineConfig
from idist.engine.local import ShardStep
from idist.errors import UserError

LOOK = 1.0  # seconds between two looks at what the cluster has room for
PATIENCE = 30.0  # seconds without any worker before a word is said
LOSSES = 3  # workers that may die with the same shard
WAYS = "expected HOST:PORT, ray://HOST:PORT or auto"


class Worker:
    """One process of the cluster: an actor. It opens the work of a job once and makes one shard after the other."""

    def __init__(self, executor: RayExecutor) -> None:
        self.executor = executor

    def ready(self, directory: str, sign: str, word: str) -> tuple[str, str, bool]:
        """Address of the node, version of idist there, and whether the file ``sign`` with ``word`` in it is seen.

        ``directory``: where the driver works, so that relative paths mean the same.
        """
        import ray

        with contextlib.suppress(OSError):
            os.chdir(directory)
        try:
            seen = Path(sign).read_text(encoding="utf-8") == word
        except OSError:
            seen = False
        return ray.util.get_node_ip_address(), idist.__version__, seen

    def make(self, rank: int) -> None:
        """One shard."""
        self.executor._run_for_rank(rank)


class RayExecutor(RayPipelineExecutor):
    """Ranks on the workers of a Ray cluster, as many workers as the cluster has room for.

    A worker that dies, with its node or alone, gives its shard back to the others; nodes that come are used.
    """

    def __init__(self, settings: EngineConfig, step: ShardStep, ranks: int, logs: Path) -> None:
        super().__init__([step], tasks=ranks, logging_dir=str(logs.absolute()))
        self.settings, self.sign, self.word = settings, logs.absolute() / "driver", uuid.uuid4().hex

    def run(self) -> None:
        """Run the ranks that are not marked as complete; the first exception of a rank ends all.

        Raises:
            UserError: no Ray, no cluster, a node that does not see the run's folder, a shard that kills its workers.
        """
        connect(self.settings.ray_address)
        self.sign.write_text(self.word, encoding="utf-8")
        _Crew(self).work(self.get_incomplete_ranks())

    def _run_for_rank(self, rank: int, local_rank: int = 0, node_rank: int = -1) -> Any:
        """datatrove's plain one: the executor's folder is seen by all nodes, logs need no copy."""
        return PipelineExecutor._run_for_rank(self, rank, local_rank, node_rank)


class _Crew:
    """The driver's side: who works, on what, and what is left."""

    def __init__(self, executor: RayExecutor) -> None:
        import ray

        self.executor, self.settings = executor, executor.settings
        self.shared = ray.put(executor)
        self.left: deque[int] = deque()
        self.at: dict[Any, tuple[Any, int | None]] = {}  # what is awaited -> worker and its shard, None: it starts
        self.lost: Counter[int | None] = Counter()  # workers that died, by shard
        self.gpus = self.settings.gpus
        if self.gpus is None:
            self.gpus = int(ray.cluster_resources().get("GPU", 0) > 0)

    def work(self, ranks: list[int]) -> None:
        """Until all ranks are made."""
        import ray

        self.left.extend(ranks)
        alone = time.monotonic()
        try:
            while self.left or self._running():
                self._hire()
                ended, _ = ray.wait(list(self.at), timeout=LOOK)
                for awaited in ended:
                    self._go_on(awaited)
                if ended or self._running():
                    alone = time.monotonic()
                elif time.monotonic() - alone > PATIENCE:
                    alone = float("inf")
                    print(f"Ray has given no worker for {PATIENCE:.0f} s; it has {_resources()}.", file=sys.stderr)
        finally:
            for worker, _ in self.at.values():
                with contextlib.suppress(Exception):  # a cluster that is gone needs no word
                    ray.kill(worker)

    def _running(self) -> int:
        return sum(rank is not None for _, rank in self.at.values())

    def _hire(self) -> None:
        """As many workers as there are shards for them and room in the cluster; Ray places them when it can."""
        import ray

        wanted = min(len(self.left) + self._running(), self.settings.workers or self._room())
        while len(self.at) < wanted:
            options = {"num_cpus": self.settings.cpus, "num_gpus": self.gpus}
            worker: Any = ray.remote(Worker).options(**options).remote(self.shared)
            said = worker.ready.remote(str(Path.cwd()), str(self.executor.sign), self.executor.word)
            self.at[said] = (worker, None)

    def _room(self) -> int:
        """Workers that the nodes alive have room for, one at least: Ray may start nodes for who waits."""
        import ray

        there = ray.cluster_resources()
        room = there.get("GPU", 0) // self.gpus if self.gpus else there.get("CPU", 0) // self.settings.cpus
        return max(1, int(room))

    def _go_on(self, awaited: Any) -> None:
        """A worker is ready, has made its shard, failed in it or is dead."""
        import ray
        from ray.exceptions import RayError, RayTaskError

        worker, rank = self.at.pop(awaited)
        try:
            said = ray.get(awaited)
        except RayTaskError as error:
            ray.kill(worker)
            if isinstance(error.cause, UserError):
                raise error.cause from None
            raise error.cause from error
        except RayError as error:
            self._lose(rank, error)
            return
        if rank is None:
            address, version, seen = said
            _check_node(address, version, seen, self.executor.sign)
        if self.left:
            following = self.left.popleft()
            self.at[worker.make.remote(following)] = (worker, following)
        else:
            ray.kill(worker)

    def _lose(self, rank: int | None, error: Exception) -> None:
        self.lost[rank] += 1
        if rank is not None:
            self.left.appendleft(rank)
        if self.lost[rank] <= LOSSES:
            return
        last = str(error).strip().splitlines()[-1].strip()
        what = "could not start" if rank is None else f"died with shard {rank}, most often for want of memory"
        raise UserError(f"{LOSSES + 1} of Ray's workers {what}; the last one said: {last}")


def connect(address: str | None) -> None:
    """Join a Ray cluster, once a process; None: as `ray.init()`, which starts one here if there is none.

    Raises:
        UserError: Ray is not installed, or there is no cluster at the address.
    """
    try:
        import ray
    except ImportError:
        raise UserError("engine.executor is ray, but ray is not installed: pip install 'idist[ray]'.") from None
    if ray.is_initialized():
        return
    named = address or os.environ.get("RAY_ADDRESS")
    if named not in (None, "", "auto", "local"):
        _check_reachable(str(named))
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster that is started here would tell its makers
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "1")  # without a GPU none is seen; unset, Ray warns
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ImportError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        said = " ".join(str(error).split()).rstrip(".")
        where = named or "this machine"
        raise UserError(
            f"No Ray cluster at {where}: {said}; one that asks for a token needs RAY_AUTH_MODE=token here, too."
        ) from None


def _check_reachable(address: str) -> None:
    """Ray itself would try for minutes, with a log of its own."""
    parts = urlsplit(address if "://" in address else f"ray://{address}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme != "ray" or not host or not port:
        raise UserError(f"engine.ray_address (or RAY_ADDRESS) is {address!r}, {WAYS}.")
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        raise UserError(f"No Ray cluster answers at {address}: {error.strerror or error}.") from None


def _check_node(address: str, version: str, seen: bool, sign: Path) -> None:
    if version != idist.__version__:
        raise UserError(f"Ray's node {address} has idist {version}, here is {idist.__version__}; expected the same.")
    if not seen:
        raise UserError(
            f"Ray's node {address} does not see {sign.parent}: the run's folder must be on a disk that all nodes "
            "share, under the same path (--runs)."
        )


def _resources() -> str:
    import ray

    there = ray.cluster_resources()
    return ", ".join(f"{kind} {there.get(kind, 0):g}" for kind in ("CPU", "GPU"))
