"""Which declarations each function runs on: its permissions and the operations in the bundle follow from these.

A test compares each with what the handler imports, so that a module that is used and not named here is found.
"""

from __future__ import annotations

from demarc import queues, secret
from demarc.announcers import amazon_q, sns
from demarc.handlers import deliver
from demarc.stores import digests, dynamodb, heartbeats, messages, nonces, sweeps
from infra.permissions import Calls

RESPOND: tuple[Calls, ...] = (dynamodb.CALLS, sns.CALLS, queues.CALLS, heartbeats.CALLS, sweeps.CALLS)
SWEEP: tuple[Calls, ...] = (dynamodb.CALLS, sns.CALLS, queues.CALLS, sweeps.CALLS)
CHASE: tuple[Calls, ...] = (dynamodb.CALLS, sns.CALLS, digests.CALLS)
DELIVER: tuple[Calls, ...] = (dynamodb.CALLS, messages.CALLS, secret.CALLS, amazon_q.CALLS, deliver.CALLS)
ANSWER: tuple[Calls, ...] = (dynamodb.CALLS, sns.CALLS, queues.CALLS, secret.CALLS, nonces.CALLS)

ALL: tuple[Calls, ...] = (*RESPOND, *SWEEP, *CHASE, *DELIVER, *ANSWER)
