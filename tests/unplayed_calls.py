"""Calls that moto does not play are refused, as AWS refuses what a role may not do.

moto answers them in its own ways: an exception from within the call, or a 404 whose text says so. Neither is anything
that AWS says. To Demarc a refusal is what it comes to: it could not look.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError

_SAID = frozenset({"Not yet implemented", "Not Found"})


def refuse_unplayed_calls() -> None:
    """From now on, in this process; asking twice changes nothing."""
    call = BaseClient._make_api_call  # type: ignore[attr-defined]  # where every call of every client passes
    if getattr(call, "refuses_unplayed", False):
        return

    @wraps(call)
    def make(self: BaseClient, operation_name: str, api_params: Any) -> Any:
        try:
            return call(self, operation_name, api_params)
        except NotImplementedError as unplayed:
            raise _refusal(operation_name) from unplayed
        except ClientError as error:
            if error.response["Error"]["Code"] == "404" and error.response["Error"].get("Message") in _SAID:
                raise _refusal(operation_name) from error
            raise

    make.refuses_unplayed = True  # type: ignore[attr-defined]
    BaseClient._make_api_call = make  # type: ignore[attr-defined]


def _refusal(operation: str) -> ClientError:
    message = f"the embedded AWS does not play {operation}"
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, operation)
