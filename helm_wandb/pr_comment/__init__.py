"""The sticky comment in the pull request."""
