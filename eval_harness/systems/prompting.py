"""Which prompt an example gets: the one that was named, or the one of the task's purpose."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, get_args

from eval_harness.systems.prompts import Prompt, load_prompt
from eval_harness.tasks.base import Example, Purpose, Task
from idist.errors import UserError


@dataclass
class Prompting:
    """What `hf-causal` and `chat` have in common.

    Args:
        prompt: name of a prompt or path of a file; None: `paraphrase`, `syntax` or `summary`, as the task is.
        shots: solved examples shown before the one to be solved.

    Raises:
        UserError: no such prompt, a bad file, or fewer shots in it.
    """

    prompt: str | None
    shots: int

    def __post_init__(self) -> None:
        self._purpose: Purpose | None = None
        if self.shots < 0:
            raise UserError(f"shots is {self.shots}, expected 0 or more.")
        for prompt in self._possible():
            prompt.messages(_PROBE, self.shots)

    def begin(self, task: Task) -> None:
        """Take the prompt of the task's purpose, unless one was named."""
        self._purpose = task.purpose

    def of(self, example: Example) -> Prompt:
        """The example's prompt. Without a task: `syntax` for an example with an exemplar, else `paraphrase`."""
        return load_prompt(self._name() or ("paraphrase" if example.exemplar is None else "syntax"))

    def settings(self) -> dict[str, Any]:
        """Name, content and number of shots; as long as no task decides, the content is that of all prompts."""
        digests = "".join(prompt.digest() for prompt in self._possible())
        return {
            "prompt": self._name(),
            "prompt_digest": hashlib.sha256(digests.encode()).hexdigest()[:16],
            "shots": self.shots,
        }

    def _name(self) -> str | None:
        return self.prompt or self._purpose

    def _possible(self) -> list[Prompt]:
        """The prompt that is known to be used, or one for each purpose."""
        name = self._name()
        return [load_prompt(one) for one in (get_args(Purpose) if name is None else (name,))]


_PROBE = Example("probe", "", ("",), exemplar="")  # fits every prompt: what is checked is the file and its shots
