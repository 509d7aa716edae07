"""Publish releases to the Hugging Face Hub, or to a folder of the same layout, and load them back.

A *release* is a folder, built whole: ``README.md`` (the card), data or weights, and ``lineage.json``, which `seal`
writes last and which lists every other file with its hash. Publishing makes it the newest of its repository (``main``)
in one step and gives it a *tag*:

    from pathlib import Path
    from idist.hub import FolderTarget, HubTarget, download, read_lineage

    target = HubTarget(private=True)             # the token comes from HF_TOKEN or `hf auth login`
    target = FolderTarget(Path("runs/mini/hub"))  # or no account at all

    plan = target.plan(Path("built/dimple"), "dataset", "acme/dimple")  # reads only
    print(plan.tag, plan.upload_bytes, [change.path for change in plan.changes if change.action != "same"])
    done = target.publish(Path("built/dimple"), "dataset", "acme/dimple", plan.tag)
    print(done.where, done.commit, done.uploaded)

Called again it changes nothing; ended half-way it goes on from there. Another release gets the next tag. An existing
tag, a release without a tag and files that someone edited there are replaced with ``overwrite=True`` only, and
``plan.replaces`` says in a sentence what that would be. Files of others stay where they are. What is loaded:

    folder = download("dataset", "acme/dimple", "v1.0.0")       # on the Hub; works offline once it was downloaded
    folder = Path("runs/mini/hub/tags/v1.0.0/datasets/dimple")  # in a folder
    datasets.load_dataset(str(folder))
    read_lineage("acme/dimple@v1.0.0")["config"]

Shards that a running stage has finished go to a branch of their own, which the release makes superfluous:

    with PartialPublisher(target, "dataset", "acme/dimple", parts=lambda: {"teacher/00000.parquet": read_first}):
        ...  # the stage; trouble with the Hub never ends it
    drop_partial(target, "dataset", "acme/dimple")

Whatever builds release folders must make files anew and never write into a published folder: large files are hard
links there. Nothing here knows of language, and nothing heavy is imported before it is needed.
"""

from __future__ import annotations

from idist.hub.changes import Change, Plan, Published
from idist.hub.folder import FolderTarget
from idist.hub.loading import download, read_lineage
from idist.hub.names import check_name, check_tag, next_tag
from idist.hub.partial import PartialPublisher, drop_partial
from idist.hub.private import check_private
from idist.hub.releases import Release, read_release, seal
from idist.hub.remote import HubTarget
from idist.hub.target import Target

__all__ = [
    "Change",
    "FolderTarget",
    "HubTarget",
    "PartialPublisher",
    "Plan",
    "Published",
    "Release",
    "Target",
    "check_name",
    "check_private",
    "check_tag",
    "download",
    "drop_partial",
    "next_tag",
    "read_lineage",
    "read_release",
    "seal",
]
