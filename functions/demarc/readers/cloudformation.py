"""Stacks: whether they can be deleted by mistake, in whose name they act, and what their outputs give away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.plaintext import secrets_in
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, pages, present, tags, the_one

_SOURCE = "cloudformation.amazonaws.com"
_GONE = ("ValidationError",)


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = clients("cloudformation", resource.region)
    stack = the_one(asked(client, "describe_stacks", _GONE, StackName=resource.identifier).get("Stacks"))
    if stack["StackStatus"] in ("DELETE_COMPLETE", "DELETE_IN_PROGRESS"):
        raise ResourceGone
    outputs = {each["OutputKey"]: each.get("OutputValue", "") for each in stack.get("Outputs", ())}
    # What was declared with NoEcho is answered as stars.
    given = {each["ParameterKey"]: each.get("ParameterValue", "") for each in stack.get("Parameters", ())}
    return {
        "NotificationARNs": stack.get("NotificationARNs", []),
        "Tags": tags(stack.get("Tags")),
        "Observed": present(
            Nested=bool(stack.get("ParentId")),
            TerminationProtection=stack.get("EnableTerminationProtection"),
            RoleArn=stack.get("RoleARN"),
            DriftStatus=stack.get("DriftInformation", {}).get("StackDriftStatus"),
            PlaintextSecrets=secrets_in({**given, **outputs}),
        ),
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("cloudformation", region), "describe_stacks", "Stacks"):
        yield [each["StackName"] for each in page if each["StackStatus"] != "DELETE_IN_PROGRESS"]


# A stack is called by its name or by its ARN, whose last part has an id behind the name.
_NAMED = ("requestParameters.stackName",)
_OBSERVED = tuple(
    f"Observed.{name}" for name in ("Nested", "DriftStatus", "PlaintextSecrets", "RoleArn", "TerminationProtection")
)
_DESCRIBED = {"cloudformation.DescribeStacks": "cloudformation:DescribeStacks"}

STACK = Reader(
    type="AWS::CloudFormation::Stack",
    responder="visibility",
    arn="arn:{partition}:cloudformation:{region}:{account}:stack/{identifier}/*",
    parts=(Part(gives=("NotificationARNs", "Tags", *_OBSERVED), calls=_DESCRIBED, read=_read),),
    touches=(
        Touch(_SOURCE, ("CreateStack", "DeleteStack"), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdateStack", "ExecuteChangeSet"), _NAMED, ("NotificationARNs", "Tags", *_OBSERVED)),
        Touch(_SOURCE, ("UpdateTerminationProtection",), _NAMED, ("Observed.TerminationProtection",)),
        Touch(_SOURCE, ("SetStackPolicy", "CancelUpdateStack", "RollbackStack", "ContinueUpdateRollback"), _NAMED),
    ),
    inventory=Inventory(calls=_DESCRIBED, pages=_listed),
)

READERS: tuple[Reader, ...] = (STACK,)
