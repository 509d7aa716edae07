"""What holds for every test."""

import os

# One thread here and in every process that a test starts: sums in another order would give weights with other last
# bits, and a resumed training could not be compared with an undisturbed one. Set before torch is imported.
os.environ["OMP_NUM_THREADS"] = "1"
