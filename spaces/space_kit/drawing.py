"""A constituency tree as SVG: words on one line at the bottom, each node above the middle of its children."""

from __future__ import annotations

from dataclasses import dataclass

from idist.trees import Tree
from space_kit.markup import escaped

LEVEL, CHARACTER, GAP, MARGIN = 44, 8.2, 14, 12  # pixels: a level's height, a letter, between words, around
LARGEST = 400  # nodes; a larger tree is no picture


@dataclass
class _Place:
    """A node, or a word (no children), with its place in the picture."""

    label: str
    depth: int
    children: list[_Place]
    x: float = 0.0


def draw(tree: Tree, name: str) -> str:
    """SVG of a tree without its ROOT, coloured by the page's style sheet.

    Args:
        tree: of a sentence, or without words (its lowest nodes then stand where words would).
        name: what it is the tree of, for screen readers.

    Returns:
        Markup in a region that scrolls sideways; a sentence instead for a tree of more than `LARGEST` nodes.
    """
    if sum(1 for _ in tree.nodes()) > LARGEST:
        return f'<p class="kit-quiet">The tree has more than {LARGEST} nodes and is not drawn.</p>'
    order = _places(_without_root(tree))
    deepest = max(place.depth for place in order)
    width = _arrange(order) + MARGIN
    height = deepest * LEVEL + 2 * MARGIN + 16
    lines, texts = [], []
    for place in order:
        y = _height(place, deepest)
        for child in place.children:
            bottom = _height(child, deepest) - 13
            lines.append(f'<path d="M{place.x:.1f} {y + 6:.1f}L{child.x:.1f} {bottom:.1f}"/>')
        kind = "kit-node" if place.children else "kit-word"
        texts.append(f'<text class="{kind}" x="{place.x:.1f}" y="{y:.1f}">{escaped(place.label)}</text>')
    said = escaped(f"{name}: {tree.to_brackets()}")
    return (
        f'<div class="kit-scroll" tabindex="0" role="region" aria-label="{escaped(name)}">'
        f'<svg class="kit-tree" role="img" aria-label="{said}" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}">{"".join(lines)}{"".join(texts)}</svg></div>'
    )


def _without_root(tree: Tree) -> Tree:
    only = tree.children[0] if len(tree.children) == 1 else None
    return only if tree.label == "ROOT" and isinstance(only, Tree) else tree


def _places(tree: Tree) -> list[_Place]:
    """Nodes and words, each before its children, words from left to right."""
    order: list[_Place] = []
    stack: list[tuple[Tree | str, int, _Place | None]] = [(tree, 0, None)]
    while stack:
        item, depth, parent = stack.pop()
        place = _Place(item if isinstance(item, str) else item.label, depth, [])
        order.append(place)
        if parent is not None:
            parent.children.append(place)
        if isinstance(item, Tree):
            stack.extend((child, depth + 1, place) for child in reversed(item.children))
    return order


def _arrange(order: list[_Place]) -> float:
    """Set every x; gives where the rightmost word ends."""
    right = float(MARGIN)
    for place in order:
        if not place.children:
            wide = max(len(place.label), 2) * CHARACTER
            place.x, right = right + wide / 2, right + wide + GAP
    for place in reversed(order):
        if place.children:
            place.x = (place.children[0].x + place.children[-1].x) / 2
    for place in order:  # a chain over a narrow word may carry longer labels than the word is
        right = max(right, place.x + len(place.label) * CHARACTER / 2)
    return right


def _height(place: _Place, deepest: int) -> float:
    """Baseline: words stand on the last line, whatever hangs above them."""
    return MARGIN + 12 + (place.depth if place.children else deepest) * LEVEL
