"""Whatever file people have of CloudTrail records is read; what cannot be read is named, and the rest goes on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import EVENTS, Demarc, event

FIRST, SECOND = event("group-opened"), event("refused")
IDS = [FIRST["eventID"], SECOND["eventID"]]


def lines(*values: Any) -> str:
    return "\n".join(json.dumps(value) for value in values)


def envelope(record: dict[str, Any]) -> dict[str, Any]:
    return {"detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2", "detail": record}


def message(record: dict[str, Any]) -> dict[str, Any]:
    return {"messageId": "m", "body": json.dumps(envelope(record))}


FORMS = {
    "a log file": json.dumps({"Records": [FIRST, SECOND]}),
    "a log file on many lines": json.dumps({"Records": [FIRST, SECOND]}, indent=2),
    "JSON lines": lines(FIRST, SECOND),
    "JSON lines with blank ones": "\n\n" + lines(FIRST) + "\n\n" + lines(SECOND) + "\n\n",
    "records on many lines, one after the other": json.dumps(FIRST, indent=2) + "\n" + json.dumps(SECOND, indent=2),
    "a list": json.dumps([FIRST, SECOND]),
    "envelopes": lines(envelope(FIRST), envelope(SECOND)),
    "a batch of messages": json.dumps({"Records": [message(FIRST), message(SECOND)]}),
    "messages": lines(message(FIRST), message(SECOND)),
    "events looked up": json.dumps({"Events": [{"CloudTrailEvent": json.dumps(each)} for each in (FIRST, SECOND)]}),
    "a byte order mark": "\ufeff" + lines(FIRST, SECOND),
    "Windows line ends": lines(FIRST, SECOND).replace("\n", "\r\n"),
}


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "trail.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read(form: str, pack: Callable[[bytes], bytes], demarc: Demarc, file: Any) -> None:
    ended = demarc("explain", file(pack(FORMS[form].encode())), "--json")

    assert (ended.exit_code, ended.err) == (0, "")
    assert [row["event_id"] for row in ended.rows] == IDS


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
def test_standard_input_is_read_like_a_file(pack: Callable[[bytes], bytes], demarc: Demarc) -> None:
    ended = demarc("explain", "-", "--json", given=pack(FORMS["a log file"].encode()))

    assert [row["event_id"] for row in ended.rows] == IDS


def test_files_are_read_in_their_order(demarc: Demarc) -> None:
    ended = demarc("explain", EVENTS / "refused.json", EVENTS / "group-opened.json", "--json")

    assert [row["event_id"] for row in ended.rows] == IDS[::-1]


BROKEN = [
    pytest.param(lines(FIRST) + "\n{oops\n" + lines(SECOND), 2, "this line is not JSON", id="a line"),
    pytest.param("{oops\n" + lines(FIRST, SECOND), 1, "this line is not JSON", id="the first line"),
    pytest.param(lines(FIRST, SECOND) + '\n{"eventName": NaN}', 3, "NaN is not a number of JSON", id="NaN"),
    pytest.param(lines(FIRST, SECOND) + "\n" + "[" * 100_000, 3, "nested too deeply", id="too deep"),
    pytest.param(lines(FIRST, SECOND).encode() + b"\n\xff\xfe", 3, "this is not UTF-8 text", id="no text"),
    pytest.param(lines(FIRST, {"messageId": "m", "body": "{oops"}, SECOND), 2, "a message in it is not", id="message"),
]


@pytest.mark.parametrize(("content", "line", "what"), BROKEN)
def test_what_cannot_be_read_is_named_and_the_rest_goes_on(
    content: str | bytes, line: int, what: str, demarc: Demarc, file: Any
) -> None:
    path = file(content)

    ended = demarc("explain", path, "--json")

    assert ended.err.startswith(f"{path}:{line}: ")
    assert what in ended.err
    assert [row["event_id"] for row in ended.rows] == IDS
    assert ended.exit_code == 2


def test_a_value_that_breaks_off_is_named_by_the_line_it_breaks_on(demarc: Demarc, file: Any) -> None:
    whole = json.dumps({"Records": [FIRST]}, indent=2)
    path = file(whole[: whole.index('"eventTime"') + 14])
    line = whole[: whole.index('"eventTime"')].count("\n") + 1

    ended = demarc("explain", path)

    assert f"{path}:{line}: this is not JSON" in ended.err
    assert ended.exit_code == 2


def test_gzipped_data_that_ends_early_is_read_as_far_as_it_goes(demarc: Demarc, file: Any) -> None:
    packed = gzip.compress(lines(*[FIRST] * 500).encode(), compresslevel=0)

    ended = demarc("explain", file(packed[:200_000]), "--json")

    assert 0 < len(ended.rows) < 500
    assert "the gzip data is damaged or ends early" in ended.err
    assert ended.exit_code == 2


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "there is nothing in it"),
        ("\n \n", "there is nothing in it"),
        (gzip.compress(b"", mtime=0), "nothing in it"),
    ],
)
def test_an_empty_file_is_told_and_not_passed_over(content: str | bytes, what: str, demarc: Demarc, file: Any) -> None:
    ended = demarc("explain", file(content))

    assert what in ended.err
    assert ended.exit_code == 2


def test_a_missing_file_and_a_folder_are_told_and_the_next_file_is_read(demarc: Demarc, tmp_path: Path) -> None:
    ended = demarc("explain", tmp_path / "nowhere.json", tmp_path, EVENTS / "refused.json", "--json")

    assert f"{tmp_path / 'nowhere.json'}:1: no such file or directory. Name a file" in ended.err
    assert f"{tmp_path}:1: is a directory" in ended.err
    assert [row["event_id"] for row in ended.rows] == IDS[1:]
    assert ended.exit_code == 2


@pytest.mark.parametrize("value", ["7", "null", '"text"', "{}", "[[]]", '{"Records": [null]}'])
def test_json_that_is_no_event_is_an_outcome_and_no_mistake_of_the_file(value: str, demarc: Demarc, file: Any) -> None:
    ended = demarc("explain", file(value), "--json")

    assert [row["outcome"] for row in ended.rows] == ["malformed"]
    assert ended.exit_code == 0
