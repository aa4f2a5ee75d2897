"""Ablations: the paper's Table 1d, every variant trained on the same small budget."""
