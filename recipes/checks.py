"""What can be known of a config before any work: a mistake is found now, not after the stages before it."""

from __future__ import annotations

from idist.config import FINAL_STUDENT, FIRST_STUDENT, RunConfig
from idist.errors import UserError


def check(config: RunConfig) -> None:
    """Everything about a config that can be known without a model: that its models' folders, critics, controls,
    prefixes and evaluation data are there.

    Raises:
        UserError: what is wrong, in one sentence.
    """
    from idist.models import resolve
    from idist.stages._control_pairs import check_thresholds
    from idist.stages.control import controls_of
    from idist.stages.corpus import check_source
    from idist.stages.scoring import cascade_of
    from idist.stages.self_distil import check_rule
    from recipes.evaluation import check as check_evaluation

    _check_device(config.device)
    names = [config.contexts.model, config.pairs.model, config.self_distil.model, config.train.model]
    names += [config.train_final.model, config.train_control.model]
    for name in names:
        if name not in (FIRST_STUDENT, FINAL_STUDENT):
            resolve(name)
    check_evaluation(config.evaluation, config.device)
    cascade_of(config, config.pairs.critics)
    check_source(config.pairs)
    controls_of(config)
    check_thresholds(config)
    check_rule(config, cascade_of(config, config.self_distil_critics()))
    if config.contexts.prefixes:
        from idist.text import load_prefixes

        load_prefixes(config.contexts.prefixes)


def _check_device(device: str) -> None:
    if device not in ("cuda", "mps"):
        return
    import torch

    there = torch.cuda.is_available() if device == "cuda" else torch.backends.mps.is_available()
    if not there:
        raise UserError(f"device is {device}, but PyTorch finds none on this machine; expected cpu or auto.")
