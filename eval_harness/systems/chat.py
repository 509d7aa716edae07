"""A chat model behind an address."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from eval_harness.systems.base import System
from eval_harness.systems.chat_cache import ChatCache, default_folder
from eval_harness.systems.chat_client import Answer, ChatClient, Failed
from eval_harness.systems.prompting import Prompting
from eval_harness.tasks.base import Example, Task, TaskData
from idist.errors import UserError
from idist.text import clean_sentence

IN_A_ROW = 5  # failed requests one after the other, after which it is not the requests
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»"}
_REFUSAL = re.compile(
    r"\W*(as an ai\b|(i['’]m|i am) (very |really )?(sorry|unable|not able)|sorry,? (but )?i\b"
    r"|i (can['’]t|cannot|can not|won['’]t)\b)",
    re.IGNORECASE,
)
_HELP = re.compile(r"\b(assist|help|comply|fulfil|provide|rewrite|rephrase|paraphrase|summari[sz]e|request)", re.I)


@dataclass
class _Question:
    """A request, and the examples that it is the request of (several where sources are the same)."""

    request: dict[str, Any]
    source: str
    ids: list[str] = field(default_factory=list)


@dataclass
class Chat(System):
    """A chat model behind any OpenAI-style address, prompted.

    For example ``chat:gpt-4o-mini,base_url=https://api.openai.com/v1``.

    The key comes from the environment only (``OPENAI_API_KEY``, or the variable that ``api_key_env`` names); it is
    neither printed nor stored. Without ``base_url`` the request goes to Hugging Face's inference providers, with
    ``HF_TOKEN``. Requests that fail for a passing reason are repeated, after the time that the server asks for.
    Answers are kept in a folder by request; those that could not be used are asked for again.

    Attributes:
        base_url: for example ``https://api.openai.com/v1``.
        prompt, shots: as in `hf-causal`: a prompt that ships or a file, and how many solved examples it shows.
        temperature, top_p, max_tokens, seed: sent as they are; ``none``: not sent.
        api_key_env: the environment variable with the key.
        concurrency: requests at the same time.
        timeout: seconds a request may take.
        retries: how often a request is repeated.
        cache: folder of the answers; default ``~/.cache/idist/chat``.

    `usage`, which the results store, counts ``requests`` (``retries`` of them repeated), ``tokens`` read and written,
    answers from the cache (``cached``), answers that were ``refused`` or ``empty``, and sources that got none
    (``failed``).
    """

    model: str
    base_url: str | None = None
    prompt: str | None = None
    shots: int = 0
    temperature: float | None = 0.0
    top_p: float | None = None
    max_tokens: int | None = 256
    seed: int | None = None
    api_key_env: str | None = None
    concurrency: int = 8
    timeout: float = 120.0
    retries: int = 6
    cache: str | None = None

    incidental: ClassVar[tuple[str, ...]] = ("api_key_env", "concurrency", "timeout", "retries", "cache")

    def __post_init__(self) -> None:
        for name, least in (("concurrency", 1), ("retries", 0), ("timeout", 0.001)):
            if getattr(self, name) < least:
                raise UserError(f"chat: {name} is {getattr(self, name)}, expected {least} or more.")
        self._prompting = Prompting(self.prompt, self.shots)
        self._client = ChatClient(self.base_url, self.api_key_env, self.timeout, self.retries)
        self._cache = ChatCache(Path(self.cache) if self.cache else default_folder())
        self._lock = threading.Lock()
        self._failed_in_a_row = 0
        self.counts: Counter[str] = Counter()

    def settings(self) -> dict[str, Any]:
        """With the prompt's content as a hash."""
        return {**super().settings(), **self._prompting.settings()}

    def begin(self, task: Task, data: TaskData) -> None:
        """Choose the prompt."""
        self._prompting.begin(task)

    def usage(self) -> dict[str, int | float]:
        """See the class; only what is not zero."""
        with self._lock:
            return {name: count for name, count in sorted(self.counts.items()) if count}

    def predict(self, examples: Sequence[Example]) -> list[str]:
        """Answers without quotation marks around them, white space collapsed; "" for a failure or a refusal.

        Raises:
            UserError: no key, wrong key, no such model or server: what is wrong for all examples.
        """
        asked: dict[str, _Question] = {}
        for example in examples:
            request = self._request(example)
            asked.setdefault(str(request), _Question(request, example.source)).ids.append(example.id)
        self._client.stopped.clear()
        predictions: dict[str, str] = {}
        with ThreadPoolExecutor(self.concurrency) as pool:
            futures = {pool.submit(self._ask, one.request, one.source): one for one in asked.values()}
            try:
                for future in as_completed(futures):
                    answer, ids = future.result(), futures[future].ids
                    predictions.update(dict.fromkeys(ids, answer.text))
                    if answer.problem:
                        self.failures.update(dict.fromkeys(ids, answer.problem))
                    self.advance(len(ids))
            except BaseException:
                self._client.stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)  # those under way end, no other begins
                raise
        return [predictions[example.id] for example in examples]

    def _request(self, example: Example) -> dict[str, Any]:
        """All that decides the answer: the cache's key."""
        sent = {name: getattr(self, name) for name in ("temperature", "top_p", "max_tokens", "seed")}
        return {
            "base_url": self.base_url,
            "model": self.model,
            "messages": self._prompting.of(example).messages(example, self.shots),
            "decoding": {name: value for name, value in sent.items() if value is not None},
        }

    def _ask(self, request: dict[str, Any], source: str) -> Answer:
        """A prediction, or the reason why there is none; from the cache or from the server."""
        kept = self._cache.load(request)
        if kept is not None:
            self._count(cached=1)
            return Answer(unquoted(clean_sentence(kept), source))
        try:
            answer = self._client.ask(request["model"], request["messages"], request["decoding"])
        except Failed as failure:
            return self._failed(failure)
        self._count(requests=1 + answer.retries, retries=answer.retries, tokens=answer.tokens)
        with self._lock:
            self._failed_in_a_row = 0
        text = unquoted(clean_sentence(answer.text), source)
        problem = answer.problem or (f"refused: {text[:200]}" if is_refusal(text, source) else None)
        if problem:
            self._count(**{problem.split()[0].rstrip(":"): 1})  # refused or empty
            return Answer("", problem)
        self._cache.store(request, answer.text)
        return Answer(text)

    def _failed(self, failure: Failed) -> Answer:
        """One example's failure, or everybody's."""
        if failure.kind == "stopped":  # another one's was everybody's
            return Answer("", str(failure))
        with self._lock:
            self._failed_in_a_row += 1
            hopeless = failure.kind == "fatal" or self._failed_in_a_row >= IN_A_ROW
        if hopeless:
            self._client.stopped.set()
            where = self.base_url or "the Hugging Face router"
            raise UserError(f"chat:{self.model} at {where} gives no answers: {failure}. Those that came are kept.")
        self._count(failed=1)
        return Answer("", str(failure))

    def _count(self, **what: int) -> None:
        with self._lock:
            self.counts.update(what)


def unquoted(text: str, source: str) -> str:
    """Without quotation marks around the whole, unless the source has them too."""
    if len(text) > 2 and _QUOTES.get(text[0]) == text[-1] and source[:1] not in _QUOTES:
        inside = text[1:-1]
        if text[0] not in inside and text[-1] not in inside:
            return inside.strip()
    return text


def is_refusal(text: str, source: str) -> bool:
    """Whether an answer speaks of what the model will not do instead of doing it. English; a source that begins in
    such words is given the benefit of the doubt."""
    return bool(_REFUSAL.match(text) and _HELP.search(text) and not _REFUSAL.match(source))
