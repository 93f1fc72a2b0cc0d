"""Readers before answers from which everything is left out that AWS may leave out, and before what is not there.

The answers are made from AWS's service models (`shapes`), so they say nothing sensible; they have the right form. Every
call that is made must be one that its service would take.
"""

from __future__ import annotations

import re
from itertools import islice

import pytest
from botocore.exceptions import ClientError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from demarc import readers
from demarc.core.model import Resource
from demarc.readers import Part, Reader, ResourceGone
from tests.integration.shapes import Answering, errors_of
from tests.integration.test_every_reader import ACCOUNT, EACH, KEPT_IN, NAMES, REGION

# Long enough for whatever the models want of an identifier.
NAME = "example-0123456789abcdef"
SEEDS = st.integers(0, 2**32 - 1)
# Of what may be left out: nothing is there, some of it, most of it.
SHARES = st.sampled_from([0.0, 0.3, 0.6, 0.9])
# A list that goes on by chance ends by chance, if not soon.
PAGES = 5


def resource_of(reader: Reader) -> Resource:
    return readers.resource_of(reader, NAMES.get(reader.type, NAME), ACCOUNT, REGION)


@EACH
@given(seed=SEEDS, share=SHARES)
@example(seed=0, share=0.0)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_what_aws_leaves_out_breaks_no_reader(reader: Reader, seed: int, share: float) -> None:
    for part in reader.parts:
        try:
            found = part.read(Answering(seed, share), resource_of(reader))
        except ResourceGone:
            continue
        observed = {f"Observed.{name}" for name in found.get("Observed", {})}
        assert {*found, *observed} <= {*part.gives, "Observed", readers.UNREAD}
        assert found.get(readers.UNREAD, {}).keys() <= set(part.gives)


@pytest.mark.parametrize("reader", [each for each in readers.load() if each.inventory], ids=lambda reader: reader.type)
@given(seed=SEEDS, share=SHARES)
@example(seed=0, share=0.0)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_what_aws_leaves_out_breaks_no_list(reader: Reader, seed: int, share: float) -> None:
    assert reader.inventory
    pages = reader.inventory.pages(Answering(seed, share), ACCOUNT, KEPT_IN.get(reader.type, REGION))

    for page in islice(pages, PAGES):
        assert all(isinstance(identifier, str) for identifier in page)


# --- what is not there -----------------------------------------------------------------------------------------------

_NOT_THERE = re.compile(r"NotFound(Exception|Fault)?$|DoesNotExist$|^NoSuch|^WAFNonexistentItem", re.IGNORECASE)
# Errors about what the call may also be asked for, and this part does not ask; or which are to rise.
_RISES = {
    # A version that is gone was replaced a moment ago: the queue has the policy read anew.
    ("AWS::IAM::ManagedPolicy", "iam.GetPolicyVersion"),
}


def words_for_its_absence(reader: Reader) -> list[tuple[Part, str, str]]:
    """Every part with each of its calls, and the codes by which its service may say that such a thing is not there.

    Services have one code for each kind of thing they know, and the models list all of them at every call that could be
    about any.
    """
    found = []
    for part in reader.parts:
        for call in part.calls:
            for code in errors_of(call):
                kind = _NOT_THERE.sub("", code).lower()
                if _NOT_THERE.search(code) and (
                    kind in ("", "entity", "resource") or reader.type.lower().endswith(kind)
                ):
                    found.append((part, call, code))
    return found


@pytest.mark.parametrize(
    ("reader", "part", "call", "code"),
    [
        pytest.param(reader, *each, id=f"{reader.type}-{each[1]}-{each[2]}")
        for reader in readers.load()
        # These are always there, and what is asked about them is not about a thing.
        if reader.type not in ("AWS::::Account", "AWS::Account::Region")
        for each in words_for_its_absence(reader)
        if (reader.type, each[1]) not in _RISES
    ],
)
def test_what_is_not_there_is_gone_by_whichever_part_notices(reader: Reader, part: Part, call: str, code: str) -> None:
    """A part may be the only one that is asked, and a thing may go between two calls: a queue would ask for ever."""
    for seed in range(5):
        try:
            part.read(Answering(seed, 0.9, failing=(call, code)), resource_of(reader))
        except ResourceGone:
            pass
        except ClientError as error:
            pytest.fail(f"{error} rises")
