"""Clients of AWS services: made on first use, kept for the life of the process."""

from __future__ import annotations

from typing import Any

import botocore.session
from botocore.config import Config

from demarc import __version__

# Two quick retries inside one invocation; beyond that the queue is the better place to wait.
_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    user_agent_extra=f"demarc/{__version__}",
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
        self.calls: list[str] = []

    def __call__(self, service: str, region: str) -> Any:
        key = (service, region)
        if key not in self._clients:
            client = self._session.create_client(
                service, region_name=region, endpoint_url=self._endpoint_url, config=_CONFIG
            )
            client.meta.events.register("before-call", self._note)
            self._clients[key] = client
        return self._clients[key]

    def _note(self, model: Any, **_: Any) -> None:
        self.calls.append(f"{model.service_model.service_name}.{model.name}")
