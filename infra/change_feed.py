"""What a responder is told to look at: changes of its types, by EventBridge rules, and what the clock asks about."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from constructs import Construct

from demarc.core.look import Look, message_of
from demarc.readers import Reader
from infra.feed import Feed
from infra.patterns import rules_for


class ChangeFeed(Feed):
    """Every successful mutating call on some readers' types, queued; and looks that are asked for by the clock."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  # the CDK's word
        *,
        readers: Sequence[Reader],
        looks: Mapping[str, Look],
        every: Duration,
        settled_within: Duration,
        key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, id, settled_within=settled_within, key=key)
        self.rules = [
            self._rule(
                f"{rule.name.title()}Rule",
                description=f"Changes of {rule.name} for {scope.node.id}",
                pattern=rule.pattern,
            )
            for rule in rules_for(readers)
        ]
        self.rules += [
            self._rule(
                f"{name}Rule",
                description=f"{scope.node.id} looks without being asked: {name}",
                schedule=f"rate({every.to_minutes():.0f} minutes)",
                message=json.dumps(message_of(look)),
            )
            for name, look in looks.items()
        ]
        self._admit(self.rules)
