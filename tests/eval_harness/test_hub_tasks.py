"""Tasks and training sets from a Hub: files of one commit, from a server on loopback, and afterwards without it.

The clients read HF_ENDPOINT when they are imported: they run in a process of their own.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

OLD, NEW = "a" * 40, "b" * 40


def parquet(columns: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def pairs(word: str) -> bytes:
    return parquet(
        {
            "first": [f"{word} source {i}" for i in range(4)],
            "second": [f"{word} reference {i}" for i in range(4)],
            "others": [[f"{word} other {i}", f"{word} third {i}"] for i in range(4)],
            "label": [1, 0, 1, 1],
        }
    )


# repository -> commit -> path -> content; the last commit is main
REPOSITORIES: dict[str, dict[str, dict[str, bytes]]] = {
    "team/pairs": {
        OLD: {"mini/test-00000-of-00001.parquet": pairs("old"), "mini/train-00000-of-00001.parquet": pairs("no")},
        NEW: {
            "mini/test-00000-of-00001.parquet": pairs("new"),
            "mini/train-00000-of-00001.parquet": pairs("no"),
            "copy/test.csv": b'first,second\n"one, two",three\n',
            "broken/test-00000-of-00001.parquet": b"PAR1 and no more",
            "cut/test-00000-of-00001.parquet": pairs("cut"),
            "README.md": b"# pairs\n",
        },
    }
}


class Hub(BaseHTTPRequestHandler):
    """As much of the Hub as downloads ask for; remembers what was fetched."""

    fetched: list[str]

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = [unquote(part) for part in urlsplit(self.path).path.split("/") if part]
        is_api = parts[:2] == ["api", "datasets"]
        repository, rest = "/".join((parts[2:] if is_api else parts[1:])[:2]), (parts[4:] if is_api else parts[3:])
        commits = REPOSITORIES.get(repository)
        if commits is None:
            return self._answer(404, error="RepoNotFound")
        revision = rest[1] if len(rest) > 1 else "main"
        commit = list(commits)[-1] if revision == "main" else revision
        if commit not in commits:
            return self._answer(404, error="RevisionNotFound")
        if is_api:
            sizes = {path: len(content) for path, content in commits[commit].items()}
            body: Any = {"id": repository, "sha": commit, "private": False, "tags": [], "siblings": []}
            if rest[:1] == ["tree"]:
                body = [{"type": "file", "path": path, "size": size, "oid": path} for path, size in sizes.items()]
            return self._answer(200, json.dumps(body).encode(), commit)
        content = commits[commit].get("/".join(rest[2:]))
        if content is None:
            return self._answer(404, error="EntryNotFound", commit=commit)
        self.fetched.append(f"{commit[0]}:{'/'.join(rest[2:])}")
        self._answer(200, content, commit)

    def _answer(self, status: int, body: bytes = b"", commit: str = "", error: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
        if commit:
            self.send_header("X-Repo-Commit", commit)
        if error:
            self.send_header("X-Error-Code", error)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[: len(body) // 2] if "/cut/" in self.path else body)
            self.close_connection = True


@contextmanager
def running() -> Iterator[tuple[str, list[str]]]:
    """Address of a server, and the list of what it has given."""
    fetched: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("RunningHub", (Hub,), {"fetched": fetched}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", fetched
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


CHILD = """
import json, sys
from pathlib import Path
from eval_harness.decontamination import overlap
from eval_harness.tasks.spec import read_task
from idist.errors import UserError

def load(path):
    try:
        data = read_task(Path(path)).load()
    except UserError as error:
        return str(error)
    rows = [[e.id, e.source, *e.references] for e in data.examples]
    return {"rows": rows, "origin": data.origin, "revision": data.revision}

answers = {Path(path).stem: load(path) for path in sys.argv[2:]}
if sys.argv[1] != "-":  # the overlap of a training set with the first task
    figures = overlap(sys.argv[1], read_task(Path(sys.argv[2])).load())
    answers["overlap"] = [figures["revision"], figures["rows"], figures["counts"]]
print(json.dumps(answers))
"""


def ask(endpoint: str, home: Path, tasks: list[Path], training: str = "-", offline: bool = False) -> dict[str, Any]:
    """What the tasks give in a process whose Hub is ``endpoint``."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("HF_")},
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_OFFLINE": "1" if offline else "0",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    command = [sys.executable, "-c", CHILD, training, *map(str, tasks)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answers


