"""Requests to the Hub that fail: what is worth another try, what is a conflict, and what a person has to be told.

The Hub's client raises `huggingface_hub.errors.HfHubHTTPError`, errors of its HTTP library (not all are `OSError`), and
wraps either in others; `diagnose` looks through all of it. Nothing said here holds a header, a token or a signed
address.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from idist.errors import UserError
from idist.hub.private import redact

WAITS = (2.0, 8.0, 30.0, 60.0)  # seconds between five tries
PATIENCE = 600.0  # seconds; a Hub that asks for a longer pause is left alone
TIMEOUT = 300.0  # seconds without a byte; the client's own default is to wait for ever
TOKEN_ADVICE = "set HF_TOKEN or run `hf auth login`"

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Trouble:
    """Why a request failed, as a part of a sentence."""

    kind: Literal["again", "conflict", "final"]
    what: str
    pause: float = 0.0  # seconds that the Hub asks to wait


class Conflict(Exception):
    """The repository changed meanwhile, or the fate of a commit is not known: look again, then decide again."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.what)
        self.trouble = trouble


@dataclass(frozen=True)
class Retries:
    """How often and how patiently requests about one repository are tried."""

    where: str  # for sentences: "dataset org/dimple on https://huggingface.co"
    token: str | None
    waits: Sequence[float] = WAITS

    def call(self, request: Callable[[], Answer]) -> Answer:
        """A request that may be sent twice without harm.

        Raises:
            UserError: it is refused, or failed ``len(waits) + 1`` times.
            Conflict: the repository changed meanwhile.
        """
        pauses = self.pauses()
        while True:
            try:
                return self.once(request)
            except Conflict as conflict:
                if conflict.trouble.kind == "conflict":
                    raise
                next(pauses)(conflict.trouble)

    def once(self, request: Callable[[], Answer]) -> Answer:
        """A request that is not sent again by itself.

        Raises:
            UserError: it is refused.
            Conflict: it failed and may be tried again.
        """
        try:
            _limit_silence()
            return request()
        except (UserError, Conflict):
            raise
        except Exception as error:
            trouble = diagnose(error)
            if trouble is None:
                raise
            trouble = Trouble(trouble.kind, redact(trouble.what, self.token), trouble.pause)
            if trouble.kind == "final":
                raise UserError(f"{self.where}: {trouble.what}.") from None
            raise Conflict(trouble) from None

    def pauses(self) -> Iterator[Callable[[Trouble], None]]:
        """One pause after another; each waits longer and says why, the last one gives up."""
        for number, wait in enumerate(self.waits, start=2):

            def pause(trouble: Trouble, number: int = number, wait: float = wait) -> None:
                self._sleep(trouble, max(wait, trouble.pause), number)

            yield pause
        yield self._give_up

    def _sleep(self, trouble: Trouble, seconds: float, number: int) -> None:
        if seconds > PATIENCE:
            raise UserError(
                f"{self.where}: {trouble.what}, to be tried again in {seconds / 60:.0f} minutes; "
                "the same command then goes on from there."
            )
        say(f"{self.where}: {trouble.what}; try {number} of {len(self.waits) + 1} in {seconds:.0f} s")
        time.sleep(seconds)

    def _give_up(self, trouble: Trouble) -> None:
        times = f", {len(self.waits) + 1} times" if self.waits else ""
        raise UserError(f"{self.where}: {trouble.what}{times}; run the same command again: it goes on from there.")


def say(sentence: str) -> None:
    """A line on stderr that leaves a progress bar whole."""
    from tqdm import tqdm

    tqdm.write(sentence, file=sys.stderr)


def diagnose(error: BaseException) -> Trouble | None:
    """What an exception of the Hub's client means; None: it is none of the Hub's."""
    from huggingface_hub import errors

    for cause in _causes(error):
        if isinstance(cause, ValueError) and "Invalid metadata in README.md" in str(cause):
            return Trouble("final", " ".join(str(cause).split()).rstrip("."))
        if isinstance(cause, errors.HfHubHTTPError):
            return _of_status(cause)
    for cause in _causes(error):
        if isinstance(cause, errors.OfflineModeIsEnabled):
            return Trouble("final", "HF_HUB_OFFLINE is set, so that the Hub is not asked")
        if isinstance(cause, errors.LocalTokenNotFoundError):
            return Trouble("final", f"no token was found: {TOKEN_ADVICE}")
        if _is_broken_connection(cause):
            return Trouble("again", f"the connection failed ({type(cause).__name__})")
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, then what it was raised from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_broken_connection(error: BaseException) -> bool:
    import httpx2
    from huggingface_hub import errors

    # An answer that breaks off, or a proxy's page, is not JSON. A missing local entry means: not asked, or no answer.
    network = (httpx2.RequestError, ConnectionError, TimeoutError, json.JSONDecodeError, errors.LocalEntryNotFoundError)
    return isinstance(error, network) or type(error).__module__.startswith("hf_xet")


def _of_status(error: Any) -> Trouble:
    """What an HTTP status means here."""
    from huggingface_hub import errors

    status = error.response.status_code if error.response is not None else 0
    said = f" ({message})" if (message := " ".join((error.server_message or "").split())[:300]) else ""
    if status in (409, 412):
        return Trouble("conflict", f"the repository changed meanwhile ({status})")
    if status == 429:
        return Trouble("again", "the Hub limits the rate of requests (429)", _asked_pause(error.response.headers))
    if status in (408, 425) or status >= 500:
        return Trouble("again", f"the Hub answered {status}", _asked_pause(error.response.headers))
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return Trouble("conflict", "a file is not there any more (404)")
    if isinstance(error, errors.RevisionNotFoundError):
        return Trouble("final", "it has no such revision")
    if isinstance(error, errors.GatedRepoError):
        return Trouble("final", f"access has to be asked for on its page, with an account; then {TOKEN_ADVICE}")
    if isinstance(error, errors.RepositoryNotFoundError):
        return Trouble("final", f"there is no such repository, or it is private: to see your own, {TOKEN_ADVICE}")
    if status == 401:
        return Trouble("final", f"the Hub does not accept the token (401): {TOKEN_ADVICE}")
    if status == 403:
        return Trouble("final", f"the token gives no right to do that (403){said}: use one with write access to it")
    return Trouble("final", f"the Hub refused the request ({status}){said}")


def _asked_pause(headers: Any) -> float:
    """Seconds to wait by ``Retry-After`` or the Hub's ``RateLimit``; 0: it does not say."""
    from huggingface_hub.utils import parse_ratelimit_headers

    after = (headers.get("Retry-After") or "").strip()
    if after.isdigit():
        return float(after)
    limit = parse_ratelimit_headers(headers)
    return float(limit.reset_in_seconds) if limit is not None else 0.0


def _limit_silence() -> None:
    """A connection that went dead without a word is noticed; a limit that someone has set stays."""
    import httpx2
    from huggingface_hub import get_session

    client = get_session()
    if client.timeout == httpx2.Timeout(None):
        client.timeout = httpx2.Timeout(TIMEOUT, connect=30.0)
