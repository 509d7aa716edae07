"""Stage `pairs` alone: next sentences of every context, all pairs of them through the critics.

python recipes/pairs.py --config mini
python recipes/pairs.py --config mini --set pairs.critics.rouge_l.max=0.6   # cut again: no model is run
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recipes.command import run
from recipes.pipeline import stage_recipe

if __name__ == "__main__":
    run(lambda: stage_recipe(__doc__, ("pairs",)))
