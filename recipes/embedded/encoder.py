"""Make ``embedded:encoder``: all-MiniLM-L6-v2 with its vocabulary pruned to the pieces that English text uses.

Half of the original's weights are embeddings of word pieces, most of which everyday English never needs. Nothing
is trained: the rows of the kept pieces are copied, and WordPiece cuts every other word into smaller kept pieces.
The recipe measures what that costs (embeddings, paraphrase detection, BERTScore) and writes it on the card.
"""

from __future__ import annotations

import collections
import copy
import json
import random
import shutil
import sys
import unicodedata
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import nli_data
from common import MINILM_SHA256, Log, arguments, minilm_folder, write_json

from idist.errors import UserError

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def sentences(data: Path) -> dict[str, list[str]]:
    """The text on which pieces are counted, by source; no set on which the package is evaluated."""
    nli = nli_data.training_sets(data)
    found = {
        name: list(dict.fromkeys(s for example in nli[name] for s in example[:2]))
        for name in ("snli", "multinli", "counterfactual")
    }
    found["captions"] = nli_data.read_captions(data)
    found.update(nli_data.read_plain_text(data))
    return {name: [s for s in lines if s.strip()] for name, lines in found.items()}


def is_kept_character(piece: str) -> bool:
    """Single characters of Latin, Greek and symbols stay, so that a word without a known piece is no [UNK].

    Punctuation never continues a word (the pre-tokenizer splits at it), and pieces of other scripts would cost
    a fifth of the vocabulary for text that an English model cannot read anyway.
    """
    character = piece[2:] if piece.startswith("##") and len(piece) > 2 else piece
    if len(character) != 1 or not (ord(character) < 0x400 or 0x2000 <= ord(character) < 0x2C00):
        return False
    return character == piece or unicodedata.category(character)[0] not in "PS"


def choose_pieces(vocabulary: dict[str, int], counts: collections.Counter[str], size: int) -> list[str]:
    """The kept pieces in the original's order, special tokens first: characters, then the most frequent."""
    ordered = sorted(vocabulary, key=vocabulary.__getitem__)
    kept = set(SPECIAL) | {piece for piece in ordered if is_kept_character(piece)}
    frequent = sorted((p for p in ordered if p not in kept and counts[p]), key=lambda p: -counts[p])
    kept.update(frequent[: size - len(kept)])
    return [*SPECIAL, *(piece for piece in ordered if piece in kept and piece not in SPECIAL)]


def prune_tokenizer(tokenizer: dict[str, Any], pieces: list[str]) -> dict[str, Any]:
    """A ``tokenizer.json`` with only ``pieces``, numbered anew; no fixed padding or truncation."""
    pruned = copy.deepcopy(tokenizer)
    ids = {piece: i for i, piece in enumerate(pieces)}
    pruned["model"]["vocab"] = ids
    for token in pruned["added_tokens"]:
        token["id"] = ids[token["content"]]
    for name, token in pruned["post_processor"]["special_tokens"].items():
        token["ids"] = [ids[name]]
    pruned["padding"] = pruned["truncation"] = None
    return pruned


def prune(original: Path, pieces: list[str], out: Path) -> None:
    """Write the pruned model to ``out``: weights in half precision, computed with in float32 by default."""
    import torch
    from transformers import AutoModel

    tokenizer = json.loads((original / "tokenizer.json").read_text(encoding="utf-8"))
    rows = torch.tensor([tokenizer["model"]["vocab"][piece] for piece in pieces])
    model = AutoModel.from_pretrained(original, dtype=torch.float32)
    embeddings = model.get_input_embeddings()
    embeddings.weight.data = embeddings.weight.data[rows].clone()
    embeddings.num_embeddings = model.config.vocab_size = len(pieces)
    model.config.pad_token_id = embeddings.padding_idx = pieces.index("[PAD]")
    save_model(model, out)
    write_json(out / "tokenizer.json", prune_tokenizer(tokenizer, pieces))
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 512}
    settings.update({f"{t.strip('[]').lower()}_token": t for t in SPECIAL})
    write_json(out / "tokenizer_config.json", settings)


def save_model(model: Any, out: Path) -> None:
    """Weights in float16; the config's ``dtype`` float32 makes ``from_pretrained`` compute as a CPU does best."""
    model.half().save_pretrained(out)
    config = json.loads((out / "config.json").read_text(encoding="utf-8"))
    config["dtype"] = "float32"
    config.pop("_name_or_path", None)
    write_json(out / "config.json", config)


