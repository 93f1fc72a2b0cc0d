"""Contact centres of Amazon Connect: what is written down of their calls."""

from __future__ import annotations

from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Reader, cloudcontrol

_SOURCE = "connect.amazonaws.com"
_NAMED = ("requestParameters.instanceId",)

INSTANCE = cloudcontrol.reader(
    "AWS::Connect::Instance",
    responder="data",
    arn="arn:{partition}:connect:{region}:{account}:instance/{identifier}",
    gives=("Attributes", "IdentityManagementType", "InstanceAlias", "InstanceStatus", "Tags"),
    reading=("connect:DescribeInstance", "connect:ListInstanceAttributes", "ds:DescribeDirectories"),
    listing=("connect:ListInstanceAttributes", "connect:ListInstances", "ds:DescribeDirectories"),
    touches=(
        Touch(_SOURCE, ("CreateInstance",), ("responseElements.id",), EVERYTHING),
        Touch(_SOURCE, ("DeleteInstance",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdateInstanceAttribute",), _NAMED, ("Attributes",)),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
    by_arn=True,
)

READERS: tuple[Reader, ...] = (INSTANCE,)
