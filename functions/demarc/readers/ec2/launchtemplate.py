"""Launch templates: what an instance gets from the default version. User data is never read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, paged
from demarc.readers.answers import asked, same, the_one
from demarc.readers.ec2.asked import EC2, TAGGED

_GONE = (
    *("InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.Malformed"),
    *("InvalidLaunchTemplateId.NotFoundException", "InvalidLaunchTemplateId.VersionNotFound"),
)
_OBSERVED = ("Default", "PublicInterfaces", "UnencryptedDisks")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    found = asked(ec2, "describe_launch_templates", _GONE, LaunchTemplateIds=[resource.identifier])
    template = the_one(found.get("LaunchTemplates"))
    return {**same(template, "LaunchTemplateId", "LaunchTemplateName"), "Tags": template.get("Tags", [])}


def _default(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """What the default version says, as far as it is judged: CloudFormation has all of it, secrets included."""
    ec2 = clients("ec2", resource.region)
    found = asked(
        ec2, "describe_launch_template_versions", _GONE, LaunchTemplateId=resource.identifier, Versions=["$Default"]
    )
    data = the_one(found.get("LaunchTemplateVersions")).get("LaunchTemplateData", {})
    disks = [each["Ebs"] for each in data.get("BlockDeviceMappings", ()) if "Ebs" in each]
    return {
        "Observed": {
            "Default": {"MetadataOptions": same(data.get("MetadataOptions", {}), "HttpEndpoint", "HttpTokens")},
            "PublicInterfaces": sum(
                bool(each.get("AssociatePublicIpAddress")) for each in data.get("NetworkInterfaces", ())
            ),
            "UnencryptedDisks": sum(each.get("Encrypted") is False for each in disks),
        }
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    # The one list of EC2's that takes 200 at once.
    return paged(clients("ec2", region), "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId", size=200)


_NAMED = ("requestParameters.launchTemplateId", "responseElements.launchTemplate.launchTemplateId")

LAUNCH_TEMPLATE = Reader(
    type="AWS::EC2::LaunchTemplate",
    responder="compute",
    arn="arn:{partition}:ec2:{region}:{account}:launch-template/{identifier}",
    parts=(
        Part(
            gives=("LaunchTemplateId", "LaunchTemplateName", "Tags"),
            calls={"ec2.DescribeLaunchTemplates": "ec2:DescribeLaunchTemplates"},
            read=_read,
        ),
        Part(
            gives=tuple(f"Observed.{name}" for name in _OBSERVED),
            calls={"ec2.DescribeLaunchTemplateVersions": "ec2:DescribeLaunchTemplateVersions"},
            read=_default,
        ),
    ),
    touches=(
        Touch(EC2, ("CreateLaunchTemplate",), _NAMED[1:], EVERYTHING),
        Touch(EC2, ("DeleteLaunchTemplate",), _NAMED, EVERYTHING),
        Touch(EC2, ("ModifyLaunchTemplate",), _NAMED, tuple(f"Observed.{name}" for name in _OBSERVED)),
        Touch(
            EC2,
            ("CreateLaunchTemplateVersion",),
            ("requestParameters.launchTemplateId", "responseElements.launchTemplateVersion.launchTemplateId"),
        ),
        Touch(EC2, ("DeleteLaunchTemplateVersions",), ("requestParameters.launchTemplateId",)),
        Touch(EC2, ("CreateTags", "DeleteTags"), TAGGED, ("Tags",), "lt-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeLaunchTemplates": "ec2:DescribeLaunchTemplates"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (LAUNCH_TEMPLATE,)
