"""Demarc's own feed of changes in a Region: whether anything that happens there can still reach it.

No type of CloudFormation's: the identifier is the name of the stack that Demarc is deployed as.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.heartbeat import heartbeat_of, key_of
from demarc.core.model import Resource
from demarc.readers import UNREAD, Clients, Part, Reader, ResourceGone
from demarc.readers.account.account import TRAIL_CALLS, read_trails
from demarc.readers.answers import the_one
from demarc.readers.stack import LISTED, is_missing, made, table_of

Answer = Mapping[str, Any]

_RULE = "AWS::Events::Rule"


def _tags(clients: Clients, resource: Resource) -> Answer:
    cloudformation = clients("cloudformation", resource.region)
    try:
        stack = the_one(cloudformation.describe_stacks(StackName=resource.identifier).get("Stacks"))
    except ClientError as error:
        if is_missing(error):
            raise ResourceGone from error
        raise
    return {"Tags": stack.get("Tags", [])}


def _rules(clients: Clients, resource: Resource) -> Answer:
    """Every rule of the stack, whether it is on, and how many targets it has."""
    events = clients("events", resource.region)
    names = sorted(
        each["PhysicalResourceId"]
        for each in made(clients, resource.region, resource.identifier)
        if each["ResourceType"] == _RULE
    )
    return {"Observed": {"Rules": [_rule(events, name) for name in names]}}


def _rule(events: Any, name: str) -> Answer:
    try:
        state = events.describe_rule(Name=name)["State"]
        targets = events.list_targets_by_rule(Rule=name)["Targets"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return {"Name": name, "State": "DELETED", "Targets": 0}
    return {"Name": name, "State": state, "Targets": len(targets)}


def _last_change(clients: Clients, resource: Resource) -> Answer:
    """When a change was last seen, and since when one could be: the last time that a rule was deployed.

    That is not when the stack was last: whoever deploys every day could never notice that nothing else happens.
    """
    resources = list(made(clients, resource.region, resource.identifier))
    since = max((each["LastUpdatedTimestamp"] for each in resources if each["ResourceType"] == _RULE), default=None)
    observed: dict[str, Any] = {"FeedSince": since.isoformat()} if since else {}
    table = table_of(resources)
    if table is None:
        return {"Observed": observed, UNREAD: {"Observed.LastChange": "the stack has no table"}}
    key = key_of(resource.account, resource.region)
    found = clients("dynamodb", resource.region).get_item(TableName=table, Key=key)
    if "Item" in found:
        observed["LastChange"] = heartbeat_of(found["Item"]).at.isoformat()
    return {"Observed": observed}


FEED = Reader(
    type="Demarc::Feed::Region",
    responder="visibility",
    arn="arn:{partition}:cloudformation:{region}:{account}:stack/{identifier}",
    parts=(
        Part(gives=("Tags",), calls={"cloudformation.DescribeStacks": "cloudformation:DescribeStacks"}, read=_tags),
        Part(
            gives=("Observed.Rules",),
            calls={
                **LISTED,
                "events.DescribeRule": "events:DescribeRule",
                "events.ListTargetsByRule": "events:ListTargetsByRule",
            },
            read=_rules,
        ),
        Part(gives=("Observed.Trails",), calls=TRAIL_CALLS, read=read_trails),
        Part(
            gives=("Observed.LastChange", "Observed.FeedSince"),
            calls={**LISTED, "dynamodb.GetItem": "dynamodb:GetItem"},
            read=_last_change,
        ),
    ),
    # No call names a stack when it switches off a rule (DisableRule, RemoveTargets) or a trail (StopLogging), and the
    # worst of them are those after which no event comes any more. So the feed is looked at by the clock.
    touches=(),
    # Nor is it listed: whoever looks by the clock was told by the deployment which stack it is.
)

READERS = (FEED,)
