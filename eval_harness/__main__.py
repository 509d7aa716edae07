"""``python -m eval_harness``, or ``idist-eval``: score paraphrases and summaries, compare systems, report.

Without network, accounts or a GPU: ``python -m eval_harness run`` scores copying and the shipped student on the
bundled pairs. ``python -m eval_harness COMMAND --help`` tells more.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence

from eval_harness.commands import COMMANDS, load
from idist._schema import nearest
from idist.errors import UserError

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0; 2 with one sentence for bad input; 130 after Ctrl-C."""
    try:
        _run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except UserError as error:
        sys.exit(_say(f"error: {error}", 2))
    except KeyboardInterrupt:
        sys.exit(_say("Stopped. What is finished is kept: the same command goes on from there.", 130))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `| head` closed the pipe: nothing to say
        sys.exit(141)
    except OSError as error:
        if error.errno not in _DISK and not error.filename:
            raise  # not about a file that the user named
        where = f" at {error.filename}" if error.filename else ""
        sys.exit(_say(f"error: {error.strerror}{where}; what is finished is kept.", 2))


def _run(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="idist-eval", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    named = next((word for word in arguments if not word.startswith("-")), None)
    if named is not None and named not in COMMANDS:
        raise UserError(f"Unknown command {named!r}; {nearest(named, COMMANDS)}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name in COMMANDS if named is None else (named,):  # one command is imported, unless all are to be listed
        command = load(name)
        sub = subparsers.add_parser(name, help=command.help, description=command.help)
        command.add_arguments(sub)
        sub.add_argument(
            "--plugin",
            metavar="FILE_OR_MODULE",
            action="append",
            default=[],
            help="tasks, metrics and systems of your own: FILE.py or package.module with a mapping IDIST_EVAL",
        )
    args = parser.parse_args(arguments)
    if args.version:
        import idist

        print(f"idist-eval {idist.__version__}")
    elif args.command is None:
        parser.print_help()
    else:
        load(args.command).run(args)


def _say(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
