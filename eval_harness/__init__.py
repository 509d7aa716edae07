"""How good are the paraphrases? Pairs to test on (``pairs``) and metrics (``metrics``); knows idist, never the reverse.

``from eval_harness.metrics import score`` and ``from eval_harness.pairs import read_pairs`` are the two doors.
"""
