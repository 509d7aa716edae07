"""What the engine asks of the libraries under torch: it must be said before they are first used."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# GELU is what oneDNN does in a float32 transformer; each shape is a kernel of its own. Twice the same 20 shapes.
PROGRAM = """
import torch
import idist.engine

for _ in range(2):
    for rows in range(1, 21):
        torch.nn.functional.gelu(torch.ones(rows, 32, 64))
"""


@pytest.mark.parametrize(("own", "kept"), [(None, False), ("1024", True)])
def test_kernels_of_many_shapes_are_not_hoarded(own: str | None, kept: bool) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ONEDNN")}
    environment["ONEDNN_VERBOSE"] = "profile_create"
    if own is not None:  # a person's own setting stands
        environment["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] = own
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    hits, misses = done.stdout.count("create:cache_hit"), done.stdout.count("create:cache_miss")
    if not hits + misses:
        pytest.skip("torch does not use oneDNN here")
    assert (hits, misses) == ((20, 20) if kept else (0, 40))
