"""The rules of publishing, on the Hub and in a folder: nothing twice, nothing of others lost, no tag moved."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from idist.errors import UserError
from idist.hub import Plan
from tests.hub.conftest import OnHub, Place
from tests.hub.made import CARD, NAME, make_release


def actions(plan: Plan) -> dict[str, str]:
    return {change.path: change.action for change in plan.changes}


def commits(place: Place) -> int:
    """Of releases; a folder has none."""
    titles = place.hub.titles("datasets", NAME) if isinstance(place, OnHub) else []
    return sum(title.startswith("Release") for title in titles)


def test_first_release_then_the_same_again(place: Place, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    plan = place.target.plan(folder, "dataset", NAME)
    assert plan.creates and not plan.done and plan.tag == "v1.0.0" and plan.replaces is None
    assert actions(plan) == dict.fromkeys(("README.md", "data/train.txt", "lineage.json"), "add")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert plan.upload_bytes == size

    done = place.target.publish(folder, "dataset", NAME)
    assert done.made and done.tag == "v1.0.0" and (done.uploaded, done.bytes) == (3, size)
    assert place.files() == place.files("v1.0.0") == {path: (folder / path).read_bytes() for path in actions(plan)}

    for tag in (None, "v1.0.0"):
        again = place.target.publish(folder, "dataset", NAME, tag)
        assert not again.made and again.tag == "v1.0.0" and again.commit == done.commit
        assert (again.uploaded, again.bytes, again.same, again.deleted) == (0, 0, 3, 0)
        assert place.target.plan(folder, "dataset", NAME, tag).done
    assert commits(place) == (1 if isinstance(place, OnHub) else 0)


def test_a_plan_changes_nothing(place: Place, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    place.target.plan(folder, "dataset", NAME)
    if isinstance(place, OnHub):
        assert not place.hub.repo("datasets", NAME).exists()
    else:
        assert not (tmp_path / "published").exists()


def test_second_release_keeps_the_first_under_its_tag(place: Place, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new", {"data/a.txt": "a", "data/b.txt": "b"})
    place.target.publish(folder, "dataset", NAME)
    first = place.files()
    assert place.target.current_tag("dataset", NAME) == "v1.0.0"

    make_release(folder, {"data/a.txt": "other", "data/c.txt": "c"})
    plan = place.target.plan(folder, "dataset", NAME)
    expected = {"README.md": "same", "data/train.txt": "same", "lineage.json": "replace"}
    assert actions(plan) == expected | {"data/a.txt": "replace", "data/b.txt": "delete", "data/c.txt": "add"}
    assert plan.replaces is None
    done = place.target.publish(folder, "dataset", NAME)
    assert (done.tag, done.uploaded, done.same, done.deleted) == ("v1.1.0", 3, 2, 1)
    assert place.files() == place.files("v1.1.0") and place.files()["data/a.txt"] == b"other"
    assert "data/b.txt" not in place.files() and place.files("v1.0.0") == first
    assert place.target.current_tag("dataset", NAME) == "v1.1.0"
    assert place.target.next_tag("dataset", NAME) == "v1.2.0"


def test_the_first_release_again_leaves_the_second_on_main(place: Place, tmp_path: Path) -> None:
    old, new = make_release(tmp_path / "old"), make_release(tmp_path / "new", {"data/x.txt": "x"})
    place.target.publish(old, "dataset", NAME, "v1.0.0")
    place.target.publish(new, "dataset", NAME, "v2.0.0")
    assert not place.target.publish(old, "dataset", NAME, "v1.0.0").made
    assert place.files()["data/x.txt"] == b"x"


def test_an_existing_tag_is_refused(place: Place, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    place.target.publish(folder, "dataset", NAME, "v1.0.0")
    first = place.files()
    make_release(folder, {"data/x.txt": "x"})
    with pytest.raises(
        UserError, match=r"tag v1\.0\.0 holds another release .*another --tag, or .*--overwrite\.$"
    ) as error:
        place.target.publish(folder, "dataset", NAME, "v1.0.0")
    assert ("'Release v1.0.0' of 20" in str(error.value)) == isinstance(place, OnHub)
    assert place.files() == place.files("v1.0.0") == first


def test_overwrite_moves_the_tag_and_the_plan_says_so(place: Place, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    place.target.publish(folder, "dataset", NAME, "v1.0.0")
    make_release(folder, {"data/x.txt": "x"})
    plan = place.target.plan(folder, "dataset", NAME, "v1.0.0", overwrite=True)
    assert plan.replaces is not None and "tag v1.0.0 holds another release" in plan.replaces
    assert place.target.publish(folder, "dataset", NAME, "v1.0.0", overwrite=True).made
    assert place.files("v1.0.0") == place.files() and place.files()["data/x.txt"] == b"x"
    assert not place.target.publish(folder, "dataset", NAME, "v1.0.0").made


def test_files_of_others_stay(place: Place, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    place.target.publish(folder, "dataset", NAME)
    place.edit("notes.md", b"mine")
    assert place.target.publish(folder, "dataset", NAME).made is False
    make_release(folder, {"data/train.txt": "two\n"})
    assert place.target.publish(folder, "dataset", NAME).tag == "v1.1.0"
    assert place.files()["notes.md"] == b"mine"


def test_a_card_edited_there_is_not_lost(place: Place, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    place.target.publish(folder, "dataset", NAME)
    edited = CARD.encode() + b"A person's words.\n"
    place.edit("README.md", edited)
    assert not place.target.publish(folder, "dataset", NAME, "v1.0.0").made  # the release is whole under its tag
    make_release(folder, card=CARD + "New figures.\n")
    sentence = r"README\.md was edited there since it was published: replace it with --overwrite\.$"
    with pytest.raises(UserError, match=sentence):
        place.target.publish(folder, "dataset", NAME)
    assert place.files()["README.md"] == edited
    assert place.target.publish(folder, "dataset", NAME, overwrite=True).tag == "v1.1.0"
    assert place.files()["README.md"] == (folder / "README.md").read_bytes()


def test_an_edited_file_that_would_be_deleted_is_not_lost(place: Place, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new", {"extra.txt": "ours"})
    place.target.publish(folder, "dataset", NAME)
    place.edit("extra.txt", b"theirs")
    make_release(folder)
    with pytest.raises(UserError, match=r"extra\.txt was edited there"):
        place.target.publish(folder, "dataset", NAME)
    place.target.publish(folder, "dataset", NAME, overwrite=True)
    assert "extra.txt" not in place.files()


def test_a_file_of_others_under_our_path_is_not_lost(place: Place, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    place.target.publish(folder, "dataset", NAME)
    place.edit("data/more.txt", b"theirs")
    make_release(folder, {"data/more.txt": "ours"})
    with pytest.raises(UserError, match=r"data/more\.txt is there and was not published by idist: replace"):
        place.target.publish(folder, "dataset", NAME)
    place.target.publish(folder, "dataset", NAME, overwrite=True)
    assert place.files()["data/more.txt"] == b"ours"


def test_a_repository_of_others_is_not_taken_over(place: Place, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    if isinstance(place, OnHub):
        place.api.create_repo(NAME, repo_type="dataset")
    else:
        (tmp_path / "published" / "datasets" / "dimple").mkdir(parents=True)
    for path in ("README.md", "lineage.json"):
        place.edit(path, b"theirs")
    with pytest.raises(UserError, match=r"README\.md is there .*lineage\.json is there and was not written by idist"):
        place.target.publish(folder, "dataset", NAME)
    assert place.files() == {"README.md": b"theirs", "lineage.json": b"theirs"}
    assert place.target.publish(folder, "dataset", NAME, overwrite=True).made


def test_a_release_that_lost_its_tag_gets_it_again(place: Place, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    place.target.publish(folder, "dataset", NAME, "v3.0.0")
    place.forget_tag("v3.0.0")
    assert place.target.current_tag("dataset", NAME) is None
    plan = place.target.plan(folder, "dataset", NAME, "v3.0.0")
    assert not plan.done and plan.replaces is None and set(actions(plan).values()) == {"same"}
    done = place.target.publish(folder, "dataset", NAME, "v3.0.0")
    assert done.made and done.uploaded == 0 and commits(place) <= 1
    assert place.files("v3.0.0") == place.files()


def test_a_release_without_a_tag_is_not_replaced_silently(place: Place, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    place.target.publish(folder, "dataset", NAME, "v1.0.0")
    place.forget_tag("v1.0.0")
    make_release(folder, {"data/x.txt": "x"})
    with pytest.raises(UserError, match="main holds another release that has no tag yet .*--overwrite"):
        place.target.publish(folder, "dataset", NAME, "v1.1.0")
    assert "data/x.txt" not in place.files()
    place.target.publish(folder, "dataset", NAME, "v1.1.0", overwrite=True)
    assert "data/x.txt" in place.files("v1.1.0")


def test_a_tagged_release_below_a_later_edit_counts_as_tagged(place: Place, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    place.target.publish(folder, "dataset", NAME)
    place.edit("notes.md", b"mine")  # main's head is no tag's commit now
    assert place.target.current_tag("dataset", NAME) == "v1.0.0"
    make_release(folder, {"data/x.txt": "x"})
    assert place.target.plan(folder, "dataset", NAME).replaces is None


@pytest.mark.parametrize("name", ["a/b/c", "-a/b", "a--b", "acme/x.git", "acme/", "", "acme/" + "x" * 96, "acme/a b"])
def test_names_are_checked_before_anything_is_asked(place: Place, tmp_path: Path, name: str) -> None:
    folder = make_release(tmp_path / "new")
    with pytest.raises(UserError, match="is no repository name"):
        place.target.publish(folder, "dataset", name)
    assert not isinstance(place, OnHub) or not place.hub.requests


def test_the_hub_needs_an_owner_and_a_folder_does_not(place: Place, tmp_path: Path) -> None:
    folder = make_release(tmp_path / "new")
    if isinstance(place, OnHub):
        with pytest.raises(UserError, match="'dimple' has no owner: expected 'user/dimple'"):
            place.target.publish(folder, "dataset", "dimple")
    else:
        place.target.publish(folder, "dataset", "dimple")
        assert not place.target.publish(folder, "dataset", NAME).made


@pytest.mark.parametrize("tag", ["main", "partial", "a/b", "v1..0", ".v1", "v1.lock", "abcdef0", "", "v 1", "x" * 65])
def test_tags_are_checked_before_anything_is_asked(place: Place, tmp_path: Path, tag: str) -> None:
    with pytest.raises(UserError, match="is not allowed: expected a name like v1.0.0"):
        place.target.publish(make_release(tmp_path / "new"), "dataset", NAME, tag)
    assert not isinstance(place, OnHub) or not place.hub.requests


def test_an_unknown_kind_is_refused(place: Place, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Kind 'data' .* expected one of: dataset, model, space"):
        place.target.publish(make_release(tmp_path / "new"), "data", NAME)


def test_published_can_be_shown_as_plain_values(place: Place, tmp_path: Path) -> None:
    done = place.target.publish(make_release(tmp_path / "new"), "dataset", NAME)
    shown = dataclasses.asdict(done)
    assert shown["kind"] == "dataset" and shown["repository"] == NAME and NAME.split("/")[1] in shown["where"]
    assert (shown["commit"] is None) != isinstance(place, OnHub)
