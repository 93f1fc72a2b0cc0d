"""Web ACLs of a Region. Those of CloudFront are kept, and called, in the home Region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, configured, page_by_page, present, same, tags

_SOURCE = "wafv2.amazonaws.com"
_GONE = ("WAFNonexistentItemException", "WAFInvalidParameterException")


def _scope(resource: Resource) -> tuple[str, str, str]:
    """What its identifier says: `regional/webacl/NAME/ID` or `global/webacl/NAME/ID`.

    Raises:
        ResourceGone: if it is neither.
    """
    parts = resource.identifier.split("/")
    if len(parts) != 4 or parts[1] != "webacl" or parts[0] not in ("regional", "global"):
        raise ResourceGone
    return ("REGIONAL" if parts[0] == "regional" else "CLOUDFRONT"), parts[2], parts[3]


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    scope, name, identifier = _scope(resource)
    client = clients("wafv2", resource.region)
    acl = asked(client, "get_web_acl", _GONE, Name=name, Scope=scope, Id=identifier)["WebACL"]
    rules = acl.get("Rules", ())
    metered = [each.get("VisibilityConfig", {}).get("CloudWatchMetricsEnabled", False) for each in (acl, *rules)]
    return {
        **same(acl, "Name", "Id"),
        **present(Arn=acl.get("ARN")),
        "Observed": {
            "Rules": len(rules)
            + len(acl.get("PreProcessFirewallManagerRuleGroups", ()))
            + len(acl.get("PostProcessFirewallManagerRuleGroups", ())),
            "WithoutMetrics": sum(not each for each in metered),
            "ManagedByFirewallManager": acl.get("ManagedByFirewallManager", False),
        },
    }


def _logging(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = configured(
        clients("wafv2", resource.region),
        "get_logging_configuration",
        ("WAFNonexistentItemException",),
        ResourceArn=resource.arn,
    )
    return {"Observed": {"Logged": bool(found.get("LoggingConfiguration", {}).get("LogDestinationConfigs"))}}


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = clients("wafv2", resource.region)
    found: list[dict[str, str]] = []
    for page in _marked(client, "list_tags_for_resource", _GONE, ResourceARN=resource.arn):
        on_page = tags(page.get("TagInfoForResource", {}).get("TagList"))
        found += on_page
        if not on_page:
            break
    return {"Tags": found}


def _marked(client: Any, method: str, gone: Sequence[str] = (), **asked_for: Any) -> Iterator[Mapping[str, Any]]:
    """The pages of a list. Also the last may have the mark of a next, which is then empty."""
    return page_by_page(client, method, gone, mark="NextMarker", Limit=100, **asked_for)


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    client = clients("wafv2", region)
    for scope in ("REGIONAL", "CLOUDFRONT") if region == "us-east-1" else ("REGIONAL",):
        for page in _marked(client, "list_web_acls", Scope=scope):
            found = page.get("WebACLs", ())
            yield [each["ARN"].split(":", 5)[5] for each in found]
            if not found:
                break


_ARN = ("requestParameters.resourceArn", "requestParameters.resourceARN")
_OBSERVED = ("Observed.Rules", "Observed.WithoutMetrics", "Observed.ManagedByFirewallManager")


def _by_name(call: str, sets: tuple[str, ...]) -> Touch:
    """A call that has the scope, the name and the id of an ACL, and no ARN (AWS WAF Developer Guide, "AWS WAF
    information in AWS CloudTrail").
    """
    return Touch(
        _SOURCE,
        (call,),
        ("requestParameters.name",),
        sets,
        also="requestParameters.id",
        by="requestParameters.scope",
        before={"REGIONAL": "regional/webacl/", "CLOUDFRONT": "global/webacl/"},
    )


WEB_ACL = Reader(
    type="AWS::WAFv2::WebACL",
    responder="network",
    arn="arn:{partition}:wafv2:{region}:{account}:{identifier!s}",
    parts=(
        Part(gives=("Name", "Id", "Arn", *_OBSERVED), calls={"wafv2.GetWebACL": "wafv2:GetWebACL"}, read=_read),
        Part(
            gives=("Observed.Logged",),
            calls={"wafv2.GetLoggingConfiguration": "wafv2:GetLoggingConfiguration"},
            read=_logging,
        ),
        Part(gives=("Tags",), calls={"wafv2.ListTagsForResource": "wafv2:ListTagsForResource"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateWebACL",), ("responseElements.summary.aRN",), EVERYTHING),
        _by_name("UpdateWebACL", _OBSERVED),
        _by_name("DeleteWebACL", EVERYTHING),
        Touch(
            _SOURCE,
            ("PutLoggingConfiguration",),
            ("requestParameters.loggingConfiguration.resourceArn",),
            ("Observed.Logged",),
        ),
        Touch(_SOURCE, ("DeleteLoggingConfiguration",), _ARN[:1], ("Observed.Logged",)),
        Touch(_SOURCE, ("AssociateWebACL",), ("requestParameters.webACLArn",)),
        Touch(_SOURCE, ("DeleteFirewallManagerRuleGroups",), ("requestParameters.webACLArn",), _OBSERVED),
        Touch(_SOURCE, ("TagResource", "UntagResource"), _ARN[1:], ("Tags",)),
    ),
    inventory=Inventory(calls={"wafv2.ListWebACLs": "wafv2:ListWebACLs"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (WEB_ACL,)
