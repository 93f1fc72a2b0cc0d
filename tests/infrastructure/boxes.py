"""What the functions are called, which construct makes each, and which queue it works off."""

from __future__ import annotations

import pytest

from demarc import readers
from demarc.readers import Reader
from infra import calls
from infra.permissions import Calls

RESPONDERS = sorted({reader.responder for reader in readers.load()})
CONSTRUCTS = {name: name.title() for name in RESPONDERS} | {
    "sweep": "Sweeper",
    "chase": "Chaser",
    "deliver": "Deliverer",
    "answer": "Answerer",
}
FEEDS = {name: f"{name.title()}Changes" for name in RESPONDERS} | {
    "sweep": "SweeperRequests",
    "deliver": "DelivererAnnouncements",
}
HANDLERS = dict.fromkeys(RESPONDERS, "respond") | {name: name for name in ("sweep", "chase", "deliver", "answer")}

EACH_RESPONDER = pytest.mark.parametrize("responder", RESPONDERS)
EACH_FUNCTION = pytest.mark.parametrize("name", CONSTRUCTS)
EACH_FEED = pytest.mark.parametrize("name", FEEDS)


def readers_of(responder: str) -> list[Reader]:
    return [reader for reader in readers.load() if reader.responder == responder]


def reads_of(name: str) -> set[str]:
    """The actions that a function needs to ask other services of AWS about what is not Demarc's."""
    if name == "sweep":
        return {action for reader in readers.load() if reader.inventory for action in reader.inventory.actions}
    return {action for reader in readers_of(name) for part in reader.parts for action in part.actions}


def own_calls_of(name: str) -> tuple[Calls, ...]:
    """What a function declares to do with what is Demarc's own."""
    handler: tuple[Calls, ...] = getattr(calls, HANDLERS[name].upper())
    return handler


def actions_of(declared: tuple[Calls, ...]) -> set[str]:
    return {action for each in declared for action in each.values()}
