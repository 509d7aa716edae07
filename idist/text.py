"""Text by rules: sentence boundaries, clean-up, numbers, prefixes. English; no model, no download.

Where does a sentence end? At a run of ``.`` ``?`` ``!`` or an ellipsis with the quotes and brackets that close after
it, when what follows allows it (`find_boundary`), and at every line break. While a model is still writing, what follows
may not be there yet: then the boundary is *open*, and one more token usually decides.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from idist._schema import nearest
from idist.config import read_yaml
from idist.errors import UserError

if TYPE_CHECKING:
    import numpy as np

_END = re.compile(r"([.!?…]+)([\"'”’»)\]}]*)")
_WORD = re.compile(r"[^\W\d_]+")
_GRAPHIC = re.compile(r"\S")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# After these a full stop never ends a sentence.
_TITLES = _words("mr mrs ms messrs dr prof pres gov sen maj capt cmdr lt sgt cpl pvt adm e.g i.e cf vs v viz approx ca")
# After these it does not when a number follows.
_BEFORE_NUMBERS = _words(
    "no nos fig figs eq eqs sec vol ch p pp art ref refs tab par jan feb mar apr jun jul aug sep sept oct nov dec"
)
# After these, and after words with full stops inside (U.S., a.m., Ph.D.) and single letters, it does only at the end of
# the text or before a word that rarely comes second in a name.
_ABBREVIATIONS = _words(
    "rev fr hon rep gen col st mt ft inc co corp ltd llc plc bros jr sr etc al ave blvd rd dept univ assn tel ext sq"
)
_STARTERS = _words(
    "the a an this that these those he she it they we you i his her its their our my your there here what when where "
    "why who how in on at by for from with to of as if after before while since because although though but and or so "
    "yet however then now some many most several one two all both each no not another other"
)
_NOT_STARTS = frozenset(",;:)%/&=+-–—_*|~^<>")
_OPENING = "\"'“‘«([{"


class Boundary(NamedTuple):
    """Where the first sentence of a text ends.

    Attributes:
        end: index one past its last character; None if it has not ended.
        open: only while a text is still being written: what has been written ends in a possible boundary, and what
            comes next will decide.
    """

    end: int | None
    open: bool = False


def find_boundary(text: str, final: bool = True) -> Boundary:
    """The end of the first sentence of ``text``. White space before it is skipped.

    Args:
        final: False if more of the text may come. Then a boundary is only given if no continuation could move it: for
            every text and every beginning of it, a boundary found in the beginning is that of the whole.

    A run of ``.?!…`` with closing quotes or brackets is a boundary if white space or the end of the text follows, but
    not

    - when a lower-case letter follows an ellipsis, or follows a closing quote or bracket (``"Stop!" he said``);
    - when punctuation such as a comma or a dash follows;
    - after a single full stop behind a title (``Mr.``), the number of a list (``1. Sit down.``), an abbreviation of
      numbers before a number (``No. 5``, ``Jan. 3``), or another abbreviation or initial (``U.S.``, ``Inc.``,
      ``J. Smith``), unless one of a few common words follows with a capital (``in the U.S. He left.``).
    """
    start = len(text) - len(text.lstrip())
    newline = text.find("\n", start)
    if newline >= 0:
        head, final = text[:newline].rstrip(), True
    else:
        # a character of several bytes that is not whole yet decodes as U+FFFD
        head = text.rstrip() if final else text.rstrip("\ufffd")
    found = _boundary(head, start, final)
    if found.end is None and not found.open and newline >= 0 and head:
        return Boundary(len(head))
    return found


def _boundary(text: str, start: int, final: bool) -> Boundary:
    """The end of the sentence that begins at ``start``, within one line. Reads no further than it has to, and copies
    none of the rest, so that splitting a line takes time in proportion to its length."""
    for match in _END.finditer(text, start):
        verdict = _decide(text, start, match, final)
        if verdict is None:
            return Boundary(None, open=True)
        if verdict:
            return Boundary(match.end())
    return Boundary(None)


def _decide(text: str, start: int, match: re.Match[str], final: bool) -> bool | None:
    """Whether the sentence ends at this match; None: what has been written so far cannot tell."""
    mark, closing = match.groups()
    following = _GRAPHIC.search(text, match.end())
    if following is None:
        if not final:
            return None
        return mark != "." or _word_before(text, start, match.start()).lower() not in _TITLES
    at, first = following.start(), following.group()
    if at == match.end() or first in _NOT_STARTS:
        return False  # 3.5, example.com; or: etc., and
    # Looked for only now that white space follows: at every mark of one long word it would be read again and again.
    word = _word_before(text, start, match.start()) if mark == "." else ""
    if first.islower():
        return not closing and "…" not in mark and ".." not in mark and not (word and _abbreviates(word))
    if not word:
        return True
    if word.lower() in _TITLES or (word.isdigit() and not text[start : match.start() - len(word)].strip(_OPENING)):
        return False
    if first.isdigit() and word.lower() in _BEFORE_NUMBERS:
        return False
    if closing or not _abbreviates(word):
        return True
    found = _WORD.match(text, at)
    if found is None:
        return False
    if found.end() == len(text) and not final:
        return None
    return found.group()[0].isupper() and found.group().lower() in _STARTERS


def _word_before(text: str, start: int, end: int) -> str:
    """What stands before a full stop, back to the last space or opening bracket."""
    at = end
    while at > start and not text[at - 1].isspace() and text[at - 1] not in _OPENING:
        at -= 1
    return text[at:end]


def _abbreviates(word: str) -> bool:
    if word.lower() in _TITLES or word.lower() in _ABBREVIATIONS:
        return True
    if len(word) == 1:
        return word.isalpha() and word != "I"
    parts = word.split(".")
    return len(parts) > 1 and all(part.isalpha() and len(part) <= 2 for part in parts)


def split_sentences(text: str) -> list[str]:
    """The sentences of a text in order, white space collapsed; the last one may lack its end. A line break ends one."""
    sentences = []
    for line in text.split("\n"):
        line = line.rstrip()
        begin = _GRAPHIC.search(line)
        while begin:
            start = begin.start()
            end = _boundary(line, start, final=True).end or len(line)
            sentences.append(clean_sentence(line[start:end]))
            begin = _GRAPHIC.search(line, end)
    return sentences


def first_sentence(text: str, min_characters: int = 3) -> str | None:
    """The first sentence, cleaned, as the authors' code keeps it (appendix A): at least ``min_characters`` characters,
    the last one ``.``, ``?`` or ``!``; else None."""
    end = find_boundary(text).end
    sentence = clean_sentence(text[:end])
    if end is None or len(sentence) < min_characters or sentence[-1] not in ".?!":
        return None
    return sentence


def clean_sentence(text: str) -> str:
    """One space for each run of white space, none at the ends."""
    return " ".join(text.split())


_SPACED_NUMBER = re.compile(
    r"(?<![\w.,])\d(?: \d)*(?: ?, ?\d \d \d(?! ?\d))*(?: ?\. ?\d(?: \d)*)?(?!\w)"  # 1 2 , 5 0 0 . 7 5
)


def join_digits(text: str) -> str:
    """Join the numbers that BioGPT writes digit by digit: ``1 2 . 5 mg`` -> ``12.5 mg``, ``1, 0 0 0`` -> ``1,000``.

    Digits that stand alone with one space between them are one number; a full stop between two of them is its decimal
    point, a comma before exactly three of them its thousands separator. Numbers of several digits (``in 2010 5 men``)
    stay as they are; two one-digit numbers in a row cannot be told from one of two digits, and are joined.
    """
    return _SPACED_NUMBER.sub(lambda match: match.group().replace(" ", ""), text)


_NUMBER = re.compile(r"\d+(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?")


def numbers_in(text: str) -> list[str]:
    """The numbers written in digits, in order, in one spelling: no thousands separators, no leading zeros, no zeros at
    the end of decimals (``1,000`` -> ``1000``, ``03.50`` -> ``3.5``). Signs and units are not looked at."""
    numbers = []
    for match in _NUMBER.finditer(text):
        whole, point, decimals = match.group().replace(",", "").partition(".")
        decimals = decimals.rstrip("0")
        numbers.append((whole.lstrip("0") or "0") + (point + decimals if decimals else ""))
    return numbers


_FOLDER = Path(__file__).parent / "data" / "prefixes"
_SLOT = re.compile(r"{(\w+)}")


class Prefixes:
    """Templates of what a teacher is prompted with, such as ``{place} ({media}) --``, and words for their slots.

    Args:
        templates: text and weight; the weights need not sum to 1.
        lists: slot -> what may fill it, all equally likely.
    """

    def __init__(self, templates: list[tuple[str, float]], lists: dict[str, list[str]]):
        total = sum(weight for _, weight in templates)
        self.templates = [(text, weight / total) for text, weight in templates]
        self.lists = lists

    def draw(self, rng: np.random.Generator) -> str:
        """One prefix; the same generator state gives the same one."""
        chosen = rng.choice(len(self.templates), p=[weight for _, weight in self.templates])
        return _SLOT.sub(lambda slot: self._fill(slot.group(1), rng), self.templates[chosen][0])

    def _fill(self, slot: str, rng: np.random.Generator) -> str:
        return self.lists[slot][rng.integers(len(self.lists[slot]))]


def load_prefixes(name_or_path: str) -> Prefixes:
    """`Prefixes` by name (``news``: datelines; ``biomedical``: section heads; ``reddit``: heads of posts), or from a
    YAML file in the same form: ``templates``, a list of ``{text, weight}``, and ``lists``, a mapping from slots to
    lists of words.

    Raises:
        UserError: no such name or file, or the file has another form.
    """
    names = sorted(path.stem for path in _FOLDER.glob("*.yaml"))
    is_path = "/" in name_or_path or name_or_path.endswith((".yaml", ".yml"))
    if not is_path and name_or_path not in names:
        raise UserError(f"Prefixes {name_or_path!r} are not known; {nearest(name_or_path, names)}")
    path = Path(name_or_path) if is_path else _FOLDER / f"{name_or_path}.yaml"
    tree = read_yaml(path)
    if not isinstance(tree, dict) or not set(tree) <= {"templates", "lists"} or "templates" not in tree:
        raise UserError(f"{path}: expected the keys templates and, if a template has slots, lists.")
    lists = _checked_lists(tree.get("lists") or {}, path)
    return Prefixes(_checked_templates(tree["templates"], lists, path), lists)


def _checked_lists(tree: Any, path: Path) -> dict[str, list[str]]:
    if not isinstance(tree, dict):
        raise UserError(f"{path}: lists is {tree!r}, expected a mapping from slots to lists of words.")
    for slot, words in tree.items():
        if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
            raise UserError(f"{path}: lists.{slot} is {words!r}, expected a list of words.")
    return tree


def _checked_templates(tree: Any, lists: dict[str, list[str]], path: Path) -> list[tuple[str, float]]:
    if not isinstance(tree, list) or not tree:
        raise UserError(f"{path}: templates is {tree!r}, expected a list of {{text, weight}}.")
    templates = []
    for number, entry in enumerate(tree):
        if not isinstance(entry, dict) or set(entry) != {"text", "weight"} or not isinstance(entry["text"], str):
            raise UserError(f"{path}: templates[{number}] is {entry!r}, expected the keys text and weight.")
        weight = entry["weight"]
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not weight > 0:
            raise UserError(f"{path}: templates[{number}].weight is {weight!r}, expected a number above 0.")
        for slot in _SLOT.findall(entry["text"]):
            if slot not in lists:
                raise UserError(f"{path}: templates[{number}] has the slot {slot!r}; {nearest(slot, list(lists))}")
        templates.append((entry["text"], float(weight)))
    return templates
