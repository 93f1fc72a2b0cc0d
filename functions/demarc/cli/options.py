"""Options that several commands take, with the same name and meaning everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from demarc.cli.connection import Connection
from demarc.cli.deployment import STACK, Deployment

_Command = TypeVar("_Command", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object per line, for machines.")

matrix = click.option(
    "--matrix",
    "matrix",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("matrices"),
    show_default="./matrices",
    envvar="DEMARC_MATRICES",
    show_envvar=True,
    metavar="DIR",
    help="The folder of the matrix.",
)

files = click.argument("files", metavar="FILE...", nargs=-1, required=True)

stack = click.option(
    "--stack",
    metavar="NAME",
    envvar="DEMARC_STACK",
    show_envvar=True,
    help=f"The stack that Demarc was deployed as.  [default: {STACK}]",
)

finding_id = click.argument("finding_id", metavar="ID")

_ENDPOINT = "Where to call AWS, for an emulator such as http://127.0.0.1:5000."


def offline(command: _Command) -> _Command:
    """`--endpoint-url` where nothing is called: accepted, so that one set of options fits every command."""
    option = click.option(
        "--endpoint-url", expose_value=False, metavar="URL", help="Accepted everywhere; this command calls nothing."
    )
    return option(command)


def reads_aws(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--endpoint-url`, `--profile` and `--region`; the command gets them as its `connection`."""

    @wraps(command)
    def connected(*given: Any, endpoint_url: str | None, profile: str | None, region: str | None, **more: Any) -> Any:
        return command(*given, connection=Connection(profile, region, endpoint_url), **more)

    endpoint = click.option("--endpoint-url", metavar="URL", help=_ENDPOINT)
    profile = click.option("--profile", metavar="NAME", help="The profile of your AWS configuration.  [default: AWS's]")
    region = click.option(
        "--region",
        metavar="REGION",
        envvar=["AWS_REGION", "AWS_DEFAULT_REGION"],
        show_envvar=True,
        help="The AWS Region.  [default: the profile's]",
    )
    return endpoint(profile(region(connected)))


def ignores_matrix(command: _Command) -> _Command:
    """`--matrix` where nothing is judged: accepted, so that one set of options fits every command."""
    option = click.option(
        "--matrix", expose_value=False, metavar="DIR", help="Accepted everywhere; this command needs none."
    )
    return option(command)


def recorded(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--stack` and `--table`, and the options of `reads_aws`; the command gets them as its `deployment`."""
    return _found(command, announces=False)


def deployed(command: Callable[..., Any]) -> Callable[..., Any]:
    """As `recorded`, and `--topic` for a command that tells people."""
    return _found(command, announces=True)


def _found(command: Callable[..., Any], *, announces: bool) -> Callable[..., Any]:
    @wraps(command)
    def found(
        *given: Any,
        connection: Connection,
        stack: str | None,
        table_name: str | None,
        topic: str | None = None,
        **more: Any,
    ) -> Any:
        return command(*given, deployment=Deployment(connection, stack, table_name, topic), **more)

    option_of_table = click.option(
        "--table", "table_name", metavar="NAME", help="The DynamoDB table.  [default: the stack's]"
    )
    connected = reads_aws(found)
    if announces:
        connected = click.option("--topic", metavar="ARN", help="The SNS topic to tell it on.  [default: the stack's]")(
            connected
        )
    return stack(option_of_table(connected))


_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def age(written: str) -> timedelta:
    """The type of a span of time: `12h`, `7d`, `2w`.

    Raises:
        click.BadParameter: if it is none.
    """
    span = _span(written)
    if span is None:
        raise click.BadParameter(f"{written!r} is not a time such as 12h, 7d or 2w.")
    return span


def until(written: str) -> datetime:
    """The type of an end: the last day, `2027-06-30` in UTC, or how long from now, `90d`; the moment after it.

    Raises:
        click.BadParameter: if it is neither.
    """
    if span := _span(written):
        return datetime.now(UTC) + span
    try:
        last = datetime.strptime(written.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise click.BadParameter(f"{written!r} is neither a day such as 2027-06-30 nor a time such as 90d.") from error
    return last + timedelta(days=1)


def _span(written: str) -> timedelta | None:
    parts = re.fullmatch(r"([0-9]{1,4})([hdw])", written.strip().lower())
    return int(parts[1]) * _UNITS[parts[2]] if parts else None
