"""Application, network and gateway load balancers, their listeners and target groups. Known by their ARNs' ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, configured, every, pages, present, same, tags, the_one

_ELB = "elasticloadbalancing.amazonaws.com"
_FIREWALL = "wafv2.amazonaws.com"
_TAGS = {"elbv2.DescribeTags": "elasticloadbalancing:DescribeTags"}
# An ARN that was made up fails the validation.
_NO_LOAD_BALANCER = ("LoadBalancerNotFound", "ValidationError")
_NO_LISTENER = ("ListenerNotFound", "ValidationError")
_NO_GROUP = ("TargetGroupNotFound", "ValidationError")
_ATTRIBUTES = (
    *("access_logs.s3.enabled", "deletion_protection.enabled", "load_balancing.cross_zone.enabled"),
    *("routing.http.desync_mitigation_mode", "routing.http.drop_invalid_header_fields.enabled"),
    "waf.fail_open.enabled",
)
_TAGGED = ("requestParameters.resourceArns[]",)


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("elbv2", resource.region)


def _tags(*gone: str) -> Any:
    def read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
        found = asked(_client(clients, resource), "describe_tags", gone, ResourceArns=[resource.arn])
        return {"Tags": tags(the_one(found.get("TagDescriptions")).get("Tags"))}

    return read


def _load_balancer(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(
        _client(clients, resource), "describe_load_balancers", _NO_LOAD_BALANCER, LoadBalancerArns=[resource.arn]
    )
    balancer = the_one(found.get("LoadBalancers"))
    return {
        "Name": balancer["LoadBalancerName"],
        **same(balancer, "Type", "Scheme", "IpAddressType", "LoadBalancerArn"),
        "Observed": {"Zones": len(balancer.get("AvailabilityZones", ()))},
    }


def _attributes(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(
        _client(clients, resource),
        "describe_load_balancer_attributes",
        _NO_LOAD_BALANCER,
        LoadBalancerArn=resource.arn,
    )
    kept = {each["Key"]: each.get("Value") for each in found.get("Attributes", ()) if each["Key"] in _ATTRIBUTES}
    # As keys, since a list of pairs cannot be asked for one of them.
    return {"Observed": {"Attributes": {key.replace(".", "_"): value for key, value in kept.items()}}}


def _listeners(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client, asked_for = _client(clients, resource), {"LoadBalancerArn": resource.arn}
    listeners = every(client, "describe_listeners", "Listeners", _NO_LOAD_BALANCER, **asked_for)
    return {"Observed": {"Listeners": [_shown(each) for each in listeners]}}


def _shown(listener: Mapping[str, Any]) -> dict[str, Any]:
    """A listener, and whether all that it does of itself is to send callers to HTTPS."""
    actions = listener.get("DefaultActions", ())
    redirects = bool(actions) and all(
        each["Type"] == "redirect" and each.get("RedirectConfig", {}).get("Protocol") == "HTTPS" for each in actions
    )
    return {**same(listener, "Port", "Protocol", "SslPolicy"), "RedirectsToHttps": redirects}


def _web_acl(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """The web ACL before an application load balancer, the one kind that can have one."""
    if not resource.identifier.startswith("app/"):
        return {}
    firewall = clients("wafv2", resource.region)
    found = configured(firewall, "get_web_acl_for_resource", ("WAFNonexistentItemException",), ResourceArn=resource.arn)
    return {"Observed": present(WebAclArn=found.get("WebACL", {}).get("ARN"))}


def _load_balancers(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("elbv2", region), "describe_load_balancers", "LoadBalancers", 400):
        yield [each["LoadBalancerArn"].partition(":loadbalancer/")[2] for each in page]


_LISTENERS = ("Observed.Listeners",)
_AT_LOAD_BALANCER = ("requestParameters.loadBalancerArn",)

LOAD_BALANCER = Reader(
    type="AWS::ElasticLoadBalancingV2::LoadBalancer",
    responder="network",
    arn="arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/{identifier!s}",
    parts=(
        Part(
            gives=("Name", "Type", "Scheme", "IpAddressType", "LoadBalancerArn", "Observed.Zones"),
            calls={"elbv2.DescribeLoadBalancers": "elasticloadbalancing:DescribeLoadBalancers"},
            read=_load_balancer,
        ),
        Part(
            gives=("Observed.Attributes",),
            calls={"elbv2.DescribeLoadBalancerAttributes": "elasticloadbalancing:DescribeLoadBalancerAttributes"},
            read=_attributes,
        ),
        Part(
            gives=_LISTENERS,
            calls={"elbv2.DescribeListeners": "elasticloadbalancing:DescribeListeners"},
            read=_listeners,
        ),
        Part(
            gives=("Observed.WebAclArn",),
            calls={"wafv2.GetWebACLForResource": "wafv2:GetWebACLForResource"},
            read=_web_acl,
            on_behalf=("wafv2:GetWebACL",),
        ),
        Part(gives=("Tags",), calls=_TAGS, read=_tags(*_NO_LOAD_BALANCER)),
    ),
    touches=(
        Touch(_ELB, ("CreateLoadBalancer",), ("responseElements.loadBalancers[].loadBalancerArn",), EVERYTHING),
        Touch(_ELB, ("DeleteLoadBalancer",), _AT_LOAD_BALANCER, EVERYTHING),
        Touch(_ELB, ("ModifyLoadBalancerAttributes",), _AT_LOAD_BALANCER, ("Observed.Attributes",)),
        Touch(_ELB, ("SetSubnets",), _AT_LOAD_BALANCER, ("Observed.Zones", "IpAddressType")),
        Touch(_ELB, ("SetIpAddressType",), _AT_LOAD_BALANCER, ("IpAddressType",)),
        Touch(_ELB, ("SetSecurityGroups",), _AT_LOAD_BALANCER),
        Touch(_ELB, ("CreateListener",), _AT_LOAD_BALANCER, _LISTENERS),
        # Of a listener's ARN only the answer tells whose it is; DeleteListener has none: the sweep sees it.
        Touch(_ELB, ("ModifyListener",), ("responseElements.listeners[].loadBalancerArn",), _LISTENERS),
        Touch(
            _FIREWALL,
            ("AssociateWebACL", "DisassociateWebACL"),
            ("requestParameters.resourceArn",),
            ("Observed.WebAclArn",),
        ),
        Touch(_ELB, ("AddTags", "RemoveTags"), _TAGGED, ("Tags",), ""),
    ),
    inventory=Inventory(
        calls={"elbv2.DescribeLoadBalancers": "elasticloadbalancing:DescribeLoadBalancers"}, pages=_load_balancers
    ),
)


def _group(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "describe_target_groups", _NO_GROUP, TargetGroupArns=[resource.arn])
    group = the_one(found.get("TargetGroups"))
    return {
        "Name": group["TargetGroupName"],
        **same(group, "HealthCheckEnabled", "HealthCheckProtocol", "Protocol", "TargetType", "VpcId"),
    }


def _groups(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("elbv2", region), "describe_target_groups", "TargetGroups", 400):
        yield [each["TargetGroupArn"].partition(":targetgroup/")[2] for each in page]


_AT_GROUP = ("requestParameters.targetGroupArn",)
_HEALTH = ("HealthCheckEnabled", "HealthCheckProtocol")

TARGET_GROUP = Reader(
    type="AWS::ElasticLoadBalancingV2::TargetGroup",
    responder="network",
    arn="arn:{partition}:elasticloadbalancing:{region}:{account}:targetgroup/{identifier!s}",
    parts=(
        Part(
            gives=("Name", *_HEALTH, "Protocol", "TargetType", "VpcId"),
            calls={"elbv2.DescribeTargetGroups": "elasticloadbalancing:DescribeTargetGroups"},
            read=_group,
        ),
        Part(gives=("Tags",), calls=_TAGS, read=_tags(*_NO_GROUP)),
    ),
    touches=(
        Touch(_ELB, ("CreateTargetGroup",), ("responseElements.targetGroups[].targetGroupArn",), EVERYTHING),
        Touch(_ELB, ("DeleteTargetGroup",), _AT_GROUP, EVERYTHING),
        Touch(_ELB, ("ModifyTargetGroup",), _AT_GROUP, _HEALTH),
        Touch(_ELB, ("ModifyTargetGroupAttributes",), _AT_GROUP),
        Touch(_ELB, ("AddTags", "RemoveTags"), _TAGGED, ("Tags",)),
    ),
    inventory=Inventory(
        calls={"elbv2.DescribeTargetGroups": "elasticloadbalancing:DescribeTargetGroups"}, pages=_groups
    ),
)

READERS: tuple[Reader, ...] = (LOAD_BALANCER, TARGET_GROUP)
