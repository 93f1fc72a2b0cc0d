"""Classic load balancers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, pages, present, same, tags, the_one

_ELB = "elasticloadbalancing.amazonaws.com"
_GONE = ("AccessPointNotFound", "LoadBalancerNotFound", "ValidationError")
# What AWS may give itself of the policies of listeners.
_RECOMMENDED = "ELBSecurityPolicy-TLS-1-2-2017-01"


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(
        clients("elb", resource.region), "describe_load_balancers", _GONE, LoadBalancerNames=[resource.identifier]
    )
    balancer = the_one(found.get("LoadBalancerDescriptions"))
    listeners = [_listener(each.get("Listener", {})) for each in balancer.get("ListenerDescriptions", ())]
    return {
        "LoadBalancerName": balancer["LoadBalancerName"],
        **same(balancer, "Scheme", "AvailabilityZones"),
        "Listeners": listeners,
    }


def _listener(listener: Mapping[str, Any]) -> dict[str, Any]:
    """Ports are texts in CloudFormation."""
    ports = {name: str(listener[name]) for name in ("InstancePort", "LoadBalancerPort") if name in listener}
    return {**same(listener, "InstanceProtocol", "Protocol", "SSLCertificateId"), **ports}


def _attributes(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(
        clients("elb", resource.region),
        "describe_load_balancer_attributes",
        _GONE,
        LoadBalancerName=resource.identifier,
    )["LoadBalancerAttributes"]
    more = {each["Key"]: each.get("Value") for each in found.get("AdditionalAttributes", ())}
    return {
        "CrossZone": found.get("CrossZoneLoadBalancing", {}).get("Enabled", False),
        "AccessLoggingPolicy": same(found.get("AccessLog", {}), "Enabled", "S3BucketName"),
        "ConnectionDrainingPolicy": same(found.get("ConnectionDraining", {}), "Enabled", "Timeout"),
        "Observed": present(DesyncMitigationMode=more.get("elb.http.desyncmitigationmode")),
    }


def _policies(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """The predefined security policies that its listeners with TLS negotiate by."""
    found = asked(
        clients("elb", resource.region),
        "describe_load_balancer_policies",
        _GONE,
        LoadBalancerName=resource.identifier,
    )
    named = {
        each["AttributeValue"]
        for policy in found.get("PolicyDescriptions", ())
        if policy.get("PolicyTypeName") == "SSLNegotiationPolicyType"
        for each in policy.get("PolicyAttributeDescriptions", ())
        if each["AttributeName"] == "Reference-Security-Policy"
    }
    return {"Observed": {"SecurityPolicies": sorted(named)}}


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("elb", resource.region), "describe_tags", _GONE, LoadBalancerNames=[resource.identifier])
    return {"Tags": tags(the_one(found.get("TagDescriptions")).get("Tags"))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("elb", region), "describe_load_balancers", "LoadBalancerDescriptions", 400):
        yield [each["LoadBalancerName"] for each in page]


_NAMED = ("requestParameters.loadBalancerName",)

LOAD_BALANCER = Reader(
    type="AWS::ElasticLoadBalancing::LoadBalancer",
    responder="network",
    arn="arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/{identifier}",
    parts=(
        Part(
            gives=("LoadBalancerName", "Scheme", "AvailabilityZones", "Listeners"),
            calls={"elb.DescribeLoadBalancers": "elasticloadbalancing:DescribeLoadBalancers"},
            read=_read,
        ),
        Part(
            gives=(
                *("CrossZone", "AccessLoggingPolicy", "ConnectionDrainingPolicy"),
                "Observed.DesyncMitigationMode",
            ),
            calls={"elb.DescribeLoadBalancerAttributes": "elasticloadbalancing:DescribeLoadBalancerAttributes"},
            read=_attributes,
        ),
        Part(
            gives=("Observed.SecurityPolicies",),
            calls={"elb.DescribeLoadBalancerPolicies": "elasticloadbalancing:DescribeLoadBalancerPolicies"},
            read=_policies,
        ),
        Part(gives=("Tags",), calls={"elb.DescribeTags": "elasticloadbalancing:DescribeTags"}, read=_tags),
    ),
    # Newer load balancers have calls of the same names under the same source, which name theirs by ARN.
    touches=(
        Touch(_ELB, ("CreateLoadBalancer", "DeleteLoadBalancer"), _NAMED, EVERYTHING),
        Touch(
            _ELB,
            ("CreateLoadBalancerListeners", "DeleteLoadBalancerListeners", "SetLoadBalancerListenerSSLCertificate"),
            _NAMED,
            ("Listeners",),
        ),
        Touch(
            _ELB,
            ("ModifyLoadBalancerAttributes",),
            _NAMED,
            ("CrossZone", "AccessLoggingPolicy", "ConnectionDrainingPolicy", "Observed.DesyncMitigationMode"),
        ),
        Touch(
            _ELB,
            ("CreateLoadBalancerPolicy", "DeleteLoadBalancerPolicy", "SetLoadBalancerPoliciesOfListener"),
            _NAMED,
            ("Observed.SecurityPolicies",),
        ),
        Touch(
            _ELB,
            (
                *("AttachLoadBalancerToSubnets", "DetachLoadBalancerFromSubnets"),
                *("EnableAvailabilityZonesForLoadBalancer", "DisableAvailabilityZonesForLoadBalancer"),
            ),
            _NAMED,
            ("AvailabilityZones",),
        ),
        Touch(_ELB, ("ApplySecurityGroupsToLoadBalancer", "SetLoadBalancerPoliciesForBackendServer"), _NAMED),
        Touch(_ELB, ("AddTags", "RemoveTags"), ("requestParameters.loadBalancerNames[]",), ("Tags",)),
    ),
    inventory=Inventory(
        calls={"elb.DescribeLoadBalancers": "elasticloadbalancing:DescribeLoadBalancers"}, pages=_listed
    ),
)

READERS: tuple[Reader, ...] = (LOAD_BALANCER,)
