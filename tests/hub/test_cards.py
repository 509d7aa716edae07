"""Cards: valid for the Hub's and `datasets`' readers, whole as Markdown, true to the facts; faults in one sentence."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from idist.errors import UserError
from idist.hub.card_text import plain
from idist.hub.cards import dataset_card, model_card, results_card
from idist.hub.facts import DatasetReference
from tests.hub.card_facts import (
    COLUMNS,
    COMMIT,
    LINEAGE,
    RESULTS,
    TEXTS,
    config,
    dataset_facts,
    model_facts,
    results_facts,
)

TEMPLATES = Path(__file__).parents[2] / "model_cards"
DATASETS = ("dataset", "dimple", "dimsum")
MODELS = ("model", "impossible-t5", "impossible-t5-control", "impossible-t5-summary", "critic")
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def dataset(template: str = "dimple", **changes: Any) -> str:
    return dataset_card(dataset_facts(**changes), TEMPLATES, template)


def model(template: str = "impossible-t5", **changes: Any) -> str:
    return model_card(model_facts(**changes), TEMPLATES, template)


def body(card: str) -> str:
    return card.split("\n---\n", 1)[1]


def tables(card: str) -> list[list[list[str]]]:
    """All tables as a reader sees them: rows of cells' texts, header first."""
    found: list[list[list[str]]] = []
    for token in MARKDOWN.parse(body(card)):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and found and found[-1]:
            text = "".join(child.content for child in token.children or [] if child.type != "html_inline")
            found[-1][-1].append(text)
        elif token.type == "table_close":
            found.append([])
    return [table for table in found if table]


def whole(card: str) -> None:
    """Head, headings, tables and code fences are what they were meant to be; nothing of the template is left."""
    assert card.startswith("---\n") and card.endswith("\n") and not card.endswith("\n\n")
    assert "\n\n\n" not in card and not re.search(r"[ \t]\n", body(card))
    assert "{%" not in card and "{{" not in card and "None" not in body(card)
    tokens = MARKDOWN.parse(body(card))
    assert [token.markup for token in tokens if token.type == "heading_open"].count("#") == 1
    paragraphs = [token.content for token in tokens if token.type == "inline"]
    assert not [text for text in paragraphs if re.search(r"\|-|^\|", text)], "a table that is none"
    fences = [token.info for token in tokens if token.type == "fence"]
    assert body(card).count("```") == 2 * len(fences) and "python" in fences and "bibtex" in fences
    lines = body(card).splitlines()
    for first, line in enumerate(lines):
        if re.fullmatch(r"\|[-:|]+\|", line):
            widths = {count(row) for row in [lines[first - 1], line, *rows_below(lines, first)]}
            assert len(widths) == 1, lines[first - 1]


def count(row: str) -> int:
    return len(re.findall(r"(?<!\\)\|", row))


def rows_below(lines: list[str], first: int) -> list[str]:
    end = next(index for index in range(first, len(lines)) if not lines[index].startswith("|"))
    return lines[first + 1 : end]


@pytest.mark.parametrize("name", ["acme/dimple", "dimple"])
@pytest.mark.parametrize("template", DATASETS)
def test_a_dataset_card_is_whole_and_read_by_the_hub_and_by_datasets(template: str, name: str) -> None:
    from datasets import Features
    from datasets.info import DatasetInfosDict
    from datasets.utils.metadata import MetadataConfigs
    from huggingface_hub import DatasetCard

    card = dataset(template, name=name)
    whole(card)
    data = DatasetCard(card).data
    assert data.license == "unknown" and data.language == ["en"] and data.size_categories == ["n<1K"]
    assert MetadataConfigs.from_dataset_card_data(data)["teacher"]["data_files"] == [
        {"split": "train", "path": "teacher/train-*.parquet"},
        {"split": "validation", "path": "teacher/validation-*.parquet"},
    ]
    info = DatasetInfosDict.from_dataset_card_data(data)["default"]
    assert info.features == Features.from_dict(
        {name: {"_type": "Value", "dtype": kind} for name, kind in COLUMNS.items()}
    )
    assert info.splits["train"].num_examples == 2


