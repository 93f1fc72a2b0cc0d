"""The environment of a function: the only place that reads it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SLACK = "https://slack.com/api/"


class NotConfigured(RuntimeError):
    """A function was deployed without a variable that it cannot work without."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a function is told by its deployment.

    `name` is the responder's, or what else the function does. `matrix` is the path of the compiled JSON document inside
    the asset. `queues` are pairs of a responder's name and its queue's URL: a responder knows its own, others all.
    `slack_secret` names the Secrets Manager secret of the Slack app. `chat_topic_arn` is where Amazon Q Developer
    listens. `pages_url` is where the page of the controls is published. `endpoint_url` and another `slack_url` are set
    only away from AWS.
    """

    name: str
    table: str
    topic_arn: str
    matrix: Path
    region: str
    queues: tuple[tuple[str, str], ...] = ()
    sweep_queue: str | None = None
    slack_secret: str | None = None
    chat_topic_arn: str | None = None
    pages_url: str | None = None
    slack_url: str = SLACK
    endpoint_url: str | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the variables.

        Raises:
            NotConfigured: naming the first that is missing.
        """
        try:
            return cls(
                name=environment["DEMARC_NAME"],
                table=environment["DEMARC_TABLE"],
                topic_arn=environment["DEMARC_TOPIC_ARN"],
                matrix=Path(environment["DEMARC_MATRIX"]),
                region=environment["AWS_REGION"],
                queues=tuple(sorted(json.loads(environment.get("DEMARC_QUEUES", "{}")).items())),
                sweep_queue=environment.get("DEMARC_SWEEP_QUEUE") or None,
                slack_secret=environment.get("DEMARC_SLACK_SECRET") or None,
                chat_topic_arn=environment.get("DEMARC_CHAT_TOPIC_ARN") or None,
                pages_url=environment.get("DEMARC_PAGES_URL") or None,
                slack_url=environment.get("DEMARC_SLACK_URL") or SLACK,
                endpoint_url=environment.get("AWS_ENDPOINT_URL") or None,
            )
        except KeyError as missing:
            raise NotConfigured(f"the environment variable {missing.args[0]} is not set") from missing

    def queue_of(self, responder: str) -> str:
        """The URL of a responder's queue.

        Raises:
            NotConfigured: if this function was not told of it.
        """
        for name, url in self.queues:
            if name == responder:
                return url
        raise NotConfigured(f"DEMARC_QUEUES does not name {responder}")
