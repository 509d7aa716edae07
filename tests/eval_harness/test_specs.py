"""Spec strings: to an object and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_harness.specs import Spec, construct, dials, parse
from idist.critics import dial
from idist.errors import UserError

NAMES = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,8}", fullmatch=True)
TEXTS = st.one_of(st.text(max_size=12), st.text(alphabet=r"\,=:/ a", max_size=8))


@dataclass
class Everything:
    """A field of each type that a spec can set."""

    model: str
    beams: int = 4
    temperature: float = 1.0
    sample: bool = False
    against: Literal["sources", "references"] = "references"
    layers: int | None = None
    prompt: Path | None = None
    stop: tuple[str, ...] = ()
    share: float = dial(0.5, low=0.0, high=1.0)
    size: int = dial(1, low=1)
    kind: str = dial("full", choices=("full", "top"))
    seen: list[int] = field(default_factory=list, init=False)


class Plain:
    """No dataclass: its constructor's arguments are its settings."""

    def __init__(self, alpha: float = 0.7, name: str = "plain") -> None:
        """Both as they are."""
        self.alpha, self.name = alpha, name


@dataclass
class Nothing:
    """No settings."""


@given(NAMES, st.none() | TEXTS, st.dictionaries(NAMES, TEXTS, max_size=3))
@settings(deadline=None)
def test_text_and_back(name: str, arg: str | None, given_settings: dict[str, str]) -> None:
    spec = Spec(name, arg, given_settings)
    assert parse(str(spec)) == spec


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bleu", Spec("bleu")),
        ("bleu,protocol=standard", Spec("bleu", None, {"protocol": "standard"})),
        ("hf-seq2seq:org/model@main,num_beams=4", Spec("hf-seq2seq", "org/model@main", {"num_beams": "4"})),
        ("chat:a:b=c,base_url=http://h:1/v1", Spec("chat", "a:b=c", {"base_url": "http://h:1/v1"})),
        (r"predictions:one\,two.txt", Spec("predictions", "one,two.txt")),
        (r"predictions:C:\out\me.txt", Spec("predictions", r"C:\out\me.txt")),
        ("lead:", Spec("lead", "")),
        ("x,stop=", Spec("x", None, {"stop": ""})),
    ],
)
def test_parts(text: str, expected: Spec) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "names nothing"),
        (":arg", "names nothing"),
        ("bleu,standard", "'standard' is no setting, expected key=value"),
        ("bleu,=x", "'=x' is no setting"),
        ("bleu,protocol=paper,protocol=standard", "gives 'protocol' twice"),
    ],
)
def test_no_spec(text: str, expected: str) -> None:
    with pytest.raises(UserError) as error:
        parse(text)
    assert expected in str(error.value)


def test_values_get_the_types_of_their_fields() -> None:
    text = (
        "all:org/m,beams=8,temperature=1e-1,sample=yes,against=sources,layers=none,prompt=a/b.yaml,stop=. !,"
        "share=1,size=3,kind=top"
    )
    made = construct(Everything, parse(text))
    assert made == Everything("org/m", 8, 0.1, True, "sources", None, Path("a/b.yaml"), (".", "!"), 1.0, 3, "top")
    assert construct(Everything, parse("all:m,layers=7,prompt=null")) == Everything("m", layers=7)
    assert type(construct(Everything, parse("all:m,share=1")).share) is float
    made_plain = construct(Plain, parse("plain:0.5,name=x"))
    assert (made_plain.alpha, made_plain.name) == (0.5, "x")


def test_defaults_fill_what_the_spec_leaves_out_and_the_class_has() -> None:
    defaults = {"beams": 2, "device": "cpu"}
    assert construct(Everything, parse("all:m"), defaults).beams == 2
    assert construct(Everything, parse("all:m,beams=9"), defaults).beams == 9
    assert construct(Nothing, parse("nothing"), defaults) == Nothing()


def test_only_what_can_be_given_is_a_setting() -> None:
    assert "seen" not in dials(Everything)
    assert [name for name, one in dials(Everything).items() if one.required] == ["model"]
    assert dials(Nothing) == {}


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Everything, "all:m,beans=2", "unknown setting 'beans'; did you mean 'beams'?"),
        (Everything, "all:m,seen=2", "unknown setting 'seen'"),
        (Everything, "all:m,model=n", "gives 'model' twice, after the colon and as a setting"),
        (Everything, "all", "lacks model, expected for example all:MODEL"),
        (Everything, "all:m,beams=4.5", "beams is '4.5', expected a whole number"),
        (Everything, "all:m,beams=", "beams is '', expected a whole number"),
        (Everything, "all:m,temperature=hot", "temperature is 'hot', expected a number"),
        (Everything, "all:m,sample=perhaps", "sample is 'perhaps', expected true or false"),
        (Everything, "all:m,against=both", "against is 'both', expected one of: sources, references"),
        (Everything, "all:m,layers=few", "layers is 'few', expected a whole number"),
        (Everything, "all:m,share=1.5", "share is 1.5, expected a value from 0 to 1"),
        (Everything, "all:m,share=nan", "share is nan, expected a value from 0 to 1"),
        (Everything, "all:m,size=0", "size is 0, expected 1 or more"),
        (Everything, "all:m,kind=half", "kind is 'half', expected one of: full, top"),
        (Nothing, "nothing:x", "nothing takes no argument, found 'x'"),
        (Nothing, "nothing,x=1", "unknown setting 'x'; nothing has no settings"),
    ],
)
def test_refused(kind: type, text: str, expected: str) -> None:
    with pytest.raises(UserError) as error:
        construct(kind, parse(text))
    assert expected in str(error.value)
