"""What happened in an account and is wrong by itself: streams of like calls by one actor (`core.occurrence`).

No type of CloudFormation's, and nothing to read: all that is known of it was in the records. The identifier is the
control's and the actor: `root-user-is-not-used/arn:aws:iam::123456789012:root`.
"""

from __future__ import annotations

from demarc.core.model import OCCURRENCE as TYPE
from demarc.core.occurrence import ARN
from demarc.readers import Reader

OCCURRENCE = Reader(
    type=TYPE,
    responder="visibility",
    arn=ARN,
    parts=(),
    # Which calls it is about the controls say, row by row.
    touches=(),
    # Nor is it listed: what happened is over, and a sweep has nothing to find.
)

READERS = (OCCURRENCE,)