@pytest.mark.parametrize("name", ["acme/impossible-t5", "impossible-t5"])
@pytest.mark.parametrize("template", MODELS)
def test_a_model_card_is_whole_and_its_results_are_read_back(template: str, name: str) -> None:
    from huggingface_hub import ModelCard

    card = model(template, name=name, prompt="{source}")
    whole(card)
    data = ModelCard(card).data
    assert data.datasets == ["acme/dimple"] and data.library_name == "transformers" and data.pipeline_tag
    read = {(result.metric_type, result.dataset_type): result for result in data.eval_results}
    assert len(read) == len(RESULTS)
    for result in RESULTS:
        found = read[result.metric, result.dataset]
        assert (found.metric_value, found.metric_name) == (pytest.approx(result.value, abs=1e-4), result.title)
        assert (found.task_name, found.dataset_split) == (result.task, result.split)
        assert found.metric_args.get("signature", "") == result.signature
    assert read["bert_ibleu", "scenes"].metric_args["confidence_interval_95"] == [49.1, 53.8]


def test_a_results_card_is_whole() -> None:
    card = results_card(results_facts(), TEMPLATES)
    whole(card)
    scores = next(table for table in tables(card) if table[0][0] == "system")
    assert scores[1] == ["idist:student", "scenes", "BERT-iBLEU ↑", "51.5", "49.1 to 53.8", "220", "paper"]


def test_two_tasks_on_one_dataset_stay_apart_in_the_index() -> None:
    from huggingface_hub import ModelCard

    other = dataclasses.replace(RESULTS[0], task="scenes-syntax")
    read = ModelCard(model(results=[RESULTS[0], other])).data.eval_results
    assert [result.task_name for result in read] == ["scenes", "scenes-syntax"]


def test_the_same_facts_give_the_same_bytes() -> None:
    assert dataset() == dataset() and model() == model()


CELLS = st.text(st.sampled_from(list("ab `|\\<>&*_[]~$!#-\n{}%")) | st.characters(), max_size=30)


ROW = st.tuples(CELLS, CELLS).map(lambda texts: {"x": texts[0], "y": texts[1]})


@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.generate])  # to shrink would take minutes
@given(st.lists(ROW, min_size=1, max_size=3), CELLS, CELLS)
def test_texts_of_any_kind_stay_in_their_cells(rows: list[dict[str, str]], title: str, words: str) -> None:
    feature = dataclasses.replace(config("default", True, "data", TEXTS, (2, 1)), description=words)
    card = dataset(rows_shown=rows, title=title or "t", configs=[feature])
    shown = next(table for table in tables(card) if table[0] == ["x", "y"])
    assert shown[1:] == [[plain(row["x"]), plain(row["y"])] for row in rows]
    described = next(table for table in tables(card) if table[0][0] == "config")
    assert described[1][4] == plain(words)


def test_what_a_reader_needs_is_there() -> None:
    card = dataset()
    flat = [" | ".join(row) for table in tables(card) for row in table]
    assert "default | train | 2 | 640 bytes | pairs of stage default" in flat
    assert "rouge_l | float32 | ROUGE-L F1 of x and y, 0 to 1" in flat
    entailment = next(row for row in flat if row.startswith("entailment |"))
    assert "min 0.75, directions both, model embedded:entailment | 201,225 | 200,198 | 1,027 | 0.5 %" in entailment
    assert "rouge_l | 0.612 | 0.400 | 0.620 | 0.746" in flat and "words of x (by blanks) | 8.70 | 5 | 7 | 16.9" in flat
    assert "stage pairs | 283 selected; 9 min 40 s" in flat and "seed | 0" in flat
    assert "model for contexts, pairs | openai-community/gpt2-xl at 0123456789ab" in flat
    assert f"https://huggingface.co/datasets/EdinburghNLP/xsum/tree/{COMMIT}" in card
    assert "python recipes/distill.py --from-hub acme/dimple@v1.0.0" in card
    assert "3 of the removed pairs could not be judged" in card and "floor" not in card
    assert "arXiv:2305.16635" in card and "Choi, Yejin" in card


def test_what_is_not_known_is_left_out() -> None:
    card = dataset(rows_shown=[], funnels={}, quality=[], lineage={}, tag=None)
    whole(card)
    assert not re.search("## (Ten|What the critics|Measured)|snapshot_download|@v1", card)
    card = model(
        results=[], training={}, dataset=None, lineage={}, curve=False, tag=None, parameters=None, base_model=None
    )
    whole(card)
    assert not re.search("## (Results|Training|How)|training_curve|revision=|model-index|Fine-tuned", card)


