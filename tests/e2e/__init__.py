"""The action's image, run as GitHub's runner runs it."""
