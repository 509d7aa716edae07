"""What a run will cost here before it is begun: hours, memory, disk and, with a price, money of every stage.

python recipes/plan.py                                        the config mini, rates measured in about half a minute
python recipes/plan.py --config dimple-news --price 2.5       the paper's run; 2.5 is what this machine costs an hour
python recipes/plan.py --config dimple-news --save-rates gpu.json      on a rented machine: keep what was measured
python recipes/plan.py --config dimple-news --rates gpu.json --set contexts.count=20000     anywhere else
python recipes/plan.py --run runs/mini                        a finished run: planned against actual

Models that are not on this machine are measured by their shape with random weights: nothing is downloaded but configs.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist.config import RunConfig
from idist.engine.shards import write_json
from idist.errors import UserError
from recipes.command import add_run_arguments, config_of_run, read_config, run


def main() -> None:
    """Read the command line, measure or read rates, print the plan."""
    args = _parse()
    from idist.planning.actual import compare, manifests
    from idist.planning.estimate import make_plan
    from idist.planning.report import comparison, table

    config = config_of_run(args.run) if args.run else read_config(args)
    if args.run:
        manifests(args.run, config.self_distil.rounds)  # an unfinished run is told before half a minute of measuring
    yields = _yields(args, config)
    rates = _rates(args, config, yields)
    plan = make_plan(config, rates, yields, args.price, args.currency)
    found: Any = compare(args.run, config, plan) if args.run else plan
    print(comparison(found) if args.run else table(found))
    if args.json:
        write_json(args.json, json.loads(json.dumps(found.to_dict())))
        print(f"\nWritten: {args.json}")


def _yields(args: argparse.Namespace, config: RunConfig) -> Any:
    from idist.planning.actual import learn
    from idist.planning.work import assumption_keys
    from idist.planning.yields import Yields, given

    yields = Yields()
    for key, value in given(args.assume, assumption_keys(config)).items():
        yields.set(key, value, "given")
    if args.like:
        learn(args.like, config_of_run(args.like), yields)
    return yields


def _rates(args: argparse.Namespace, config: RunConfig, yields: Any) -> Any:
    from idist.planning.rates import read_rates

    if args.rates:
        rates = read_rates(args.rates)
        if rates.words:
            yields.set("pairs.words", rates.words, str(args.rates))
    else:
        from idist.planning.measuring import measure

        rates = measure(config, yields, args.seconds)
    if args.save_rates:
        write_json(args.save_rates, rates.to_dict())
        print(f"Written: {args.save_rates}\n")
    return rates


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_run_arguments(parser)
    parser.add_argument("--run", type=Path, metavar="FOLDER", help="a finished run: planned against actual")
    parser.add_argument("--like", type=Path, metavar="FOLDER", help="a finished run: expect what its critics left")
    parser.add_argument("--assume", action="append", default=[], metavar="KEY=VALUE", help="an assumption of your own")
    parser.add_argument("--price", type=float, help="of this machine (or that of --rates) an hour")
    parser.add_argument("--currency", default="", help="heads the column of money")
    parser.add_argument("--seconds", type=float, default=30.0, help="measure about so long (default: 30)")
    parser.add_argument("--rates", type=Path, metavar="FILE", help="rates that --save-rates wrote, maybe elsewhere")
    parser.add_argument("--save-rates", type=Path, metavar="FILE", help="leave the rates in a file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="leave the plan in a file, for programs")
    args = parser.parse_args()
    if args.price is not None and not 0 <= args.price < math.inf:
        raise UserError(f"--price is {args.price:g}, expected 0 or more.")
    if not 0 < args.seconds < math.inf:
        raise UserError(f"--seconds is {args.seconds:g}, expected more than 0.")
    if args.rates and args.save_rates:
        raise UserError("--rates and --save-rates are both given, expected one of them.")
    return args


if __name__ == "__main__":
    run(main)
