"""EventBridge's pattern matching, from an emulator that has it right also for lists of objects.

It is what answers the emulator's TestEventPattern. Both functions are private, so a test holds what they do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ministack.services.eventbridge import _event_from_test_payload, _matches_pattern


def matches(pattern: Mapping[str, Any], envelope: Mapping[str, Any]) -> bool:
    """Whether a rule with this pattern gets this event."""
    return bool(_matches_pattern(json.dumps(pattern), _event_from_test_payload(dict(envelope))))
