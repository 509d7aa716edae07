"""Critics judge candidate pairs; a cascade runs a composition of them and counts what each removed."""

from __future__ import annotations

from idist.critics.base import Answer, Bound, Critic, dial
from idist.critics.cascade import Cascade, build_cascade, turned_column
from idist.critics.funnel import Funnel
from idist.critics.groups import Group, Judged, Kept
from idist.critics.loading import Models
from idist.critics.tables import candidate_columns, read_judged, sentence_columns

__all__ = [
    "Answer",
    "Bound",
    "Cascade",
    "Critic",
    "Funnel",
    "Group",
    "Judged",
    "Kept",
    "Models",
    "build_cascade",
    "candidate_columns",
    "dial",
    "read_judged",
    "sentence_columns",
    "turned_column",
]