def embed(folder: Path, texts: list[str]) -> tuple[Any, int]:
    """Mean-pooled, normalized embeddings (len(texts), 384), float32, and the number of tokens."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    vectors = torch.empty(len(texts), model.config.hidden_size)
    tokens = 0
    with torch.inference_mode():
        for start in range(0, len(order), 64):
            rows = order[start : start + 64]
            batch = tokenizer([texts[i] for i in rows], padding=True, truncation=True, max_length=256)
            batch = {name: torch.tensor(value) for name, value in batch.items()}
            mask = batch["attention_mask"][..., None]
            tokens += int(mask.sum())
            hidden = (model(**batch).last_hidden_state * mask).sum(1) / mask.sum(1)  # (B, H)
            vectors[rows] = torch.nn.functional.normalize(hidden, dim=-1)
    return vectors, tokens


def held_out(data: Path, limit: int, seed: int) -> dict[str, list[nli_data.Pair]]:
    """At most ``limit`` pairs of each kind of text; MRPC whole."""
    kinds = {
        "captions": nli_data.read_mscoco(data),
        "quora": nli_data.read_quora(data),
        "gigaword": nli_data.read_gigaword(data),
    }
    few = {name: random.Random(seed).sample(pairs, min(limit, len(pairs))) for name, pairs in kinds.items()}
    return {"mrpc": nli_data.read_mrpc(data), **few}


def compare(original: Path, pruned: Path, pairs: list[nli_data.Pair]) -> dict[str, float]:
    """What pruning changed on the sentences and pairs of one kind (cosines, Spearman of pair similarities, AUC)."""
    from scipy.stats import spearmanr
    from sklearn.metrics import roc_auc_score

    texts = [s for pair in pairs for s in pair[:2]]
    (before, old_tokens), (after, new_tokens) = embed(original, texts), embed(pruned, texts)
    cosines = (before * after).sum(-1)
    similar = [(v[0::2] * v[1::2]).sum(-1).numpy() for v in (before, after)]
    result = {
        "sentences": len(texts),
        "more_tokens": new_tokens / old_tokens - 1,
        "cosine_mean": float(cosines.mean()),
        "cosine_p5": float(cosines.quantile(0.05)),
        "pair_spearman": float(spearmanr(*similar)[0]),
    }
    same = [pair.same for pair in pairs]
    if not all(same):
        result["auc_full"], result["auc_pruned"] = (float(roc_auc_score(same, s)) for s in similar)
    return result


def compare_bertscore(original: Path, pruned: Path, pairs: list[nli_data.Pair]) -> dict[str, float]:
    """BERTScore F1 of the same pairs with both models as backbone, last layer."""
    import numpy
    from bert_score import score

    sides = [p.x for p in pairs], [p.y for p in pairs]
    full, new = (score(*sides, model_type=str(f), num_layers=6)[2].numpy() for f in (original, pruned))
    return {
        "pairs": len(pairs),
        "correlation": float(numpy.corrcoef(full, new)[0, 1]),
        "mean_full": float(full.mean()),
        "mean_pruned": float(new.mean()),
    }


CARD = """---
license: apache-2.0
base_model: sentence-transformers/all-MiniLM-L6-v2
language: en
library_name: transformers
pipeline_tag: sentence-similarity
tags: [idist, sentence-similarity, bertscore]
---
# idist embedded encoder

all-MiniLM-L6-v2 (Apache-2.0; `model.safetensors` sha256 `{sha256}`) with its vocabulary of 30,522 word pieces
pruned to {size:,}: sentence similarity, BERTScore backbone and frozen features of the parser, offline.
No weight was trained: embedding rows were copied, everything is stored in float16 ({megabytes:.1f} MB).

- **Use**: `AutoModel.from_pretrained(folder)`, mean over the tokens of the last layer, normalized; BERTScore with
  `model_type=folder, num_layers=6`. The config asks for float32 arithmetic, which a CPU needs.
- **Kept pieces**: special tokens, single characters (Latin, Greek, symbols), then the most frequent pieces in
  {tokens:,} tokens of {sources}. Other words are cut into smaller kept pieces.
- **Data licences** (for counting only): SNLI CC BY-SA 4.0, MultiNLI (OANC and others), counterfactual SNLI
  Apache-2.0, COCO captions CC BY 4.0, MASC free, speeches public domain, GUM and GENTLE annotation CC BY 4.0.

