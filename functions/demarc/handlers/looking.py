"""The other half of a responder: what it is asked to look at again, by a sweep or by somebody.

It is loaded with the first such request, since most starts are for a change.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from demarc.core.look import Look, message_of
from demarc.pipeline import Judgement, Pipeline
from demarc.queues import Message, send
from demarc.stores.sweeps import SweepStore, Tally
from demarc.sweep import MOST_ATTEMPTS, delay_after, look_at, one_by_one, rest_of

# What it takes to judge one more resource and to tell what was found; with less time left the rest is put back.
_ENOUGH = 15.0

# A look that came this often is divided, so that the one resource that fails keeps no other from being judged.
_OFTEN = 2


class TooBusy(RuntimeError):
    """AWS asked to slow down so often that somebody should know."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a responder looks at resources with. `calls` names every read call made so far."""

    pipeline: Pipeline
    calls: Sequence[str]
    sweeps: SweepStore
    sqs: Any
    queue: str

    def settle(
        self,
        look: Look,
        *,
        receives: int,
        seconds_left: Callable[[], float],
        note: Callable[[Judgement], object],
    ) -> dict[str, Any]:
        """Judge what a look names, and put back what there is no time for; the facts of it for the log.

        Raises:
            TooBusy: if AWS asked to slow down once more than is waited for.
            ClientError, Conflict: what else keeps a resource from being judged; the queue tries again.
        """
        if receives > _OFTEN and len(look.resources) > 1:
            rest = one_by_one(look)
            self._put_back(rest, delay=0)
            self._record(look, Tally(), rest)
            return {"resources": len(look.resources), "divided": True}
        began, called = monotonic(), len(self.calls)
        looked = look_at(look, self.pipeline, note=note, is_time_left=lambda: seconds_left() > _ENOUGH)
        rest = [rest_of(look, looked)] if looked.rest else []
        if rest:
            if rest[0].attempt > MOST_ATTEMPTS:
                raise TooBusy(f"AWS answered {looked.throttled} for the {rest[0].attempt}th time")
            self._put_back(rest, delay=delay_after(rest[0].attempt, random.random()) if looked.throttled else 0)  # noqa: S311
        tally = replace(
            looked.tally,
            milliseconds=round((monotonic() - began) * 1000),
            calls=dict(Counter(call.partition(".")[0] for call in self.calls[called:])),
        )
        if looked.judged or not looked.rest:
            self._record(look, tally, rest)
        return {
            "resources": looked.judged,
            "gone": tally.gone,
            "findings_opened": tally.opened,
            "findings_resolved": tally.resolved,
            "unread": tally.unread,
            "put_back": len(looked.rest),
            "throttled": looked.throttled,
            "attempt": look.attempt,
            "milliseconds": tally.milliseconds,
            "calls": sum(tally.calls.values()),
        }

    def _put_back(self, looks: Sequence[Look], *, delay: int) -> None:
        send(self.sqs, self.queue, [Message(message_of(each), delay) for each in looks])

    def _record(self, look: Look, tally: Tally, rest: Sequence[Look]) -> None:
        """Note the part as looked at, and what its rest is called; before that the rest is sent."""
        if look.sweep and look.part:
            self.sweeps.looked(look.sweep, look.part, tally, tuple(each.part for each in rest if each.part))
