"""What the W&B SDK's process sees of the user's environment."""

from __future__ import annotations

from pathlib import Path

from helm_wandb.wandb_runs.sdk.service import _environment


def test_certificates_are_found_from_another_folder() -> None:
    """The SDK's current folder is not the user's, so relative paths are made absolute."""
    given = {"REQUESTS_CA_BUNDLE": "ca.pem", "SSL_CERT_DIR": "/etc/certs", "CURL_CA_BUNDLE": ""}
    seen = _environment(given, "/scratch")

    bundle = str(Path.cwd() / "ca.pem")
    assert {"SSL_CERT_FILE": bundle, **given, "REQUESTS_CA_BUNDLE": bundle} == {
        name: seen[name] for name in ("SSL_CERT_FILE", *given)
    }
