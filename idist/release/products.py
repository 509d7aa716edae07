"""The configs of a dataset repository: which table of which stage each one is, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from idist.config import RunConfig
from idist.errors import UserError
from idist.release.stages import Finished, trained_on
from idist.release.tables import candidate_rows, coded_pairs, context_rows, kept_pairs, sentence_rows
from idist.stages import contexts, control
from idist.stages.corpus import CORPUS
from idist.stages.scoring import SCORED, SELECTED

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = {
    "id": "of the row",
    "context_id": "of the context, or of the source, that the row belongs to",
    "x": "source",
    "y": "target",
    "i": "number of the sentence within its context",
    "j": "number of the second sentence",
    "context": "what the teacher was asked to continue",
    "num_sentences": "sentences of the context",
    "prefix": "what is put before the text: the teacher's prompt, or the codes of a control; empty or null if nothing",
    "source": "what wrote the context: a model, or the text that it was taken from",
    "sentence": "a next sentence",
    "count": "how often it was sampled",
    "input": "what a controlled student reads in training: the codes, then the source; null: it is not trained on",
    "target": "what it then has to write",
    "failure": "why a parser or model could not handle it; null: none failed",
    "removed_by": "the critic whose floor removed the pair; null: within all floors",
}
SCORES = {
    "entailment_xy": "probability that x entails y",
    "entailment_yx": "probability that y entails x",
    "diversity_xy": "probability that x entails y, of all pairs that the other critics left",
    "diversity_yx": "probability that y entails x, of the same pairs",
    "rouge_l": "ROUGE-L F1 of x and y, 0 to 1",
    "tree_edit_distance": "edits between the constituency trees of x and y",
    "similarity": "cosine of the sentence embeddings of x and y",
    "length_ratio": "length of y over that of x",
    "numbers": "different numbers of y that x does not have",
}


TYPICAL = 8  # words


@dataclass(frozen=True)
class Product:
    """A config of the repository: a table of a finished stage."""

    name: str
    folder: str  # in the repository
    stage: str
    job: str
    table: str  # what is counted in the stage's manifest
    description: str
    rows: Callable[[Path, str, range, str], Iterator[pa.Table]]  # a function of `tables`
    training: str | None = None  # the stage whose split it has
    optional: bool = False  # published on demand

    def pieces(self, folder: Path, ranks: range, source: str) -> Iterator[pa.Table]:
        """The rows of some shards of the stage's ``folder``; ``source``: see `tables.context_rows`."""
        return self.rows(folder, self.job, ranks, source)


PRODUCTS = (
    Product(
        "default",
        "data",
        "self_distil",
        SELECTED,
        "selected",
        "the final pairs: written by the student, kept by the critics",
        kept_pairs,
        training="train_final",
    ),
    Product(
        "teacher",
        "teacher",
        "pairs",
        SELECTED,
        "selected",
        "the pairs that the first student learned from",
        kept_pairs,
        training="train",
    ),
    Product(
        "control",
        "control",
        control.STAGE,
        control.CODED,
        control.STAGE,
        "pairs with the codes that a controlled student reads before x (prefix; null: none could be given)",
        coded_pairs,
        training="train_control",
    ),
    Product(
        "contexts",
        "contexts",
        "contexts",
        contexts.STAGE,
        "contexts",
        "what the teacher was asked to continue",
        context_rows,
    ),
    Product(
        "sentences",
        "sentences",
        "pairs",
        SCORED,
        "sentences",
        "the sentences that the critics paired: all different ones of each context, with their counts",
        sentence_rows,
    ),
    Product(
        "candidates",
        "candidates",
        "pairs",
        SCORED,
        "candidates",
        "all candidate pairs of the teacher's sentences with every score that was computed (null: skipped)",
        candidate_rows,
        optional=True,
    ),
    Product(
        "student_candidates",
        "student_candidates",
        "self_distil",
        SCORED,
        "candidates",
        "all candidate pairs of the student with every score that was computed (null: skipped)",
        candidate_rows,
        optional=True,
    ),
)


def products_of(stages: Mapping[str, Finished], candidates: bool) -> list[Product]:
    """Those whose stage has finished, in the order of the card."""
    wanted = [product for product in PRODUCTS if product.stage in stages and (candidates or not product.optional)]
    return [product for product in wanted if stages[product.stage].ranks(product.job) and not _others(product, stages)]


def _others(product: Product, stages: Mapping[str, Finished]) -> bool:
    """Sentences of another corpus (`pairs.source`) are not next sentences of a teacher."""
    return product.table == "sentences" and CORPUS in stages[product.stage].manifest["jobs"]


def descriptions(config: RunConfig, schema: pa.Schema) -> dict[str, str]:
    """What each column holds; of a score of somebody else's critic, what that says of itself."""
    scores = _scores(config)
    return {name: COLUMNS.get(name) or scores.get(name, "") for name in schema.names}


def _scores(config: RunConfig) -> dict[str, str]:
    from idist.critics.registry import build_critics

    found: dict[str, str] = {}
    for critics in (config.pairs.critics, config.self_distil_critics()):
        try:
            built = build_critics(critics, "critics")
        except UserError:  # a critic of a package that is not installed here: its column is there all the same
            continue
        for critic in built:
            about = " ".join((type(critic).__doc__ or "").split("\n\n")[0].split()).replace("`", "")
            found |= dict.fromkeys(critic.columns, about)
    return found | SCORES


def held_out_source(training: str, config: RunConfig, stages: Mapping[str, Finished]) -> str | None:
    """A source of about eight words that a student was not trained on, for the card to try it with; None: nothing was
    held out."""
    import pyarrow.parquet as pq

    product = next(one for one in PRODUCTS if one.training == training)
    held = held_out(product, config, stages)
    for file in trained_on(stages, config, training) if held else ():
        rows = pq.read_table(file, columns=["context_id", "x"]).to_pylist()
        found = [str(row["x"]) for row in rows if row["context_id"] in held]
        if found:
            return min(found, key=lambda text: (abs(len(text.split()) - TYPICAL), text))
    return None


def held_out(product: Product, config: RunConfig, stages: Mapping[str, Finished]) -> set[str]:
    """Ids of the contexts whose pairs the student was not trained on: exactly those of `split_by_context`.

    Where nothing can be trained (fewer than two contexts), nothing is held out.
    """
    import pyarrow as pa

    from idist.stages._training_data import read_pairs, split_by_context

    if product.training is None:
        return set()
    settings = getattr(config, product.training)
    ids: set[str] = set()
    for file in trained_on(stages, config, product.training):  # file by file: all texts at once would fill the memory
        ids.update(read_pairs([file])["context_id"].to_pylist())
    if len(ids) < 2:
        return set()
    table = pa.table({"context_id": pa.array(sorted(ids), pa.string())})
    return set(split_by_context(table, settings.held_out, config.seed)[1]["context_id"].to_pylist())
