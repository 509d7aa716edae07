"""From a folder of results to a leaderboard: ``collect`` reads, ``document`` composes, ``tables`` (Markdown) and
``html`` put into words, ``plots`` draws, ``write`` leaves the files."""
