"""Train ``embedded:parser``: Stanza's constituency parser on the frozen ``embedded:encoder``, and its tagger.

    python recipes/embedded/parser.py --data DATA

Trees of GUM and GENTLE (``DATA/treebank``), documents of non-commercial genres left out, whole documents held out.
About half an hour on one core.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import parser_scorer
from common import EMBEDDED, Log, arguments, save_atomically, write_json
from parser_data import Treebank, preterminals, read_treebank, stanza_tree
from parser_tagger import accuracy, jackknifed, train_tagger
from parser_training import Settings, train

from idist._parser_loading import MODEL_TYPE, load_parser_folder
from idist.errors import UserError
from idist.trees import Tree
from idist.trees.parser import from_stanza
from idist.trees.tagger import PerceptronTagger

TAGGER_EPOCHS, JACKKNIFE_EPOCHS = 6, 4
Tagged = list[tuple[str, str]]


def make(data: Path, encoder: Path, work: Path, out: Path, settings: Settings, log: Log) -> dict[str, Any]:
    """The whole recipe. Returns the measured figures."""
    treebank = read_treebank(data / "treebank", settings.seed)
    log(f"{len(treebank.train)} trees by genre {treebank.trees_by_genre}, left out {treebank.left_out}")
    words = [preterminals(tree) for tree in treebank.train]
    tagger = train_tagger(words, TAGGER_EPOCHS, settings.seed)
    tags = jackknifed(words, JACKKNIFE_EPOCHS, settings.seed)
    test_words = [preterminals(tree) for tree in treebank.test]
    figures: dict[str, Any] = {
        "tag_accuracy": accuracy(tagger, test_words),
        "tag_weights": int((tagger.weights != 0).sum()),
    }
    log(f"tagger: {figures}")

    trees = [stanza_tree(tree, line) for tree, line in zip(treebank.train, tags, strict=True)]
    development = _retagged(treebank.development, tagger)
    trainer, trained = train(
        trees,
        [stanza_tree(tree) for tree in treebank.development],
        lambda model: bracket_f1(lambda batch: model.parse_tagged_words(batch, 50), treebank.development, development),
        work,
        encoder,
        settings,
        log,
    )
    write_folder(trainer.model, tagger, encoder, out)
    figures |= trained | measure(out, encoder, treebank, tagger)
    log(f"finished {figures}")
    template = Path(__file__).with_name("parser_card.md").read_text(encoding="utf-8")
    (out / "README.md").write_text(_card(template, figures, treebank, settings), encoding="utf-8")
    write_json(out / "training.json", figures)
    return figures


def bracket_f1(parse: Callable[[list[Tagged]], list[Any]], gold: list[Tree], tagged: list[Tagged]) -> float:
    """Labelled F1 of parsing ``tagged``; a sentence that the parser drops stops the recipe."""
    found: list[Tree] = []
    order = sorted(range(len(tagged)), key=lambda i: len(tagged[i]), reverse=True)
    for start in range(0, len(order), 50):
        batch = [tagged[i] for i in order[start : start + 50]]
        trees = parse(batch)
        if len(trees) != len(batch):
            raise SystemExit(f"the parser returned {len(trees)} trees for {len(batch)} sentences")
        found += map(from_stanza, trees)
    return parser_scorer.f1((gold[i], tree) for i, tree in zip(order, found, strict=True))


def measure(folder: Path, encoder: Path, treebank: Treebank, tagger: PerceptronTagger) -> dict[str, float]:
    """Scores and speed (per second of CPU time) on held-out documents, of the folder as it ships (half precision)."""
    parser = load_parser_folder(folder, encoder, "cpu")
    gold = [preterminals(tree) for tree in treebank.test]
    retagged = _retagged(treebank.test, tagger)
    short = [i for i, words in enumerate(gold) if len(words) <= 20]
    figures = {
        "test_trees": len(gold),
        "f1_gold_tags": bracket_f1(parser._parse_tagged, treebank.test, gold),
        "f1": bracket_f1(parser._parse_tagged, treebank.test, retagged),
        "f1_short": bracket_f1(parser._parse_tagged, [treebank.test[i] for i in short], [retagged[i] for i in short]),
    }
    sentences = list(dict.fromkeys(" ".join(w for w, _ in words) for words in gold if 8 <= len(words) <= 16))
    start = time.process_time()
    parser.parse(sentences)
    figures["sentences_a_second"] = len(sentences) / (time.process_time() - start)
    start = time.process_time()
    for sentence in sentences[:50]:
        parser.parse([sentence])
    figures["sentences_a_second_alone"] = 50 / (time.process_time() - start)
    return figures


def write_folder(model: Any, tagger: PerceptronTagger, encoder: Path, out: Path) -> None:
    """Write ``config.json``, ``vocabulary.json`` and ``model.safetensors`` (see `idist._parser_loading`)."""
    import numpy as np
    import stanza
    import torch
    from safetensors.torch import save_file

    out.mkdir(parents=True, exist_ok=True)
    parameters = model.get_params()
    stored = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    rows, columns = np.nonzero(tagger.weights)
    weights = {f"parser.{n}": t.half().contiguous() for n, t in parameters["model"].items() if n in stored}
    weights |= {
        "tagger.counts": torch.from_numpy(np.bincount(rows, minlength=len(tagger.weights)).astype(np.uint8)),
        "tagger.columns": torch.from_numpy(columns.astype(np.uint8)),
        "tagger.values": torch.from_numpy(tagger.weights[rows, columns]).half(),
    }
    save_atomically(out / "model.safetensors", lambda path: save_file(weights, path, metadata={"format": "pt"}))
    (out / "model.safetensors").chmod(0o644)  # safetensors writes files that only their owner may read
    with_paths = ("_dir", "_file", "_name", "bert_model")
    options = {key: value for key, value in parameters["config"].items() if not key.endswith(with_paths)}
    write_json(
        out / "config.json",
        {
            "model_type": MODEL_TYPE,
            "encoder": "embedded:encoder",
            "encoder_hidden_size": model.bert_model.config.hidden_size,
            "stanza_version": stanza.__version__,
            "transitions": parameters["transitions"],
            "constituents": parameters["constituents"],
            "constituent_opens": parameters["constituent_opens"],
            "tags": parameters["tags"],
            "root_labels": parameters["root_labels"],
            "unary_limit": parameters["unary_limit"],
            "tagger_tags": tagger.tags,
            "stanza": options | {"bert_model": "encoder"},
        },
    )
    write_json(
        out / "vocabulary.json",
        {"words": parameters["words"], "tagger_known": tagger.known, "tagger_features": list(tagger.index)},
    )


def _retagged(trees: list[Tree], tagger: PerceptronTagger) -> list[Tagged]:
    return [tagger.tag([word for word, _ in preterminals(tree)]) for tree in trees]


def _card(template: str, figures: dict[str, Any], treebank: Treebank, settings: Settings) -> str:
    genres = ", ".join(f"{name} {count}" for name, count in treebank.trees_by_genre.items())
    left_out = ", ".join(f"{name} {count}" for name, count in treebank.left_out.items())
    return template.format(
        f=figures,
        s=asdict(settings),
        genres=genres,
        left_out=left_out,
        trees=len(treebank.train),
        documents=", ".join(treebank.test_documents),
        num_documents=len(treebank.test_documents),
        minutes=figures["training_seconds"] / 60,
    )


def main() -> int:
    """Command line."""
    import torch

    parser = arguments("parser", __doc__)
    parser.add_argument("--encoder", type=Path, default=EMBEDDED / "encoder", help="folder of the frozen encoder")
    parser.add_argument("--epochs", type=int, default=Settings.epochs, help="of 2,000 trees each")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if not (args.encoder / "config.json").is_file():
        print(f"No encoder in {args.encoder}: run recipes/embedded/encoder.py first.", file=sys.stderr)
        return 2
    settings = Settings(seed=args.seed, epochs=args.epochs)
    try:
        make(args.data, args.encoder, args.work, args.out, settings, Log(args.work))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
