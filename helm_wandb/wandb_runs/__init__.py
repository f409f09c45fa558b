"""Report → runs in W&B, and back."""
