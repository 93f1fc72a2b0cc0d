"""Every call that the functions make to AWS, and what may happen around one of them.

All of botocore's clients make their calls in one method. Calls to SQS are the poller's and are let be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import local
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ClientError

Around = Callable[[str, Callable[[], Any]], Any]
"""Given the name of a call (`sns.Publish`) and the call itself, what comes of it."""


@contextmanager
def around_calls(around: Around) -> Iterator[None]:
    """Have every call of the functions made by `around`; calls that it makes itself are let be."""
    made: Any = BaseClient._make_api_call  # type: ignore[attr-defined]  # private, and patched by many for this
    inside = local()  # a resource is read by several threads

    def make(client: Any, operation: str, parameters: Any) -> Any:
        service = client.meta.service_model.service_name
        if service == "sqs" or getattr(inside, "already", False):
            return made(client, operation, parameters)
        inside.already = True
        try:
            return around(f"{service}.{operation}", lambda: made(client, operation, parameters))
        finally:
            inside.already = False

    with patch.object(BaseClient, "_make_api_call", make):
        yield


@contextmanager
def refused(call: str, code: str, *, times: int | None = None) -> Iterator[None]:
    """Have AWS answer a call with an error, always or so many times."""
    left = times

    def around(name: str, make: Callable[[], Any]) -> Any:
        nonlocal left
        if name != call or left == 0:
            return make()
        left = None if left is None else left - 1
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, call.partition(".")[2])

    with around_calls(around):
        yield
