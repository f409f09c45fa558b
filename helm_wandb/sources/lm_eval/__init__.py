"""Evaluations from the output of lm-evaluation-harness (lm-eval)."""
