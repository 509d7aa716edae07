"""Stage `self_distil` alone: the student paraphrases new sources, the critics judge.

python recipes/self_distil.py --config mini
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recipes.command import run
from recipes.pipeline import stage_recipe

if __name__ == "__main__":
    run(lambda: stage_recipe(__doc__, ("self_distil",)))
