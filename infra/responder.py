"""The function that judges one group of layers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from aws_cdk import Duration, Stack, Validations
from constructs import Construct

from demarc.core.framework import Attested
from demarc.core.look import Look
from demarc.core.model import Control, Occasion, Origin, Resource
from demarc.readers import Reader
from infra.calls import RESPOND
from infra.change_feed import ChangeFeed, Clocked
from infra.function import FunctionBox, Ground
from infra.permissions import acknowledgments, on_items, reading

_TIMEOUT = Duration.seconds(60)

# What no event tells of: silence, and that a word has run out. Both are looked at by the clock.
_FEED, _REQUIREMENT = "Demarc::Feed::Region", "Demarc::Framework::Requirement"
_FEED_EVERY, _REQUIREMENTS_EVERY = Duration.minutes(15), Duration.hours(6)
# A rule's target takes a message of 8,192 characters (EventBridge API Reference, Target: Input); a resource takes 300.
_REQUIREMENTS_AT_ONCE = 20


class Responder(FunctionBox):
    """Changes in, findings out, for the readers of one group; its role may read that group's services only."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  # the CDK's word
        *,
        name: str,
        readers: Sequence[Reader],
        occurrences: Sequence[Control],
        attested: Sequence[Attested],
        ground: Ground,
    ) -> None:
        parts = [part for reader in readers for part in reader.parts]
        reads = [action for part in parts for action in part.actions]
        super().__init__(
            scope,
            id,
            name=name,
            does=f"judges changes of the {name} layers",
            handler="respond",
            matrix=name,
            ground=ground,
            calls=(*RESPOND, on_items(part.calls for part in parts)),
            timeout=_TIMEOUT,
            by_index=False,
        )
        self.changes = ChangeFeed(
            self,
            "Changes",
            readers=readers,
            occurrences=occurrences,
            looks=list(_looks(readers, attested, Stack.of(self))),
            settled_within=_TIMEOUT,
            key=ground.key,
        )
        # Changes come in bursts: a second's wait lets calls on the same resource be judged with one reading. A storm
        # must not use up the account's concurrency; what waits is seen by the alarm on message age.
        self.consume(self.changes, batch=10, wait=Duration.seconds(1), concurrency=10)
        # What AWS has no time for now is put back, to be looked at later.
        self.allow_on(self.changes)
        self.function.add_environment("DEMARC_QUEUES", json.dumps({name: self.changes.queue.queue_url}))
        for statement in reading(reads, Stack.of(self)):
            self.role.add_to_policy(statement)
        Validations.of(self.role).acknowledge(*acknowledgments(reads))


def _looks(readers: Sequence[Reader], attested: Sequence[Attested], stack: Stack) -> Iterator[Clocked]:
    """What a responder of these readers is asked to look at by the clock, in this account and Region."""
    occasion = Occasion(Origin.SCHEDULE)
    for reader in readers:
        if reader.type == _FEED:
            yield Clocked("Silence", Look((_here(reader, stack.stack_name, stack),), occasion), _FEED_EVERY)
        if reader.type == _REQUIREMENT:
            resources = tuple(_here(reader, f"{stack.stack_name}/{each.id}", stack) for each in attested)
            for start in range(0, len(resources), _REQUIREMENTS_AT_ONCE):
                look = Look(resources[start : start + _REQUIREMENTS_AT_ONCE], occasion)
                yield Clocked(f"Attestations{start // _REQUIREMENTS_AT_ONCE + 1}", look, _REQUIREMENTS_EVERY)


def _here(reader: Reader, identifier: str, stack: Stack) -> Resource:
    """A resource of Demarc's own, by where the stack is."""
    arn = reader.arn.format(
        partition=stack.partition, region=stack.region, account=stack.account, identifier=identifier
    )
    return Resource(reader.type, identifier, stack.account, stack.region, arn)
