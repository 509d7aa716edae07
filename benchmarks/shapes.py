"""A teacher of a published shape that writes what the embedded teacher writes.

How fast sentences come depends on the shape, and on where sentences end. Random weights in the shape would never end
one. So the embedded teacher is widened: its hidden state stands side by side as often as the shape is wide, each matrix
becomes a grid of itself, layers beyond its own change nothing, and tokens beyond its own are never drawn. Every matrix
has the shape's size and is multiplied in full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idist.models import load_causal_lm

if TYPE_CHECKING:
    import torch
    from transformers import GPT2LMHeadModel, PreTrainedTokenizerBase

# Layers and width; heads of 64, a vocabulary of 50,257 tokens and 1,024 positions are common to all. GPT2-XL's width of
# 1,600 is no multiple of the embedded teacher's 256.
SHAPES = {"gpt2": (12, 768), "gpt2-medium": (24, 1024), "gpt2-large": (36, 1280)}
NEVER = -1e4  # logit of tokens that the embedded teacher does not have


def widened_teacher(shape: str, device: str = "cpu") -> tuple[GPT2LMHeadModel, PreTrainedTokenizerBase]:
    """The embedded teacher in a shape of `SHAPES`, float32 and in eval mode, and its tokenizer."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    small, tokenizer = load_causal_lm("embedded:teacher", "cpu", "float32")
    layers, width = SHAPES[shape]
    heads = width // (small.config.n_embd // small.config.n_head)
    special = {name: getattr(small.config, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    torch.manual_seed(0)
    config = GPT2Config(n_layer=layers, n_embd=width, n_head=heads, tie_word_embeddings=False, **special)
    model: Any = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        _fill(model, small, width // small.config.n_embd)
    _check(model, small, tokenizer)
    return model.to(device), tokenizer


def _fill(model: Any, small: Any, copies: int) -> None:
    ours, theirs = model.transformer, small.transformer
    known, positions, width = *theirs.wte.weight.shape[:1], *theirs.wpe.weight.shape
    ours.wte.weight[:known] = theirs.wte.weight.tile(1, copies)
    ours.wpe.weight[:positions] = theirs.wpe.weight.tile(1, copies)
    for number, block in enumerate(ours.h):
        if number >= len(theirs.h):  # adds nothing to what it is given
            for layer in (block.attn.c_proj, block.mlp.c_proj):
                layer.weight.zero_()
                layer.bias.zero_()
            continue
        own = theirs.h[number]
        for big, little in ((block.ln_1, own.ln_1), (block.ln_2, own.ln_2)):
            _repeat(big, little, copies)
        for big, little in ((block.attn.c_proj, own.attn.c_proj), (block.mlp.c_fc, own.mlp.c_fc)):
            _grid(big, little, copies)
        _grid(block.mlp.c_proj, own.mlp.c_proj, copies)
        for part in range(3):  # queries, keys and values lie side by side
            wide, narrow = (slice(part * n, (part + 1) * n) for n in (copies * width, width))
            block.attn.c_attn.weight[:, wide] = own.attn.c_attn.weight[:, narrow].tile(copies, copies) / copies
            block.attn.c_attn.bias[wide] = own.attn.c_attn.bias[narrow].tile(copies)
    _repeat(ours.ln_f, theirs.ln_f, copies)
    # the last entry of the last copy becomes the constant 1; the other copies speak for it
    ours.ln_f.weight[-1], ours.ln_f.bias[-1] = 0.0, 1.0
    head = theirs.wte.weight.tile(1, copies) / copies
    head[:, width - 1 :: width] *= copies / (copies - 1)
    head[:, -1] = 0.0
    model.lm_head.weight.zero_()
    model.lm_head.weight[:known] = head
    model.lm_head.weight[known:, -1] = NEVER


def _repeat(big: Any, little: Any, copies: int) -> None:
    """A layer norm: mean and variance of copies are those of one."""
    big.weight.copy_(little.weight.tile(copies))
    big.bias.copy_(little.bias.tile(copies))


def _grid(big: Any, little: Any, copies: int) -> None:
    """A matrix (inputs, outputs): each copy of the output takes its share from every copy of the input."""
    big.weight.copy_(little.weight.tile(copies, copies) / copies)
    big.bias.copy_(little.bias.tile(copies))


def _check(model: Any, small: Any, tokenizer: Any) -> None:
    import torch

    ids = tokenizer(["A man rides a bike down the street. The street is wet."], return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        found: torch.Tensor = model(ids).logits
        expected = small(ids).logits
    known = expected.shape[-1]
    if not torch.allclose(found[..., :known], expected, atol=1e-2) or found[..., known:].max() > NEVER / 2:
        raise AssertionError("the widened teacher does not say what the embedded one says")
