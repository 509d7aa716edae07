"""Make `benchmarks/README.md` and its pictures out of `benchmarks/results/*.json`.

python benchmarks/report.py
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.record import RESULTS, command
from idist.errors import UserError

PAGE = Path(__file__).parent / "README.md"
PICTURE = "ratios"
MOST_BYTES = 60_000  # of a picture
HEAD = """# Benchmarks

One program a claim; both sides run in one process, on the same input. Seconds are of processor time where the program
says so, because other programs on the machine disturb it little. `--record` leaves the figures in `results/`, with the
command, the machine, the versions and the commit; `python benchmarks/report.py` makes this page of them. Trials, and
what did not work, are in [LOG.md](LOG.md).

*Reached of the limit* is what our side computes or reads in a second, of what `limits.py` measured in the same process
as this machine's matrix rate or memory bandwidth, whichever binds; how work is counted stands in `counts.py`. Where the
machine's limit says nothing about a figure (hash tables, strings, decisions), there is no model of it.
"""
GPU = """## On a GPU

One command measures the paper's models in their real shapes within nine minutes; put `gpu_rates.json` into `results/`
for this page. On a machine that has torch for its GPU, with wheels of what it lacks in a folder:

```
python3 -m venv --system-site-packages .venv
.venv/bin/pip install --no-index --no-deps --find-links WHEELS transformers tokenizers   # whatever is missing
.venv/bin/python benchmarks/gpu_rates.py --out FOLDER
```
"""


def main() -> None:
    """The page and the pictures."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    found = read(RESULTS)
    draw(found, RESULTS)
    PAGE.write_text(page(found), encoding="utf-8")
    print(f"Made {PAGE.name} of {len(found)} results")


def read(folder: Path) -> list[dict[str, Any]]:
    """Contents of all results with figures, by name.

    Raises:
        UserError: there is none, or one is no JSON.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(f"{path} is no JSON: {error}.") from None
        if "figures" in content:
            found.append(content)
    if not found:
        raise UserError(f"{folder} has no figures; run a benchmark with --record first.")
    return found


def draw(found: list[dict[str, Any]], folder: Path) -> None:
    """All pictures as PNG, small enough for a page."""
    from benchmarks.pictures import curve_picture, ratios_picture
    from idist.analysis.picture import OPEN
    from idist.drawing import render
    from idist.engine import write_bytes

    def save(name: str, title: str, make: Any) -> None:
        png = with_few_colours(render(title, make, OPEN)[0])
        if len(png) > MOST_BYTES:
            raise UserError(f"picture {name}.png has {len(png)} bytes, expected at most {MOST_BYTES}.")
        write_bytes(folder / f"{name}.png", png)

    save(PICTURE, "How many times as fast", lambda: ratios_picture(found))
    for curve in curves(found):
        save(curve["name"], curve["title"], lambda c=curve: curve_picture(c))


def with_few_colours(png: bytes) -> bytes:
    """A third of the bytes: the drawings have four colours and their shades."""
    import io

    from PIL import Image

    small = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").quantize(32, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def curves(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of all results."""
    return [curve for content in found for curve in content.get("curves", [])]


def page(found: list[dict[str, Any]]) -> str:
    """Markdown: a table of all figures, the pictures, then where and how each was found."""
    head = "| what | idist | otherwise | unit | ratio | reached of the limit | to reach |"
    rows = [head, "|---|---:|---:|---|---:|---:|---|"]
    for content in found:
        rows += [_row(figure) for figure in content["figures"]]
    notes = [_notes(content) for content in found]
    pictures = [f"![How many times as fast idist is, on a logarithmic scale](results/{PICTURE}.png)"]
    drawn = [f"![{curve['title']}: {curve['below']}](results/{curve['name']}.png)" for curve in curves(found)]
    parts = [HEAD, *pictures, "", *rows, "", *(line for one in drawn for line in (one, ""))]
    return "\n".join([*parts, GPU, "## How each was found", "", *notes, ""])


def _row(figure: dict[str, Any]) -> str:
    other = "" if figure["other"] is None else _number(figure["other"])
    ratio = "" if figure["ratio"] is None else f"**{_number(figure['ratio'])}**"
    target = "" if figure["target"] is None else f"{figure['target']}: {'yes' if figure['reached'] else '**no**'}"
    cells = [figure["claim"], _number(figure["ours"]), other, figure["unit"], ratio, _share(figure), target]
    return f"| {' | '.join(cells)} |"


def _share(figure: dict[str, Any]) -> str:
    """Achieved over limit; nothing of a result that is older than the limits."""
    if "share" not in figure:
        return ""
    share = figure["share"]
    if share is None:
        return "no model"
    part = share["achieved"] / share["limit"]
    return f"{_number(share['achieved'])} of {_number(share['limit'])} {share['unit']}, {part:.0%} ({share['of']})"


def _notes(content: dict[str, Any]) -> str:
    machine = content["machine"]
    notes = "; ".join(dict.fromkeys(figure["note"] for figure in content["figures"] if figure["note"]))
    versions = ", ".join(f"{name} {version}" for name, version in content["versions"].items())
    hardware = machine["gpu"] or f"{machine['cpu']}, {machine['cores']} cores"
    load = f", load {machine['load']:.1f}" if machine.get("load") is not None else ""
    threads = f"threads {machine.get('threads') or 'as torch chose'}"
    found = f"{content['date']}, {_code(content)}{hardware}{load}, {threads}; {versions}."
    return f"- `{content['command']}`: {notes + '. ' if notes else ''}{found}{_limits(content)}"


def _code(content: dict[str, Any]) -> str:
    if not content.get("commit"):
        return ""
    changed = content.get("changed") or []
    commit, _, dirty = content["commit"].partition("-")
    if not changed and not dirty:
        return f"commit {commit[:10]}, "
    return f"commit {commit[:10]} with changes{' in ' + ', '.join(changed) if changed else ''}, "


def _limits(content: dict[str, Any]) -> str:
    """Measured in the same process."""
    said = [
        f"{_number(one['matrix'] / 1e9)} GFLOP/s in {one['dtype']}, {_number(one['copy'] / 1e9)} GB/s copied, "
        f"{_number(one['read'] / 1e9)} GB/s read"
        for one in content.get("limits", [])
    ]
    return f" Limits: {'; '.join(said)}." if said else ""


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


if __name__ == "__main__":
    command(main)
