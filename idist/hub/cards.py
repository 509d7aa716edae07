"""Facts + a template -> the README.md of a release.

Templates are Jinja2 files (`model_cards/` of the toolkit) and carry all words; here are the values they print, made
safe for Markdown (`card_text`), the YAML at the head (`card_metadata`) and the lineage in readable form
(`card_lineage`). What is rendered depends on the facts alone: the same facts give the same bytes.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

from idist._schema import nearest
from idist.errors import UserError
from idist.hub import card_lineage
from idist.hub.card_metadata import FrontMatter, dataset_front_matter, hub_id, model_front_matter, owned
from idist.hub.card_text import FILTERS
from idist.hub.facts import DatasetFacts, ModelFacts, ModelResult, ResultsFacts

_EMPTY_LINES = re.compile(r"\n{3,}")


def dataset_card(facts: DatasetFacts, templates: Path, template: str = "dataset") -> str:
    """The README.md of a dataset release.

    Args:
        facts: see `DatasetFacts`.
        templates: folder of the templates, `model_cards/`.
        template: name of one of them without ``.md``, or a path of your own (which may extend those).

    Returns:
        Markdown with its YAML head, ending in one line break.

    Raises:
        UserError: no such template, one that cannot be rendered (its line is named), no licence identifier.
    """
    default = next((config for config in facts.configs if config.default), None)
    return _render(facts, "datasets", templates, template, dataset_front_matter(facts), {"default": default})


def model_card(facts: ModelFacts, templates: Path, template: str = "model") -> str:
    """The README.md of a model release; arguments and errors as of `dataset_card`."""
    return _render(facts, "models", templates, template, model_front_matter(facts), _results(facts.results))


def results_card(facts: ResultsFacts, templates: Path, template: str = "results") -> str:
    """The README.md of a dataset of evaluation results; arguments and errors as of `dataset_card`."""
    default = next((config for config in facts.configs if config.default), None)
    values = {"default": default, **_results(facts.results)}
    return _render(facts, "datasets", templates, template, dataset_front_matter(facts), values)


def _results(results: list[ModelResult]) -> dict[str, Any]:
    """`signatures`: signature -> titles of the metrics (and tasks) that it belongs to, in order."""
    signatures: dict[str, list[str]] = {}
    for result in results:
        if result.signature:
            signatures.setdefault(result.signature, []).append(result.title)
    return {"signatures": {signature: list(dict.fromkeys(titles)) for signature, titles in signatures.items()}}


def _render(
    facts: DatasetFacts | ModelFacts | ResultsFacts,
    kind: str,
    templates: Path,
    template: str,
    front_matter: FrontMatter,
    values: dict[str, Any],
) -> str:
    import jinja2

    path = _find(templates, template)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([path.parent, templates]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # Markdown: the filters make values safe
    )
    environment.filters.update(FILTERS)
    functions = {"front_matter": front_matter, "owned": owned(facts.name), "hub_id": hub_id, "lineage": card_lineage}
    try:
        text = environment.get_template(path.name).render(
            facts=facts, folder=_folder(facts, kind), tagged_folder=_tagged(facts, kind), **functions, **values
        )
    except jinja2.TemplateNotFound as error:
        raise UserError(f"Template {path}: {error.name!r}, which it extends or includes, does not exist.") from None
    except jinja2.TemplateSyntaxError as error:
        raise UserError(f"Template {error.filename or path}, line {error.lineno}: {error.message}.") from None
    except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError) as error:
        raise UserError(f"Template {path} cannot be rendered: {error}.") from None
    return _tidy(text)


def _find(templates: Path, template: str) -> Path:
    """The file of a template.

    Raises:
        UserError: there is none; the nearest name is given.
    """
    named = templates / f"{template}.md"
    if named.is_file():
        return named
    if Path(template).is_file():
        return Path(template)
    names = sorted(path.stem for path in templates.glob("*.md"))
    if not names:
        raise UserError(f"There are no card templates in {templates}, expected files such as dataset.md.")
    raise UserError(f"There is no card template {template!r}; {nearest(template, names)}")


def _folder(facts: DatasetFacts | ModelFacts | ResultsFacts, kind: str) -> str:
    """What a reader types for the newest release in a folder: with a slash, so that no Hub is asked for it."""
    return facts.folder or f"./{kind}/{facts.name.rpartition('/')[2]}"


def _tagged(facts: DatasetFacts | ModelFacts | ResultsFacts, kind: str) -> str | None:
    """The same for the release of this tag: ``tags/v1.0.0/datasets/NAME`` beside ``datasets/NAME``."""
    if not facts.tag:
        return None
    folder = _folder(facts, kind)
    path = PurePosixPath(folder)
    tagged = str(path.parent.parent / "tags" / facts.tag / path.parent.name / path.name)
    return f"./{tagged}" if folder.startswith("./") else tagged


def _tidy(text: str) -> str:
    """No blanks at line ends, at most one empty line, one line break at the end. The YAML head stays as it is."""
    head, mark, body = text.partition("\n---\n")
    body = "\n".join(line.rstrip() for line in body.split("\n"))
    return head + mark + _EMPTY_LINES.sub("\n\n", body).strip("\n").join(["\n", "\n"])