## What pruning lost
Full and pruned model on held-out sentences: cosine of the two embeddings of a sentence, rank correlation of the
similarities of pairs (the pairs of the set, all of them related), and how many more tokens a sentence has.

| text | sentences | more tokens | cosine: mean | cosine: 5th percentile | Spearman of pairs |
|---|---|---|---|---|---|
{rows}

MRPC test, paraphrases against near-paraphrases by cosine: AUC {auc_full:.3f} with the full model,
{auc_pruned:.3f} with this one. BERTScore F1 on {bs_pairs} MRPC pairs: correlation {bs_correlation:.3f} with the
full model as backbone, mean {bs_full:.3f} (full) and {bs_pruned:.3f} (this one).

## Limits
English. Best on everyday sentences such as captions; rare names and terms are cut into letters and short pieces,
and their embeddings drift from the original's. Similarities are not comparable with those of the full model.
Other scripts become `[UNK]`. Made by `recipes/embedded/encoder.py` in {seconds:.0f} s on one core,
{peak_gib:.1f} GiB at most.
"""


def card(figures: dict[str, Any]) -> str:
    """The model card, filled with measured figures."""
    line = "| {name} | {sentences:,} | {more_tokens:.1%} | {cosine_mean:.3f} | {cosine_p5:.3f} | {pair_spearman:.3f} |"
    rows = "\n".join(line.format(name=name, **kind) for name, kind in figures["kinds"].items())
    mrpc, bertscore = figures["kinds"]["mrpc"], figures["bertscore"]
    return CARD.format(
        sha256=MINILM_SHA256,
        rows=rows,
        auc_full=mrpc["auc_full"],
        auc_pruned=mrpc["auc_pruned"],
        bs_pairs=bertscore["pairs"],
        bs_correlation=bertscore["correlation"],
        bs_full=bertscore["mean_full"],
        bs_pruned=bertscore["mean_pruned"],
        **{name: figures[name] for name in ("size", "megabytes", "tokens", "sources", "seconds", "peak_gib")},
    )


def install(finished: Path, out: Path) -> None:
    """Put the finished folder in the place of ``out`` in one step: a reader sees the old one or the new one."""
    new, old = out.with_name(out.name + ".new"), out.with_name(out.name + ".old")
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(finished, new)
    for file in new.iterdir():
        file.chmod(0o644)  # safetensors writes files that only their owner may read
    if out.exists():
        out.rename(old)
    new.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def main() -> None:
    """Count, choose, prune, measure, write the card, install."""
    parser = arguments("encoder", __doc__.splitlines()[0])
    parser.add_argument("--pieces", type=int, default=7800, help="size of the vocabulary (28 MB in all)")
    parser.add_argument("--limit", type=int, default=500, help="held-out pairs of each kind of text")
    args = parser.parse_args()
    import torch
    from tokenizers import Tokenizer

    torch.set_num_threads(args.threads)
    log, original = Log(args.work), minilm_folder()
    tokenizer = Tokenizer.from_file(str(original / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    text = sentences(args.data)
    counts: collections.Counter[str] = collections.Counter()
    for name, lines in text.items():
        encoded = tokenizer.encode_batch(lines, add_special_tokens=False)
        counts.update(piece for e in encoded for piece in e.tokens)
        log(f"counted {name}: {len(lines)} lines, {counts.total()} tokens so far")
    pieces = choose_pieces(tokenizer.get_vocab(), counts, args.pieces)
    finished = args.work / "model"
    finished.mkdir(exist_ok=True)
    prune(original, pieces, finished)
    megabytes = (finished / "model.safetensors").stat().st_size / 1e6
    log(f"kept {len(pieces)} pieces, {megabytes:.1f} MB")
    kinds = {}
    for name, pairs in held_out(args.data, args.limit, args.seed).items():
        kinds[name] = compare(original, finished, pairs)
        log(f"{name}: {kinds[name]}")
    bertscore = compare_bertscore(original, finished, nli_data.read_mrpc(args.data)[: args.limit])
    log(f"BERTScore: {bertscore}")
    figures = {
        "kinds": kinds,
        "bertscore": bertscore,
        "size": len(pieces),
        "megabytes": megabytes,
        "tokens": counts.total(),
        "sources": ", ".join(text),
        **log.resources(),
    }
    write_json(args.work / "figures.json", figures)
    (finished / "README.md").write_text(card(figures), encoding="utf-8")
    install(finished, args.out)
    log(f"installed in {args.out}")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
