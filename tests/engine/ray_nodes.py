"""A Ray cluster of two nodes on loopback, each of one core, that end with the tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
# Only these tests may speak to their cluster; read when ray is first imported.
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": uuid.uuid4().hex}
os.environ.update(TOKEN)
# Not 127.0.0.1, which Ray takes for "find the address yourself".
HEAD, OTHER = "127.0.0.2", "127.0.0.3"


class Node:
    """One `ray start --block`; all its processes are its children."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus=1", *options]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        """As when the machine loses its power."""
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.process.pid)
            for process in [*parent.children(recursive=True), parent]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.wait()


@contextlib.contextmanager
def two_nodes() -> Iterator[tuple[str, Node]]:
    """Address of the cluster, and its second node."""
    folder = tempfile.mkdtemp(prefix="ray")  # short: Ray's sockets are in it
    with socket.create_server((HEAD, 0)) as free:
        address = f"{HEAD}:{free.getsockname()[1]}"
    memory = "--object-store-memory=80000000"
    head = Node("--head", f"--node-ip-address={HEAD}", f"--port={address.split(':')[1]}", "--include-dashboard=false",
                f"--temp-dir={folder}", memory)  # fmt: skip
    other = None
    try:
        _wait(head, address)
        other = Node(f"--address={address}", f"--node-ip-address={OTHER}", memory)
        yield address, other
    finally:
        for node in (other, head):
            if node is not None:
                node.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(head: Node, address: str) -> None:
    """Until the head answers."""
    host, port = address.split(":")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert head.process.poll() is None, "ray start has ended"
        with contextlib.suppress(OSError):
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        time.sleep(0.1)
    raise TimeoutError(f"no Ray at {address}")
