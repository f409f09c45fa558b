"""GitHub's runner: event, inputs, secrets, workflow commands and log."""
