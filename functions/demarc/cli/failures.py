"""How a run may end: the exit codes, and the errors that people are told of instead of a traceback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click

from demarc.core.announcement import clean

FINE = 0
WRONG = 1
UNUSABLE = 2
NO_ANSWER = 3
NOT_THERE = 4
REFUSED = 5
INTERRUPTED = 130
PIPE_CLOSED = 141

EXIT_CODES = {
    FINE: "it was done; findings and non-compliant resources are an answer, not a failure",
    WRONG: "`matrix check` found problems, or `evaluate --exit-code` a control that does not hold",
    UNUSABLE: "the call is wrong, a file could not be read in full, or the matrix cannot be used",
    NO_ANSWER: "AWS refused, could not be reached, or not everything could be looked at: no verdict is not a pass",
    NOT_THERE: "AWS says that the resource does not exist, or no finding has the ID",
    REFUSED: "the finding does not allow what was asked, or it takes somebody else's word",
    INTERRUPTED: "stopped with Ctrl-C",
    PIPE_CLOSED: "the reader of the output went away (`demarc ... | head`)",
}


class Unusable(click.ClickException):
    """What was given cannot be used; the message says what to do."""

    exit_code = UNUSABLE

    def format_message(self) -> str:
        return "\n".join(clean(line) for line in self.message.split("\n"))


class NoAnswer(Unusable):
    """AWS did not say what was asked."""

    exit_code = NO_ANSWER


class NotThere(Unusable):
    """What was named does not exist."""

    exit_code = NOT_THERE


class Refusal(Unusable):
    """It must not be done so, or not by whoever asked."""

    exit_code = REFUSED


@dataclass(frozen=True)
class Advice:
    """What to do about an error that nearly everybody meets first."""

    when: str
    pattern: str
    do: str


ADVICE = (
    Advice(
        "there are no credentials",
        r"NoCredentialsError|Unable to locate credentials",
        "Sign in (aws sso login), choose a --profile, or for an emulator set AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY to anything",
    ),
    Advice(
        "the credentials have expired",
        r"ExpiredToken|TokenRefreshRequired|UnauthorizedSSOToken|SSOTokenLoadError",
        "Sign in again (aws sso login)",
    ),
    Advice(
        "nobody answers",
        r"EndpointConnectionError|ConnectTimeout|ConnectionClosed",
        "Look at --endpoint-url, --region and the network",
    ),
    Advice(
        "the profile does not exist",
        r"ProfileNotFound",
        "Correct --profile; `aws configure list-profiles` lists those that exist",
    ),
    Advice(
        "the table does not exist",
        r"ResourceNotFoundException.*(Query|Scan)",
        "Correct --table or --region; the stack's output FindingsTable names the table",
    ),
    Advice(
        "the stack does not exist",
        r"ValidationError.*DescribeStacks.*does not exist",
        "Correct --stack or --region, or name the table with --table",
    ),
    Advice(
        "AWS refused",
        r"AccessDenied|NotAuthorized|UnauthorizedOperation",
        "Ask for the permission, or use another --profile",
    ),
)


@contextmanager
def asking_aws() -> Iterator[None]:
    """Turn what AWS, or the way to it, answers into words.

    Raises:
        NoAnswer: for a refusal, a missing credential, an endpoint that is not there.
        Unusable: for a name that cannot be that of a resource.
    """
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

    try:
        yield
    except ParamValidationError as error:
        raise Unusable(f"{error}".replace("\n", " ")) from error
    except (BotoCoreError, ClientError) as error:
        raise NoAnswer(told(error)) from error


def told(error: Exception) -> str:
    """An error of botocore as one line: what AWS said, and what to do where that is known."""
    text = clean(f"{error}".rstrip("."))
    kind = f"{type(error).__name__} {text}"
    advice = next((advice for advice in ADVICE if re.search(advice.pattern, kind)), None)
    return f"{text}. {advice.do}." if advice else f"{text}."
