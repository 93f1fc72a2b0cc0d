"""Options that several commands take, with the same name and meaning everywhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from demarc.cli.connection import Connection

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
