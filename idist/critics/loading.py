"""Models of a composition: each is loaded once, when first asked for, and shared by the critics that name it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from idist.critics.encoding import SentenceEncoder
    from idist.critics.identifier import LanguageIdentifier
    from idist.critics.likelihood import CausalLikelihood
    from idist.critics.nli import EntailmentModel
    from idist.critics.text_classifier import TextClassifier
    from idist.trees import ConstituencyParser


@dataclass
class Models:
    """Loads by name through `idist.models`.

    Attributes:
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        dtype: ``auto`` (see `idist.models.pick_dtype`), or a torch dtype's name.
    """

    device: str = "auto"
    dtype: str = "auto"
    _loaded: dict[tuple[str, str], Any] = field(default_factory=dict)

    def loaded(self) -> dict[str, list[Any]]:
        """What has been loaded so far, by the name that was asked for: of one name maybe several kinds."""
        found: dict[str, list[Any]] = {}
        for (_, name), model in self._loaded.items():
            found.setdefault(name, []).append(model)
        return found

    def entailment(self, name: str) -> EntailmentModel:
        """Entailment classifier with its memory of pairs."""
        from idist.critics.nli import EntailmentModel

        return self._once("entailment", name, lambda: EntailmentModel(name, self.device, self.dtype))

    def encoder(self, name: str) -> SentenceEncoder:
        """Sentence encoder."""
        from idist.critics.encoding import SentenceEncoder

        return self._once("encoder", name, lambda: SentenceEncoder(name, self.device, self.dtype))

    def classifier(self, name: str) -> TextClassifier:
        """Classifier of single texts."""
        from idist.critics.text_classifier import TextClassifier

        return self._once("classifier", name, lambda: TextClassifier(name, self.device, self.dtype))

    def likelihood(self, name: str) -> CausalLikelihood:
        """Causal LM that gives probabilities."""
        from idist.critics.likelihood import CausalLikelihood

        return self._once("likelihood", name, lambda: CausalLikelihood(name, self.device, self.dtype))

    def identifier(self, name: str) -> LanguageIdentifier:
        """Language identification: the package py3langid, or a classifier whose labels are languages."""
        from idist.critics.identifier import PackageIdentifier
        from idist.models import PACKAGES

        if name not in PACKAGES:
            return self.classifier(name)
        return self._once("identifier", name, PackageIdentifier)

    def parser(self, name: str) -> ConstituencyParser:
        """Constituency parser."""
        from idist.models import load_parser

        return self._once("parser", name, lambda: load_parser(name, self.device))

    def _once(self, kind: str, name: str, load: Any) -> Any:
        if (kind, name) not in self._loaded:
            self._loaded[kind, name] = load()
        return self._loaded[kind, name]
