"""helm-wandb-action: HELM evaluations to W&B, the terminal and GitHub."""

__version__ = "0.1.0"
