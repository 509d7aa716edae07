"""Stage `train` or `train_final` alone: fine-tune the student on the kept pairs.

python recipes/train.py --config mini
python recipes/train.py train_final --config mini
accelerate launch recipes/train.py --config mini
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recipes.command import run
from recipes.pipeline import stage_recipe

if __name__ == "__main__":
    run(lambda: stage_recipe(__doc__, ("train", "train_final"), choose_one=True))
