"""What becomes of findings in the days after: answered in Slack, lost and found, mended, accepted, and come back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from time_machine import Traveller

from demarc.core.model import Finding
from tests.simulation import deeds
from tests.simulation.cloud import Cloud
from tests.simulation.story import Cast
from tests.simulation.trail import Trail
from tests.simulation.workspace import Workspace

_SSH = "security-group-ssh-closed-to-the-world"


class Days:
    """The people again, with Slack open, and time that passes."""

    def __init__(self, cloud: Cloud, trail: Trail, workspace: Workspace, clock: Traveller) -> None:
        self._cloud = cloud
        self._trail = trail
        self._cast = Cast(trail)
        self._workspace = workspace
        self._clock = clock

    def story(self) -> Iterator[str]:
        """One thing after the other, each named when it is done; the functions have not worked yet."""
        sam, lea = self._cast.sam, self._cast.lea
        group = deeds.make_group(sam, "booking-admin", workload="booking")
        deeds.open_port(sam, group)
        yield "Sam opens SSH on another group"

        self._workspace.press("lea.moreau", "acknowledge", self._on(group))
        yield "Lea reads it in Slack, and presses Acknowledge"

        self._pass(hours=49)
        self._cloud.fire("Chaser")
        yield "Two days later it is still open, and a day is left"

        deeds.close_port(sam, group)
        self._trail.take()
        self._cloud.fire("SweeperRequestsSchedule")
        yield "Sam closes the port, but the event is lost; the nightly sweep looks at everything again"

        deeds.open_port(lea, group)
        yield "Lea opens it again, for a vendor this time: the same finding comes back"

        why = {"value": "A vendor needs it until the migration is over"}
        day = {"selected_date": (datetime.now(UTC) + timedelta(days=7)).date().isoformat()}
        self._workspace.submit("lea.moreau", "accept", self._on(group), why=why, until=day)
        yield "Lea asks to accept the risk for a week; her team alone may not"

        self._workspace.press("ines.okafor", "approve", self._on(group))
        yield "Ines, an approver, agrees in Slack"

        self._pass(days=8)
        self._cloud.fire("Chaser")
        yield "The week is over, and with it the acceptance"

        self._pass(days=4)
        self._cloud.fire("Chaser")
        yield "Nobody moves, and the deadline passes"

        deeds.delete_group(sam, group)
        yield "Sam deletes the group"

    def _on(self, resource: str) -> Finding:
        """SSH's finding on a group, as it is now."""
        found = (each for each in self._cloud.store.find() if each.resource.identifier == resource)
        return next(each for each in found if each.control == _SSH)

    def _pass(self, **time: float) -> None:
        self._clock.shift(timedelta(**time))
