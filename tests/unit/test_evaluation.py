"""One control on one snapshot: four words, and never a pass without evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from demarc.core.evaluation import NotApplicable, evaluate
from demarc.core.model import Compliance, Control, Drift, Layer, Resource, Severity
from demarc.core.snapshot import Snapshot

CONTROL = Control(
    id="database-is-encrypted",
    title="Databases are encrypted",
    severity=Severity.HIGH,
    layer=Layer.DATA,
    resource_type="AWS::RDS::DBInstance",
    guidance="encrypt it",
    references={},
    needs=("StorageEncrypted", "Engine"),
    require={"StorageEncrypted": True},
)
DATABASE = Resource("AWS::RDS::DBInstance", "orders", "111122223333", "eu-west-1", "arn:aws:rds:eu-west-1:1:db:orders")


def snapshot(properties: dict[str, Any], *, unread: tuple[str, ...] = ()) -> Snapshot:
    return Snapshot(
        DATABASE,
        datetime(2026, 1, 1, tzinfo=UTC),
        properties,
        read=frozenset(CONTROL.needs) - set(unread),
        unread=dict.fromkeys(unread, "denied"),
    )


def test_what_is_as_required_is_compliant() -> None:
    assert evaluate(CONTROL, snapshot({"StorageEncrypted": True})).compliance is Compliance.COMPLIANT


def test_what_is_not_as_required_says_how() -> None:
    evaluation = evaluate(CONTROL, snapshot({"StorageEncrypted": False}))

    assert evaluation.compliance is Compliance.NON_COMPLIANT
    assert evaluation.drift == (Drift("StorageEncrypted", True, False),)


def test_a_denied_read_is_never_a_pass() -> None:
    evaluation = evaluate(CONTROL, snapshot({}, unread=("StorageEncrypted",)))

    assert evaluation.compliance is Compliance.INSUFFICIENT_DATA
    assert evaluation.reason == "StorageEncrypted could not be read: denied"


def test_a_control_whose_precondition_fails_is_not_applicable_and_says_why() -> None:
    only_mysql = replace(CONTROL, when={"Engine": "mysql"})

    evaluation = evaluate(only_mysql, snapshot({"Engine": "neptune", "StorageEncrypted": False}))

    assert evaluation.compliance is Compliance.NOT_APPLICABLE
    assert evaluation.reason == "Engine is 'neptune'"


def test_a_precondition_that_could_not_be_read_is_no_verdict() -> None:
    only_mysql = replace(CONTROL, when={"Engine": "mysql"})

    assert evaluate(only_mysql, snapshot({}, unread=("Engine",))).compliance is Compliance.INSUFFICIENT_DATA


def test_a_silent_check_is_compliance() -> None:
    def silent(_: Snapshot) -> Iterator[Drift]:
        yield from ()

    assert evaluate(replace(CONTROL, require={}), snapshot({}), silent).compliance is Compliance.COMPLIANT


def test_a_check_gets_the_parameters_of_its_row() -> None:
    def shorter_than(seen: Snapshot, *, length: int) -> Iterator[Drift]:
        yield Drift("BackupRetentionPeriod", {"at_least": length}, 0)

    control = replace(CONTROL, require={}, parameters={"length": 7})

    (drift,) = evaluate(control, snapshot({}), shorter_than).drift

    assert drift.required == {"at_least": 7}


@pytest.mark.parametrize(("raised", "compliance"), [(NotApplicable("it is AWS's own"), Compliance.NOT_APPLICABLE)])
def test_a_check_may_say_that_it_makes_no_sense(raised: Exception, compliance: Compliance) -> None:
    def check(_: Snapshot) -> Iterator[Drift]:
        raise raised
        yield

    evaluation = evaluate(replace(CONTROL, require={}), snapshot({}), check)

    assert (evaluation.compliance, evaluation.reason) == (compliance, "it is AWS's own")
