"""AWS as a person at a terminal reaches it: profile, Region, endpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import click

from demarc.cli.failures import asking_aws

if TYPE_CHECKING:
    from demarc.aws import AwsClients


@dataclass(frozen=True)
class Connection:
    """Whose credentials, which endpoint; `chosen` is the Region that was asked for by option or environment."""

    profile: str | None
    chosen: str | None
    endpoint_url: str | None

    @cached_property
    def clients(self) -> AwsClients:
        """Raises: NoAnswer: if there is no such profile."""
        import botocore.session

        from demarc.aws import AwsClients

        with asking_aws():
            return AwsClients(session=botocore.session.Session(profile=self.profile), endpoint_url=self.endpoint_url)

    @cached_property
    def region(self) -> str:
        """Raises: click.UsageError: if neither option nor environment nor profile names one."""
        import botocore.session

        with asking_aws():
            found = self.chosen or botocore.session.Session(profile=self.profile).get_config_variable("region")
        if not found:
            raise click.UsageError("Which Region? Give --region, or set AWS_REGION.")
        # botocore makes a host name of it.
        if not re.fullmatch(r"[a-z0-9-]+", found):
            raise click.BadParameter(f"{found!r} is not the name of a Region.", param_hint="--region")
        return str(found)

    @cached_property
    def identity(self) -> Mapping[str, str]:
        """Whose the credentials are: `Arn`, `Account` and `UserId`, as STS says.

        Raises:
            NoAnswer: if AWS does not say.
        """
        with asking_aws():
            answer = self.clients("sts", self.region).get_caller_identity()
        return {name: str(answer[name]) for name in ("Arn", "Account", "UserId")}

    @property
    def account(self) -> str:
        """The account that the credentials belong to.

        Raises:
            NoAnswer: if AWS does not say.
        """
        return self.identity["Account"]
