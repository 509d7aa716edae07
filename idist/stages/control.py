"""Stage `control`: D_control out of D_para (paper section 3.5), and the student that will read its codes.

Two jobs. `measured` parses each y, or whatever the controls measure, and keeps the values. `coded` takes from all
values together what codes depend on (edges of buckets, labels, frequent trees) and puts the codes before x: table
`control`. A pair without a value, or with a code too long for the student, is kept with its reason, and counted.
Between the two ``student/``, the model that `train_control` begins with: the last student with a token for each symbol
of the codes, and ``control.json``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist.config import FINAL_STUDENT, FIRST_STUDENT, RunConfig, to_dict
from idist.engine import Job, Shard, Tick, alone, claim, digest, read_table, run_job
from idist.errors import UserError
from idist.rows import schema
from idist.stages._control_pairs import (
    FIXED,
    Upstream,
    check_thresholds,
    read_upstream,
    shard_size,
    upstream_shards,
    upstream_stages,
)
from idist.stages._control_student import prepare_student, student_room
from idist.stages._practice import renamed
from idist.stages.runs import StagePlan, StageResult, plan_job, require_stage, stage_folder, write_manifest
from idist.stages.samples import row_rng

if TYPE_CHECKING:
    from idist.controls import Controls

VERSION = 1  # of this code: raised when the same config would give other rows
STAGE = "control"
MEASURED, CODED = "measured", "coded"  # jobs; the first is also a table


@dataclass
class MeasureWork:
    """The work of `measured`: the pairs of one shard of an earlier stage."""

    config: RunConfig
    run: Path
    shards: list[Upstream]

    def open(self) -> Controls:
        """Parsers are loaded when they are first asked for."""
        return controls_of(self.config)

    def shard(self, opened: Controls, rank: int, tick: Tick) -> Shard:
        """A value of each control for each pair; a failure where one of them has none."""
        import pyarrow as pa

        upstream = self.shards[rank]
        pairs = read_upstream(self.config, self.run, upstream)
        values = opened.measure(list(zip(pairs["x"].to_pylist(), pairs["y"].to_pylist(), strict=True)))
        failures = _failures(values, pairs.num_rows)
        table = pairs.append_column("failure", pa.array(failures, pa.string()))
        for control in opened.controls:
            kind = pa.string() if control.kind == "string" else pa.float32()
            column = [None if _failed(value) else value for value in values[control.name]]
            table = table.append_column(control.name, pa.array(column, kind))
        tick(1)
        failed = sum(failure is not None for failure in failures)
        return Shard({MEASURED: table}, {f"of_{upstream.stage}": pairs.num_rows, "failures": failed})


@dataclass
class CodeWork:
    """The work of `coded`: codes for one shard of measured pairs."""

    config: RunConfig
    folder: Path  # of the stage
    controls: str  # with what they have learned (`Controls.to_json`)
    scores: list[str]  # columns of scores that any shard has
    room: int  # symbols that leave a source something of what the student reads

    def open(self) -> Controls:
        """No model."""
        from idist.controls.composition import read_controls

        return read_controls(self.controls, "control.json")

    def shard(self, opened: Controls, rank: int, tick: Tick) -> Shard:
        """Rows of the table `control`; a code that leaves no room for x is a failure."""
        import pyarrow as pa

        from idist.controls import too_long

        measured = read_table(self.folder, MEASURED, MEASURED, rank)
        rows, no_room = measured.to_pylist(), 0
        for row in rows:
            row["prefix"] = row["input"] = row["target"] = None
            if row["failure"]:
                continue
            read = self._read(row, opened.names)
            if failure := too_long(opened.symbols(read), self.room, self.config.train_control.max_source_tokens):
                row["failure"] = failure.reason
                no_room += 1
            else:
                row["prefix"] = opened.prefix(read)
                x, row["target"] = self._taught(row)
                row["input"] = row["prefix"] + x
        kinds = schema(STAGE)
        for name in self.scores:
            kinds = kinds.append(pa.field(name, pa.float32()))
        for name in opened.names:
            kinds = kinds.append(measured.schema.field(name))
        tick(1)
        return Shard({STAGE: pa.Table.from_pylist(rows, kinds)}, {"no_room": no_room})

    def _taught(self, row: dict[str, Any]) -> tuple[str, str]:
        """x and y as they are trained on: in some rows with invented words (`control.renamed`)."""
        share, rng = self.config.control.renamed, row_rng(self.config.seed, row["id"], "renamed")
        if share and rng.random() < share:
            return renamed(row["x"], row["y"], rng)
        return row["x"], row["y"]

    def _read(self, row: dict[str, Any], names: list[str]) -> dict[str, Any]:
        """The row's values less those that are left out by chance (`control.drop`)."""
        share = self.config.control.drop
        return {
            name: row[name]
            for name in names
            if not share or row_rng(self.config.seed, row["id"], f"drop {name}").random() >= share
        }


def run(config: RunConfig, folder: Path, limit: int | None = None, progress: bool = True) -> StageResult:
    """Make the pairs with codes and the student that will learn them, or what is missing of them.

    Args:
        config: the run.
        folder: ``runs/NAME``.
        limit: not used: the stages before this one are limited.
        progress: bars on stderr.

    Returns:
        Counts: pairs ``of_self_distil`` (and ``of_pairs``), ``failures`` (pairs without a value), ``no_room`` (pairs
        whose code would leave the student nothing of x to read), ``codes`` (different prefixes), ``tokens`` new to the
        student.

    Raises:
        UserError: an earlier stage not finished, the folder was made with another config, thresholds that the stored
            scores do not serve, values that allow no codes, a model not found, disk full, damaged shard, another
            process in the folder.
    """
    with alone(folder):
        return _make(config, folder, progress)


