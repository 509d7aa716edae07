"""The one exception that is a message to a person."""

from __future__ import annotations


class UserError(Exception):
    """Bad input: one sentence that names the file, key or row, what was found and what was expected.

    Recipes print it without a traceback and exit with code 2.
    """
