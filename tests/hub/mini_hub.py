"""A small server on loopback that speaks the Hub's protocol, as far as its clients need it in tests.

    with MiniHub(tmp_path, {"hf_alice": ("alice", ["acme"])}).running() as hub:
        HfApi(endpoint=hub.url, token="hf_alice")

It has no Xet storage (set HF_HUB_DISABLE_XET=1 before huggingface_hub is imported), no pull requests, no gated
repositories. ``hub.requests`` is the log, ``hub.faults`` what goes wrong next.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import re
import secrets
import sys
import threading
import traceback
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO, ClassVar
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from tests.hub.mini_hub_faults import Fault, reset
from tests.hub.mini_hub_store import HubError, Repo

Route = tuple[list[str], re.Pattern[str], Callable[..., None], bool]
ROUTES: list[Route] = []


def route(methods: str, pattern: str, write: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register ``function(handler, [repo,] **groups)``; ``write``: only for those who may write to the repository."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        ROUTES.append((methods.split(), re.compile(pattern), function, write))
        return function

    return register


def pieces(stream: BinaryIO, length: int) -> Iterator[bytes]:
    while length > 0 and (data := stream.read(min(length, 1 << 20))):
        length -= len(data)
        yield data


class MiniHub:
    """``users``: token -> (name, organizations)."""

    def __init__(self, root: Path, users: dict[str, tuple[str, list[str]]]) -> None:
        import tests.hub.mini_hub_routes  # noqa: F401  (they register themselves)

        self.root, self.users = root, users
        self.lock, self.secret = threading.RLock(), secrets.token_bytes(16)
        self.requests: list[tuple[str, str, int]] = []  # method, path, status; 0: no (whole) answer
        self.faults: list[Fault] = []
        self.httpd = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": self}))
        self.url = f"http://127.0.0.1:{self.httpd.server_port}"

    def sign(self, repo: Repo, oid: str) -> str:
        return hmac.new(self.secret, f"{repo.dir} {oid}".encode(), "sha256").hexdigest()

    def repo(self, kind: str, name: str) -> Repo:
        """A repository to look into: ``hub.repo("datasets", "acme/dimple")``."""
        return Repo(self.root, kind, *name.split("/"))

    def titles(self, kind: str, name: str, branch: str = "main") -> list[str]:
        """Titles of a branch's commits, the oldest first."""
        repo = self.repo(kind, name)
        return [commit["title"] for commit in repo.history(repo.resolve(branch))][::-1]

    def counted(self, method: str, address: str) -> int:
        """Requests that were answered with success."""
        return sum(m == method and bool(re.search(address, path)) and s // 100 == 2 for m, path, s in self.requests)

    def strike(self, method: str, path: str) -> Fault | None:
        with self.lock:
            return next((fault for fault in self.faults if fault.strikes(method, path)), None)

    @contextlib.contextmanager
    def running(self) -> Iterator[MiniHub]:
        thread = threading.Thread(target=self.httpd.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.httpd.shutdown()
            self.httpd.server_close()
            thread.join()


class Server(ThreadingHTTPServer):
    """Whose clients may be killed."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is no error of ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    hub: ClassVar[MiniHub]

    def log_message(self, *args: Any) -> None:
        """The log is ``hub.requests``."""

    def dispatch(self) -> None:
        url = urlsplit(self.path)
        self.where, self.base = url.path, f"http://{self.headers.get('Host')}"
        self.query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        self.fault = self.hub.strike(self.command, url.path)
        try:
            if self.fault is not None and self._strike(self.fault):
                return
            streamed = self.command == "PUT" and url.path.startswith("/_lfs/")
            self.body = b"" if streamed else b"".join(self.chunks())
            self._answer(url.path)
        except HubError as error:
            self.close_connection |= self.command == "PUT"  # the body may be unread
            text = " ".join(error.message.encode("ascii", "replace").decode().split())
            headers = {"X-Error-Message": text, "X-Error-Code": error.code, "X-Repo-Commit": error.commit}
            self.reply(error.body, error.status, **{key: value for key, value in headers.items() if value})
        except ConnectionError:
            self.close_connection = True
        except Exception as error:  # a bug here or a malformed request
            self.close_connection = True
            traceback.print_exc()
            self.reply({"error": f"{type(error).__name__}: {error}"}, 500)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = dispatch

    def _strike(self, fault: Fault) -> bool:
        """Whether that was all."""
        if fault.action is not None:
            fault.action()
        if fault.how == "break":
            self.rfile.read(int(self.headers.get("Content-Length") or 0) // 2)
        if fault.how in ("drop", "break"):
            self._hang_up()
        if fault.how == "status":
            for _ in self.chunks():
                pass
            self.reply(b"<html>not JSON</html>", fault.status, **fault.headers)
        return fault.how in ("drop", "break", "status")

    def _hang_up(self) -> None:
        self.hub.requests.append((self.command, self.where, 0))
        self.close_connection = True
        reset(self.connection)

    def _answer(self, path: str) -> None:
        for methods, pattern, function, write in ROUTES:
            if self.command in methods and (match := pattern.fullmatch(path)):
                args: dict[str, Any] = {key: unquote(value or "") for key, value in match.groupdict().items()}
                self.user = self.authenticate()
                if "owner" in args:
                    args["repo"] = self.open(args.pop("kind"), args.pop("owner"), args.pop("name"), write)
                return function(self, **args)
        raise HubError(404, f"There is no route for {self.command} {path}")

    def chunks(self) -> Iterator[bytes]:
        """The request's body, sent with a Content-Length or chunked."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        yield from pieces(self.rfile, int(self.headers.get("Content-Length") or 0))

    def json(self) -> Any:
        return json.loads(self.body or b"{}")

    def reply(self, body: Any = b"", status: int = 200, stream: Any = None, length: int = 0, **headers: Any) -> None:
        how = self.fault.how if self.fault is not None else None
        if how == "lose":
            return self._hang_up()
        if not isinstance(body, bytes):
            body, headers = json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
        length = length if stream else len(body)
        how = how if length else None  # an empty answer cannot be cut
        self.hub.requests.append((self.command, self.where, 0 if how == "cut" else status))
        self.send_response(status)
        for key, value in {"X-Request-Id": uuid.uuid4().hex, "Content-Length": length, **headers}.items():
            self.send_header(key, str(value))
        self.end_headers()
        if self.command == "HEAD":
            return None
        if how == "cut":
            self.wfile.write((stream.read() if stream else body)[: length // 2])
            self.close_connection = True
            return reset(self.connection)
        for chunk in pieces(stream, length) if stream else [body]:
            self.wfile.write(chunk)
        return None

    def reply_page(self, items: list[Any], limit: int) -> None:
        """One page of a listing; the next one is announced by a Link header, as on the Hub."""
        start = int(self.query.get("cursor", 0))
        query = urlencode({**self.query, "cursor": start + limit})
        link = {"Link": f'<{self.base}{self.where}?{query}>; rel="next"'} if start + limit < len(items) else {}
        self.reply(items[start : start + limit], **link)

    def authenticate(self) -> tuple[str, list[str]] | None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if token and token not in self.hub.users:
            raise HubError(401, "Invalid credentials in Authorization header")
        return self.hub.users.get(token)

    def owns(self, owner: str) -> bool:
        return self.user is not None and (owner == self.user[0] or owner in self.user[1])

    def need_owner(self, owner: str) -> None:
        if not self.user:
            raise HubError(401, "Invalid username or password.")
        if not self.owns(owner):
            raise HubError(403, f"You don't have the rights to write under the namespace {owner}")

    def open(self, kind: str, owner: str, name: str, write: bool = False) -> Repo:
        """A repository; the same answer for one that is absent and one that is hidden."""
        repo = Repo(self.hub.root, kind or "models", owner, name)
        if not repo.exists() or (repo.load()["private"] and not self.owns(owner)):
            raise HubError(404 if self.user else 401, "Repository not found", "RepoNotFound")
        if write:
            self.need_owner(owner)
        return repo
