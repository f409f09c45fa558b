"""The action's image, built as the runner builds it, whatever lies between pip and its index."""

from __future__ import annotations

import ssl
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.base_image import base_image
from tests.e2e.engine import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.engine import Engine

ROOT = Path(__file__).parent.parent.parent
_BUILD_BASE = "helm-wandb-e2e/build"
_NAME = "helm-wandb-e2e/action"
_HANDED_ON = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout")
"""Settings of pip that are kept; those that name folders mean nothing in a container."""
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_DOCKERFILE = f"""ARG BASE_IMAGE
FROM ${{BASE_IMAGE}}
COPY certificates.pem {_CERTIFICATES}
COPY pip.conf /etc/
"""


@contextmanager
def built(engine: Engine, base: str) -> Iterator[str]:
    """The name of the action's image, which is removed at the end; raises EngineError.

    base: the name of the image that it is built on.
    """
    _build_base(engine, base)
    try:
        engine.ask(
            *("build", "--quiet", "--network", "host", "--tag", _NAME),
            *("--build-arg", f"BASE_IMAGE={base}", "--build-arg", f"BUILD_IMAGE={_BUILD_BASE}"),
            *("--file", str(ROOT / "Dockerfile"), str(ROOT)),
        )
        yield _NAME
    finally:
        for name in (_NAME, _BUILD_BASE):
            if engine.ask("images", "--quiet", name):
                engine.ask("rmi", "--force", name)


@contextmanager
def built_anyhow(engine: Engine) -> Iterator[str]:
    """The name of the action's image, on whatever base can be had here."""
    with built(engine, base_image(engine)) as name:
        yield name


def _build_base(engine: Engine, base: str) -> None:
    """Make the image in which pip has this machine's settings, none of which get into ours."""
    with tempfile.TemporaryDirectory(prefix="helm-wandb-build-") as name:
        folder = Path(name)
        settings = _pip_settings()
        trusted = settings.pop("cert", None) or ssl.get_default_verify_paths().cafile
        (folder / "certificates.pem").write_bytes(Path(trusted or _CERTIFICATES).read_bytes())
        lines = [f"{key} = {value}\n" for key, value in settings.items()]
        lines.append(f"cert = {_CERTIFICATES}\n")
        (folder / "pip.conf").write_text(f"[global]\n{''.join(lines)}", encoding="utf-8")
        (folder / "Dockerfile").write_text(_DOCKERFILE, encoding="utf-8")
        engine.ask(
            *("build", "--quiet", "--build-arg", f"BASE_IMAGE={base}"),
            *("--tag", _BUILD_BASE, name),
        )


def _pip_settings() -> dict[str, str]:
    """Return this machine's pip settings of its index."""
    found = {}
    for line in run(sys.executable, "-m", "pip", "config", "list").splitlines():
        name, _, value = line.partition("=")
        key = name.rpartition(".")[2]
        if key in {*_HANDED_ON, "cert"} and "file:" not in value:
            found[key] = value.strip("'\"")
    return found
