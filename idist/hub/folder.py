"""Publishing without an account: a folder with the Hub's layout, from which ``load_dataset(path)`` and
``from_pretrained(path)`` work.

    ROOT/datasets/REPO/                 the newest release
    ROOT/tags/v1.0.0/datasets/REPO/     that release; large files are hard links to the same data
    ROOT/branches/partial/datasets/REPO/  what a running stage has finished so far
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from idist.engine.folders import beside_of, disk_trouble, link_or_copy, old_of, whole_folder
from idist.errors import UserError
from idist.hub.changes import Difference, Held, Published
from idist.hub.names import check_name
from idist.hub.releases import LINEAGE, Entry, Release, hash_file, list_files, parse_lineage, parse_listing
from idist.hub.retries import Retries
from idist.hub.target import Target

LINKED = 1 << 20  # bytes; smaller files are copied, so that editing a card does not edit another release's


class FolderTarget(Target):
    """Publishes below ``root``, which is made when needed. Of ``owner/name`` the folder has the name."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def secret(self) -> str | None:
        """The token of this machine: a folder may be passed on."""
        from huggingface_hub import get_token

        return get_token()

    def open(self, kind: str, name: str) -> FolderRepository:
        """The repository's folder, whether it exists or not."""
        return FolderRepository(self.root, kind, check_name(name, with_owner=False).split("/")[-1])

    def publish(self, folder: Path, kind: str, name: str, tag: str | None = None, overwrite: bool = False) -> Published:
        """See `Target.publish`; removes what a killed process may have left beside the release."""
        done = super().publish(folder, kind, name, tag, overwrite)
        self.open(kind, name).tidy()
        return done


class FolderHeld:
    """The files of one folder; its "commit" is its path."""

    untouched: bool = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commit = str(folder)
        self.files: Mapping[str, int] = {path: (folder / path).stat().st_size for path in list_files(folder)}
        self.listing = self._read_listing()
        self._hashes: dict[str, Entry] = {}

    def _read_listing(self) -> Mapping[str, Entry] | None:
        path = self.folder / LINEAGE
        if not path.is_file():
            return None
        try:
            return parse_listing(parse_lineage(path.read_bytes(), str(path)), str(path))
        except UserError:
            return None  # someone else's file of that name, which `compare` reports

    def holds(self, path: str, entry: Entry, release: Release | None) -> bool:
        """See `idist.hub.changes.Held`; a hard link to the release's file need not be read."""
        if self.files[path] != entry.bytes:
            return False
        if release is not None and (self.folder / path).samefile(release.folder / path):
            return True
        if path not in self._hashes:
            self._hashes[path] = hash_file(self.folder / path)
        return self._hashes[path] == entry

    def text(self, path: str) -> str | None:
        """See `idist.hub.changes.Held`."""
        return (self.folder / path).read_text("utf-8", "replace") if path in self.files else None


class FolderRepository:
    """One repository below the root; see `idist.hub.target.Repository`."""

    has_commits: bool = False

    def __init__(self, root: Path, kind: str, name: str) -> None:
        self.root, self.name, self.plural = root, name, f"{kind}s"
        self.newest = root / self.plural / name
        self.where = str(self.newest)
        self.retries = Retries(self.where, None, ())

    def exists(self) -> bool:
        """Whether something was published there."""
        return self._head() is not None

    def _head(self) -> Path | None:
        """The newest release; a process killed while it exchanged the folders left it under its old name."""
        return next((folder for folder in (self.newest, old_of(self.newest)) if folder.is_dir()), None)

    def tags(self) -> dict[str, str]:
        """Tag -> its folder."""
        found = sorted((self.root / "tags").glob(f"*/{self.plural}/{self.name}"))
        return {path.parents[1].name: str(path) for path in found if path.is_dir()}

    def at(self, commit: str | None) -> FolderHeld | None:
        """The folder of a tag, or the newest."""
        folder = Path(commit) if commit is not None else self._head()
        return FolderHeld(folder) if folder is not None else None

    def describe(self, commit: str) -> str:
        """The folder."""
        return commit

    def mark_of(self, commit: str) -> str | None:
        """Hash of its ``lineage.json``, which holds those of all other files."""
        path = Path(commit) / LINEAGE
        return hash_file(path).sha256 if path.is_file() else None

    def create(self, release: Release) -> None:
        """Nothing: `put` makes the folder."""

    def put(self, release: Release, difference: Difference, held: Held | None, title: str) -> str:
        """Build the new folder beside the old one, then exchange them; what is not ours goes along."""
        sources = {path: release.folder / path for path in release.files}
        gone = {change.path for change in difference.of("delete")}
        if held is not None:
            sources |= {
                path: Path(held.commit) / path for path in held.files if path not in sources and path not in gone
            }
        self._build(self.newest, sources)
        return str(self.newest)

    def set_tag(self, tag: str, commit: str, replace: bool) -> None:
        """Link the release's files under its tag."""
        folder, held = self.root / "tags" / tag / self.plural / self.name, FolderHeld(Path(commit))
        if folder.exists() and not replace:
            raise UserError(f"{folder} exists: choose another --tag, or replace it with --overwrite.")
        self._build(folder, {path: held.folder / path for path in (*(held.listing or {}), LINEAGE)})

    def branch(self, name: str) -> FolderHeld | None:
        """The folder of partial results."""
        folder = self._branch_folder(name)
        return FolderHeld(folder) if folder.is_dir() else None

    def put_parts(self, branch: str, contents: Mapping[str, bytes], title: str) -> None:
        """Write each file whole."""
        folder = self._branch_folder(branch)
        with disk_trouble(folder):
            for path, content in contents.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                temporary = (folder / path).with_name(f".{(folder / path).name}.tmp")
                temporary.write_bytes(content)
                temporary.replace(folder / path)

    def drop_branch(self, branch: str) -> bool:
        """Delete the folder of partial results."""
        folder = self._branch_folder(branch)
        existed = folder.is_dir()
        with disk_trouble(folder):
            if existed:
                shutil.rmtree(folder)
        return existed

    def tidy(self) -> None:
        """Remove folders that were being built or exchanged, once there is a whole one."""
        if self.newest.is_dir():
            for folder in (self.newest, *(Path(path) for path in self.tags().values())):
                shutil.rmtree(beside_of(folder), ignore_errors=True)
                shutil.rmtree(old_of(folder), ignore_errors=True)

    def _branch_folder(self, branch: str) -> Path:
        return self.root / "branches" / branch / self.plural / self.name

    def _build(self, folder: Path, sources: Mapping[str, Path]) -> None:
        """A folder with these files in place of the one there, which is whole until the new one is."""
        with whole_folder(folder) as beside:
            for path, source in sources.items():
                _link(source, beside / path)


def _link(source: Path, target: Path) -> None:
    """A hard link to a large file, a copy of a small one."""
    if source.stat().st_size >= LINKED:
        link_or_copy(source, target)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
