"""How what AWS answers becomes properties: what most readers do alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError, UnsupportedS3ControlArnError

from demarc.readers import ResourceGone

Answer = Mapping[str, Any]


# How botocore begins what it says of a value that nothing of the service can have: the service is not even asked. The
# other things that it says of parameters (one is missing, unknown, of another type) are mistakes of ours.
_NO_NAME = (
    "Invalid length for parameter ",
    "Invalid value for parameter(s): ",
    "Invalid bucket name ",
    "Invalid ARN: ",
)


@contextmanager
def _asking(gone: Sequence[str]) -> Iterator[None]:
    """Ask about a resource, which is gone where AWS answers with one of these codes.

    It is gone as well where botocore refuses to ask: names come from records, and records may be made up. A service
    that is asked for such a name answers with a code that is among these in most readers.

    Raises:
        ResourceGone, ClientError: as it says.
        ParamValidationError: for a parameter that is wrong whatever the resource is called.
    """
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in gone:
            raise ResourceGone from error
        raise
    except ParamValidationError as error:
        if gone and all(line.startswith(_NO_NAME) for line in error.kwargs["report"].splitlines()):
            raise ResourceGone from error
        raise
    except UnsupportedS3ControlArnError as error:
        # An ARN in the middle of what should be a name.
        raise ResourceGone from error


def asked(client: Any, method: str, gone: Sequence[str], **asked_for: Any) -> Answer:
    """What a call answers.

    Raises:
        ResourceGone: if it fails with one of the codes in `gone`, or for a name that cannot be one.
        ClientError: if it fails otherwise.
    """
    with _asking(gone):
        answer: Answer = getattr(client, method)(**asked_for)
    return answer


def configured(client: Any, method: str, absent: Sequence[str], gone: Sequence[str] = (), **asked_for: Any) -> Answer:
    """What a call answers; nothing where it fails with a code that says there is nothing configured.

    Raises:
        ResourceGone: as `asked`; some services tell the one from the other.
        ClientError: if it fails otherwise.
    """
    try:
        return asked(client, method, gone, **asked_for)
    except ClientError as error:
        if error.response["Error"]["Code"] in absent:
            return {}
        raise


def the_one(entries: Sequence[Answer] | None) -> Answer:
    """The one entry of a list that was asked for by name.

    Raises:
        ResourceGone: if there is none.
    """
    if not entries:
        raise ResourceGone
    return entries[0]


def same(entry: Answer, *names: str) -> dict[str, Any]:
    """The properties that the API and the CloudFormation schema call the same."""
    return {name: entry[name] for name in names if entry.get(name) is not None}


def present(**found: Any) -> dict[str, Any]:
    """Properties without those that are not configured."""
    return {name: value for name, value in found.items() if value is not None}


def tags(entries: Sequence[Answer] | None, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags that the API lists, as CloudFormation has them."""
    return [{"Key": entry[key], "Value": entry.get(value, "")} for entry in entries or ()]


def tags_of(found: Mapping[str, str] | None) -> list[dict[str, str]]:
    """Tags that the API has as an object, as CloudFormation has most."""
    return [{"Key": key, "Value": value} for key, value in (found or {}).items()]


def document(text: str | None) -> dict[str, Any] | None:
    """A policy that the API has as text; None where there is none."""
    return json.loads(text) if text else None


def every(
    client: Any, method: str, key: str, gone: Sequence[str], size: int | None = None, /, **asked_for: Any
) -> list[Any]:
    """All entries of a list, from every page of it; `size` as in `pages`.

    Raises:
        ResourceGone, ClientError: as `asked`.
    """
    with _asking(gone):
        return [entry for page in pages(client, method, key, size, **asked_for) for entry in page]


def page_by_page(
    client: Any, method: str, gone: Sequence[str] = (), *, mark: str = "NextToken", told_as: str = "", **asked_for: Any
) -> Iterator[Answer]:
    """What a list answers that botocore has no paginator for, page by page.

    Each page but the last has the `mark` by which the next is asked for; `told_as` is what the answer calls it, where
    that is something else.

    Raises:
        ResourceGone, ClientError: as `asked`.
    """
    page = asked(client, method, gone, **asked_for)
    yield page
    while following := page.get(told_as or mark):
        page = asked(client, method, gone, **asked_for, **{mark: following})
        yield page


def tags_key_by_key(client: Any, method: str, gone: Sequence[str], **asked_for: Any) -> list[dict[str, str]]:
    """All tags of a stream, page by page: the last key of one asks for the next.

    Amazon Kinesis Data Streams API Reference, "ListTagsForStream"; Amazon Data Firehose API Reference,
    "ListTagsForDeliveryStream".

    Raises:
        ResourceGone, ClientError: as `asked`.
    """
    page = asked(client, method, gone, **asked_for)
    found = [*page["Tags"]]
    while page["HasMoreTags"] and page["Tags"]:
        page = asked(client, method, gone, **asked_for, ExclusiveStartTagKey=found[-1]["Key"])
        found += page["Tags"]
    return tags(found)


def pages(client: Any, method: str, key: str, size: int | None = None, **asked_for: Any) -> Iterator[Sequence[Any]]:
    """The entries of a list, page by page; `size` is how many to ask for at once, AWS's own choice without it."""
    paging = {"PageSize": size} if size else {}
    for page in client.get_paginator(method).paginate(**asked_for, PaginationConfig=paging):
        yield page.get(key) or []
