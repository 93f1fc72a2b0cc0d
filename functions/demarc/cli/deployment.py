"""Where Demarc runs: its table, topic and queues, by the name of its stack or one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from demarc.cli.connection import Connection
from demarc.cli.failures import NotThere, Unusable, asking_aws
from demarc.core.model import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from demarc.announcers import Announcer
    from demarc.stores import FindingStore

STACK = "Demarc"
SHORTEST_ID = 6
_LISTED = 5


@dataclass(frozen=True)
class Deployment:
    """What was named by options. Where a table is named and no stack, no stack is asked for anything."""

    connection: Connection
    stack: str | None = None
    table: str | None = None
    topic: str | None = None

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the stack, by their keys; none where only a table was named.

        Raises:
            NoAnswer: if there is no such stack, or it may not be looked at.
        """
        if self.table and not self.stack:
            return {}
        with asking_aws():
            cloudformation = self.connection.clients("cloudformation", self.connection.region)
            (stack,) = cloudformation.describe_stacks(StackName=self.stack or STACK)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())}

    def _output(self, key: str) -> str:
        if key not in self.outputs:
            stack = self.stack or STACK
            raise Unusable(f"the stack {stack} has no output {key}. Name another with --stack, or deploy this version")
        return self.outputs[key]

    @cached_property
    def table_name(self) -> str:
        """Raises: Unusable: if the stack that was named is not Demarc's."""
        return self.table or self._output("FindingsTable")

    @property
    def topic_arn(self) -> str | None:
        """Where to announce; None where only a table was named, so that nobody can be told."""
        return self.topic or self.outputs.get("Topic")

    @property
    def matrix_version(self) -> str | None:
        """The matrix that is deployed, where a stack says it."""
        return self.outputs.get("MatrixVersion")

    @property
    def sweep_queue(self) -> str | None:
        """The URL of the queue of sweeps, where a stack says it."""
        return self.outputs.get("SweepQueue")

    def queue_of(self, responder: str) -> str | None:
        """The URL of a responder's queue, where a stack says it."""
        return self.outputs.get(f"Queue{responder.title()}")

    @cached_property
    def store(self) -> FindingStore:
        from demarc.stores.dynamodb import DynamoFindingStore

        with asking_aws():
            return DynamoFindingStore(self.connection.clients("dynamodb", self.connection.region), self.table_name)

    @cached_property
    def announcer(self) -> Announcer | None:
        """What tells owners; None where there is no topic."""
        return announcer_on(self.topic_arn, self.connection) if self.topic_arn else None

    def finding(self, given: str) -> Finding:
        """The finding that an ID, or enough of its beginning, names.

        A whole ID is looked up. For a beginning the keys of all findings are looked at, which takes a second for every
        ten thousand or so.

        Raises:
            NotThere: if no finding has it.
            Unusable: if several have, which are then named, or if it is too short to tell.
        """
        given = given.strip().casefold()
        with asking_aws():
            if found := self.store.get(given):
                return found
            if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST_ID},}}", given):
                raise Unusable(
                    f"{given!r} is not the ID of a finding. Give its 24 digits, or the first {SHORTEST_ID} or more of "
                    "them; `demarc findings` shows eight"
                )
            ids = self.store.ids(given)
            candidates = [found for each in ids[:_LISTED] if (found := self.store.get(each))]
        if not candidates:
            raise NotThere(f"no finding's ID begins with {given}. `demarc findings --all` lists those that there are")
        if len(ids) > 1:
            raise Unusable(
                "\n".join([f"{given} begins the IDs of several findings. Give more of one:", *_told(candidates, ids)])
            )
        return candidates[0]


def _told(candidates: Sequence[Finding], ids: Sequence[str]) -> list[str]:
    lines = [f"{each.id}  {each.status}  {each.control}  {each.resource.identifier}" for each in candidates]
    more = len(ids) - len(lines)
    return [*lines, f"and {more} more"] if more > 0 else lines


def announcer_on(topic: str, connection: Connection) -> Announcer:
    """What announces on an SNS topic.

    Raises:
        Unusable: if that is not the ARN of one.
    """
    from demarc.announcers.sns import SnsAnnouncer

    parts = topic.split(":")
    if len(parts) != 6 or parts[2] != "sns" or not parts[3]:
        raise Unusable(f"{topic!r} is not the ARN of an SNS topic")
    with asking_aws():
        return SnsAnnouncer(connection.clients("sns", parts[3]), topic)
