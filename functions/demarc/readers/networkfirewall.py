"""Network firewalls, their policies and rule groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, pages, same, tags

_SOURCE = "network-firewall.amazonaws.com"
_GONE = ("ResourceNotFoundException", "InvalidRequestException")
_ENDED = "DELETING"

# Properties that the API and the CloudFormation schema call the same.
_OF_FIREWALL = (
    *("AvailabilityZoneChangeProtection", "DeleteProtection", "FirewallName", "FirewallPolicyArn"),
    *("FirewallPolicyChangeProtection", "SubnetChangeProtection", "TransitGatewayId", "VpcId"),
)


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("network-firewall", resource.region)


def _firewall(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "describe_firewall", _GONE, FirewallArn=resource.arn)
    if found.get("FirewallStatus", {}).get("Status") == _ENDED:
        raise ResourceGone
    firewall = found["Firewall"]
    # One that is attached to a transit gateway has no subnets of ours: it says in which zones AWS makes one for it.
    places = (*firewall.get("SubnetMappings", ()), *firewall.get("AvailabilityZoneMappings", ()))
    return {
        **same(firewall, *_OF_FIREWALL),
        "Tags": tags(firewall.get("Tags")),
        "Observed": {"Subnets": len(places)},
    }


def _logging(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "describe_logging_configuration", _GONE, FirewallArn=resource.arn)
    logs = found.get("LoggingConfiguration", {}).get("LogDestinationConfigs", ())
    return {"Observed": {"LogTypes": sorted({each["LogType"] for each in logs})}}


def _firewalls(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("network-firewall", region), "list_firewalls", "Firewalls", 100):
        yield [each["FirewallName"] for each in page]


_AT_FIREWALL = ("requestParameters.firewallArn", "requestParameters.firewallName")
_TAGGED = ("requestParameters.resourceArn",)
_SHARING = Touch(_SOURCE, ("PutResourcePolicy", "DeleteResourcePolicy"), _TAGGED)

FIREWALL = Reader(
    type="AWS::NetworkFirewall::Firewall",
    responder="network",
    arn="arn:{partition}:network-firewall:{region}:{account}:firewall/{identifier}",
    parts=(
        Part(
            gives=(*_OF_FIREWALL, "Tags", "Observed.Subnets"),
            calls={"network-firewall.DescribeFirewall": "network-firewall:DescribeFirewall"},
            read=_firewall,
        ),
        Part(
            gives=("Observed.LogTypes",),
            calls={"network-firewall.DescribeLoggingConfiguration": "network-firewall:DescribeLoggingConfiguration"},
            read=_logging,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateFirewall", "DeleteFirewall"), _AT_FIREWALL[1:], EVERYTHING),
        Touch(_SOURCE, ("UpdateFirewallDeleteProtection",), _AT_FIREWALL, ("DeleteProtection",)),
        Touch(_SOURCE, ("UpdateSubnetChangeProtection",), _AT_FIREWALL, ("SubnetChangeProtection",)),
        Touch(
            _SOURCE,
            ("UpdateAvailabilityZoneChangeProtection",),
            _AT_FIREWALL,
            ("AvailabilityZoneChangeProtection",),
        ),
        Touch(_SOURCE, ("UpdateFirewallPolicyChangeProtection",), _AT_FIREWALL, ("FirewallPolicyChangeProtection",)),
        Touch(
            _SOURCE,
            (
                *("AssociateSubnets", "DisassociateSubnets"),
                *("AssociateAvailabilityZones", "DisassociateAvailabilityZones"),
            ),
            _AT_FIREWALL,
            ("Observed.Subnets",),
        ),
        Touch(_SOURCE, ("UpdateLoggingConfiguration",), _AT_FIREWALL, ("Observed.LogTypes",)),
        Touch(_SOURCE, ("AssociateFirewallPolicy",), _AT_FIREWALL, ("FirewallPolicyArn",)),
        Touch(_SOURCE, ("UpdateFirewallEncryptionConfiguration", "UpdateFirewallDescription"), _AT_FIREWALL),
        _SHARING,
        Touch(_SOURCE, ("TagResource", "UntagResource"), _TAGGED, ("Tags",)),
    ),
    inventory=Inventory(calls={"network-firewall.ListFirewalls": "network-firewall:ListFirewalls"}, pages=_firewalls),
)


def _policy(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "describe_firewall_policy", _GONE, FirewallPolicyArn=resource.arn)
    policy, about = found.get("FirewallPolicy", {}), found["FirewallPolicyResponse"]
    if about.get("FirewallPolicyStatus") == _ENDED:
        raise ResourceGone
    groups = (*policy.get("StatelessRuleGroupReferences", ()), *policy.get("StatefulRuleGroupReferences", ()))
    return {
        "FirewallPolicyName": about["FirewallPolicyName"],
        "Tags": tags(about.get("Tags")),
        "Observed": {
            "RuleGroups": len(groups),
            "StatelessDefaultActions": policy.get("StatelessDefaultActions", []),
            "StatelessFragmentDefaultActions": policy.get("StatelessFragmentDefaultActions", []),
        },
    }


def _policies(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("network-firewall", region), "list_firewall_policies", "FirewallPolicies", 100):
        yield [each["Name"] for each in page]


_AT_POLICY = ("requestParameters.firewallPolicyArn", "requestParameters.firewallPolicyName")
_OF_POLICY = ("RuleGroups", "StatelessDefaultActions", "StatelessFragmentDefaultActions")

FIREWALL_POLICY = Reader(
    type="AWS::NetworkFirewall::FirewallPolicy",
    responder="network",
    arn="arn:{partition}:network-firewall:{region}:{account}:firewall-policy/{identifier}",
    parts=(
        Part(
            gives=("FirewallPolicyName", "Tags", *(f"Observed.{name}" for name in _OF_POLICY)),
            calls={"network-firewall.DescribeFirewallPolicy": "network-firewall:DescribeFirewallPolicy"},
            read=_policy,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateFirewallPolicy", "DeleteFirewallPolicy"), _AT_POLICY[1:], EVERYTHING),
        Touch(_SOURCE, ("UpdateFirewallPolicy",), _AT_POLICY, tuple(f"Observed.{name}" for name in _OF_POLICY)),
        _SHARING,
        Touch(_SOURCE, ("TagResource", "UntagResource"), _TAGGED, ("Tags",)),
    ),
    inventory=Inventory(
        calls={"network-firewall.ListFirewallPolicies": "network-firewall:ListFirewallPolicies"}, pages=_policies
    ),
)


def _group(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(
        _client(clients, resource), "describe_rule_group", _GONE, RuleGroupName=resource.identifier, Type="STATELESS"
    )
    about = found["RuleGroupResponse"]
    if about.get("RuleGroupStatus") == _ENDED:
        raise ResourceGone
    source = found.get("RuleGroup", {}).get("RulesSource", {})
    rules = source.get("StatelessRulesAndCustomActions", {}).get("StatelessRules", ())
    return {
        "RuleGroupName": about["RuleGroupName"],
        "Tags": tags(about.get("Tags")),
        "Observed": {"StatelessRules": len(rules)},
    }


def _groups(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    client = clients("network-firewall", region)
    for page in pages(client, "list_rule_groups", "RuleGroups", 100, Type="STATELESS"):
        yield [each["Name"] for each in page]


RULE_GROUP = Reader(
    type="AWS::NetworkFirewall::RuleGroup",
    responder="network",
    # Those that keep no state: of the others an empty one is nothing that can be seen in a number.
    arn="arn:{partition}:network-firewall:{region}:{account}:stateless-rulegroup/{identifier}",
    parts=(
        Part(
            gives=("RuleGroupName", "Tags", "Observed.StatelessRules"),
            calls={"network-firewall.DescribeRuleGroup": "network-firewall:DescribeRuleGroup"},
            read=_group,
        ),
    ),
    touches=(
        Touch(
            _SOURCE,
            ("CreateRuleGroup", "DeleteRuleGroup"),
            ("responseElements.ruleGroupResponse.ruleGroupArn",),
            EVERYTHING,
        ),
        Touch(
            _SOURCE,
            ("UpdateRuleGroup",),
            ("responseElements.ruleGroupResponse.ruleGroupArn",),
            ("Observed.StatelessRules",),
        ),
        _SHARING,
        Touch(_SOURCE, ("TagResource", "UntagResource"), _TAGGED, ("Tags",)),
    ),
    inventory=Inventory(calls={"network-firewall.ListRuleGroups": "network-firewall:ListRuleGroups"}, pages=_groups),
)

READERS: tuple[Reader, ...] = (FIREWALL, FIREWALL_POLICY, RULE_GROUP)
