"""Evaluations → comparison, verdicts, ranking; nothing here touches the outside."""
