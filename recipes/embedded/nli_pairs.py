"""Entailment pairs made by rule from sentences and judged pairs, for what the gathered sets lack.

Every maker takes a `random.Random` and gives the same pairs for the same seed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable

from nli_data import CONTRADICTION, ENTAILMENT, NOT_ENTAILED, Example, normalized

from idist.errors import UserError


def words(text: str) -> set[str]:
    """Lower-cased words of a sentence."""
    return set(re.findall(r"[a-z0-9']+", text.lower()))


def reversed_pairs(examples: Iterable[Example]) -> list[Example]:
    """Pairs the other way round, where the label of that direction is hardly in doubt.

    A contradiction of one scene holds both ways. An entailed hypothesis of at most 60 % of the premise's words,
    or a neutral one of at most 80 %, says less than the premise: it does not entail it.
    """
    found = []
    for premise, hypothesis, label in examples:
        shorter = len(words(hypothesis)) / max(1, len(words(premise)))
        if label == CONTRADICTION:
            found.append(Example(hypothesis, premise, CONTRADICTION))
        elif shorter <= (0.6 if label == ENTAILMENT else 0.8):
            found.append(Example(hypothesis, premise, NOT_ENTAILED))
    return found


def _until(count: int, attempt: Callable[[], Example | None]) -> list[Example]:
    """``count`` successes of ``attempt``; UserError where the sentences at hand hardly ever give one."""
    found: list[Example] = []
    for _ in range(1000 * count):
        if len(found) == count:
            break
        example = attempt()
        if example:
            found.append(example)
    if len(found) < count:
        raise UserError(f"cannot make {count} pairs by rule from the sentences in --data: found {len(found)}.")
    return found


def unrelated_pairs(sentences: list[str], count: int, rng: random.Random) -> list[Example]:
    """``count`` pairs of two different sentences drawn at random."""

    def attempt() -> Example | None:
        x, y = rng.choice(sentences), rng.choice(sentences)
        return Example(x, y, NOT_ENTAILED) if normalized(x) != normalized(y) else None

    return _until(count, attempt)


def overlapping_pairs(sentences: list[str], count: int, rng: random.Random) -> list[Example]:
    """``count`` pairs of captions that share words but not their meaning.

    Of 60 random captions the one with the largest word Jaccard to x is taken, if between 0.15 and 0.6: another
    picture of a like scene, in which each sentence has details that the other lacks.
    """
    bags = [words(sentence) for sentence in sentences]

    def attempt() -> Example | None:
        i = rng.randrange(len(sentences))
        others = [rng.randrange(len(sentences)) for _ in range(60)]
        overlap, j = max((len(bags[i] & bags[j]) / max(1, len(bags[i] | bags[j])), j) for j in others)
        alike = 0.15 <= overlap <= 0.6 and bags[i] - bags[j] and bags[j] - bags[i]
        return Example(sentences[i], sentences[j], NOT_ENTAILED) if alike else None

    return _until(count, attempt)


# Written by us: "a=b" may stand for each other in scenes of this domain, "a>b" only in that direction.
SYNONYMS = """a man=a guy|the man=the guy|kids=children|kid=child|bike=bicycle|bikes=bicycles|couch=sofa
photo=picture|large=big|small=little|beside=next to|near=close to|atop=on top of|several=a number of|ill=sick
car=automobile|sidewalk=pavement|tv=television|plane=airplane|planes=airplanes|many=lots of|speaking=talking
sitting=seated|infant=baby|talks=speaks|ocean=sea|woods=forest|begins=starts|toward=towards|inside of=inside
motorcycle=motorbike|refrigerator=fridge|a lady=a woman|the lady=the woman|ladies=women|mobile phone=cell phone
a puppy=a young dog|a kitten=a young cat|outdoors=outside|in front of>before|is holding>holds|is riding>rides
is wearing>wears|is eating>eats|is playing>plays|is walking>walks|is talking>talks|is jumping>jumps|is running>runs
are riding>ride|are walking>walk|are playing>play|are eating>eat|are running>run|are talking>talk|is making>makes"""


def rewrites(sentence: str, rng: random.Random) -> str | None:
    """The sentence said otherwise: up to three of `SYNONYMS` and "There is ..." for "A ... is ...ing"; or None."""
    options = re.split(r"[|\n]", SYNONYMS)
    rng.shuffle(options)
    text, done = sentence, 0
    for option in options:
        first, second = re.split("[=>]", option)
        for old, new in ((first, second), (second, first))[: 2 if "=" in option else 1]:
            changed = re.sub(rf"\b{old}\b", new, text, count=1, flags=re.I)
            if changed != text and done < 3:
                text, done = changed, done + 1
                break
    there = re.match(r"(a|an|two|three|four|some|several) ((?:\w+ ){1,3})(is|are) (\w+ing .*)$", text, re.I)
    if there and rng.random() < 0.5:
        text, done = f"There {there[3]} {there[1].lower()} {there[2]}{there[4]}", done + 1
    return text if done else None


def rewritten_pairs(sentences: list[str], count: int, rng: random.Random) -> list[Example]:
    """``count`` pairs of a sentence and one of its `rewrites`, in either order: they entail each other."""

    def attempt() -> Example | None:
        x = rng.choice(sentences)
        y = rewrites(x, rng)
        return Example(*rng.sample((x, y), 2), ENTAILMENT) if y else None

    return _until(count, attempt)


def sampler(examples: list[Example], rng: random.Random) -> Callable[[int], list[Example]]:
    """A function that draws n examples without repeats until all were drawn, then shuffles and starts again."""
    queue: list[Example] = []

    def draw(n: int) -> list[Example]:
        taken: list[Example] = []
        while len(taken) < n:
            if not queue:
                queue.extend(rng.sample(examples, len(examples)))
            taken.append(queue.pop())
        return taken

    return draw


PLACES = re.compile(
    r"(?P<scene>\w.+\w) (?P<place>(?:in|on|at|near|under|behind|outside|inside|through|along|down|across) "
    r"(?:the|a|an) \w[\w ]*)\."
)
STOP_WORDS = (
    "a an the and or of to in on at by for with from into onto as is are was were be being been has have had do does "
    "his her their its him them he she it they there that this these those who which while very some two three"
)
SYMMETRIC = re.compile(r"^(?:(?:and|or|with|next|to|beside|near|by|a|an|the|one|another|,)\s*)*$", re.I)


def fronted_pairs(sentences: list[str], count: int, rng: random.Random) -> list[Example]:
    """``count`` pairs of a sentence that ends in a place and the same with the place in front, in either order."""

    def attempt() -> Example | None:
        x = rng.choice(sentences)
        match = PLACES.fullmatch(x)
        if not match:
            return None
        scene, place = match["scene"], match["place"]
        y = f"{place[0].upper()}{place[1:]}, {scene[0].lower()}{scene[1:]}."
        return Example(*rng.sample((x, y), 2), ENTAILMENT)

    return _until(count, attempt)


def garbled_pairs(sentences: list[str], count: int, rng: random.Random) -> list[Example]:
    """``count`` pairs of a sentence and what its own words make in another arrangement, in either order.

    Gold sets teach a small model that a pair of the same words is entailed. Half of these have two content words
    exchanged (who does what to whom), a quarter a few neighbours out of order, a quarter one word in another's place.
    """
    makers = (exchanged, exchanged, out_of_order, doubled)

    def attempt() -> Example | None:
        x = rng.choice(sentences)
        y = rng.choice(makers)(x.rstrip(".").split(), rng)
        if y is None:
            return None
        text = " ".join(y)
        return Example(*rng.sample((x, f"{text[0].upper()}{text[1:]}."), 2), NOT_ENTAILED)

    return _until(count, attempt)


def _content(tokens: list[str]) -> list[int]:
    return [i for i, word in enumerate(tokens) if word.isalpha() and word.lower() not in STOP_WORDS.split()]


def exchanged(tokens: list[str], rng: random.Random) -> list[str] | None:
    """Two content words exchanged; None where that would say the same ("a man and a woman") or there are too few."""
    places = _content(tokens)
    if len(places) < 3:
        return None
    i, j = sorted(rng.sample(places, 2))
    alike = tokens[i].lower() == tokens[j].lower() or tokens[i].lower().rstrip("s") == tokens[j].lower().rstrip("s")
    if alike or j - i < 2 or SYMMETRIC.match(" ".join(tokens[i + 1 : j])):
        return None
    changed = list(tokens)
    changed[i], changed[j] = tokens[j], tokens[i]
    return changed


def out_of_order(tokens: list[str], rng: random.Random) -> list[str] | None:
    """Four to six neighbours in another order; None where the sentence is shorter or nothing moved."""
    width = rng.randint(4, 6)
    if len(tokens) <= width:
        return None
    start = rng.randrange(len(tokens) - width + 1)
    middle = rng.sample(tokens[start : start + width], width)
    changed = tokens[:start] + middle + tokens[start + width :]
    return changed if changed != tokens else None


def doubled(tokens: list[str], rng: random.Random) -> list[str] | None:
    """One content word in another's place; None where there are too few."""
    places = _content(tokens)
    if len(places) < 3:
        return None
    i, j = rng.sample(places, 2)
    if tokens[i].lower() == tokens[j].lower():
        return None
    changed = list(tokens)
    changed[i] = tokens[j]
    return changed
