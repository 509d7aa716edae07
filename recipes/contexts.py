"""Stage `contexts` alone: 1 to 5 sentences from the teacher, or from your own text.

python recipes/contexts.py --config mini
python recipes/contexts.py --config mini --set contexts.source=my.txt --name mine
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recipes.command import run
from recipes.pipeline import stage_recipe

if __name__ == "__main__":
    run(lambda: stage_recipe(__doc__, ("contexts",)))
