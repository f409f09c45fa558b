"""`python -m tests.wandb_server` serves until it is interrupted, and prints its URL and key."""

from __future__ import annotations

import argparse
import contextlib
import threading

from tests.wandb_server import API_KEY, WandbServer


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.wandb_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="a free one if not given")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--entity", default="team")
    chosen = parser.parse_args()
    with (
        contextlib.suppress(KeyboardInterrupt),
        WandbServer(chosen.entity, API_KEY, chosen.latency, port=chosen.port) as server,
    ):
        print(server.url, flush=True)  # noqa: T201 -- what its callers read
        threading.Event().wait()


if __name__ == "__main__":
    main()
