"""Further runs of an entry's checkpoint, which the key `repeats` names."""
