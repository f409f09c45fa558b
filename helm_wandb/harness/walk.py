"""All files of an output."""

from __future__ import annotations

from collections.abc import Iterator

from helm_wandb.errors import ArtifactError
from helm_wandb.harness.files import Files

_DEEPEST = 8


def files_below(
    files: Files, top: str = "", *, folders: int, advice: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield the folder, ending in `/` or empty, and the name of each file below `top`.

    folders: how many are searched. advice: a sentence for an output that has more.
    Raises ArtifactError if there are more; those that lie deeper than eight levels are left out.
    """
    queue = [f"{top}/" if top else ""]
    depth = queue[0].count("/") + _DEEPEST
    for count, folder in enumerate(queue, 1):
        for name in files.names(folder.rstrip("/")):
            path = folder + name
            if not files.is_folder(path):
                yield folder, name
            elif folder.count("/") < depth:
                queue.append(f"{path}/")
        if count > folders:
            raise ArtifactError(
                f"{files.shown('')}: has more than {folders:,} folders in it. {advice}".rstrip()
            )
