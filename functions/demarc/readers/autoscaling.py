"""Groups of instances that are started and stopped as they are needed, and what the older of them start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, pages, same, tags, the_one

_SOURCE = "autoscaling.amazonaws.com"
_GONE = ("ValidationError",)


def _group(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(
        clients("autoscaling", resource.region),
        "describe_auto_scaling_groups",
        _GONE,
        AutoScalingGroupNames=[resource.identifier],
    )
    group = the_one(found["AutoScalingGroups"])
    if group.get("Status", "").lower().startswith("delete"):
        raise ResourceGone
    mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    overrides = {each["InstanceType"] for each in mixed.get("Overrides", ()) if "InstanceType" in each}
    return {
        **same(group, "AutoScalingGroupName", "AvailabilityZones", "HealthCheckType", "LaunchConfigurationName"),
        "Tags": tags(group.get("Tags")),
        "Observed": {
            "Zones": len(group.get("AvailabilityZones", ())),
            "InstanceTypes": len(overrides),
            "BehindLoadBalancer": bool(
                group.get("LoadBalancerNames") or group.get("TargetGroupARNs") or group.get("TrafficSources")
            ),
            "UsesLaunchTemplate": bool(group.get("LaunchTemplate") or mixed),
        },
    }


def _groups(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("autoscaling", region), "describe_auto_scaling_groups", "AutoScalingGroups", 100):
        yield [each["AutoScalingGroupName"] for each in page]


_NAMED = ("requestParameters.autoScalingGroupName",)
_OBSERVED = tuple(f"Observed.{name}" for name in ("Zones", "InstanceTypes", "BehindLoadBalancer", "UsesLaunchTemplate"))
_DESCRIBED = {"autoscaling.DescribeAutoScalingGroups": "autoscaling:DescribeAutoScalingGroups"}

AUTO_SCALING_GROUP = Reader(
    type="AWS::AutoScaling::AutoScalingGroup",
    responder="compute",
    # Its ARN has an id of its own before the name.
    arn="arn:{partition}:autoscaling:{region}:{account}:autoScalingGroup:*:autoScalingGroupName/{identifier!s}",
    parts=(
        Part(
            gives=(
                *("AutoScalingGroupName", "AvailabilityZones", "HealthCheckType", "LaunchConfigurationName", "Tags"),
                *_OBSERVED,
            ),
            calls=_DESCRIBED,
            read=_group,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateAutoScalingGroup", "DeleteAutoScalingGroup"), _NAMED, EVERYTHING),
        Touch(
            _SOURCE,
            ("UpdateAutoScalingGroup",),
            _NAMED,
            ("AvailabilityZones", "HealthCheckType", "LaunchConfigurationName", *_OBSERVED),
        ),
        Touch(
            _SOURCE,
            (
                *("AttachLoadBalancers", "DetachLoadBalancers", "AttachLoadBalancerTargetGroups"),
                *("DetachLoadBalancerTargetGroups", "AttachTrafficSources", "DetachTrafficSources"),
            ),
            _NAMED,
            ("Observed.BehindLoadBalancer",),
        ),
        # A refresh may bring what instances are started from with it.
        Touch(
            _SOURCE,
            ("StartInstanceRefresh", "RollbackInstanceRefresh"),
            _NAMED,
            ("LaunchConfigurationName", "Observed.InstanceTypes", "Observed.UsesLaunchTemplate"),
        ),
        Touch(_SOURCE, ("SuspendProcesses", "ResumeProcesses", "PutLifecycleHook", "DeleteLifecycleHook"), _NAMED),
        Touch(_SOURCE, ("CreateOrUpdateTags", "DeleteTags"), ("requestParameters.tags[].resourceId",), ("Tags",)),
    ),
    inventory=Inventory(calls=_DESCRIBED, pages=_groups),
)


def _configuration(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """Without user data, where secrets may be."""
    found = asked(
        clients("autoscaling", resource.region),
        "describe_launch_configurations",
        _GONE,
        LaunchConfigurationNames=[resource.identifier],
    )
    configuration = the_one(found["LaunchConfigurations"])
    return {
        **same(configuration, "AssociatePublicIpAddress", "ImageId", "LaunchConfigurationName"),
        "MetadataOptions": same(
            configuration.get("MetadataOptions", {}), "HttpEndpoint", "HttpPutResponseHopLimit", "HttpTokens"
        ),
    }


def _configurations(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    client = clients("autoscaling", region)
    for page in pages(client, "describe_launch_configurations", "LaunchConfigurations", 100):
        yield [each["LaunchConfigurationName"] for each in page]


_CONFIGURATIONS = {"autoscaling.DescribeLaunchConfigurations": "autoscaling:DescribeLaunchConfigurations"}

LAUNCH_CONFIGURATION = Reader(
    type="AWS::AutoScaling::LaunchConfiguration",
    responder="compute",
    arn="arn:{partition}:autoscaling:{region}:{account}:launchConfiguration:*:launchConfigurationName/{identifier!s}",
    parts=(
        Part(
            gives=("AssociatePublicIpAddress", "ImageId", "LaunchConfigurationName", "MetadataOptions"),
            calls=_CONFIGURATIONS,
            read=_configuration,
        ),
    ),
    touches=(
        Touch(
            _SOURCE,
            ("CreateLaunchConfiguration", "DeleteLaunchConfiguration"),
            ("requestParameters.launchConfigurationName",),
            EVERYTHING,
        ),
    ),
    inventory=Inventory(calls=_CONFIGURATIONS, pages=_configurations),
)

READERS: tuple[Reader, ...] = (AUTO_SCALING_GROUP, LAUNCH_CONFIGURATION)
