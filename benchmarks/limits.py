"""What this machine can do at most: rate of matrix products, and bytes a second from and to memory.

    OMP_NUM_THREADS=1 python benchmarks/limits.py [--device cpu] [--dtype float32 ...] [--record]

The matrix rate is the best over square products of a few sizes, on random numbers, repeated until a call lasts long
enough; the bandwidths are of arrays far larger than any cache: a copy (bytes read and written) and a sum (bytes read).
One thread on a CPU is timed in processor time, all else on the wall. The benchmarks of models measure the same just
before and after their work, and compare what they reached with the larger of the two.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.counts import Work
from benchmarks.record import Figure, Share, add_argument, command, record

DTYPES = ("float32", "bfloat16", "float16")
SIZES = {"cpu": (512, 1024, 2048), "cuda": (2048, 4096, 8192, 16384)}
ARRAY = {"cpu": 1 << 28, "cuda": 1 << 32}  # bytes
LASTING = 0.05  # seconds of a call, so that starting and waiting count for nothing
SECONDS = 2.0


@dataclass(frozen=True)
class Limits:
    """Measured limits.

    Attributes:
        device: ``cpu``, ``cuda`` or ``mps``; dtype: of the products; threads: of torch on a CPU, else None.
        matrix: FLOP/s, 2 n^3 for a product of size n.
        copy: bytes/s, read and written; read: bytes/s.
    """

    device: str
    dtype: str
    threads: int | None
    matrix: float
    copy: float
    read: float

    @property
    def memory(self) -> float:
        """Bytes a second, the quicker way."""
        return max(self.copy, self.read)

    def share(self, work: Work, seconds: float) -> Share:
        """What was reached of the limit that binds: the one whose work alone takes longer."""
        if work.flops / self.matrix >= work.bytes / self.memory:
            return Share(work.flops / seconds / 1e9, self.matrix / 1e9, "GFLOP/s", "matrix rate")
        return Share(work.bytes / seconds / 1e9, self.memory / 1e9, "GB/s", "memory bandwidth")

    def or_better(self, other: Limits) -> Limits:
        """The best of two measurements on the same machine: other programs only take away."""
        rates = {name: max(getattr(self, name), getattr(other, name)) for name in ("matrix", "copy", "read")}
        return Limits(self.device, self.dtype, self.threads, **rates)


def measure(device: str = "cpu", dtype: str = "float32", seconds: float = SECONDS) -> Limits:
    """All three, in about so many seconds.

    Args:
        device: ``cpu``, ``cuda`` or ``mps``.
        dtype: a torch dtype's name.
    """
    import torch

    threads = torch.get_num_threads() if device == "cpu" else None
    copy, read = bandwidths(device, seconds / 2)
    return Limits(device, dtype, threads, matrix_rate(device, dtype, seconds / 2), copy, read)


@contextmanager
def around(device: str = "cpu", dtype: str = "float32", seconds: float = SECONDS) -> Iterator[list[Limits]]:
    """Measures before and after what is done inside; the list holds the best of both afterwards."""
    found = [measure(device, dtype, seconds)]
    yield found
    found[0] = found[0].or_better(measure(device, dtype, seconds))


def matrix_rate(device: str, dtype: str, seconds: float, sizes: tuple[int, ...] | None = None) -> float:
    """FLOP/s of the best size."""
    import torch

    sizes = sizes or SIZES.get(device, SIZES["cpu"])
    best = 0.0
    for size in sizes:
        one, other = (torch.randn(size, size, device=device).to(getattr(torch, dtype)) for _ in range(2))
        product = torch.empty_like(one)
        took, _ = _quickest(device, lambda a=one, b=other, c=product: torch.mm(a, b, out=c), seconds / len(sizes))
        best = max(best, 2 * size**3 / took)
    return best


def bandwidths(device: str, seconds: float, size: int | None = None) -> tuple[float, float]:
    """(copied, read) bytes a second of arrays of ``size`` bytes."""
    import torch

    size = size or ARRAY.get(device, ARRAY["cpu"])
    source = torch.ones(size // 4, device=device)
    target = torch.zeros_like(source)
    copied, _ = _quickest(device, lambda: target.copy_(source), seconds / 2)
    read, total = _quickest(device, source.sum, seconds / 2)
    assert float(total) > 0
    return 2 * size / copied, size / read


def _quickest(device: str, work: Any, seconds: float) -> tuple[float, Any]:
    """Seconds of one call, the best of as many rounds as there is time for; and what it gave."""
    from idist.planning.clock import Clock

    clock = Clock(device)
    result = work()
    once = clock.seconds(work)
    times = max(1, min(1000, round(LASTING / max(once, 1e-6))))

    def repeated() -> None:
        for _ in range(times):
            work()

    return min(once, clock.least(repeated, seconds) / times), result


def as_record(limits: list[Limits]) -> list[dict[str, Any]]:
    """For a result's JSON."""
    return [asdict(one) for one in limits]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="cpu", help="default: %(default)s")
    parser.add_argument("--dtype", choices=DTYPES, nargs="+", default=["float32"], help="default: float32")
    add_argument(parser)
    arguments = parser.parse_args()
    from idist.models import pick_device

    device = pick_device(arguments.device)
    if device == "cuda":
        require_cuda()
    found = [measure(device, dtype) for dtype in arguments.dtype]
    threads = f"{found[0].threads} threads" if found[0].threads else "on the device"
    figures = [Figure(f"matrix products, {one.dtype}", "GFLOP/s", one.matrix / 1e9, note=threads) for one in found]
    best = found[0]
    for one in found[1:]:
        best = best.or_better(one)
    figures.append(Figure("copying large arrays (read and written)", "GB/s", best.copy / 1e9))
    figures.append(Figure("reading large arrays", "GB/s", best.read / 1e9))
    name = "limits" if device == "cpu" else f"limits_{device}"
    record(name, figures, arguments.record, limits=as_record(found))


def require_cuda() -> None:
    """Raises UserError: torch sees no GPU."""
    import torch

    from idist.errors import UserError

    if not torch.cuda.is_available():
        raise UserError(f"--device cuda: torch {torch.__version__} sees no GPU here; expected a machine with one.")


if __name__ == "__main__":
    command(main)
