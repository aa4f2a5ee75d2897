"""Evaluation: every method on the same pairs, by the same judges, in one table."""
