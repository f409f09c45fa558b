"""Steps of the release workflow besides building: versions checked, the image named, tags set.

And the table of HELM's schemas, `boards.py`, which a maintainer runs.
"""
