"""How an app is served: its settings, its queue, a GPU where the Hub lends one, errors as sentences."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from idist._schema import nearest
from idist.errors import UserError
from space_kit.look import style, theme

P = ParamSpec("P")
R = TypeVar("R")

WAITING = 40  # requests; who comes then is told that the queue is full
SESSIONS = 200  # whose results are kept, the newest: about 0.3 MB each
KEPT_SECONDS = 3600  # uploaded files
LARGEST_UPLOAD = "2mb"


def read_settings(folder: Path, variables: Mapping[str, str]) -> dict[str, str | None]:
    """A Space's settings: ``settings.json`` of its folder, each replaced by its environment variable where that is set.

    Args:
        folder: of the Space.
        variables: setting -> name of its variable. These are all the settings that there are.

    Returns:
        Setting -> text; None: not set.

    Raises:
        UserError: the file is missing, no JSON, or has another key.
    """
    path = folder / "settings.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path.name} cannot be read: {error}.") from None
    strange = next((name for name in told if name not in variables), None)
    if strange is not None:
        raise UserError(f"{path.name} has the key {strange!r}; {nearest(strange, list(variables))}")
    return {name: os.environ.get(variable) or told.get(name) or None for name, variable in variables.items()}


def on_gpu(function: Callable[P, R]) -> Callable[P, R]:
    """The function itself; on a Space whose GPU is lent by the call, one that asks for it."""
    try:
        lend = getattr(import_module("spaces"), "GPU", None)  # the Hub's package; our own folder of this name has none
    except ImportError:
        return function
    return function if lend is None else lend(function)  # type: ignore[no-any-return]


def by_api(function: Callable[P, R]) -> Callable[P, R]:
    """A function for programs: what is wrong with its input reaches the caller as a sentence, not as a trace."""
    import gradio as gr

    @functools.wraps(function)
    def answered(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return answered


def launch(app: Any, **more: Any) -> Any:
    """Serve a `gradio.Blocks` with the common look and limits; what `Blocks.launch` gives.

    Args:
        app: the page.
        more: further arguments of `Blocks.launch`, such as ``server_port``.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "200")  # counts that it keeps of past requests
    app.queue(max_size=WAITING, default_concurrency_limit=1)
    settings: dict[str, Any] = {
        "theme": theme(),
        "css": style(),
        "footer_links": ["api"],
        "show_error": False,
        "enable_monitoring": False,
        "run_history": False,
        "ssr_mode": False,
        "state_session_capacity": SESSIONS,
        "max_file_size": LARGEST_UPLOAD,
    }
    return app.launch(**settings | more)
