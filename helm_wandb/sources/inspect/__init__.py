"""Evaluations from the logs of Inspect."""
