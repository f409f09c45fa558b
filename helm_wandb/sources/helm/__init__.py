"""Evaluations from the output of HELM."""
