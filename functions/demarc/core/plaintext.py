"""Secrets that lie open in names and values: where one is and of what kind, and nothing of the secret itself.

What is found leaves here without the value, without a part of it and without a hash, since a snapshot is kept and a
finding is told. NIST SP 800-53 IA-5(7): no unencrypted static authenticators are embedded in applications.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from math import log2

# Forms that say by themselves what they are. Each has bounds, so that a long value takes no longer than its length.
# Where one has a group, that is the secret, which may turn out to be a reference to one.
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("private key", re.compile(r"-----BEGIN [A-Z0-9 ]{0,20}PRIVATE KEY(?: BLOCK)?-----")),
    # AWS's documentation has ids that end in EXAMPLE, and so have the templates that were copied from it.
    ("AWS access key", re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)(?![A-Z0-9]{9}EXAMPLE)[A-Z0-9]{16}(?![A-Za-z0-9])")),
    ("GitHub token", re.compile(r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22,255})")),
    ("GitLab token", re.compile(r"(?<![A-Za-z0-9])glpat-[A-Za-z0-9_-]{20}")),
    ("npm token", re.compile(r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}")),
    ("Slack token", re.compile(r"(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{10,250}")),
    ("Slack webhook", re.compile(r"https://hooks\.slack\.com/services/[A-Za-z0-9/_-]{20,80}")),
    ("Stripe key", re.compile(r"(?<![A-Za-z0-9])[rs]k_live_[A-Za-z0-9]{20,250}")),
    ("Google API key", re.compile(r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}")),
    ("SendGrid key", re.compile(r"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}")),
    (
        "JSON web token",
        re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,2000}"),
    ),
    (
        # Before the password there may be nobody: redis://:password@host. A port goes before a query, no password does.
        "password in an address",
        re.compile(
            r"(?<![a-z0-9])[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{0,200}:(?!\d{1,5}[?#])([^\s/@]{3,200})@", re.IGNORECASE
        ),
    ),
    (
        "password in a connection string",
        re.compile(
            r"(?<![a-z0-9])(?:password|passwd|pwd|accountkey|sharedaccesskey)\s{0,3}=\s{0,3}([^\s;&\"']{3,200})",
            re.IGNORECASE,
        ),
    ),
)

# What stands in the place of a name that is a secret itself.
_A_NAME = "(a name)"

_SEAM = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]{1,100}")

# Names under which people put secrets, word by word. PGPASSWORD is one word.
_PASSWORD = re.compile(
    r"(?:^|_)(?:[a-z0-9]{0,30}(?:password|passwd|passphrase)|pass(?!_?(?:through|role))|pwd)s?(?=_|$)"
)
_SECRET = re.compile(
    r"(?:^|_)(?:secret(?:_?key)?|(?:auth|access|refresh|bearer)?token|(?:api|private|auth)_?key|credential)s?(?=_|$)"
)
_KEY = re.compile(r"(?:^|_)key$")

# What is public, or names what is kept elsewhere, or is the key of an entry and opens nothing.
_PUBLIC = re.compile(r"(?:^|_)(?:public|pub|publishable)(?:_|$)")
_OF_AN_ENTRY = re.compile(
    r"(?:^|_)(?:partition|sort|primary|foreign|cache|object|s3|routing|group|hash|range|shard|index|idempotency"
    r"|deduplication|message|tag|label|context|translation|kms|cmk)_key$"
)
# The last word of a name that speaks of a secret without holding one.
_SPEAKS_OF_ONE = re.compile(
    r"(?:^|_)(?:arn|name|id|path|ref|reference|url|uri|endpoint|host|port|file|filename|dir|directory|location|bucket|table"
    r"|region|store|manager|provider|policy|rule|ttl|expiry|expiration|expires|expires_in|lifetime|validity|age|days|hours"
    r"|minutes|seconds|ms|timeout|interval|length|size|count|limit|min|max|rotation|enabled|disabled|required|type|kind"
    r"|mode|format|version|algorithm|alg|issuer|audience|scope|header|field|param|parameter|prefix|suffix|pattern|regex"
    r"|user|username|source|template|subject|attempts|retries)s?$"
)
_COUNTED = re.compile(r"(?:_\d{1,6})$")

# What such a name may hold without harm: where the secret is, and not what it is.
_REFERENCE = re.compile(
    r"arn:|\{\{|\$\{|\$\(|<|%[A-Z]|ssm:|secretsmanager:|vault:|op://|alias/|mrk-|(?:true|false|none|null|\d{1,6})$"
    r"|https?://[^@]{0,4096}$",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"\$[A-Z_]{3,100}$")
# Ciphertext of AWS KMS, which opens nothing to whoever may not use the key.
_CIPHERTEXT = re.compile(r"AQ[EI]CAH[A-Za-z0-9+/]{40,8192}={0,2}$")
_PLACEHOLDER = re.compile(
    r"(?:change_?me|placeholder|redacted|todo|default|enabled|disabled|required|optional|never|always|x{3,100}|\*{3,100}"
    r"|.{0,100}example(?:key)?)$",
    re.IGNORECASE,
)

# A word as people write them into names and paths: `billing`, `ApiKey`, `PROD`, `v2`, `2024`.
_WORD = re.compile(r"(?:[A-Z]?[a-z]{1,20}(?:[A-Z][a-z]{2,20}){0,6}|[A-Z]{1,20})?\d{0,4}")
_BETWEEN_WORDS = re.compile(r"[/._\-]")
_CLASSES = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"\d"), re.compile(r"[^A-Za-z0-9]"))

# By its name alone no more of a value is looked at than this: longer ones are documents, and have forms.
_LONGEST = 4096
_SHORTEST_PASSWORD, _SHORTEST_SECRET, _SHORTEST_KEY = 6, 8, 16
# Bits per character from which a value of eight characters is not one letter over and over.
_VARIED = 2.75
# A random key of sixteen characters has over 3; many names have as much, and are told by their words.
_RANDOM = 3.0


def secrets_in(variables: Mapping[str, str]) -> list[dict[str, str]]:
    """The variables that look like secrets, as `{Name, Kind}`, in the order of their names.

    A name that is a secret itself, or has its value in it, is told as `(a name)`.

    Args:
        variables: values by their names, as somebody configured them.
    """
    return [{"Name": name, "Kind": kind} for name, kind in sorted(_found(variables))]


def _found(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in variables.items():
        kind = kind_of(name, value)
        if kind:
            yield _told(name, value.strip()), kind


def _told(name: str, value: str) -> str:
    holds_it = len(value) >= _SHORTEST_PASSWORD and value in name
    return _A_NAME if holds_it or _form_of(name) else name


def is_called_a_secret(name: str) -> bool:
    """Whether a name says that a secret is kept under it, where nobody looks at the value; of a path, its last part."""
    words = _COUNTED.sub("", _SEAM.sub("_", name.rstrip("/").rpartition("/")[2]).lower().strip("_"))
    if _SPEAKS_OF_ONE.search(words) or _PUBLIC.search(words):
        return False
    return bool(_PASSWORD.search(words) or _SECRET.search(words))


def kind_of(name: str, value: str) -> str | None:
    """What kind of secret a value seems to be, or the name itself; None if neither seems to be one."""
    value = value.strip()
    if kind := _form_of(value) or _form_of(name):
        return kind
    return "secret by its name" if _is_secret_by_name(_SEAM.sub("_", name).lower(), value[:_LONGEST]) else None


def _form_of(text: str) -> str | None:
    for kind, form in _FORMS:
        for found in form.finditer(text):
            if not form.groups or not _is_harmless(found[1]):
                return kind
    return None


def _is_secret_by_name(name: str, value: str) -> bool:
    """Whether a value is one, under a name of lower-case words between underscores."""
    name = _COUNTED.sub("", name.strip("_"))
    if _SPEAKS_OF_ONE.search(name) or _PUBLIC.search(name) or _is_harmless(value) or _is_path(value):
        return False
    if (found := _PASSWORD.search(name)) and _is_password(value) and _may_have_blanks(value, name, found):
        return True
    if (found := _SECRET.search(name)) and _is_varied(value) and _may_have_blanks(value, name, found):
        return True
    return bool(_KEY.search(name)) and not _OF_AN_ENTRY.search(name) and _is_random(value)


def _may_have_blanks(value: str, name: str, found: re.Match[str]) -> bool:
    """PASSWORD may hold a sentence; what a name like PASSWORD_HINT has of blanks is prose."""
    return found.end() == len(name) or not re.search(r"\s", value)


def _is_harmless(value: str) -> bool:
    return any(form.match(value) for form in (_REFERENCE, _VARIABLE, _CIPHERTEXT, _PLACEHOLDER))


def _is_path(value: str) -> bool:
    """Whether it is what a secret is called where it is kept: words between slashes (`billing-prod/api-key`)."""
    return "/" in value and _is_made_of_words(value)


def _is_made_of_words(value: str) -> bool:
    return all(_WORD.fullmatch(each) for each in _BETWEEN_WORDS.split(value))


def _is_password(value: str) -> bool:
    """People's own are short: of six characters, two kinds of them tell one from a word."""
    return _is_varied(value) or (len(value) >= _SHORTEST_PASSWORD and _classes(value) > 1)


def _is_varied(value: str) -> bool:
    return len(value) >= _SHORTEST_SECRET and _bits(value) >= _VARIED


def _is_random(value: str) -> bool:
    """Many things are called a key; those that open something are long, of no words and without blanks."""
    return (
        len(value) >= _SHORTEST_KEY
        and _classes(value) > 1
        and not re.search(r"\s", value)
        and not _is_made_of_words(value)
        and _bits(value) >= _RANDOM
    )


def _classes(value: str) -> int:
    return sum(bool(each.search(value)) for each in _CLASSES)


def _bits(value: str) -> float:
    """The entropy of a value per character, by how often each of its characters is there."""
    counts = Counter(value).values()
    return -sum(count / len(value) * log2(count / len(value)) for count in counts)
