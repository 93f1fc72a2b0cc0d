"""What a responder is told to look at: changes of its types, by EventBridge rules, and what the clock asks about."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from constructs import Construct

from demarc.core.look import Look, message_of
from demarc.core.model import Control
from demarc.readers import Reader
from infra.feed import Feed
from infra.patterns import rules_for


@dataclass(frozen=True, slots=True)
class Clocked:
    """A look that nobody asks for but the clock."""

    name: str
    look: Look
    every: Duration


class ChangeFeed(Feed):
    """Every successful mutating call on some readers' types, queued, and every one that must not happen; and looks that
    are asked for by the clock.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  # the CDK's word
        *,
        readers: Sequence[Reader],
        occurrences: Sequence[Control],
        looks: Sequence[Clocked],
        settled_within: Duration,
        key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, id, settled_within=settled_within, key=key)
        self.rules = [
            self._rule(
                f"{rule.name.title()}Rule",
                description=f"{rule.about or f'Changes of {rule.name}'} for {scope.node.id}",
                pattern=rule.pattern,
            )
            for rule in rules_for(readers, occurrences)
        ]
        self.rules += [
            self._rule(
                f"{each.name}Rule",
                description=f"{scope.node.id} looks without being asked: {each.name}",
                schedule=f"rate({each.every.to_minutes():.0f} minutes)",
                message=json.dumps(message_of(each.look)),
            )
            for each in looks
        ]
        self._admit(self.rules)