# name -> address on the Hub, columns; those of FILTERED keep the rows with label 1
PAIR = "{source: first, references: second}"
TASKS = {
    "pinned": (f"{{dataset: team/pairs, config: mini, revision: {OLD}}}", PAIR),
    "newest": ("{dataset: team/pairs, config: mini}", PAIR),
    "several": (
        f"{{dataset: team/pairs, config: mini, revision: {NEW}}}",
        "{source: first, references: [second, others]}",
    ),
    "table": ("{dataset: team/pairs, files: copy/test.csv}", PAIR),
    "no-revision": (f"{{dataset: team/pairs, config: mini, revision: {'c' * 40}}}", PAIR),
    "no-dataset": ("{dataset: team/nothing}", PAIR),
    "no-file": ("{dataset: team/pairs, config: mini, split: dev}", PAIR),
    "no-column": (f"{{dataset: team/pairs, config: mini, revision: {NEW}}}", "{source: fist, references: second}"),
    "broken": ("{dataset: team/pairs, config: broken}", PAIR),
    "cut": ("{dataset: team/pairs, config: cut}", PAIR),
}
FILTERED = ("pinned", "newest", "several")


@dataclass
class Asked:
    """What the tasks gave while the Hub was there, and what it was asked for; then what they give without it."""

    online: dict[str, Any]
    fetched: list[str]
    offline: dict[str, Any]
    unreachable: dict[str, Any]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    folder = tmp_path_factory.mktemp("hub")
    paths = {}
    for name, (address, columns) in TASKS.items():
        paths[name] = folder / f"{name}.yaml"
        text = f"name: {name}\ndescription: A test.\npurpose: paraphrase\nhub: {address}\ncolumns: {columns}\n"
        paths[name].write_text(text + ("filter: {label: 1}\n" if name in FILTERED else ""))
    with running() as (endpoint, fetched):
        online = ask(endpoint, folder / "home", list(paths.values()), training=f"team/pairs@{OLD}")
        before = list(fetched)
        offline = ask(endpoint, folder / "home", list(paths.values()), offline=True)
        assert fetched == before
    return Asked(online, before, offline, ask("http://127.0.0.1:9", folder / "home", [paths["no-dataset"]]))


def test_a_split_of_one_commit_and_nothing_else_is_fetched(asked: Asked) -> None:
    kept = [0, 2, 3]  # label 1; rows keep the numbers they have in the dataset
    for name, word, commit in (("pinned", "old", OLD), ("newest", "new", NEW)):
        rows = [[f"{name}-{i:06d}", f"{word} source {i}", f"{word} reference {i}"] for i in kept]
        assert asked.online[name] == {"rows": rows, "origin": "hub", "revision": commit}
    texts = [f"new {word} 2" for word in ("source", "reference", "other", "third")]
    assert asked.online["several"]["rows"][1] == ["several-000002", *texts]
    assert asked.online["table"]["rows"] == [["table-000000", "one, two", "three"]]
    assert {path for path in asked.fetched if path.startswith("b:")} == {
        "b:mini/test-00000-of-00001.parquet",
        "b:copy/test.csv",
        "b:broken/test-00000-of-00001.parquet",
        "b:cut/test-00000-of-00001.parquet",
    }


def test_a_training_set_is_every_parquet_file_of_its_commit(asked: Asked) -> None:
    # of the pinned task all three examples, in its own test file; four more rows of the training file
    counts = {"pair": 3, "source": 3, "reference": 3, "ngram": 3, "any": 3}
    assert asked.online["overlap"] == [OLD, 8, counts]


def test_offline_the_cache_gives_the_commit_that_is_asked_for(asked: Asked) -> None:
    for name in ("pinned", "newest", "several", "table"):
        assert asked.offline[name] == asked.online[name]
    for name in ("no-revision", "no-dataset", "no-file"):
        assert "is not in the local cache and HF_HUB_OFFLINE forbids downloading it." in asked.offline[name]
    assert asked.unreachable["no-dataset"] == (
        "Task 'no-dataset': Dataset 'team/nothing' is not in the local cache and the Hub cannot be reached; "
        "go online once."
    )


def test_what_is_not_there_is_told_apart(asked: Asked) -> None:
    online = asked.online
    assert f"has no revision '{'c' * 40}' on the Hub." in online["no-revision"]
    assert online["no-dataset"].startswith("Task 'no-dataset': Dataset 'team/nothing' was not found on the Hub")
    assert f"mini/dev-* of dataset 'team/pairs' at commit {NEW} does not exist" in online["no-file"]
    assert "row 0: no column 'fist'; did you mean 'first'?" in online["no-column"]
    assert "test-00000-of-00001.parquet cannot be read as parquet" in online["broken"]
    assert online["cut"].startswith("Task 'cut': Dataset 'team/pairs' is not in the local cache")  # the line broke
    assert all("\n" not in answer for answer in online.values() if isinstance(answer, str))
