"""Impossible Distillation (Jung et al., arXiv 2305.16635): paraphrase and summary data and models out of a small LM."""

__version__ = "0.1.0"
