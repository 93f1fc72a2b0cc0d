"""Records of calls as CloudTrail writes them, with what a test says of one and nothing else that matters."""

from __future__ import annotations

from typing import Any


def a_call(source: str, name: str, asked: Any = None, answered: Any = None, **fields: Any) -> dict[str, Any]:
    """The record of a call that succeeded.

    Args:
        source: the service, as `eventSource` begins: `ec2`.
        name: the name of the call.
        asked: the parameters of its request.
        answered: what it was answered.
        fields: fields to have besides, or otherwise: `awsRegion`, `recipientAccountId`.
    """
    account = fields.get("recipientAccountId", "123456789012")
    return {
        "eventVersion": "1.11",
        "eventID": "e-1",
        "eventTime": "2026-01-01T00:00:00Z",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "recipientAccountId": account,
        "userIdentity": {
            "type": "IAMUser",
            "userName": "ada",
            "arn": f"arn:aws:iam::{account}:user/ada",
            "accountId": account,
        },
        "requestParameters": asked,
        "responseElements": answered,
        **fields,
    }
