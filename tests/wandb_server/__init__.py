"""A W&B server for tests: the real SDK speaks to it, and it fails on demand.

    with WandbServer(entity="team") as server:
        server.fault("file_stream", status=500, times=3)
        settings = wandb.Settings(base_url=server.url, api_key=API_KEY)

It listens on the loopback only, keeps all in memory, and knows the requests of wandb 0.31. Others
are in `server.unknown`; a test that uses it asserts that this is empty.
"""

from __future__ import annotations

from tests.wandb_server.artifacts import Artifact
from tests.wandb_server.records import Request, Unknown
from tests.wandb_server.runs import Run
from tests.wandb_server.server import API_KEY, WandbServer

__all__ = ["API_KEY", "Artifact", "Request", "Run", "Unknown", "WandbServer"]
