"""What the small Hub answers, route by route."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import uuid
from typing import Any
from urllib.parse import parse_qs, quote

from tests.hub.mini_hub import Handler, route
from tests.hub.mini_hub_store import GITATTRIBUTES, LFS_SIZE, HubError, Repo, front_matter, matches, now

NAME = r"[A-Za-z0-9_][\w.-]{0,95}"
REF = re.compile(r"(?!refs/)(?!.*(\.\.|//|\.lock$|/$))[\w][\w./+-]*", re.A)
KINDS = {None: "models", "model": "models", "dataset": "datasets", "space": "spaces"}
API = rf"/api/(?P<kind>models|datasets|spaces)/(?P<owner>{NAME})/(?P<name>{NAME})"
WEB = rf"/(?:(?P<kind>datasets|spaces)/)?(?P<owner>{NAME})/(?P<name>{NAME})"


@route("POST", "/api/repos/create")
def create_repo(h: Handler) -> None:
    data = h.json()
    owner, name, kind = data.get("organization") or (h.user or [""])[0], data.get("name") or "", data.get("type")
    h.need_owner(owner)
    if kind not in KINDS or not re.fullmatch(f"{NAME}/{NAME}", f"{owner}/{name}"):
        raise HubError(400, "Invalid name")
    repo = Repo(h.hub.root, KINDS[kind], owner, name)
    answer = {"url": f"{h.base}/{repo.web}", "name": repo.id, "id": repo.id}
    with h.hub.lock:
        if repo.exists():  # with exist_ok=True the client reads the address from this very answer
            message = f"You already created {repo.web}"
            raise HubError(409, message, body={"error": message, **answer})
        files = {".gitattributes": repo.add_blob(GITATTRIBUTES)}
        if repo.kind == "spaces":
            files["README.md"] = repo.add_blob(f"---\ntitle: {name}\nsdk: {data.get('sdk')}\n---\n".encode())
        private = data.get("visibility") == "private" or bool(data.get("private"))
        state = {"private": private, "sdk": data.get("sdk"), "createdAt": now(), "branches": {}, "tags": {}}
        repo.commit(state, "main", files, (h.user or [""])[0], "initial commit")
    h.reply(answer)


@route("GET", API + "(?:/revision/(?P<revision>[^/]+))?")
def repo_info(h: Handler, repo: Repo, revision: str) -> None:
    sha, state = repo.resolve(revision or "main"), repo.load()
    card = repo.card(sha)
    answer = {
        "_id": hashlib.md5(repo.web.encode()).hexdigest()[:24],
        "id": repo.id,
        "author": repo.owner,
        "sha": sha,
        "private": state["private"],
        "createdAt": state["createdAt"],
        "lastModified": repo.at(sha)["date"],
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": [str(tag) for tag in card["tags"]] if isinstance(card.get("tags"), list) else [],
        "siblings": [{"rfilename": path} for path in repo.files(sha)],
        "cardData": card,
    }
    if repo.kind == "spaces":
        answer["sdk"] = card.get("sdk") or state["sdk"]
    h.reply(answer)


# ---------------------------------------------------------------- branches, tags, history


@route("GET", API + "/refs")
def list_refs(h: Handler, repo: Repo) -> None:
    def show(kind: str, refs: dict[str, str]) -> list[dict[str, str]]:
        return [{"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": sha} for name, sha in refs.items()]

    state = repo.load()
    branches, tags = show("heads", state["branches"]), show("tags", state["tags"])
    h.reply({"branches": branches, "tags": tags, "converts": [], "pullRequests": []})


def set_ref(h: Handler, repo: Repo, kind: str, name: str, target: str) -> None:
    with h.hub.lock:
        sha, state = repo.resolve(target), repo.load()
        if not REF.fullmatch(name):
            raise HubError(400, f"Invalid reference name: {name}")
        if name in state[kind]:
            raise HubError(409, f"Reference already exists: {name}")
        state[kind][name] = sha
        repo.save(state)
    h.reply({})


def drop_ref(h: Handler, repo: Repo, kind: str, name: str) -> None:
    with h.hub.lock:
        state = repo.load()
        if (kind, name) == ("branches", "main"):
            raise HubError(403, "The default branch cannot be deleted")
        if not state[kind].pop(name, None):
            raise HubError(404, f"Invalid rev id: {name}", "RevisionNotFound")
        repo.save(state)
    h.reply({})


@route("POST", API + "/branch/(?P<branch>[^/]+)", write=True)
def create_branch(h: Handler, repo: Repo, branch: str) -> None:
    set_ref(h, repo, "branches", branch, h.json().get("startingPoint") or "main")


@route("DELETE", API + "/branch/(?P<branch>[^/]+)", write=True)
def delete_branch(h: Handler, repo: Repo, branch: str) -> None:
    drop_ref(h, repo, "branches", branch)


@route("POST", API + "/tag/(?P<revision>[^/]+)", write=True)
def create_tag(h: Handler, repo: Repo, revision: str) -> None:
    set_ref(h, repo, "tags", h.json().get("tag") or "", revision)


@route("DELETE", API + "/tag/(?P<tag>[^/]+)", write=True)
def delete_tag(h: Handler, repo: Repo, tag: str) -> None:
    drop_ref(h, repo, "tags", tag)


@route("GET", API + "/commits/(?P<revision>[^/]+)")
def commits(h: Handler, repo: Repo, revision: str) -> None:
    keys = ("id", "title", "message", "date")
    history = repo.history(repo.resolve(revision))
    shown = [{"authors": [{"user": one["user"]}], **{key: one[key] for key in keys}} for one in history]
    h.reply_page(shown, 50)


# ---------------------------------------------------------------- reading files


@route("GET", API + "/tree/(?P<revision>[^/]+)(?:/(?P<path>.*))?")
def tree(h: Handler, repo: Repo, revision: str, path: str) -> None:
    sha = repo.resolve(revision)
    rows = repo.listing(sha, path.strip("/"), h.query.get("recursive", "").lower() in ("true", "1"))
    if rows is None:
        raise HubError(404, f'{path} does not exist on "{revision}"', "EntryNotFound", sha)
    h.reply_page(rows, 1000)


@route("POST", API + "/paths-info/(?P<revision>[^/]+)")
def paths_info(h: Handler, repo: Repo, revision: str) -> None:
    """The Python client sends a form, others JSON."""
    is_json = "json" in h.headers.get("Content-Type", "")
    data = h.json() if is_json else parse_qs(h.body.decode())
    entries = (repo.entry(repo.resolve(revision), path.strip("/")) for path in data.get("paths", []))
    h.reply([entry for entry in entries if entry])


@route("GET HEAD", WEB + "/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
def resolve(h: Handler, repo: Repo, revision: str, path: str) -> None:
    sha = repo.resolve(revision)
    file = repo.files(sha).get(path)
    if not file:
        raise HubError(404, "Entry not found", "EntryNotFound", sha)
    start, end, status = 0, file["size"] - 1, 200
    headers: dict[str, Any] = {
        "X-Repo-Commit": sha,
        "ETag": f'"{file["oid"]}"',
        "Accept-Ranges": "bytes",
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(path.split('/')[-1])}",
    }
    if "lfs" in file:
        headers |= {"X-Linked-Etag": f'"{file["lfs"]["oid"]}"', "X-Linked-Size": file["size"]}
    if match := re.fullmatch(r"bytes=(\d+)-(\d*)", h.headers.get("Range", "")):
        start, end = int(match[1]), min(int(match[2] or end), end)
        if start > end:
            headers["Content-Range"] = f"bytes */{file['size']}"
            return h.reply(status=416, **headers)
        status, headers["Content-Range"] = 206, f"bytes {start}-{end}/{file['size']}"
    with repo.content(file).open("rb") as stream:
        stream.seek(start)
        h.reply(status=status, stream=stream, length=end - start + 1, **headers)
    return None


# ---------------------------------------------------------------- writing files


@route("POST", API + "/preupload/(?P<revision>[^/]+)", write=True)
def preupload(h: Handler, repo: Repo, revision: str) -> None:
    """How each file is to be sent, and what is held under its path: the client then drops unchanged files."""
    data, sha = h.json(), repo.resolve(revision)
    attributes = repo.text(sha, ".gitattributes").split("\n")
    large_patterns = [line.split()[0] for line in attributes if "filter=lfs" in line]
    ignored = data.get("gitIgnore", repo.text(sha, ".gitignore")).split("\n")
    ignored = [line.strip() for line in ignored if line.strip() and line[0] not in "#!"]
    answers, held = [], repo.files(sha)
    for file in data["files"]:
        path = file["path"]
        large = file["size"] > LFS_SIZE or any(matches(path, pattern) for pattern in large_patterns)
        answer = {
            "path": path,
            "uploadMode": "lfs" if large else "regular",
            "shouldIgnore": any(matches(path, pattern) for pattern in ignored),
        }
        if path in held:
            answer["oid"] = held[path].get("lfs", held[path])["oid"]
        answers.append(answer)
    h.reply({"files": answers, "commitOid": sha})


@route("POST", WEB + r"\.git/info/lfs/objects/batch", write=True)
def lfs_batch(h: Handler, repo: Repo) -> None:
    """The client uploads without its token: the signed address carries the right."""
    answers = []
    for wanted in h.json()["objects"]:
        oid = wanted["oid"]
        answer = {"oid": oid, "size": wanted["size"]}
        if not (repo.dir / "lfs" / oid).is_file():
            address = f"{h.base}/_lfs/{repo.kind}/{repo.id}/{oid}?sig={h.hub.sign(repo, oid)}"
            answer["actions"] = {"upload": {"href": address}}
        answers.append(answer)
    h.reply({"transfer": "basic", "objects": answers})


@route("PUT", rf"/_lfs/(?P<plural>models|datasets|spaces)/(?P<who>{NAME})/(?P<what>{NAME})/(?P<oid>[0-9a-f]{{64}})")
def lfs_upload(h: Handler, plural: str, who: str, what: str, oid: str) -> None:
    repo, digest = Repo(h.hub.root, plural, who, what), hashlib.sha256()
    if not hmac.compare_digest(h.query.get("sig", ""), h.hub.sign(repo, oid)):
        raise HubError(403, "Invalid signature")
    temporary = repo.dir / "lfs" / f".{uuid.uuid4().hex}.tmp"
    temporary.parent.mkdir(exist_ok=True)
    with temporary.open("wb") as file:
        for chunk in h.chunks():
            file.write(chunk)
            digest.update(chunk)
    if digest.hexdigest() != oid:
        temporary.unlink()
        raise HubError(400, "The content does not match its oid")
    temporary.replace(repo.dir / "lfs" / oid)
    h.reply(ETag=f'"{oid}"')


def apply_operation(repo: Repo, files: dict[str, Any], key: str, value: dict[str, Any]) -> None:
    path = value["path"]
    if any(part in ("", ".", "..", ".git") for part in path.removesuffix("/").split("/")):
        raise HubError(400, f"Invalid path: {path}")
    if key == "file":
        content = base64.b64decode(value["content"])
        if path == "README.md":
            check_card(content.decode())
        files[path] = repo.add_blob(content)
    elif key == "lfsFile":
        if not re.fullmatch("[0-9a-f]{64}", value["oid"]) or not (repo.dir / "lfs" / value["oid"]).is_file():
            raise HubError(400, f"The LFS object of {path} was not uploaded")
        files[path] = repo.add_lfs(value["oid"])
    elif key in ("deletedFile", "deletedFolder"):
        folder = path.rstrip("/") + "/"
        gone = [name for name in files if (name == path if key == "deletedFile" else name.startswith(folder))]
        if not gone:
            raise HubError(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
        for name in gone:
            del files[name]
    else:
        raise HubError(400, f"Unknown operation: {key}")


def check_card(text: str) -> None:
    try:
        front_matter(text)
    except ValueError as error:
        body = {"errors": [{"message": str(error)}], "warnings": []}
        raise HubError(400, "Invalid metadata in README.md", body=body) from error


@route("POST", API + "/commit/(?P<revision>[^/]+)", write=True)
def commit(h: Handler, repo: Repo, revision: str) -> None:
    header, *operations = [json.loads(line) for line in h.body.split(b"\n") if line.strip()]
    header, branch = header["value"], revision.removeprefix("refs/heads/")
    with h.hub.lock:
        state = repo.load()
        if branch not in state["branches"]:  # a tag, for instance
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        head = state["branches"][branch]
        if not head.startswith(header.get("parentCommit", "")):
            raise HubError(412, "A commit has happened since. Please refresh and try again.")
        files = repo.files(head)
        for operation in operations:
            apply_operation(repo, files, operation["key"], operation["value"])
        sha = repo.commit(state, branch, files, (h.user or [""])[0], header["summary"])
    h.reply({"success": True, "commitOid": sha, "commitUrl": f"{h.base}/{repo.web}/commit/{sha}", "hookOutput": ""})


@route("POST", "/api/validate-yaml")
def validate_yaml(h: Handler) -> None:
    text = h.json().get("content") or ""
    check_card(text)
    warnings = [] if front_matter(text) else [{"message": "empty or missing yaml metadata in repo card"}]
    h.reply({"errors": [], "warnings": warnings})
