"""Rows that guard Demarc's own parts call them as they are deployed, whatever the stack's name."""

from __future__ import annotations

import pytest

from demarc.authoring.own import named_after, unknown_names
from demarc.core.model import OCCURRENCE, Control, Layer, Occurrence, Severity
from demarc.core.occurrence import OccurrenceIndex

STACK_AND_PARTS = Control(
    "own-x",
    "Nobody touches x",
    Severity.LOW,
    Layer.VISIBILITY,
    OCCURRENCE,
    "aws cloudformation detect-stack-drift --region {region} --stack-name {stack}",
    {},
    (),
    occurrence=Occurrence(
        source="sqs.amazonaws.com",
        calls=("DeleteQueue",),
        where={"requestParameters.queueUrl": {"like": ("*/{parts}*", "{stack}")}, "requestParameters.x": "{stack}"},
    ),
)


def deployed_as(stack: str) -> Control:
    ((control,),) = named_after(stack, {OCCURRENCE: (STACK_AND_PARTS,)}).values()
    return control


def is_guarded(queue: str, stack: str) -> bool:
    fields = {"requestParameters": {"queueUrl": f"https://sqs.eu-west-1.amazonaws.com/1/{queue}", "x": stack}}
    return bool(OccurrenceIndex([deployed_as(stack)]).found(fields, "sqs.amazonaws.com", "DeleteQueue"))


def test_the_stack_and_its_parts_have_the_name_of_the_deployment() -> None:
    control = deployed_as("Watchtower")

    assert control.occurrence is not None
    assert control.occurrence.where == {
        "requestParameters.queueUrl": {"like": ("*/Watchtower-*", "Watchtower")},
        "requestParameters.x": "Watchtower",
    }
    assert control.guidance == "aws cloudformation detect-stack-drift --region {region} --stack-name Watchtower"


@pytest.mark.parametrize(
    ("stack", "queue", "guarded"),
    [
        ("Demarc", "Demarc-DataChangesQueue1", True),
        ("Demarc", "Demarcation-Queue1", False),
        ("demarc-of-the-security-te", "demarc-of-the-security-te-DataChangesQueue1", True),
        ("demarc-of-the-security-team-in-production", "demarc-of-the-security-te-DataChangesQueueABCDEFGH-1", True),
        ("demarc-of-the-security-team-in-production", "demarc-of-the-payments-te-DataChangesQueueABCDEFGH-1", False),
    ],
)
def test_parts_are_known_also_where_cloudformation_shortens_the_name_of_the_stack(
    stack: str, queue: str, guarded: bool
) -> None:
    assert is_guarded(queue, stack) is guarded


def test_what_no_deployment_fills_in_is_found_however_deep_it_stands() -> None:
    asked = {"like": ("{stack}", "*/{stak}-*"), "none_of": ("{parts}x", "{}"), "at_least": 1}

    assert list(unknown_names(asked)) == ["{stak}", "{}"]
