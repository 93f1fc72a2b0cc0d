"""Clients of AWS services: made on first use, kept for the life of the process."""

from __future__ import annotations

from threading import Lock
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import botocore
import botocore.session
from botocore.config import Config

from demarc import __version__

# Two quick retries inside one invocation; beyond that the queue is the better place to wait.
_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    # botocore's own text is put together from fifteen parts, twice per call: a sixth of what a call costs.
    user_agent=f"demarc/{__version__} Botocore/{botocore.__version__}",
)


class AwsClients:
    """The client of a service in a Region; every caller of one process gets the same one.

    `calls` names every request made (`s3.GetBucketAcl`), retries not counted, until somebody clears it.
    botocore and not boto3: the same clients without the resource layer, which costs a cold start 20 to 30 ms.
    """

    def __init__(self, *, session: botocore.session.Session | None = None, endpoint_url: str | None = None) -> None:
        self._session = session or botocore.session.get_session()
        self._endpoint_url = endpoint_url
        self._clients: dict[tuple[str, str], Any] = {}
        self._making = Lock()
        self.calls: list[str] = []

    def __call__(self, service: str, region: str) -> Any:
        # The parts of a first reading ask all at once, from several threads: one makes the client, the others wait.
        with self._making:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._made(service, region)
            return self._clients[service, region]

    def _made(self, service: str, region: str) -> Any:
        client = self._session.create_client(
            service, region_name=region, endpoint_url=self._endpoint_url, config=_CONFIG
        )
        client.meta.events.register("before-call", self._note)
        if self._endpoint_url:
            client.meta.events.register("before-sign.s3-control", self._under_one_name)
        return client

    def _under_one_name(self, request: Any, **_: Any) -> None:
        """S3 Control puts the account before the host's name, which an endpoint on a bare address has no name for."""
        request.url = urlunsplit(urlsplit(request.url)._replace(netloc=urlsplit(self._endpoint_url or "").netloc))

    def _note(self, model: Any, **_: Any) -> None:
        self.calls.append(f"{model.service_model.service_name}.{model.name}")
