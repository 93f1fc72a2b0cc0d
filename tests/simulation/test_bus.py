"""The matcher that stands in for EventBridge's: private functions of an emulator, so what they do is held here.

The rules are those of the Amazon EventBridge User Guide, "Comparison operators for use in event patterns".
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulation.bus import matches

EVENT: dict[str, Any] = {
    "source": "aws.ec2",
    "detail-type": "AWS API Call via CloudTrail",
    "detail": {
        "eventName": "AuthorizeSecurityGroupIngress",
        "readOnly": False,
        "requestParameters": {
            "ipPermissions": {
                "items": [
                    {"ipProtocol": "tcp", "fromPort": 443, "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}]}},
                    {"ipProtocol": "tcp", "fromPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}},
                ]
            }
        },
    },
}


def among_the_permissions(pattern: dict[str, Any]) -> dict[str, Any]:
    return {"detail": {"requestParameters": {"ipPermissions": {"items": pattern}}}}


MATCHING = {
    "the beginning of a text": {"source": [{"prefix": "aws."}]},
    "one of several texts": {"detail": {"eventName": ["CreateSecurityGroup", "AuthorizeSecurityGroupIngress"]}},
    "a field that is not there": {"detail": {"errorCode": [{"exists": False}]}},
    "a value, or no field": {"detail": {"readOnly": [False, {"exists": False}]}},
    "any object of a list": among_the_permissions({"fromPort": [22]}),
    "deep in any object of a list": among_the_permissions({"ipRanges": {"items": {"cidrIp": ["0.0.0.0/0"]}}}),
}
OTHERS = {
    "another beginning": {"source": [{"prefix": "my."}]},
    "another text": {"detail": {"eventName": ["CreateSecurityGroup"]}},
    "a field that must be there": {"detail": {"errorCode": [{"exists": True}]}},
    "another value": {"detail": {"readOnly": [True]}},
    "no object of a list": among_the_permissions({"fromPort": [3389]}),
    "one field that matches and one that does not": {"source": ["aws.ec2"], "detail": {"readOnly": [True]}},
}


@pytest.mark.parametrize("pattern", MATCHING.values(), ids=MATCHING)
def test_a_pattern_takes(pattern: dict[str, Any]) -> None:
    assert matches(pattern, EVENT)


@pytest.mark.parametrize("pattern", OTHERS.values(), ids=OTHERS)
def test_a_pattern_leaves(pattern: dict[str, Any]) -> None:
    assert not matches(pattern, EVENT)
