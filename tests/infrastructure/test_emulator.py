"""The emulator stays on this machine, goes when the tests go, and is as strict about AWS's own events as AWS."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psutil

from tests.infrastructure.emulator import emulator


def emulators() -> list[psutil.Process]:
    children = psutil.Process(os.getpid()).children(recursive=True)
    return [child for child in children if "ministack" in " ".join(child.cmdline())]


def test_an_emulator_listens_on_the_loopback_only_and_leaves_no_process(tmp_path: Path) -> None:
    before = emulators()
    with emulator(tmp_path):
        (started,) = [process for process in emulators() if process not in before]
        addresses = {each.laddr.ip for each in started.net_connections(kind="tcp") if each.status == psutil.CONN_LISTEN}
        assert addresses == {"127.0.0.1"}
    assert emulators() == before


def test_nobody_but_aws_can_put_an_event_of_aws(event_bridge: Any) -> None:
    """What rules rely on, `source` starting with `aws.`, cannot be made up by whoever may put events on the bus."""
    forged = {"Source": "aws.s3", "DetailType": "AWS API Call via CloudTrail", "Detail": "{}"}
    (answer,) = event_bridge.put_events(Entries=[forged])["Entries"]
    assert answer["ErrorCode"] == "NotAuthorizedForSourceException"
