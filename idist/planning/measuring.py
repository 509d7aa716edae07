"""All rates that a config needs, measured on this machine in about the time that is given."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from idist._quiet import quiet_transformers
from idist.config import FIRST_STUDENT, RunConfig
from idist.engine.machine import worker_threads
from idist.errors import UserError
from idist.models import pick_device, pick_dtype, resolve
from idist.planning import judging, teaching, writing
from idist.planning.bench import Bench
from idist.planning.clock import threads, worker_count
from idist.planning.rates import Rate, Rates
from idist.planning.shapes import shape_of
from idist.planning.work import START, count, critics_of, models_of, student_of
from idist.planning.yields import Yields
from idist.provenance import hardware, versions
from idist.stages.rounds import base

USUAL_START = 4.0  # seconds
# parts of the time: the teacher's writing, the student's, both stages' critics, learning
SHARES = {"teacher": 3.0, "student": 1.5, "pairs": 3.0, "self_distil": 2.0, "training": 2.5}


def check_models(config: RunConfig) -> None:
    """Raises UserError: nothing is known of a model that the config names."""
    names = [config.pairs.model, config.self_distil.model, config.train.model]
    names += [config.contexts.model] if config.contexts.source is None else []
    for stage in ("pairs", "self_distil"):
        names += [name for critic in critics_of(config, stage).critics for name in models_of(critic)]
    for name in dict.fromkeys(names):
        if name.startswith("stanza:"):
            continue
        try:
            shape_of(name)
        except UserError:
            if not Path(resolve(name)[0]).is_dir():
                raise


def measure(config: RunConfig, yields: Yields, seconds: float) -> Rates:
    """Rates of every part of the work of a config; ``yields`` learn how long the teacher's sentences are.

    Args:
        seconds: of measuring, in all; loading and large models may take longer.

    Raises:
        UserError: nothing is known of a model, a critic's settings are wrong.
    """
    started = time.monotonic()
    start = _start()
    check_models(config)
    device = pick_device(config.device)
    dtype = str(pick_dtype(config.dtype, device)).removeprefix("torch.")
    found = {start.part: start}
    with tempfile.TemporaryDirectory(prefix="idist-plan-") as scratch, quiet_transformers():
        bench = Bench(config, yields, seconds, device, dtype, Path(scratch))
        with threads(worker_threads(worker_count(config.engine))):
            written = _write(bench, found)
            for work in count(config, yields):
                stage = base(work.stage)
                if stage in ("pairs", "self_distil") and f"{stage}/{work.parts[-1].name}" not in found:
                    share = _share(bench, stage)
                    for rate in judging.rates(bench, stage, work.parts, written.groups, share):
                        found[rate.part] = rate
        _train(bench, found)
    machine = hardware() | {"device": device, "dtype": dtype, "libraries": versions(("torch", "transformers"))}
    return Rates(
        found,
        machine,
        time.monotonic() - started,
        yields.get("pairs.words"),
        bench.clock.slowdown,
        remarks=bench.remarks,
    )


def _start() -> Rate:
    """What every worker does before its first item: Python reads torch and transformers."""
    if "torch" in sys.modules:
        return Rate(START, [], "worker", USUAL_START, "a usual value: this process had torch loaded already")
    begun = time.process_time()
    import torch  # noqa: F401
    import transformers

    _ = transformers.AutoModelForCausalLM, transformers.AutoModelForSeq2SeqLM, transformers.AutoTokenizer
    return Rate(START, [], "worker", time.process_time() - begun, "its imports")


def _write(bench: Bench, found: dict[str, Rate]) -> writing.Written:
    config = bench.config
    written = writing.teachers(bench, _share(bench, "teacher"))
    for rate in (written.samples, written.sentences):
        if rate is not None:
            found[rate.part] = rate
    name, own = "self_distil/samples", config.self_distil.model
    if written.samples is not None and written.samples.models == [own]:
        found[name] = Rate(name, [own], "sample", written.samples.seconds, written.samples.how)
    else:
        found[name] = writing.samples(bench, own, name, _share(bench, "teacher") / 3)[0]
    student = writing.rewriting(bench, student_of(config, "self_distil"), _share(bench, "student"))
    found[student.part] = student
    return written


def _train(bench: Bench, found: dict[str, Rate]) -> None:
    """`train_final` is `train` again where its settings are."""
    config = bench.config
    first = teaching.training(bench, "train", config.train.model, config.train, _share(bench, "training"))
    found[first.part] = first
    last, model = config.train_final, student_of_training(config)
    if replace(last, model=config.train.model) == config.train and model == config.train.model:
        again = Rate("train_final/training", first.models, first.unit, first.seconds, first.how)
    else:
        again = teaching.training(bench, "train_final", model, last, _share(bench, "training"))
    found[again.part] = again


def student_of_training(config: RunConfig) -> str:
    """The model whose shape `train_final` trains."""
    return student_of(config, "self_distil") if config.train_final.model == FIRST_STUDENT else config.train_final.model


def _share(bench: Bench, what: str) -> float:
    return bench.seconds * SHARES[what] / sum(SHARES.values())
