"""The demo's functions for programs (`gradio_client`): plain values in, plain values out."""

from __future__ import annotations

from typing import Any

from demo.made import Made
from demo.pages.results import MODEL
from demo.studio import Studio
from idist.controls import parse_wishes
from idist.errors import UserError
from space_kit.serving import by_api, on_gpu


def add(studio: Studio, made: Made | str) -> None:
    """Endpoints into the open `gradio.Blocks`; they wait in the page's queue."""
    import gradio as gr

    @on_gpu
    @by_api
    def paraphrase(
        sentence: str, candidates: int = 4, temperature: float = 0.9, diversity: float = 0.0, seed: int = 0
    ) -> dict[str, Any]:
        """Candidates for one sentence, with scores, verdicts and trees."""
        return studio.rewrite("paraphrase", sentence, candidates, temperature, diversity, seed)

    @on_gpu
    @by_api
    def summarize(
        sentence: str, candidates: int = 4, temperature: float = 0.9, diversity: float = 0.0, seed: int = 0
    ) -> dict[str, Any]:
        """Summaries of one sentence, with scores, verdicts and trees."""
        return studio.rewrite("summary", sentence, candidates, temperature, diversity, seed)

    @on_gpu
    @by_api
    def syntax(
        sentence: str, control: str, candidates: int = 4, temperature: float = 0.9, seed: int = 0
    ) -> dict[str, Any]:
        """Written as a control says: exemplar:SENTENCE, template:NUMBER or tree:BRACKETS; the nearest come first."""
        return studio.rewrite("syntax", sentence, candidates, temperature, 0.0, seed, wish(control))

    @on_gpu
    @by_api
    def attributes(
        sentence: str, control: str, candidates: int = 4, temperature: float = 0.9, seed: int = 0
    ) -> dict[str, Any]:
        """Written as a control says, for example length_ratio:1;lexical_overlap:2; the nearest come first."""
        return studio.rewrite("attributes", sentence, candidates, temperature, 0.0, seed, wish(control))

    @by_api
    def funnel() -> dict[str, Any]:
        """Of each stage of the dataset its counts, and how many pairs each critic saw and removed."""
        if isinstance(made, str):
            raise UserError(made)
        return made.stages

    for function in (paraphrase, summarize, syntax, attributes):
        gr.api(function, api_name=function.__name__, concurrency_id=MODEL, concurrency_limit=1)
    gr.api(funnel, api_name="funnel", queue=False)


def wish(control: str) -> dict[str, str]:
    """``KIND:VALUE``, several joined by ``;``.

    Raises:
        UserError: empty, malformed or no text.
    """
    return parse_wishes(control if isinstance(control, str) else "")
