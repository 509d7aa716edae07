"""Texts of strangers stay texts; differences and drawings are whole."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idist.trees import Tree
from space_kit.difference import changes, marked
from space_kit.drawing import LARGEST, draw
from space_kit.markup import escaped, message, table

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "${alert(1)}",
    "{{this}}",
    "`x`",
    "' onclick='x",
]


class Reader(HTMLParser):
    """Tags and texts of a page part."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def read(markup: str) -> Reader:
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_stranger_types_is_neither_markup_nor_template(text: str) -> None:
    pages = [message(text), table(["a", text], [[text, text]], text), *marked(text, f"{text} or not")]
    for page in pages:
        found = read(page)
        assert {tag for tag, _ in found.tags} <= {
            "div",
            "table",
            "caption",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "del",
            "ins",
        }
        assert not any(name.startswith("on") for _, attributes in found.tags for name in attributes)
        assert not any(sign in page for sign in ("${", "{{", "`"))
    assert read(message(text)).text == text


@settings(max_examples=40)
@given(st.text(max_size=40), st.text(max_size=40))
def test_pieces_are_the_sentences_again(source: str, target: str) -> None:
    first, second = changes(source, target)
    assert "".join(piece for piece, _ in first) == source and "".join(piece for piece, _ in second) == target
    assert [p.lower() for p, new in first if not new and not p.isspace()] == [
        p.lower() for p, new in second if not new and not p.isspace()
    ]


def test_only_changed_words_are_marked() -> None:
    source, target = marked("A man plays the guitar.", "a man is playing the guitar.")
    assert source == "A man <del>plays</del> the guitar."
    assert target == "a man <ins>is</ins> <ins>playing</ins> the guitar."
    assert marked("Rain falls.", "Rain falls.") == ("Rain falls.", "Rain falls.")


def test_a_tree_is_drawn_with_every_node_and_word() -> None:
    tree = Tree.from_brackets("(ROOT (S (NP (DT The) (NN dog)) (VP (VBZ sleeps)) (. .)))")
    picture = read(draw(tree, "Tree"))
    labels = picture.text
    for label in ("S", "NP", "DT", "The", "NN", "dog", "VP", "VBZ", "sleeps"):
        assert label in labels
    assert "ROOT" not in labels
    assert [tag for tag, _ in picture.tags].count("path") == 10 and [tag for tag, _ in picture.tags].count("text") == 11
    [svg] = [attributes for tag, attributes in picture.tags if tag == "svg"]
    width, height = float(str(svg["width"])), float(str(svg["height"]))
    texts = [attributes for tag, attributes in picture.tags if tag == "text"]
    places = [(float(str(one["x"])), float(str(one["y"]))) for one in texts]
    assert all(0 < x < width and 0 < y < height for x, y in places)
    words = [place for place, one in zip(places, texts, strict=True) if one["class"] == "kit-word"]
    assert len({y for _, y in words}) == 1 and [x for x, _ in words] == sorted(x for x, _ in words)


def test_labels_of_a_tree_are_escaped_and_a_huge_one_is_not_drawn() -> None:
    assert "<b>" not in draw(Tree.from_brackets("(S (<b> <b>x</b>))"), "<b>")
    chain = Tree("X", ["word"])
    for _ in range(LARGEST):
        chain = Tree("X", [chain])
    assert "not drawn" in draw(chain, "Tree")
    assert "<svg" in draw(Tree.from_brackets("(S (NP) (VP))"), "without words")


def test_escaped_text_reads_back() -> None:
    for text in [*HOSTILE, "🙂 שלום عربي", "a & b"]:
        assert read(f"<p>{escaped(text)}</p>").text == text
