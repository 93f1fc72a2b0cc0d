"""Prefix lists: the addresses that rules of security groups and routes mean by one name."""

from __future__ import annotations

from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Reader, cloudcontrol
from demarc.readers.ec2.asked import EC2, TAGGED

_READS = ("ec2:DescribeManagedPrefixLists", "ec2:GetManagedPrefixListEntries")
_NAMED = ("requestParameters.prefixListId",)

PREFIX_LIST = cloudcontrol.reader(
    "AWS::EC2::PrefixList",
    responder="network",
    arn="arn:{partition}:ec2:{region}:{account}:prefix-list/{identifier}",
    gives=("PrefixListName", "AddressFamily", "Entries", "OwnerId", "Tags"),
    reading=_READS,
    listing=_READS,
    touches=(
        Touch(EC2, ("CreateManagedPrefixList",), ("responseElements.prefixList.prefixListId",), EVERYTHING),
        Touch(EC2, ("DeleteManagedPrefixList",), _NAMED, EVERYTHING),
        Touch(EC2, ("ModifyManagedPrefixList",), _NAMED, ("PrefixListName", "Entries")),
        Touch(EC2, ("RestoreManagedPrefixListVersion",), _NAMED, ("Entries",)),
        Touch(EC2, ("CreateTags", "DeleteTags"), TAGGED, ("Tags",), "pl-"),
    ),
)

READERS: tuple[Reader, ...] = (PREFIX_LIST,)
