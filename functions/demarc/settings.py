"""The environment of a function: the only place that reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class NotConfigured(RuntimeError):
    """A function was deployed without a variable that it cannot work without."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a responder's function is told by its deployment.

    `matrix` is the path of the compiled JSON document inside the asset; `endpoint_url` is set only away from AWS.
    """

    responder: str
    table: str
    topic_arn: str
    matrix: Path
    region: str
    endpoint_url: str | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the variables.

        Raises:
            NotConfigured: naming the first that is missing.
        """
        try:
            return cls(
                responder=environment["DEMARC_RESPONDER"],
                table=environment["DEMARC_TABLE"],
                topic_arn=environment["DEMARC_TOPIC_ARN"],
                matrix=Path(environment["DEMARC_MATRIX"]),
                region=environment["AWS_REGION"],
                endpoint_url=environment.get("AWS_ENDPOINT_URL") or None,
            )
        except KeyError as missing:
            raise NotConfigured(f"the environment variable {missing.args[0]} is not set") from missing
