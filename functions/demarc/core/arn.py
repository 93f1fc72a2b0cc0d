"""ARNs: what a value of a record names, and the ARN of what it names.

AWS General Reference, "Amazon Resource Names (ARNs)".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from demarc.core.cloudtrail import account_of

_PLAIN, _DEEP = "{identifier}", "{identifier!s}"

# More bytes than any name has, also as an ARN (AWS Systems Manager User Guide, "Parameter name requirements and
# constraints": 1,011 characters), and fewer than a finding can be kept under.
_LONGEST = 1500

# AWS General Reference, "AWS Regions and Availability Zones".
REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}")


@dataclass(frozen=True, slots=True)
class Named:
    """A resource as a record names it; the rest is None where only its identifier is there."""

    identifier: str
    arn: str | None = None
    account: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class ArnShape:
    """A type's ARN template, taken apart once: what comes before and after the identifier in its last part.

    An identifier ends at the next slash or colon, since what follows is something else within the resource; where it
    has some of its own, the template says `{identifier!s}`. A `*` stands for an id that only AWS knows.
    A name that begins with a slash shares it with the ARN, and is known without it (AWS Systems Manager User Guide,
    "Parameter name requirements and constraints": `/shop/key` is `parameter/shop/key`).
    """

    template: str
    service: str
    last: re.Pattern[str]
    identifies: bool

    @classmethod
    def of(cls, template: str) -> ArnShape:
        parts = template.split(":", 5)
        if len(parts) < 6:
            return cls(template, "", re.compile(""), identifies=True)
        # Names in IAM have a path before them, which their ARN shows and they are unique without.
        deep = _DEEP in parts[5] or parts[2] == "iam"
        before, placeholder, after = parts[5].partition(_DEEP if _DEEP in parts[5] else _PLAIN)
        name = ("(.+)" if deep else "([^/:]+)") if placeholder else ""
        return cls(template, parts[2], re.compile(_any(before) + name + _any(after)), identifies=bool(placeholder))

    def named(self, value: str) -> Named | None:
        """What a value of a record names; None for the ARN of another type, and for what can name nothing.

        That is what is too long, or in a Region that is none.
        """
        if len(value.encode()) > _LONGEST:
            return None
        if not value.startswith("arn:"):
            name = value.removeprefix("/") if "/{identifier" in self.template else value
            return Named(name) if name and self._may_be_called(name) else None
        parts = value.split(":", 5)
        # What AWS owns itself (`arn:aws:iam::aws:policy/...`) is nobody's to change.
        if len(parts) < 6 or parts[4] == "aws" or (self.service and parts[2] != self.service):
            return None
        if parts[3] and not REGION.fullmatch(parts[3]):
            return None
        identifier = self._identifier(parts[5], parts[4]) if self.service else value
        return Named(identifier, value, account_of(parts[4]), parts[3] or None) if identifier else None

    def _may_be_called(self, name: str) -> bool:
        if not self.identifies:
            return account_of(name) == name
        # No name in IAM has blanks: where a user is due, the root user is written as `AWS ROOT USER`.
        return bool(self.service) and not (self.service == "iam" and " " in name)

    def _identifier(self, last: str, account: str) -> str | None:
        found = self.last.fullmatch(last)
        if not found:
            return None
        if not self.identifies:
            return account
        name = found[1].rpartition("/")[2] if self.service == "iam" else found[1]
        return name or None

    def arn(self, identifier: str, account: str, region: str) -> str:
        partition = partition_of(region)
        return self.template.format(partition=partition, region=region, account=account, identifier=identifier)


def _any(text: str) -> str:
    """An expression for a part of a template."""
    return re.escape(text).replace(r"\*", "[^/:]+")


# AWS General Reference, "Amazon Resource Names": every partition has Regions of its own.
_PARTITIONS = {
    "cn": "aws-cn",
    "us-gov": "aws-us-gov",
    "us-iso": "aws-iso",
    "us-isob": "aws-iso-b",
    "us-isof": "aws-iso-f",
    "eu-isoe": "aws-iso-e",
    "eusc": "aws-eusc",
}


def partition_of(region: str) -> str:
    """The partition of ARNs in a Region."""
    first, _, rest = region.partition("-")
    return _PARTITIONS.get(f"{first}-{rest.partition('-')[0]}") or _PARTITIONS.get(first, "aws")
