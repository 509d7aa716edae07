"""One question to a chat model over HTTP, asked again while there is hope.

The request goes through `huggingface_hub.InferenceClient`, so every address that speaks OpenAI's protocol will do.
"""

from __future__ import annotations

import email.utils
import os
import random
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from idist.errors import UserError

PASSING = (408, 409, 425, 429)  # HTTP states that may be over soon, besides 500 and above
ABOUT_THE_REQUEST = (400, 413, 422)  # too long, or a setting that the model does not take
LONGEST_WAIT = 600.0  # seconds that a server may ask for
NO_KEY = "none"  # sent where there is no key: else huggingface_hub would send the token of whoever is logged in
_FILTERED = re.compile(r"content[_ ](filter|policy|management)", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        text: of the first choice; "" if there was none.
        problem: why there is no text that could be scored; None if there is.
        tokens: read and written, as the server counts them.
        retries: requests that failed before this one.
    """

    text: str
    problem: str | None = None
    tokens: int = 0
    retries: int = 0


class Failed(Exception):
    """A request without an answer; the message is a reason for people.

    Attributes:
        kind: ``passing`` (worth asking again), ``request`` (of this request), ``fatal`` (of all requests), or
            ``stopped`` (there is no more need for an answer).
        wait: seconds that the server asks to wait.
    """

    def __init__(self, reason: str, kind: Literal["passing", "request", "fatal", "stopped"], wait: float = 0.0):
        super().__init__(reason)
        self.kind = kind
        self.wait = wait


@dataclass
class ChatClient:
    """Asks; may be used by several threads.

    Args:
        base_url: address of the server; None: Hugging Face's router to inference providers.
        api_key_env: environment variable with the key; None: ``OPENAI_API_KEY`` if there is a base_url (a server that
            wants no key needs none), else ``HF_TOKEN``. The key itself goes nowhere but into the requests.
        timeout: seconds for one request.
        retries: how often to ask again.
        first_wait: seconds before the second try, doubled each time, half of it by chance.

    Attributes:
        stopped: set it, and no further request is sent.

    Raises:
        UserError: a bad address, a secret in the address, a variable that is not set where it must be.
    """

    base_url: str | None
    api_key_env: str | None
    timeout: float = 120.0
    retries: int = 6
    first_wait: float = 1.0
    stopped: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _not_before: float = field(default=0.0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.base_url is not None:
            check_address(self.base_url)
        if self.api_key_env is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.api_key_env):
            raise UserError("api_key_env is no name, expected that of an environment variable, such as OPENAI_API_KEY.")

    def ask(self, model: str, messages: Sequence[Mapping[str, str]], decoding: Mapping[str, Any]) -> Answer:
        """The answer, after as many tries as it takes.

        Raises:
            Failed: no answer (``passing``: not even after all tries).
            UserError: the key is missing.
        """
        for attempt in range(self.retries + 1):
            self._wait_for_turn()
            try:
                answer = self._once(model, messages, decoding)
                return Answer(answer.text, answer.problem, answer.tokens, retries=attempt)
            except Failed as failure:
                if failure.kind != "passing":
                    raise
                if attempt == self.retries:
                    raise Failed(f"no answer after {attempt + 1} tries: {failure}", "passing") from None
                self._wait(attempt, failure.wait)
        raise AssertionError("not reached")

    def key(self) -> str:
        """The key from the environment.

        Raises:
            UserError: the variable is not set, and a key is needed.
        """
        name = self.api_key_env or ("HF_TOKEN" if self.base_url is None else "OPENAI_API_KEY")
        key = os.environ.get(name, "").strip()
        if not key and (self.api_key_env is not None or self.base_url is None):
            raise UserError(f"The environment variable {name} is not set, expected the key of the chat model's server.")
        return key or NO_KEY

    def _once(self, model: str, messages: Sequence[Mapping[str, str]], decoding: Mapping[str, Any]) -> Answer:
        from huggingface_hub import InferenceClient
        from huggingface_hub.errors import HfHubHTTPError, HTTPError, InferenceTimeoutError, OfflineModeIsEnabled

        key = self.key()
        client = InferenceClient(base_url=self.base_url, api_key=key, timeout=self.timeout)
        try:
            return _answer(client.chat_completion(list(messages), model=model, **decoding))  # type: ignore[arg-type]
        except OfflineModeIsEnabled:
            raise Failed("HF_HUB_OFFLINE=1 forbids every request, also to this server; unset it", "fatal") from None
        except InferenceTimeoutError:
            raise Failed(f"no answer within {self.timeout:g} s", "passing") from None
        except HfHubHTTPError as error:
            return _refused(error, key)
        except HTTPError as error:  # no connection, or one that was dropped
            reason = _short(str(error) or type(error).__name__, key)
            raise Failed(f"the connection failed ({reason})", "passing") from None
        except (ValueError, TypeError, KeyError, AttributeError, IndexError):
            raise Failed("the answer was not what OpenAI's protocol says", "passing") from None

    def _wait(self, attempt: int, asked: float) -> None:
        """Before the next try: what the server asks for, for all threads, or a growing time of one's own."""
        own = self.first_wait * 2**attempt * (0.5 + random.random() / 2)
        if asked:
            with self._lock:
                self._not_before = max(self._not_before, time.monotonic() + asked)
        else:
            self._sleep(own)

    def _wait_for_turn(self) -> None:
        self._sleep(0.0)
        while (left := self._not_before - time.monotonic()) > 0:
            self._sleep(left)

    def _sleep(self, seconds: float) -> None:
        if self.stopped.wait(seconds):
            raise Failed("stopped", "stopped")


def check_address(base_url: str) -> None:
    """Raises UserError for anything but ``http(s)://HOST[:PORT]/PATH``: a secret in it would be stored with results."""
    parts = urlsplit(base_url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UserError("base_url holds a user name, password or query; the key belongs into the environment.")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"base_url is {base_url!r}, expected an address such as https://api.openai.com/v1.")


def _answer(output: Any) -> Answer:
    """What a response means; raises one of the errors of a malformed one."""
    choice = output.choices[0]
    text = choice.message.content or ""
    if not isinstance(text, str):
        raise TypeError("content is no text")
    tokens = getattr(output.usage, "total_tokens", None) or 0
    refusal = getattr(choice.message, "refusal", None)
    if choice.finish_reason == "content_filter" or refusal:
        return Answer("", f"refused: {refusal or 'content filter'}", tokens)
    text = text.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair cannot be stored
    if not text.strip():
        return Answer("", f"empty answer (finish_reason {choice.finish_reason})", tokens)
    return Answer(text, None, tokens)


def _refused(error: Any, key: str) -> Answer:
    """An HTTP error: an answer if a content filter stood in the way, else `Failed`."""
    status = int(error.response.status_code)
    words = _short(str(error.server_message or ""), key)
    reason = f"HTTP {status}" + (f": {words}" if words else "")
    if status in ABOUT_THE_REQUEST:
        if _FILTERED.search(words):
            return Answer("", f"refused: {words}")
        raise Failed(reason, "request") from None
    if status not in PASSING and status < 500:
        raise Failed(reason, "fatal") from None
    wait = _retry_after(error.response.headers.get("Retry-After"))
    if wait > LONGEST_WAIT:
        raise Failed(f"{reason}; the server asks to wait for {wait:.0f} s", "fatal") from None
    raise Failed(reason, "passing", wait) from None


def _retry_after(header: str | None) -> float:
    """Seconds in a ``Retry-After`` header, a number or a date; 0 if there is none that can be read."""
    if header is None:
        return 0.0
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return 0.0


def _short(text: str, key: str) -> str:
    """One line of at most 200 characters, the key blotted out should the server have repeated it."""
    if key != NO_KEY:
        text = text.replace(key, "***")
    return " ".join(text.split())[:200].rstrip(".")
