"""What the outputs of all harnesses share: folders and archives, JSON, the ids of checkpoints."""
