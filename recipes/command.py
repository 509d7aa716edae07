"""The command line that all recipes share, and the place where an error becomes one sentence and exit code 2."""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from idist._schema import nearest
from idist.config import RunConfig, load_config
from idist.errors import UserError
from idist.stages.rounds import in_order
from recipes.publishing import Options, add_arguments, read_options

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / "recipes" / "configs"


@dataclass
class Request:
    """What a person asked for: a checked config, the run's folder and how to go about it."""

    config: RunConfig
    folder: Path
    stages: tuple[str, ...]
    limit: int | None
    dry_run: bool
    from_stage: str | None
    publishing: Options = field(default_factory=Options)


def parse(
    description: str | None, stages: tuple[str, ...], choose_one: bool = False, default_config: str = "mini"
) -> Request:
    """Read the command line of a recipe that runs ``stages``, or with ``choose_one`` one of them, named first.

    Raises:
        UserError: config not found or not valid, a stage that the recipe does not have, a limit below 1.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    if choose_one:
        parser.add_argument("stage", nargs="?", choices=stages, default=stages[0], help=f"default: {stages[0]}")
    add_run_arguments(parser, default_config)
    parser.add_argument(
        "--limit",
        type=int,
        help="at most so many contexts and sources; a call with more goes on, and trains again with --from train",
    )
    parser.add_argument("--dry-run", action="store_true", help="print stages, models, counts and what is done")
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="go on where the run stopped (default); --no-resume is --from the recipe's first stage",
    )
    parser.add_argument(
        "--from",
        dest="from_stage",
        metavar="STAGE",
        help=f"delete that stage and all after it, and make it again: {', '.join(stages)}",
    )
    add_arguments(parser, models=len(stages) > 1)
    args = parser.parse_args()
    if choose_one:
        stages = (args.stage,)
    if args.limit is not None and args.limit < 1:
        raise UserError(f"--limit is {args.limit}, expected 1 or more.")
    config = read_config(args)
    known = in_order(stages, config.self_distil.rounds)
    if args.from_stage is not None and args.from_stage not in known:
        raise UserError(f"--from {args.from_stage!r} is no stage of this recipe; {nearest(args.from_stage, known)}")
    options = read_options(args)
    start = args.from_stage or (None if args.resume else stages[0])
    return Request(config, args.runs / config.name, stages, args.limit, args.dry_run, start, options)


def add_run_arguments(parser: argparse.ArgumentParser, default_config: str = "mini") -> None:
    """Which run: its config, changes to it, its folder."""
    shipped = ", ".join(sorted(path.stem for path in CONFIGS.glob("*.yaml")))
    parser.add_argument(
        "--config", default=default_config, help=f"a YAML file, or one of: {shipped} (default: {default_config})"
    )
    parser.add_argument(
        "--from-hub",
        metavar="ORG/NAME[@TAG]",
        help="the config of a published release in place of --config; also a release's folder",
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="change one key: pairs.k=50, pairs.critics.rouge_l.max=0.6 (may be repeated)",
    )
    add_executor(parser)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the runs (default: runs)")
    parser.add_argument("--name", help="folder of this run under --runs (default: the config's name)")


def add_executor(parser: argparse.ArgumentParser) -> None:
    """Where shards are run. Not argparse's choices: the config says what is valid, in one sentence."""
    parser.add_argument(
        "--executor",
        metavar="NAME",
        type=lambda name: f"engine.executor={json.dumps(name)}",
        action="append",
        dest="overrides",
        help="where shards run: local (default), ray, slurm, hf_jobs; short for --set engine.executor=NAME",
    )


def read_config(args: argparse.Namespace) -> RunConfig:
    """The config that the arguments of `add_run_arguments` ask for.

    Raises:
        UserError: not found, not valid, or no release.
    """
    overrides = args.overrides + named(args.name)
    if args.from_hub is None:
        return load_config(config_path(args.config), overrides)
    from idist.hub import read_lineage
    from idist.release import differences, rebuild_config

    lineage = read_lineage(args.from_hub)
    try:
        config, sentences = rebuild_config(lineage, overrides), differences(lineage)
    except (AttributeError, KeyError, TypeError) as error:
        raise UserError(f"--from-hub {args.from_hub}: its lineage.json is damaged ({error!r} in it).") from None
    for sentence in sentences:
        print(f"warning: {sentence}", file=sys.stderr)
    return config


def config_of_run(folder: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """The config that a run was made with.

    Raises:
        UserError: no such run, and what `load_config` raises.
    """
    path = folder / "config.yaml"
    if not path.is_file():
        raise UserError(f"{folder} has no config.yaml, expected the folder of a run, such as runs/mini.")
    return load_config(path, overrides)


def named(name: str | None) -> list[str]:
    """Quoted: a run may be called ``1`` or ``yes``, which YAML would read as something else."""
    return [] if name is None else [f"name={json.dumps(name)}"]


def config_path(name: str) -> Path:
    """A file as it is; else a config that ships."""
    if Path(name).suffix in (".yaml", ".yml") or os.sep in name:
        return Path(name)
    shipped = {path.stem: path for path in CONFIGS.glob("*.yaml")}
    if name not in shipped:
        raise UserError(f"--config {name!r} is neither a YAML file nor shipped; {nearest(name, sorted(shipped))}")
    return shipped[name]


def output_folder(path: Path) -> Path:
    """A folder for what a recipe leaves, made now: a mistake is found before the work and not after it.

    Raises:
        UserError: it cannot be made, or is a file.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {path} cannot be made: {error.strerror}.") from None
    return path


def run(main: Callable[[], None]) -> None:
    """Run a recipe and exit: 0; 2 with one sentence for bad input; 130 after Ctrl-C."""
    try:
        main()
    except UserError as error:
        sys.exit(_say(str(error), 2))
    except KeyboardInterrupt:
        sys.exit(_say("Stopped. Finished shards are kept: the same command goes on from there.", 130))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `| head` closed the pipe: nothing to say
        sys.exit(141)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        where = f" at {error.filename}" if error.filename else ""
        sys.exit(_say(f"{error.strerror}{where}: nothing finished is lost; run the same command again.", 2))


def _say(message: str, code: int) -> int:
    print(f"error: {message}" if code == 2 else message, file=sys.stderr)
    return code
