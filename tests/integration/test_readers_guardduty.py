"""GuardDuty that does not watch: there is no detector, or it is suspended; each is a finding of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from demarc import readers
from demarc.authoring.compile import CompiledMatrix
from demarc.aws import AwsClients
from demarc.core.evaluation import evaluate
from demarc.core.model import Compliance, Resource
from demarc.core.snapshot import Snapshot
from demarc.readers.account.region import REGION as WHOLE_REGION
from demarc.readers.guardduty import DETECTOR

REGION = "eu-west-1"
OURS = "123456789012"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def seen(clients: AwsClients) -> Iterator[Snapshot]:
    """The Region, by what it says of detectors, and each of them."""
    named = [(WHOLE_REGION, OURS, ("Observed.Detectors",))]
    named += [(DETECTOR, each, ("Enable",)) for each in clients("guardduty", REGION).list_detectors()["DetectorIds"]]
    for reader, identifier, needs in named:
        resource = Resource(reader.type, identifier, OURS, REGION, f"arn:aws:guardduty:{REGION}:{OURS}:{identifier}")
        snapshot = readers.read(reader, resource, needs=needs, clients=clients, now=NOW)
        assert isinstance(snapshot, Snapshot)
        yield snapshot


@pytest.mark.parametrize(
    ("enable", "wrong"), [(None, ["region-has-guardduty"]), (False, ["guardduty-detector-is-on"]), (True, [])]
)
def test_absent_and_suspended_are_told_apart_and_each_once(
    enable: bool | None, wrong: list[str], clients: AwsClients, matrix: CompiledMatrix
) -> None:
    if enable is not None:
        clients("guardduty", REGION).create_detector(Enable=enable)

    broken = [
        control.id
        for snapshot in seen(clients)
        for control in matrix.controls[snapshot.resource.type]
        if "GuardDuty.1" in control.security_hub
        if evaluate(control, snapshot).compliance is Compliance.NON_COMPLIANT
    ]

    assert broken == wrong