def _make(config: RunConfig, folder: Path, progress: bool) -> StageResult:
    own = stage_folder(folder, STAGE)
    check_thresholds(config)
    controls = controls_of(config)
    student = first_model(config, folder)
    shards = upstream_shards(config, folder)
    sizes = [shard_size(folder, shard) for shard in shards]
    mark = fingerprint(config, folder)
    claim(own, MEASURED, mark, {})
    measured = run_job(Job(own, MEASURED, MeasureWork(config, folder, shards), sizes, "pairs"), config.engine, progress)
    columns = _learn(controls, own, len(shards))
    told = controls.to_json()
    chances = {"drop": config.control.drop, "renamed": config.control.renamed}
    made, tokens = prepare_student(student, told, controls.vocabulary(), own, config.seed)
    room = student_room(own, config.train_control)
    coded_mark = {"measured": digest(mark), "seed": config.seed, "room": room, **chances}
    claim(own, CODED, coded_mark, {}, remake=True)
    work = CodeWork(config, own, told, columns, room)
    coded = run_job(Job(own, CODED, work, sizes, "pairs"), config.engine, progress)
    counts = measured.counts | coded.counts | {"codes": _different(own, len(shards)), "tokens": tokens}
    result = StageResult(
        stage=STAGE,
        folder=own,
        made=measured.made + coded.made + made,
        rows={STAGE: coded.rows[STAGE]},
        counts=counts,
        seconds=round(measured.seconds + coded.seconds, 3),
    )
    settings = {"seed": config.seed, STAGE: to_dict(config.control)}
    write_manifest(result, settings, {MEASURED: (mark, measured), CODED: (coded_mark, coded)})
    return result


def plan(config: RunConfig, folder: Path, limit: int | None = None) -> StagePlan:
    """What `run` would do; loads and writes nothing."""
    check_thresholds(config)
    models: list[str] = []
    for control in controls_of(config).controls:
        models += [name for name in control.model_names().values() if name not in models]
    models.append(config.train_control.model)
    unit = f"pairs of {' and '.join(upstream_stages(config))}"
    return plan_job(folder, STAGE, MEASURED, models, 0, unit, 1, lambda: fingerprint(config, folder), "")


def fingerprint(config: RunConfig, folder: Path) -> dict[str, Any]:
    """What the values depend on: the pairs, and the controls with their parsers.

    Raises:
        UserError: an earlier stage has not finished.
    """
    settings = to_dict(config.control)
    for name in ("drop", "renamed"):  # of the codes, not of the values
        del settings[name]
    return {
        "version": VERSION,
        STAGE: settings,
        "parsers": {control.name: _weights(control) for control in controls_of(config).controls},
        "pairs": {stage: require_stage(folder, stage)["fingerprint"] for stage in upstream_stages(config)},
    }


def controls_of(config: RunConfig) -> Controls:
    """The run's composition, built but not loaded."""
    from idist.controls import Controls

    return Controls(config.control.controls, config.device)


def first_model(config: RunConfig, folder: Path) -> str:
    """The model that is to learn the codes.

    Raises:
        UserError: it is one of this run, and its stage has not finished.
    """
    name = config.train_control.model
    if name not in (FIRST_STUDENT, FINAL_STUDENT):
        return name
    stage = name.removeprefix("run:")
    model = stage_folder(folder, stage) / "model"
    if not (model.parent / "training.json").is_file():
        raise UserError(f"{model.parent} has no training.json: run the stage {stage!r} first.")
    return str(model)


def _weights(control: Any) -> dict[str, str]:
    """Parsers and what they build on: with other weights, other trees."""
    from idist.models import fingerprint as weights
    from idist.models import parser_encoder

    found = {}
    for setting, name in control.model_names().items():
        if name.startswith("stanza:"):
            found[setting] = name
            continue
        encoder = parser_encoder(name)
        found |= {setting: weights(name)} | ({f"{setting}'s encoder": weights(encoder)} if encoder else {})
    return found


def _learn(controls: Controls, folder: Path, shards: int) -> list[str]:
    """Show the controls all values; gives the columns of scores."""
    columns: dict[str, None] = {}

    def values(name: str) -> Iterator[Any]:
        for rank in range(shards):
            table = read_table(folder, MEASURED, MEASURED, rank)
            kept = table.filter(table["failure"].is_null())
            yield from kept[name].to_pylist()

    controls.learn({name: values(name) for name in controls.names})
    for rank in range(shards):
        names = read_table(folder, MEASURED, MEASURED, rank).column_names
        columns |= dict.fromkeys(name for name in names if name not in (*FIXED, "failure", *controls.names))
    return list(columns)


def _different(folder: Path, shards: int) -> int:
    """How many different prefixes the table `control` has."""
    found: set[str] = set()
    for rank in range(shards):
        found.update(read_table(folder, CODED, STAGE, rank)["prefix"].drop_null().unique().to_pylist())
    return len(found)


def _failures(values: dict[str, list[Any]], count: int) -> list[str | None]:
    """``CONTROL: reason`` of the first control that has no value, for each pair."""
    reasons: list[str | None] = [None] * count
    for name, column in values.items():
        for row, value in enumerate(column):
            if _failed(value) and reasons[row] is None:
                reasons[row] = f"{name}: {value.reason}"
    return reasons


def _failed(value: Any) -> bool:
    from idist.controls import Failure

    return isinstance(value, Failure)
