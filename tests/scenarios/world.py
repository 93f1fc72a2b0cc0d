"""An account with Demarc deployed in it and people at work: what every scenario is told in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from time_machine import Traveller

from demarc.core.model import Finding, Status
from tests.simulation.cloud import Cloud, Letter
from tests.simulation.story import Cast
from tests.simulation.trail import Trail
from tests.simulation.workspace import Workspace

ACCOUNT, REGION = "123456789012", "us-east-1"


@dataclass(frozen=True)
class World:
    """What people do goes into the trail; `settle` brings it to Demarc and lets that work."""

    cloud: Cloud
    trail: Trail
    cast: Cast
    workspace: Workspace
    clock: Traveller

    def wait(self, **time: float) -> None:
        """Let time pass: `hours=4`."""
        self.clock.shift(timedelta(**time))

    def settle(self) -> None:
        """Deliver every event that is not delivered yet, and let the functions work until they are done."""
        for envelope in self.trail.take():
            self.cloud.put(envelope)
        assert self.cloud.run() == 0

    def findings(self, resource: str) -> dict[str, Finding]:
        """All that is known of a resource, by control."""
        found = [finding for finding in self.cloud.store.find() if finding.resource.identifier == resource]
        return {finding.control: finding for finding in found}

    def open_on(self, resource: str) -> set[str]:
        """The controls that do not hold on a resource."""
        return {control for control, finding in self.findings(resource).items() if finding.status is Status.OPEN}

    def letters(self, team: str) -> list[Letter]:
        """What a team received since it last looked."""
        return list(self.cloud.letters(team))

    def letter(self, team: str, control: str) -> Letter:
        """The one letter that tells a team of a control, among all that it received since it last looked."""
        (letter,) = [
            letter
            for letter in self.letters(team)
            if control in {facts["control"] for facts in letter.body.get("findings", ())}
        ]
        return letter

    def told(self, team: str) -> list[dict[str, Any]]:
        """Every finding that a team received a word of since it last looked, as the letters' bodies have it."""
        return [facts for letter in self.letters(team) for facts in letter.body.get("findings", ())]

    def all_letters(self) -> list[Letter]:
        """What anybody received since they last looked."""
        return [letter for team in self.cloud.mailboxes for letter in self.letters(team)]
