"""`python -m release.image ghcr.io/OWNER/NAME@sha256:…`: action.yml names that image.

The runner builds a Dockerfile in every job; an image it only pulls.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

_BUILT = "\n  image: Dockerfile\n"
_REFERENCE = re.compile(r"ghcr\.io/[a-z0-9-]+/[a-z0-9._-]+@sha256:[0-9a-f]{64}", re.ASCII)
"""By digest: a tag could name another image tomorrow."""


def pinned(metadata: str, reference: str) -> str:
    """The text of action.yml, with the image in place of the Dockerfile; all else stays.

    Raises ValueError if the reference has no digest, or the text no Dockerfile.
    """
    if not _REFERENCE.fullmatch(reference):
        message = f"{reference!r} is no image by digest, as in ghcr.io/owner/name@sha256:…"
        raise ValueError(message)
    if metadata.count(_BUILT) != 1:
        message = "action.yml: `image: Dockerfile` must stand there once; is it pinned already?"
        raise ValueError(message)
    return metadata.replace(_BUILT, f"\n  image: docker://{reference}\n")


def main(reference: str, root: Path) -> int:
    """Rewrite action.yml; 1 with the problem on standard error, and nothing changed."""
    path = root / "action.yml"
    try:
        path.write_text(pinned(path.read_text(), reference))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path()))
