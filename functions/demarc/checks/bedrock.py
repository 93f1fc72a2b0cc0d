"""What guardrails hold back of what models are asked, and of what they answer.

Amazon Bedrock User Guide, "Detect and filter harmful content by using Amazon Bedrock Guardrails": a filter acts on one
side or both, from a strength on, and may only detect. AWS CloudFormation Template Reference, "AWS::Bedrock::Guardrail".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.checks import needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot

_CONTENT = "ContentPolicyConfig"
_FILTERS = f"{_CONTENT}.FiltersConfig"
_SENSITIVE = "SensitiveInformationPolicyConfig"
_ENTITIES = f"{_SENSITIVE}.PiiEntitiesConfig"

# From the weakest on: the higher, the less certain a filter has to be.
_STRENGTHS = ("NONE", "LOW", "MEDIUM", "HIGH")
_HIDING = ("ANONYMIZE", "BLOCK")


@needs(_CONTENT)
def blocks_prompt_attacks(snapshot: Snapshot, *, strength: str) -> Iterator[Drift]:
    """That attempts to talk a model out of its instructions are blocked (NIST SP 800-53 SI-10(6)).

    Answers are not looked through for them: the strength there is always NONE.

    Args:
        snapshot: a guardrail.
        strength: the least strength of the filter.
    """
    yield from _passing(snapshot, "PROMPT_ATTACK", ("Input",), strength)


@needs(_CONTENT)
def filters_content(snapshot: Snapshot, *, kinds: Sequence[str], strength: str) -> Iterator[Drift]:
    """Each kind of harmful content that is let through, in what models are asked or answer (NIST SP 800-53 SI-15).

    Args:
        snapshot: a guardrail.
        kinds: kinds of content, as Bedrock names them.
        strength: the least strength of each filter.
    """
    for kind in kinds:
        yield from _passing(snapshot, kind, ("Input", "Output"), strength)


@needs(_SENSITIVE)
def hides_from_answers(snapshot: Snapshot, *, kinds: Sequence[str]) -> Iterator[Drift]:
    """Each kind of sensitive information that answers may have in them (NIST SP 800-53 SI-15, AC-4).

    Args:
        snapshot: a guardrail.
        kinds: kinds of information, as Bedrock names them.
    """
    for kind in kinds:
        found = _entry(snapshot, _ENTITIES, kind)
        action = found.get("OutputAction", found.get("Action"))
        if action not in _HIDING or not found.get("OutputEnabled", True):
            yield Drift(f"{_ENTITIES}[{kind}]", "blocked or masked in answers", found or None)


def _passing(snapshot: Snapshot, kind: str, sides: Sequence[str], strength: str) -> Iterator[Drift]:
    """What is wrong with the filter of a kind, if it does not block on each of the sides."""
    found = _entry(snapshot, _FILTERS, kind)
    if open_sides := [side for side in sides if not _blocks(found, side, strength)]:
        where = {"Input": "what models are asked", "Output": "what models answer"}
        because = f"it is not blocked in {' and '.join(where[side] for side in open_sides)}" if found else ""
        yield Drift(f"{_FILTERS}[{kind}]", f"blocked, at strength {strength} at least", found or None, because)


def _blocks(found: Mapping[str, Any], side: str, strength: str) -> bool:
    strong = _STRENGTHS.index(found.get(f"{side}Strength", "NONE")) >= _STRENGTHS.index(strength)
    # Without a word on it a filter blocks; NONE has it detect only.
    return strong and found.get(f"{side}Action", "BLOCK") == "BLOCK" and bool(found.get(f"{side}Enabled", True))


def _entry(snapshot: Snapshot, path: str, kind: str) -> Mapping[str, Any]:
    """The entry for a kind, of which there is one at most; nothing where there is none."""
    found: Mapping[str, Any] = next((each for each in snapshot[path] or () if each.get("Type") == kind), {})
    return found
