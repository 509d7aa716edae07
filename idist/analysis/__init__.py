"""What the method rests on and what it makes, in numbers: paraphrastic proximity of a teacher (paper section 2) and
the quality of pair datasets (paper section 4.1)."""
