"""A Slack workspace with Demarc's app in it: channels and people of the matrix, and what they press and send."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

from demarc.announcers.slack import Pace
from demarc.core.matrix import Matrix, Organization
from demarc.core.model import Finding
from tests.simulation.cloud import Cloud
from tests.simulation.slack import TEAM, Message, Slack

_SIGNING = "simulated-signing-secret"
_TRIGGERS = count()


class Workspace:
    """Slack as the people of an organization see it, and Demarc's functions reach it."""

    def __init__(self, cloud: Cloud, slack: Slack) -> None:
        self.cloud = cloud
        self.slack = slack
        self.organization = _organization(cloud)

    def install(self) -> None:
        """Make the app's secret, and tell the functions where this Slack is."""
        secret = {"bot_token": self.slack.token, "signing_secret": _SIGNING, "team_id": TEAM}
        for name in ("deliver", "answer"):
            environment = self.cloud.function(name).environment
            environment["DEMARC_SLACK_URL"] = self.slack.url
        self.cloud.client("secretsmanager").create_secret(
            Name=environment["DEMARC_SLACK_SECRET"], SecretString=json.dumps(secret)
        )
        channels = [team.channel for team in self.organization.teams.values() if team.channel]
        self.slack.channels = {name: f"C0{name.strip('#').upper().replace('-', '')}" for name in channels}
        self.slack.users = {
            _member(person.id): {"id": _member(person.id), "profile": {"email": person.email}}
            for person in self.organization.people.values()
        }

    def press(self, who: str, button: str, finding: Finding) -> None:
        """A person (by their id in the matrix) presses a button under a finding; what they are told is whispered."""
        payload = {
            "type": "block_actions",
            "user": {"id": _member(who), "team_id": TEAM},
            "team": {"id": TEAM},
            "response_url": self.slack.response_url,
            "actions": [{"action_id": f"demarc:{button}", "value": f"{finding.id}:{finding.revision}"}],
        }
        assert self._send(payload)["statusCode"] == 200

    def submit(self, who: str, form: str, finding: Finding, **fields: Any) -> Mapping[str, Any]:
        """A person sends a form; what Slack is asked to do then."""
        payload = {
            "type": "view_submission",
            "user": {"id": _member(who), "team_id": TEAM},
            "team": {"id": TEAM},
            "view": {
                "callback_id": f"demarc:{form}",
                "private_metadata": f"{finding.id}:{finding.revision}",
                "state": {"values": {name: {name: value} for name, value in fields.items()}},
            },
        }
        answered = self._send(payload)
        assert answered["statusCode"] == 200
        answer: Mapping[str, Any] = json.loads(answered["body"] or "{}")
        return answer

    def whispered(self) -> list[str]:
        """What people were told for their eyes only, since it was last asked."""
        told = [answer["text"] for answer in self.slack.responses]
        self.slack.responses.clear()
        return told

    def in_channel(self, team: str) -> list[Message]:
        """What stands in a team's channel, oldest first."""
        channel = self.organization.teams[team].channel
        return self.slack.in_channel(channel) if channel else []

    def _send(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        body = urlencode({"payload": json.dumps({"trigger_id": f"1.2.{next(_TRIGGERS)}", **payload})})
        at = str(int(time.time()))
        signature = hmac.new(_SIGNING.encode(), f"v0:{at}:{body}".encode(), hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": at,
            "x-slack-signature": f"v0={signature}",
        }
        answered: Mapping[str, Any] = self.cloud.request(body, headers)
        return answered


@contextmanager
def unhurried() -> Iterator[None]:
    """One message a second and channel is what Slack asks for; here a second takes no time."""
    with patch.object(Pace, "wait", lambda *_: None):
        yield


def _member(person: str) -> str:
    return f"U0{''.join(each for each in person.upper() if each.isalpha())}"


def _organization(cloud: Cloud) -> Organization:
    return Matrix.from_json(Path(cloud.function("answer").environment["DEMARC_MATRIX"]).read_bytes()).organization
