"""`python -m tests.github_server` serves until it is interrupted, and prints its URL and token."""

from __future__ import annotations

import argparse
import contextlib
import threading
from pathlib import Path

from tests.github_server import TOKEN, GithubServer
from tests.github_server.scenario import play
from tests.github_server.server import HOST


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.github_server", description=__doc__)
    parser.add_argument("--host", default=HOST, help="0.0.0.0 to be reached from containers")
    parser.add_argument("--port", type=int, default=0, help="a free one if not given")
    parser.add_argument("--storage-port", type=int, default=0, help="where artifacts are")
    parser.add_argument("--scenario", type=Path, metavar="FILE.json", help="see scenario.py")
    parser.add_argument("--unchecked", action="store_true", help="without GitHub's description")
    chosen = parser.parse_args()
    server = GithubServer(
        is_checked=not chosen.unchecked,
        host=chosen.host,
        port=chosen.port,
        storage_port=chosen.storage_port,
    )
    with contextlib.suppress(KeyboardInterrupt), server:
        if chosen.scenario:
            play(server, chosen.scenario)
        print(server.url, TOKEN, sep="\n", flush=True)  # noqa: T201 -- what its callers read
        threading.Event().wait()


if __name__ == "__main__":
    main()
