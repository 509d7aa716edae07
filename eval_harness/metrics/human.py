"""What people answered, as metrics: compared and reported like any other, never computed."""

from __future__ import annotations

from dataclasses import dataclass

from eval_harness.metrics.base import Examples, Floats, Metric
from idist.errors import UserError


@dataclass
class Human(Metric):
    """People's mean answer to one question about each output, 1 to 3; one class a question."""

    study: str = ""  # its fingerprint: answers of two studies are not compared

    def signature(self) -> str:
        """Scale, aggregation and the study."""
        return f"scale:1-3|mean-of-people-of-each-output|study:{self.study or 'none'}"

    def statistics(self, examples: Examples) -> Floats:
        """Raises UserError: people give these, no program."""
        raise UserError(f"{self.name} is what people answered: recipes/human_eval.py export writes it, no run can.")


class HumanFluency(Human):
    """People on whether outputs are fluent, 1 to 3 (written by recipes/human_eval.py)."""

    name = "human_fluency"
    title = "Fluent (people)"


class HumanFaithfulness(Human):
    """People on whether outputs are faithful to the source, 1 to 3 (written by recipes/human_eval.py)."""

    name = "human_faithfulness"
    title = "Faithful (people)"


class HumanDissimilarity(Human):
    """People on whether outputs are put differently from the source, 1 to 3 (written by recipes/human_eval.py)."""

    name = "human_dissimilarity"
    title = "Dissimilar (people)"


class HumanConciseness(Human):
    """People on whether summaries are concise, 1 to 3 (written by recipes/human_eval.py)."""

    name = "human_conciseness"
    title = "Concise (people)"


BY_QUESTION: dict[str, type[Human]] = {
    kind.name.removeprefix("human_"): kind
    for kind in (HumanFluency, HumanFaithfulness, HumanDissimilarity, HumanConciseness)
}
