"""How sure is a score, and is a difference more than chance? Works on statistics per example, knows no text."""

from eval_harness.statistics.paired import Paired, holm, paired_test
from eval_harness.statistics.resampling import bootstrap, bootstrap_scores

__all__ = ["Paired", "bootstrap", "bootstrap_scores", "holm", "paired_test"]
