"""Secrets that lie open in names and values: where one is and of what kind, and nothing of the secret itself.

What is found leaves here without the value, without a part of it and without a hash, since a snapshot is kept and a
finding is told. NIST SP 800-53 IA-5(7): no unencrypted static authenticators are embedded in applications.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import log2

# Forms that say by themselves what they are. Each has bounds, so that a long value takes no longer than its length.
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("private key", re.compile(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----")),
    ("AWS access key", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22,255})")),
    ("GitLab token", re.compile(r"\bglpat-[A-Za-z0-9_-]{20}")),
    ("Slack token", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,250}")),
    ("Slack webhook", re.compile(r"https://hooks\.slack\.com/services/[A-Za-z0-9/_-]{20,80}")),
    ("Stripe key", re.compile(r"\b[rs]k_live_[A-Za-z0-9]{20,250}")),
    ("Google API key", re.compile(r"\bAIza[A-Za-z0-9_-]{35}")),
    ("SendGrid key", re.compile(r"\bSG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}")),
    ("JSON web token", re.compile(r"\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,2000}")),
    (
        "password in an address",
        re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,200}:[^\s/:@]{3,200}@", re.IGNORECASE),
    ),
)

# Names under which people put secrets; the word stands alone or at a seam of the name.
_NAMED = re.compile(
    r"(?:^|[_\-.])(?:pass(?:word|wd|phrase)?|pwd|secret(?:_?key)?|token|api_?key|private_?key|credentials?|auth_?key)s?"
    r"(?:$|[_\-.])",
    re.IGNORECASE,
)
_SEAM = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# What such a name may hold without harm: where the secret is, and not what it is.
_REFERENCE = re.compile(
    r"^(?:arn:|\{\{resolve:|\$\{|\$\(|/[\w./-]+$|ssm:|secretsmanager:|vault:|https?://[^@]*$|true$|false$|none$|null$|\d{1,6}$)",
    re.IGNORECASE,
)
_POINTS = re.compile(r"(?:^|[_\-.])(?:arn|name|id|path|ref|url|uri|file|ttl|expiry|length|rotation)s?$", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"^(?:change_?me|example|placeholder|redacted|todo|x{3,}|\*{3,}|<.*>)$", re.IGNORECASE)
_SHORTEST, _LONGEST = 8, 4096
# Bits per character above which eight and more of them are no word: `checkout-prod` has 3.2, a random one over 3.3.
_RANDOM = 2.75


def secrets_in(variables: Mapping[str, str]) -> list[dict[str, str]]:
    """The variables that look like secrets, as `{Name, Kind}`, in the order of their names.

    Args:
        variables: values by their names, as somebody configured them.
    """
    return [{"Name": name, "Kind": kind} for name, kind in sorted(_found(variables))]


def _found(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in variables.items():
        kind = kind_of(name, value)
        if kind:
            yield name, kind


def kind_of(name: str, value: str) -> str | None:
    """What kind of secret a value seems to be, None if it seems to be none."""
    value = value.strip()[:_LONGEST]
    for kind, form in _FORMS:
        if form.search(value):
            return kind
    return "secret by its name" if _is_named_so(name) and _may_be_secret(value) else None


def _is_named_so(name: str) -> bool:
    apart = _SEAM.sub("_", name)
    return bool(_NAMED.search(apart)) and not _POINTS.search(apart)


def _may_be_secret(value: str) -> bool:
    if len(value) < _SHORTEST or _REFERENCE.match(value) or _PLACEHOLDER.match(value):
        return False
    return _bits(value) >= _RANDOM


def _bits(value: str) -> float:
    """The entropy of a value per character, by how often each of its characters is there."""
    counts = [value.count(each) for each in set(value)]
    return -sum(count / len(value) * log2(count / len(value)) for count in counts)
