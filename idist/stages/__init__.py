"""The stages of a run, one a file: contexts, pairs, train, self_distil.

Each has ``run(config, folder, limit, progress)``, which makes what is missing under ``folder`` (``runs/NAME``) and
gives a result, and ``plan(config, folder, limit)``, which says what `run` would do without loading a model. Nothing
here prints, save progress bars on stderr.
"""
