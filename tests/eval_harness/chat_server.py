"""A server on loopback that speaks OpenAI's chat protocol, and fails as told."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from eval_harness.tasks.base import Example

KEY = "sk-very-secret-0123456789"


class Server:
    """Answers with ``script(source, number of the request for it)``: a dict is the JSON body, a tuple is (status, body,
    headers), bytes are sent as they are, "drop" hangs up, a number is a time to wait before an answer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.script: Callable[[str, int], Any] = lambda source, number: completion(source.upper())
        self.requests: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.times: list[float] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.seen: Counter[str] = Counter()


class Handler(http.server.BaseHTTPRequestHandler):
    """One request."""

    def do_POST(self) -> None:
        server: Server = self.server.state  # type: ignore[attr-defined]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        source = body["messages"][-1]["content"].removeprefix("Sentence: ").split("\n")[0]
        with server.lock:
            server.requests.append(body)
            server.keys.add(self.headers["Authorization"])
            server.times.append(time.monotonic())
            server.seen[source] += 1
            number = server.seen[source]
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
        try:
            self.answer(server.script(source, number), source)
        finally:
            with server.lock:
                server.at_once -= 1

    def answer(self, reply: Any, source: str) -> None:
        if isinstance(reply, float):
            time.sleep(reply)
            reply = completion(source.upper())
        if reply == "drop":
            self.close_connection = True
            self.connection.close()
            return
        status, headers = 200, {}
        if isinstance(reply, tuple):
            status, reply, headers = reply
        content = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        try:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": len(content), **headers}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True  # who asked did not wait

    def log_message(self, *args: Any) -> None:
        """Nothing."""


def completion(text: str | None, finish: str = "stop", **message: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "created": 1,
        "model": "m",
        "object": "chat.completion",
        "system_fingerprint": "",
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    }


@contextmanager
def serving() -> Iterator[Server]:
    """A server on a free port, in a thread."""
    http_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http_server.state = Server(f"http://127.0.0.1:{http_server.server_port}/v1")  # type: ignore[attr-defined]
    threading.Thread(target=http_server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield http_server.state  # type: ignore[attr-defined]
    finally:
        http_server.shutdown()
        http_server.server_close()


def examples(count: int) -> list[Example]:
    return [Example(f"e{i}", f"sentence number {i}.", ("ref",)) for i in range(count)]
