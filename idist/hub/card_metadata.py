"""The YAML at the head of a card: what the Hub, `datasets` and leaderboards read of a release."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from idist.errors import UserError
from idist.hub.card_text import size_category
from idist.hub.facts import ConfigFacts, DatasetFacts, ModelFacts, ModelResult, ResultsFacts

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

FrontMatter = Callable[..., str]  # words of the template -> YAML
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
_LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]*")


def hub_id(name: str | None) -> str | None:
    """``org/model@revision`` or ``gpt2-xl`` -> the Hub's id; None for ``local:``, ``embedded:`` and paths."""
    bare = (name or "").partition("@")[0]
    return bare if _HUB_ID.fullmatch(bare) else None


def owned(name: str) -> bool:
    """Whether a release has a place on a Hub (``org/dimple``) or lies in a folder only (``dimple``)."""
    return "/" in name


def dataset_front_matter(facts: DatasetFacts | ResultsFacts) -> FrontMatter:
    """A function for templates: ``front_matter(tags=[...], task_categories=[...], ...)`` gives the whole YAML."""
    _check(facts)
    default = next((config for config in facts.configs if config.default), None)
    if default is None or sum(config.default for config in facts.configs) > 1:
        raise ValueError(f"{facts.name}: exactly one config must be the default one, of {len(facts.configs)}.")

    def front_matter(tags: list[str], task_categories: list[str], **words: Any) -> str:
        from huggingface_hub import DatasetCardData

        tasks, category = [], size_category(default.rows)
        if isinstance(facts, DatasetFacts):
            tasks, category = facts.tasks, facts.size_category or category
        data = DatasetCardData(
            pretty_name=facts.title,
            language=[facts.language],
            license=facts.license,
            size_categories=[category],
            task_categories=list(dict.fromkeys([*task_categories, *tasks])) or None,
            tags=tags,
            **words,
            configs=[_config(config) for config in facts.configs],
            dataset_info=[{"config_name": config.name, **config.dataset_info} for config in facts.configs],
        )
        return data.to_yaml(line_break="\n")

    return front_matter


def model_front_matter(facts: ModelFacts) -> FrontMatter:
    """A function for templates: ``front_matter(tags=[...], pipeline_tag=...)`` gives the whole YAML."""
    _check(facts)

    def front_matter(tags: list[str], pipeline_tag: str, **words: Any) -> str:
        from huggingface_hub import ModelCardData

        base = hub_id(facts.base_model)
        results = [_result(result, pipeline_tag, _shared(result, facts.results)) for result in facts.results]
        data = ModelCardData(
            language=[facts.language],
            license=facts.license,
            library_name="transformers",
            pipeline_tag=pipeline_tag,
            base_model=base,
            base_model_relation="finetune" if base else None,
            datasets=[facts.dataset.name] if facts.dataset and owned(facts.dataset.name) else None,
            metrics=list(dict.fromkeys(result.metric for result in facts.results)) or None,
            tags=tags,
            **words,
            model_name=facts.title if results else None,
            eval_results=results or None,
        )
        return data.to_yaml(line_break="\n")

    return front_matter


def _check(facts: DatasetFacts | ModelFacts | ResultsFacts) -> None:
    """The Hub refuses a card with another licence identifier; say so before anything is uploaded."""
    if not _LICENSE.fullmatch(facts.license):
        raise UserError(
            f"The licence of {facts.name} is {facts.license!r}, expected an identifier of the Hub's list such as "
            "apache-2.0, cc-by-sa-4.0 or unknown."
        )


def _config(config: ConfigFacts) -> dict[str, Any]:
    files = [{"split": split.name, "path": split.files} for split in config.splits]
    named: dict[str, Any] = {"config_name": config.name, "data_files": files}
    if config.digest:
        named["description"] = f"files {config.digest}"  # part of what `datasets` names its cache by; see `ConfigFacts`
    # a config called `default` is the default one without more words
    return {**named, "default": True} if config.default and config.name != "default" else named


def _shared(result: ModelResult, results: list[ModelResult]) -> bool:
    """Whether another task uses the same split of the same dataset: the index would merge the two."""
    place = (result.dataset, result.split)
    return any(other.task != result.task and (other.dataset, other.split) == place for other in results)


def _result(result: ModelResult, task_type: str, shared: bool) -> EvalResult:
    from huggingface_hub import EvalResult

    details = {
        "protocol": result.protocol or None,
        "confidence_interval_95": _interval(result),
        "examples": result.n,
        "signature": result.signature or None,
    }
    return EvalResult(
        task_type=task_type,
        task_name=result.task,
        dataset_type=result.dataset,
        dataset_name=result.dataset,
        dataset_config=result.task if shared else None,
        dataset_split=result.split,
        metric_type=result.metric,
        metric_name=result.title,
        metric_value=_rounded(result.value),
        metric_args={key: value for key, value in details.items() if value is not None} or None,
    )


def _interval(result: ModelResult) -> list[float] | None:
    return None if result.low is None or result.high is None else [_rounded(result.low), _rounded(result.high)]


def _rounded(value: float) -> float:
    return round(float(value), 4)
