"""Many people at once before a Space: is every request answered or refused, how long do they wait, how much memory.

python benchmarks/load_test.py --model runs/mini/train_final/model --people 50 --rounds 2
python benchmarks/load_test.py --space leaderboard --people 50 --rounds 2          shows what its app finds
python benchmarks/load_test.py --space annotate --people 50 --rounds 2    the practice study; keeps no answer

Serves the Space in a process of its own on loopback. Each person is a `gradio_client` in a thread that asks over the
same queue as the page; those whom the queue has no place for are refused with a sentence.
"""

from __future__ import annotations

import argparse
import collections
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.record import ROOT, command, positive

SENTENCES = [
    "A man is playing the guitar on a street corner.",
    "Two dogs are running through the snow.",
    "A woman in a red coat is waiting for the bus.",
    "",  # a mistake, which has to be answered with a sentence, too
]
FULL = "queue is full"  # gradio's words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", choices=tuple(ASKING), default="impossible_t5", help="default: impossible_t5")
    parser.add_argument("--model", default="embedded:student", help="of the demo (default: embedded:student)")
    parser.add_argument("--people", type=positive, default=50, help="at once (default: 50)")
    parser.add_argument("--rounds", type=positive, default=2, help="requests of each (default: 2)")
    args = parser.parse_args()
    asking = ASKING[args.space]
    with served(args.space, args.model) as (address, process):
        person = client(address)
        cpu = cpu_seconds(process)
        alone = ask(person, 0, asking)
        print(f"one alone: {alone[0]}, {alone[1]:.2f} s, {cpu_seconds(process) - cpu:.2f} s of CPU time")
        before = megabytes(process)
        for number in range(args.rounds):
            begun, cpu = time.perf_counter(), cpu_seconds(process)
            outcomes = crowd(address, args.people, asking)
            report(outcomes, args.people, time.perf_counter() - begun, cpu_seconds(process) - cpu)
            print(f"   memory after round {number + 1}: {megabytes(process):.0f} MB (before: {before:.0f} MB)")


def paraphrase(person: Any, number: int) -> bool:
    """Ask the demo; whether there is an answer."""
    sentence = SENTENCES[number % len(SENTENCES)]
    return bool(person.predict(sentence=sentence, seed=number, temperature=1.2, api_name="/paraphrase")["candidates"])


def look(person: Any, number: int) -> bool:
    """Ask the leaderboard for a table, a test, examples, or (a mistake) for a task that there is not."""
    first = next(one for one in person.predict(api_name="/tasks") if one["results"])
    task, systems = first["task"], next(iter(first["results"].values()))[:2]
    if number % 4 == 0:
        return bool(person.predict(task=task, api_name="/table"))
    if number % 4 == 1:
        return bool(person.predict(task=task, a=systems[0], b=systems[-1], api_name="/compare")["metrics"])
    if number % 4 == 2:
        return bool(person.predict(task=task, systems=systems, page=number, api_name="/examples")["examples"])
    return bool(person.predict(task="no such task", api_name="/table"))


def rate(person: Any, number: int) -> bool:
    """Ask the human evaluation for an item and answer it; or (a mistake) come without a name."""
    name = f"code {number}" if number % 4 < 3 else ""
    shown = person.predict(annotator=name, api_name="/next_item")
    ratings = [dict.fromkeys(shown["questions"], 1 + number % 3) for _ in shown["outputs"]]
    return bool(person.predict(annotator=name, item=shown["item"], ratings=ratings, api_name="/answer")["stored"])


Asking = Callable[[Any, int], bool]
ASKING: dict[str, Asking] = {"impossible_t5": paraphrase, "leaderboard": look, "annotate": rate}


def crowd(address: str, people: int, asking: Asking = paraphrase) -> list[tuple[str, float]]:
    """Each asks once, all at the same moment; (what came of it, seconds) of each."""
    clients = [client(address) for _ in range(people)]
    start, outcomes = threading.Barrier(people), []

    def one(number: int) -> None:
        start.wait()
        outcomes.append(ask(clients[number], number, asking))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def client(address: str) -> Any:
    """A person with an open page."""
    from gradio_client import Client

    return Client(address, verbose=False)


def ask(person: Any, number: int, asking: Asking) -> tuple[str, float]:
    """``answered``, ``told`` (a sentence in place of an answer), ``refused`` (queue full) or ``lost``; and seconds."""
    from gradio_client.exceptions import AppError

    begun = time.perf_counter()
    try:
        outcome = "answered" if asking(person, number) else "lost: nothing in the answer"
    except Exception as error:  # whatever it is, it is an outcome to be counted
        outcome = _outcome(error, isinstance(error, AppError))
    return outcome, time.perf_counter() - begun


def _outcome(error: Exception, by_app: bool) -> str:
    said = str(error)
    if FULL in said.lower():
        return "refused"
    if by_app and "verbose error reporting" not in said:  # what gradio says of an error that nobody foresaw
        return "told"
    return f"lost: {type(error).__name__} {said[:120]}"


def report(outcomes: list[tuple[str, float]], people: int, seconds: float, cpu: float) -> None:
    """What came of a round."""
    counts = collections.Counter(outcome for outcome, _ in outcomes)
    waits = sorted(wait for outcome, wait in outcomes if outcome == "answered")
    words = ", ".join(f"{number} {outcome}" for outcome, number in counts.most_common())
    print(f"{people} at once: {words}; {seconds:.1f} s, {cpu:.1f} s of CPU time")
    if waits:
        print(f"   waited: median {statistics.median(waits):.1f} s, longest {waits[-1]:.1f} s")


@contextmanager
def served(space: str, model: str) -> Iterator[tuple[str, psutil.Process]]:
    """A Space in its own process; its address, once it answers."""
    answers = tempfile.TemporaryDirectory()
    known = os.environ | {"IDIST_MODEL": model, "PYTHONUNBUFFERED": "1"}
    known |= {"IDIST_ANSWERS": answers.name, "IDIST_ANNOTATORS": "1000"}  # nobody comes too late for an item
    command = [sys.executable, str(ROOT / "spaces" / space / "app.py")]
    process = subprocess.Popen(command, env=known, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"https?://\S+:\d+", line):
                break
            print(line, end="")
        else:
            sys.exit("The Space did not start.")
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield found.group(), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()
        answers.cleanup()


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def megabytes(process: psutil.Process) -> float:
    """Resident memory now."""
    return float(process.memory_info().rss) / (1 << 20)


if __name__ == "__main__":
    command(main)
