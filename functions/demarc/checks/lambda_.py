"""What functions run in, and whose code they run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from demarc.checks import NotApplicable, needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot

# Accounts of AWS that publish layers (Powertools, Lambda Insights, AppConfig, Parameters and Secrets: Lambda Developer
# Guide and the guides of these extensions).
_OF_AWS = ("017000801446", "027255383542", "094274105915", "580247275435", "336392948345", "177933569100")


@needs("VpcConfig")
def spans_subnets(snapshot: Snapshot, *, least: int) -> Iterator[Drift]:
    """That a function in a VPC has several subnets (NIST SP 800-53 CP-10, SC-36; Security Hub Lambda.5).

    Args:
        snapshot: a function.
        least: how many.
    """
    subnets = snapshot["VpcConfig.SubnetIds"]
    if not subnets:
        raise NotApplicable("it is in no VPC")
    if len(subnets) < least:
        yield Drift("VpcConfig.SubnetIds", f"at least {least} subnets", list(subnets))


@needs("Layers")
def layers_are_known(snapshot: Snapshot, *, trusted: Sequence[str]) -> Iterator[Drift]:
    """Each layer of an account that is neither ours nor AWS's (NIST SP 800-53 SR-3, CM-7(5)).

    Args:
        snapshot: a function.
        trusted: the organization's accounts.
    """
    for index, arn in enumerate(snapshot["Layers"] or ()):
        owner = arn.split(":")[4]
        if owner not in (*trusted, *_OF_AWS):
            yield Drift(f"Layers[{index}]", "a layer of the organization or of AWS", arn)
