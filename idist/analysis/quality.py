"""Quality of a dataset of pairs: the measures of the paper's table 1.

Two passes of work. Over all pairs, exactly and in bounded memory: entropy of 2- and 3-grams, Jaccard similarity. Over a
random sample: MSTTR, cosine, tree edit distances, with bootstrap intervals that draw whole sources again (a source
often has several targets).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from idist.analysis.lexical import SEGMENT, jaccard, msttr
from idist.analysis.ngrams import NgramCounts
from idist.analysis.pair_data import PairData, Read, batches
from idist.analysis.resampling import RESAMPLES, Estimate, clustered
from idist.analysis.sampling import Keys, Lowest, key_limit
from idist.analysis.words import Words
from idist.errors import UserError

if TYPE_CHECKING:
    from idist.critics.encoding import PooledEncoder
    from idist.trees import ConstituencyParser

CHUNK = 256  # sentences embedded or parsed between two steps of the progress bar


@dataclass(frozen=True)
class Settings:
    """How the measures are taken.

    Attributes:
        encoder: for the cosine; the paper's is a SimCSE (``princeton-nlp/sup-simcse-roberta-large``).
        pooling: see `idist.critics.encoding.PooledEncoder`.
        parser: see `idist.models.load_parser`; the paper's is CoreNLP.
        segment: words in a segment of MSTTR.
        sample: pairs in the sample.
        pairs: measure only so many pairs of a dataset, drawn at random; None: all. Entropies of datasets of different
            sizes do not compare.
        seed: of sample and intervals.
        device: of the models.
    """

    encoder: str = "embedded:encoder"
    pooling: str = "auto"
    parser: str = "embedded:parser"
    segment: int = SEGMENT
    sample: int = 2000
    pairs: int | None = None
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        for name, least in (("segment", 2), ("sample", 1), ("pairs", 1), ("seed", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UserError(f"{name} is {value}, expected {least} or more.")


@dataclass
class Quality:
    """One dataset's row.

    Attributes:
        label: of the dataset.
        source: its name, its commit on the Hub if it came from there, its columns.
        read: pairs, rows left out, pairs of equal sides.
        measured: pairs that entropies and Jaccard similarity were taken over.
        sample: pairs in the sample.
        words: of both sides, all measured pairs.
        figures: name of a measure -> number and interval; those over all measured pairs have none.
        failures: pairs of the sample without a number, by measure.
    """

    label: str
    source: dict[str, Any]
    read: Read
    measured: int
    sample: int
    words: int
    figures: dict[str, Estimate] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


class Measures:
    """Encoder and parser, loaded once for several datasets.

    Args:
        settings: how the measures are taken.
        progress: bars on stderr.

    Raises:
        UserError: no such model, another pooling.
    """

    def __init__(self, settings: Settings, progress: bool = True) -> None:
        from idist.critics.encoding import check_pooling
        from idist.models import resolve

        self.settings, self._progress = settings, progress
        check_pooling(settings.pooling)
        for name in (settings.encoder, settings.parser):
            if not name.startswith("stanza:"):
                resolve(name)

    @cached_property
    def encoder(self) -> PooledEncoder:
        """Loaded when first asked for: after the first dataset has been read."""
        from idist.critics.encoding import PooledEncoder

        return PooledEncoder(self.settings.encoder, self.settings.pooling, self.settings.device)

    @cached_property
    def parser(self) -> ConstituencyParser:
        """As `encoder`."""
        from idist.models import load_parser

        return load_parser(self.settings.parser, self.settings.device)

    def measure(self, data: PairData) -> Quality:
        """All measures of one dataset.

        Raises:
            UserError: no pair in it, or a file that cannot be read.
        """
        quality, sources, targets = self._whole(data)
        numbers: dict[str, int] = {}
        clusters = np.array([numbers.setdefault(source, len(numbers)) for source in sources])
        seed = self.settings.seed
        ratio = msttr(sources, targets, self.settings.segment, RESAMPLES, seed)
        quality.figures["msttr"] = ratio.scaled(100).unless_single()
        sampled = {"cosine": 100 * self._cosines(data.label, sources, targets)}
        sampled["ted_3"], sampled["ted_f"] = self._distances(data.label, sources, targets)
        for name, values in sampled.items():
            quality.figures[name] = clustered(values, clusters, RESAMPLES, seed).unless_single()
            quality.failures[name] = int(np.isnan(values).sum())
        return quality

    def made_with(self) -> dict[str, Any]:
        """What the numbers depend on, for the record beside them."""
        from importlib.metadata import version

        from idist.models import fingerprint, parser_encoder

        below = parser_encoder(self.settings.parser)
        return {
            **asdict(self.settings),
            "pooling": self.encoder.pooling,
            "encoder_weights": fingerprint(self.settings.encoder),
            "parser_weights": None if below is None else [fingerprint(self.settings.parser), fingerprint(below)],
            "resamples": RESAMPLES,
            "libraries": {name: version(name) for name in ("pyarrow", "torch", "transformers", "stanza")},
        }

    def _whole(self, data: PairData) -> tuple[Quality, list[str], list[str]]:
        """The measures over all pairs, and the sample."""
        limit = np.inf
        if self.settings.pairs is not None:
            counts = (len(sources) for sources, _ in batches(data, Read()))
            limit = key_limit(counts, self.settings.pairs, self.settings.seed)
        seen, words, keys, sample = Read(), Words(), Keys(self.settings.seed), Lowest(self.settings.sample)
        counted = {2: NgramCounts(2), 3: NgramCounts(3)}
        measured, shared, total = 0, 0.0, 0
        for sources, targets in self._bar(data, batches(data, seen)):
            drawn = keys.next(len(sources))
            if limit < np.inf:
                chosen = np.flatnonzero(drawn < limit).tolist()
                drawn = drawn[chosen]
                sources, targets = [sources[n] for n in chosen], [targets[n] for n in chosen]
            sample.offer(drawn, sources, targets)
            sides = words.read(sources), words.read(targets)
            for numbers, lengths in sides:
                total += len(numbers)
                for one in counted.values():
                    one.add(numbers, lengths)
            shared += float(jaccard(*sides).sum())
            measured += len(sources)
        if not seen.pairs:
            raise UserError(
                f"{data.corpus.name} has no pair with text in {data.columns[0]!r} and {data.columns[1]!r} "
                f"({seen.empty} rows without), expected at least one."
            )
        quality = Quality(data.label, _source(data), seen, measured, min(measured, self.settings.sample), total)
        for n, one in counted.items():
            quality.figures[f"h{n}"] = Estimate(one.entropy(), None, None, one.total)
        quality.figures["jaccard"] = Estimate(100 * shared / measured, None, None, measured)
        return quality, *sample.pairs()

    def _cosines(self, label: str, sources: list[str], targets: list[str]) -> np.ndarray:
        from idist.critics.encoding import cosines

        parts = [
            cosines(self.encoder, sources[chunk], targets[chunk])
            for chunk in self._chunks(f"{label}: cosine", len(sources))
        ]
        return np.concatenate(parts)

    def _distances(self, label: str, sources: list[str], targets: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """(N,) TED-3 and (N,) TED-F."""
        from idist.analysis.syntax import tree_distances

        texts = list(dict.fromkeys([*sources, *targets]))
        texts.sort(key=len)  # the parser's batches are of one length
        trees: list[object] = []
        for chunk in self._chunks(f"{label}: trees", len(texts)):
            trees += self.parser.parse(texts[chunk])
        place = {text: number for number, text in enumerate(texts)}
        pairs = np.array([[place[x], place[y]] for x, y in zip(sources, targets, strict=True)], np.int64)
        full, top = tree_distances(trees, pairs)
        return top, full

    def _bar(self, data: PairData, stream: Iterator[tuple[list[str], list[str]]]) -> Iterator[Any]:
        from idist.engine.progress import bar

        with bar(f"{data.label}: words", data.corpus.count(), 0, "pairs", self._progress) as shown:  # type: ignore[arg-type]
            for batch in stream:
                yield batch
                shown.update(len(batch[0]))

    def _chunks(self, title: str, count: int) -> Iterator[slice]:
        from idist.engine.progress import bar

        with bar(title, count, 0, "texts", self._progress) as shown:
            for start in range(0, count, CHUNK):
                yield slice(start, start + CHUNK)
                shown.update(min(CHUNK, count - start))


def _source(data: PairData) -> dict[str, Any]:
    return {"name": data.corpus.name, "revision": data.corpus.revision, "columns": list(data.columns)}
