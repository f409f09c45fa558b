"""A harness's output, opened as what it is: a folder or an archive."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from helm_wandb.errors import ArtifactError, UnknownOutputError
from helm_wandb.harness.entry import HarnessEval
from helm_wandb.harness.files import MUST_BE, Files, Limits, unreadable
from helm_wandb.harness.folder import KINDS_OF_FILES, Folder
from helm_wandb.system import paths
from helm_wandb.text.safe_text import plain


@contextmanager
def open_output(
    path: Path, *, shown_as: str, limits: Limits | None = None, top_folders: Sequence[str] = ()
) -> Iterator[Files]:
    """Return the files of the folder, or of the `.tar`, `.tar.gz` or `.zip`, by its content.

    shown_as: its name in messages.
    top_folders: folders of which the output has one at least; in an archive, they may be one
    folder down. Without any, what an archive holds is the output.
    Temporary files are gone when the context ends.
    Raises ArtifactError if nothing is there, or nothing of these kinds, or a bad archive.
    """
    limits = limits or Limits()
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise unreadable(plain(shown_as), error) from error
    if stat.S_ISDIR(mode):
        yield Folder(path, shown_as=shown_as, limits=limits)
    elif stat.S_ISREG(mode):
        # Only an archive pays for the import of what unpacks it.
        from helm_wandb.harness.archive import open_archive  # noqa: PLC0415

        with open_archive(path, shown_as=shown_as, limits=limits, top_folders=top_folders) as files:
            yield files
    else:
        raise ArtifactError(
            f"{plain(shown_as)}: is {KINDS_OF_FILES[stat.S_IFMT(mode)]}. It {MUST_BE}."
        )


@contextmanager
def open_entry(
    spec: HarnessEval, folder: Path, opened: Callable[..., AbstractContextManager[Files]]
) -> Iterator[Files]:
    """Return the files of the entry's output; errors name the config's line.

    folder: what a relative path is relative to. opened: `open_output`, as the harness calls it.
    """
    path = folder / spec.output_dir
    if not os.path.lexists(path):
        raise ArtifactError(_describe_absence(spec, folder))
    where = f"{spec.at(spec.OUTPUT_KEY)}: {spec.OUTPUT_KEY}"
    with ExitStack() as stack:
        try:
            files = stack.enter_context(opened(path, shown_as=spec.output_dir))
        except ArtifactError as error:
            raise type(error)(f"{where}: {error}") from error
        try:
            yield files
        except UnknownOutputError as error:
            raise UnknownOutputError(f"{where}: {error}") from error


def _describe_absence(spec: HarnessEval, folder: Path) -> str:
    key, name = spec.OUTPUT_KEY, spec.output_dir
    where = paths.misread(name, folder) or (
        f"{paths.hint(name, folder)} Did the step that evaluates write it there?".lstrip()
    )
    return f"{spec.at(key)}: {key} {name!r} doesn't exist. {where}"
