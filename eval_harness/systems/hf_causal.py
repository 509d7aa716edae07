"""A causal language model that is prompted, with or without solved examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eval_harness.systems.local_model import LocalModel
from eval_harness.systems.prompting import Prompting
from eval_harness.tasks.base import Example, Task, TaskData
from idist.errors import UserError
from idist.text import clean_sentence

_STOPS = ("line", "sentence")


@dataclass
class HfCausal(LocalModel):
    """A causal language model by name, prompted with or without solved examples.

    For example ``hf-causal:org/model,shots=5``. Greedy unless said otherwise.

    Attributes:
        prompt: a prompt that ships (``paraphrase``, ``syntax``, ``summary``) or a YAML file
            (`eval_harness.systems.prompts`); None: the one of the task's purpose.
        shots: solved examples before the one to be solved.
        stop: an answer ends with its first ``line``, or already with its first ``sentence``.
        chat_template: put the prompt as messages through the tokenizer's chat template, as instruction-tuned models
            expect it.
    """

    num_beams: int = 1
    prompt: str | None = None
    shots: int = 0
    stop: str = "line"
    chat_template: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._prompting = Prompting(self.prompt, self.shots)
        if self.stop not in _STOPS:
            raise UserError(f"stop is {self.stop!r}, expected one of: {', '.join(_STOPS)}.")

    def settings(self) -> dict[str, Any]:
        """With the prompt's content as a hash."""
        return {**super().settings(), **self._prompting.settings()}

    def begin(self, task: Task, data: TaskData) -> None:
        """Choose the prompt."""
        self._prompting.begin(task)

    def predict(self, examples: Sequence[Example]) -> list[str]:
        """Answers, cut at ``stop``, white space collapsed."""
        loaded = self.load(self.model, _load_causal)
        rows = [self._encode(loaded[1], example) for example in examples]
        texts = self.write(loaded, rows, [example.id for example in examples], ended=self._ended)
        return [clean_sentence(text[: _end(text, self.stop)]) for text in texts]

    def _ended(self, text: str) -> bool:
        """Whether what may still come cannot change the answer."""
        return _end(text, self.stop, final=False) is not None

    def _encode(self, tokenizer: Any, example: Example) -> list[int]:
        prompt = self._prompting.of(example)
        if not self.chat_template:
            return list(tokenizer(prompt.completion(example, self.shots), verbose=False).input_ids)
        if not tokenizer.chat_template:
            raise UserError(f"Model {self.model!r} has no chat template; leave chat_template out.")
        messages = prompt.messages(example, self.shots)
        text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        return list(tokenizer(text, add_special_tokens=False, verbose=False).input_ids)  # the template writes its own


def _end(text: str, stop: str, final: bool = True) -> int | None:
    """Where the first line with anything on it (or its first sentence) ends; None if it has not ended."""
    from idist.text import find_boundary

    start = len(text) - len(text.lstrip())
    newline = text.find("\n", start)
    line_end = None if newline < 0 else newline
    if stop == "line":
        return line_end
    return find_boundary(text[:line_end], final=final or line_end is not None).end or line_end


def _load_causal(name: str, device: str, dtype: str) -> tuple[Any, Any]:
    from idist.models import is_seq2seq, load_causal_lm

    if is_seq2seq(name):
        raise UserError(
            f"Model {name!r} is an encoder-decoder, expected a causal language model; use hf-seq2seq:{name}."
        )
    return load_causal_lm(name, device, dtype)
