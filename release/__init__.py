"""What the release workflow does besides building: versions checked, the image named, tags set."""
