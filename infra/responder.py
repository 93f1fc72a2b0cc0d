"""The function that judges one group of layers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from aws_cdk import Duration, Stack, Validations
from constructs import Construct

from demarc.core.look import Look
from demarc.core.model import Occasion, Origin, Resource
from demarc.readers import Reader
from infra.calls import RESPOND
from infra.change_feed import ChangeFeed
from infra.function import FunctionBox, Ground
from infra.permissions import acknowledgments, reading

_TIMEOUT = Duration.seconds(60)

# The type of resource that nothing announces the silence of: it is looked at by the clock.
_FEED = "Demarc::Feed::Region"
_LOOKED_AT_EVERY = Duration.minutes(15)


class Responder(FunctionBox):
    """Changes in, findings out, for the readers of one group; its role may read that group's services only."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  # the CDK's word
        *,
        name: str,
        readers: Sequence[Reader],
        ground: Ground,
    ) -> None:
        reads = [part.calls for reader in readers for part in reader.parts]
        super().__init__(
            scope,
            id,
            name=name,
            does=f"judges changes of the {name} layers",
            handler="respond",
            matrix=name,
            ground=ground,
            calls=(*RESPOND, *reads),
            timeout=_TIMEOUT,
            by_index=False,
        )
        self.changes = ChangeFeed(
            self,
            "Changes",
            readers=readers,
            looks=_looks(readers, Stack.of(self)),
            every=_LOOKED_AT_EVERY,
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
        Validations.of(self.role).acknowledge(*acknowledgments(reads, Stack.of(self)))


def _looks(readers: Sequence[Reader], stack: Stack) -> Mapping[str, Look]:
    """The feed of changes of this account and Region, if a reader of it is among these."""
    found = [reader for reader in readers if reader.type == _FEED]
    return {"Silence": Look((_here(found[0], stack),), Occasion(Origin.SCHEDULE))} if found else {}


def _here(reader: Reader, stack: Stack) -> Resource:
    """The resource of a type that is named after the stack."""
    arn = reader.arn.format(
        partition=stack.partition, region=stack.region, account=stack.account, identifier=stack.stack_name
    )
    return Resource(reader.type, stack.stack_name, stack.account, stack.region, arn)
