"""Times of deep models from shallow ones: measured at one and at three layers, drawn out in a straight line.

Layers of one model are alike, so time grows by the same amount with each; what does not grow (embeddings, the output
matrix, sampling) is in both measurements. A model of gigabytes is so measured without ever being in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from idist.planning.shapes import Shape, unfilled_model

SHALLOW = (1, 3)
BLOCK = 1_000_003  # a prime: no two rows of a matrix are the same
WHOLE_LAYERS, WHOLE_PARAMETERS = 4, 50_000_000  # up to either, a model is measured as it is


def models(shape: Shape, device: str, dtype: str) -> list[tuple[int, Any]]:
    """(layers, model with random weights): of a small model one, of others one for each depth of `SHALLOW`."""
    return [(layers, random_model(shape, layers, device, dtype)) for layers in depths(shape)]


def depths(shape: Shape) -> tuple[int, ...]:
    """Depths at which a model is measured."""
    return (shape.layers,) if measured_whole(shape) else SHALLOW


def measured_whole(shape: Shape) -> bool:
    """Whether the model itself is measured and not shallower ones."""
    return shape.layers <= WHOLE_LAYERS or shape.parameters <= WHOLE_PARAMETERS


def random_model(shape: Shape, layers: int, device: str, dtype: str) -> Any:
    """Made on the device itself; on a GPU that spares minutes."""
    import torch

    from idist.models import pick_dtype

    with torch.device(device):
        model = unfilled_model(shape.cut(layers))
    fill(model)
    return model.to(pick_dtype(dtype, device))


def fill(model: Any) -> None:
    """Numbers of the usual size. One block over and over, because drawing a hundred million takes longer than any
    measurement; ones where a norm multiplies, zeros where something is added."""
    import torch

    block = torch.randn(BLOCK, generator=torch.Generator().manual_seed(0)) * 0.02
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim == 1:
                weights.fill_(0.0 if name.endswith("bias") else 1.0)
            else:
                flat, here = weights.view(-1), block.to(weights.device)
                for start in range(0, flat.numel(), BLOCK):
                    part = flat[start : start + BLOCK]
                    part.copy_(here[: len(part)])


def drawn_out(shape: Shape, measured: Sequence[tuple[int, float]]) -> float:
    """Seconds at the model's full depth from (layers, seconds)."""
    if len(measured) == 1:
        return measured[0][1]
    (few, short), (more, long) = measured
    slope = (long - short) / (more - few)
    if slope <= 0:  # noise: the deeper model was no slower
        slope = long / more
    return long + slope * (shape.layers - more)


def timed(shape: Shape, device: str, dtype: str, work: Callable[[Any], float]) -> float:
    """``work`` gives seconds with a model; the seconds with the whole model."""
    return drawn_out(shape, [(layers, work(model)) for layers, model in models(shape, device, dtype)])


def said_of(shape: Shape) -> str:
    """How a model was measured, for the assumptions."""
    how = f"random weights in the shape of {shape.name} (from {shape.known_from})"
    if measured_whole(shape):
        return how
    return f"{how}, at {' and '.join(map(str, SHALLOW))} of {shape.layers} layers and drawn out"
