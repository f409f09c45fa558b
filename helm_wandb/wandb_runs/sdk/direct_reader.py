"""Finds runs by plain requests, so that a run with nothing to write doesn't load W&B's SDK.

It only ever helps: if anything is unusual, it finds nothing, and the question goes to the SDK,
which retries, and knows why something fails.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from helm_wandb.system.budget import Budget, with_deadline
from helm_wandb.wandb_runs.sdk.messages import FindRuns, RemoteRun

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from urllib.request import OpenerDirector, Request

_SECONDS = 5.0
"""For all pages; a server that takes longer is left to the SDK."""
_ANSWER_LIMIT_BYTES = 32 << 20
_PAGE_RUNS = 200
WAYS_OF_THE_SDK = frozenset(
    {
        "WANDB_HTTP_PROXY",
        "WANDB_HTTPS_PROXY",
        "WANDB_INSECURE_DISABLE_SSL",
        "WANDB_X_EXTRA_HTTP_HEADERS",
    }
)
"""Variables that say how W&B is reached, and that only the SDK follows."""
_SERVICE_HOSTS = frozenset(
    {"forge.coreweave.com", "api.forge.coreweave.com", "api.wandb.ai"},
)
_SERVICE_PAGES = "https://forge.coreweave.com/wandb"
_INTERNAL_KEYS = frozenset({"_wandb", "wandb_version"})
"""Keys of a run's config that are the SDK's own."""
_ENTITY = "query GetDefaultEntity { viewer { entity } }"
_RUNS = """query Runs($project: String!, $entity: String!, $cursor: String, $perPage: Int,
$order: String, $filters: JSONString) {
  project(name: $project, entityName: $entity) {
    runs(filters: $filters, after: $cursor, first: $perPage, order: $order) {
      edges { node { name group state config summaryMetrics } }
      pageInfo { endCursor hasNextPage }
    }
  }
}"""


class _Run(msgspec.Struct, frozen=True):
    name: str
    state: str
    group: str | None = None
    config: str | None = None
    summary: str | None = msgspec.field(name="summaryMetrics", default=None)


class _Edge(msgspec.Struct, frozen=True):
    node: _Run


class _PageInfo(msgspec.Struct, frozen=True, rename="camel"):
    has_next_page: bool
    end_cursor: str | None = None


class _Page(msgspec.Struct, frozen=True, rename="camel"):
    edges: list[_Edge]
    page_info: _PageInfo


class _Project(msgspec.Struct, frozen=True):
    runs: _Page


class _Viewer(msgspec.Struct, frozen=True):
    entity: str


class _Data(msgspec.Struct, frozen=True):
    project: _Project | None = None
    viewer: _Viewer | None = None


class _Answer(msgspec.Struct, frozen=True):
    data: _Data
    errors: list[object] = []


class DirectReader:
    """W&B as one user sees it, by requests of our own."""

    def __init__(
        self, *, base_url: str, api_key: str, entity: str | None, environ: Mapping[str, str]
    ) -> None:
        """Send nothing yet. entity: None for the key's own."""
        self._base_url = base_url
        self._api_key = api_key
        self._entity = entity
        self._environ = environ
        self._is_usable = not any(environ.get(name) for name in WAYS_OF_THE_SDK)

    def find(self, request: FindRuns, budget: Budget) -> tuple[RemoteRun, ...] | None:
        """Return the runs; None if the SDK is to find them, from then on all others too."""
        if not self._is_usable:
            return None
        try:
            return with_deadline(lambda: tuple(self._find(request)), budget, seconds=_SECONDS)
        # Whatever it is: the SDK asks again, and its faults are reported.
        except Exception:  # noqa: BLE001
            self._is_usable = False
            return None

    def _find(self, request: FindRuns) -> Iterator[RemoteRun]:
        entity = self._find_entity()
        cursor, number = None, 0
        while True:
            variables = {
                "project": request.project,
                "entity": entity,
                "cursor": cursor,
                "perPage": _PAGE_RUNS,
                "order": "+created_at",
                "filters": json.dumps(request.filters),
            }
            project = self._ask(_RUNS, variables).project
            if project is None:
                raise LookupError(request.project)
            for edge in project.runs.edges:
                yield self._remote(edge.node, f"{entity}/{request.project}")
            number += len(project.runs.edges)
            info = project.runs.page_info
            if not info.has_next_page:
                return
            if number > request.most:
                raise ValueError(number)
            cursor = info.end_cursor

    def _find_entity(self) -> str:
        if not self._entity:
            viewer = self._ask(_ENTITY, {}).viewer
            self._entity = viewer.entity if viewer else ""
        if not self._entity:
            raise LookupError("entity")
        return self._entity

    def _ask(self, query: str, variables: Mapping[str, object]) -> _Data:
        from urllib import request as http  # noqa: PLC0415 -- only runs that use W&B pay for it

        authorization = base64.b64encode(f"api:{self._api_key}".encode()).decode()
        request = http.Request(  # noqa: S310 -- the server's URL is http(s), as was checked
            f"{self._base_url}/graphql",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={
                "Authorization": f"Basic {authorization}",
                "Content-Type": "application/json",
                "User-Agent": "helm-wandb-action",
            },
        )
        with self._opener.open(request, timeout=_SECONDS) as response:
            body = response.read(_ANSWER_LIMIT_BYTES + 1)
        if response.status != HTTPStatus.OK or len(body) > _ANSWER_LIMIT_BYTES:
            raise ValueError(response.status, len(body))
        answer = msgspec.json.decode(body, type=_Answer)
        if answer.errors:
            raise ValueError(len(answer.errors))
        return answer.data

    @cached_property
    def _opener(self) -> OpenerDirector:
        """Python's client with the user's proxies and certificates. It follows no redirect."""
        import ssl  # noqa: PLC0415 -- as above
        from urllib.request import HTTPErrorProcessor, HTTPSHandler, build_opener  # noqa: PLC0415 -- as above

        class AnyStatus(HTTPErrorProcessor):
            def http_response(self, request: Request, response: HTTPResponse) -> HTTPResponse:  # noqa: ARG002 -- urllib's
                """Return the answer as it is: the key is for the server that was named."""
                return response

            https_response = http_response

        trusted = self._environ.get("SSL_CERT_FILE") or self._environ.get("REQUESTS_CA_BUNDLE")
        context = ssl.create_default_context(cafile=trusted or None)
        return build_opener(AnyStatus, HTTPSHandler(context=context))

    def _remote(self, run: _Run, path: str) -> RemoteRun:
        return RemoteRun(
            id=run.name,
            group=run.group,
            state=run.state,
            config={
                key: value["value"] if isinstance(value, dict) and "value" in value else value
                for key, value in _mapping(run.config).items()
                if key not in _INTERNAL_KEYS
            },
            summary=_mapping(run.summary),
            url=f"{pages_url(self._base_url)}/{path}/runs/{run.name}",
        )


def _mapping(text: str | None) -> dict[str, object]:
    """Return the object in a text as W&B's SDK reads it; raises ValueError if it has none."""
    value = json.loads(text, strict=False) if text else {}
    if not isinstance(value, dict):
        raise TypeError(type(value))
    return value


def pages_url(base_url: str) -> str:
    """Return the URL of the pages of a server, given that of its API, as the SDK does."""
    if urlsplit(base_url).hostname in _SERVICE_HOSTS:
        return _SERVICE_PAGES
    for api, pages in (("://api.wandb.test", "://app.wandb.test"), ("://api.wandb.", "://wandb.")):
        if api in base_url:
            return base_url.replace(api, pages)
    return base_url.replace("://api.", "://app.")
