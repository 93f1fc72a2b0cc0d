"""State machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, pages, present, tags

_SOURCE = "states.amazonaws.com"
_GONE = ("StateMachineDoesNotExist", "InvalidArn", "ValidationException")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(
        clients("stepfunctions", resource.region), "describe_state_machine", _GONE, stateMachineArn=resource.arn
    )
    if found.get("status") == "DELETING":
        raise ResourceGone
    logging = found.get("loggingConfiguration", {})
    return {
        "StateMachineName": found["name"],
        **present(StateMachineType=found.get("type"), RoleArn=found.get("roleArn")),
        "LoggingConfiguration": present(
            Level=logging.get("level", "OFF"), IncludeExecutionData=logging.get("includeExecutionData")
        ),
        "TracingConfiguration": {"Enabled": found.get("tracingConfiguration", {}).get("enabled", False)},
    }


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    gone = (*_GONE, "ResourceNotFound")
    states = clients("stepfunctions", resource.region)
    found = asked(states, "list_tags_for_resource", gone, resourceArn=resource.arn)
    return {"Tags": tags(found.get("tags"), "key", "value")}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("stepfunctions", region), "list_state_machines", "stateMachines", 1000):
        yield [each["name"] for each in page]


_NAMED = ("requestParameters.stateMachineArn",)

STATE_MACHINE = Reader(
    type="AWS::StepFunctions::StateMachine",
    responder="compute",
    arn="arn:{partition}:states:{region}:{account}:stateMachine:{identifier}",
    parts=(
        Part(
            gives=("StateMachineName", "StateMachineType", "RoleArn", "LoggingConfiguration", "TracingConfiguration"),
            calls={"stepfunctions.DescribeStateMachine": "states:DescribeStateMachine"},
            read=_read,
        ),
        Part(gives=("Tags",), calls={"stepfunctions.ListTagsForResource": "states:ListTagsForResource"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateStateMachine",), ("responseElements.stateMachineArn",), EVERYTHING),
        Touch(_SOURCE, ("DeleteStateMachine",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdateStateMachine",), _NAMED, ("LoggingConfiguration", "RoleArn", "TracingConfiguration")),
        Touch(_SOURCE, ("PublishStateMachineVersion",), _NAMED),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
    inventory=Inventory(calls={"stepfunctions.ListStateMachines": "states:ListStateMachines"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (STATE_MACHINE,)
