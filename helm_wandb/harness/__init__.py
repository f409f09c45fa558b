"""Parts that the readers of all harnesses share: folders, archives, JSON, IDs of checkpoints."""
