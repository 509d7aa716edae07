"""Publish a model that no run made: a critic, or one that ships. Students of a run go by recipes/publish.py.

python recipes/publish_model.py embedded:entailment                 to hub/, from where from_pretrained works
python recipes/publish_model.py embedded:entailment --push you/nli  to the Hugging Face Hub
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist.errors import UserError
from recipes.command import run
from recipes.publishing import TEMPLATES, add_arguments, read_options, release


def main() -> None:
    """Build and publish, or say what would be published."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a model's folder, or embedded:NAME")
    parser.add_argument("--card", default="critic", help="a template of model_cards/, or a path (default: critic)")
    parser.add_argument("--license", help="a licence identifier of the Hub (default: that of the card in its folder)")
    parser.add_argument("--language", default="en", help="ISO 639-1 code (default: en)")
    parser.add_argument("--dry-run", action="store_true", help="print what would be uploaded; sends nothing")
    add_arguments(parser, models=False)
    args = parser.parse_args()
    options = read_options(args)

    from idist.models import resolve
    from idist.release.single import Built, build_single

    source = Path(resolve(args.model)[0])
    name = options.name or source.resolve().name
    license = args.license or _license(source)

    def build(folder: Path, tag: str) -> Built:
        return build_single(args.model, folder, name, tag, TEMPLATES, args.card, license, args.language)

    print("\n".join(release("model", name, build, Path(), options, args.dry_run)[1]))


def _license(folder: Path) -> str:
    """What the card in the folder names, else ``unknown``."""
    import yaml
    from huggingface_hub import ModelCard

    card = folder / "README.md"
    try:
        return str((card.is_file() and ModelCard.load(card).data.license) or "unknown")
    except (ValueError, yaml.YAMLError):
        raise UserError(f"{card} has a head that is no YAML; mend it, or give --license.") from None


if __name__ == "__main__":
    run(main)