def test_a_release_without_the_final_pairs_does_not_speak_of_a_student() -> None:
    teacher = config("teacher", True, "teacher", TEXTS, (2, 1))
    card = dataset(configs=[teacher], funnels={})
    whole(card)
    assert "student" not in card.split("## Load")[0].split("# DIMPLE")[1] and "default: true" in card
    contexts = config("contexts", True, "contexts", {"id": "string", "context": "string"}, (2, 1))
    card = dataset(configs=[contexts], funnels={}, rows_shown=[])
    whole(card)
    assert "The pairs are not in this release" in " ".join(card.split()) and "`x` is the source" not in card


def test_names_without_an_owner_point_to_folders() -> None:
    card = dataset(name="dimple", folder="runs/mini/hub/datasets/dimple")
    assert 'load_dataset("runs/mini/hub/datasets/dimple")' in card
    assert 'load_dataset("runs/mini/hub/tags/v1.0.0/datasets/dimple")' in card
    assert "--from-hub runs/mini/hub/datasets/dimple\n" in card
    assert 'name = "./models/impossible-t5"' in model(name="impossible-t5")
    card = model(dataset=DatasetReference("dimple", fingerprint="39c94b61d4cd491f"), name="impossible-t5")
    assert "Data: `dimple` (`39c94b61d4cd491f`), config `default`" in card and "\ndatasets:" not in card


@pytest.mark.parametrize(
    ("base", "listed"),
    [("google-t5/t5-large@" + COMMIT, True), ("t5-large", True), ("embedded:student", False), ("local:mine", False)],
)
def test_only_a_model_of_the_hub_is_named_as_base(base: str, listed: bool) -> None:
    from huggingface_hub import ModelCard

    card = model(base_model=base)
    data = ModelCard(card).data.to_dict()
    assert data.get("base_model") == (base.partition("@")[0] if listed else None)
    assert data.get("base_model_relation") == ("finetune" if listed else None)
    assert base.partition("@")[0] in body(card)


def test_an_older_lineage_still_makes_a_card() -> None:
    thin = {"toolkit": {"name": "idist"}, "stages": {"pairs": {}}, "hardware": [LINEAGE["hardware"]] * 2, "models": []}
    card = dataset(lineage=thin)
    whole(card)
    assert body(card).count("Some CPU, 2 cores, 8 GiB") == 1


def test_a_template_of_ones_own_extends_those_that_ship(tmp_path: Path) -> None:
    mine = tmp_path / "mine.md"
    mine.write_text('{% extends "dimple.md" %}{% block limits %}\n- Only recipes.\n{% endblock %}')
    card = dataset(str(mine))
    whole(card)
    assert "- Only recipes.\n- Everything was written" in card and "entailment model's opinion" not in card


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{% extends 'datset.md' %}", "'datset.md', which it extends or includes, does not exist"),
        ("a\n{% if %}", "mine.md, line 2"),
        ("{{ facts.rows }}", "no attribute 'rows'"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ facts.title | shout }}", "shout"),
    ],
)
def test_a_template_that_cannot_be_rendered_is_named(tmp_path: Path, content: str, says: str) -> None:
    mine = tmp_path / "mine.md"
    mine.write_text(content)
    with pytest.raises(UserError, match=re.escape(says)) as caught:
        dataset(str(mine))
    assert "mine.md" in str(caught.value) and "\n" not in str(caught.value)


def test_an_unknown_template_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no card template 'dimpel'; did you mean 'dimple'\?"):
        dataset("dimpel")
    with pytest.raises(UserError, match="no card templates"):
        dataset_card(dataset_facts(), tmp_path, "dimple")


@pytest.mark.parametrize("license", ["Apache 2.0", "", "MIT\nx: y"])
def test_a_licence_that_is_no_identifier_is_refused(license: str) -> None:
    with pytest.raises(UserError, match="licence of acme/dimple"):
        dataset(license=license)


def test_exactly_one_config_is_the_default() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        dataset(configs=[config("teacher", False, "teacher", TEXTS, (2, 1))])
