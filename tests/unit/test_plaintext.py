"""A secret that lies open is found by where it is and of what kind, and nothing of it goes any further."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.core.plaintext import is_called_a_secret, kind_of, secrets_in

BY_NAME = "secret by its name"
IN_AN_ADDRESS, IN_A_CONNECTION = "password in an address", "password in a connection string"

# Put together here, lest the scanners of code forges take the file for a leak.
RANDOM = "9fQ2xLr7" + "TzW4bKp0" + "VmYc3HsJ"
ACCESS_KEY = "AKIA" + "Z3QWERT5YUIOP2AS"
GITHUB, NPM, GITLAB = "ghp_" + "a1B2" * 9, "npm_" + "a1B2" * 9, "glpat-" + "a1B2c" * 4
STRIPE, GOOGLE, SLACK = "sk_live_" + "a1B2" * 6, "AIza" + "a1B2c" * 7, "xoxb-" + "123456789012-abcdef"
WEBHOOK = "https://hooks.slack.com/services/" + "T00000000/B00000000/abcdefgh"
SENDGRID = "SG." + "a1B2" * 5 + "." + "a1B2" * 10
WEB_TOKEN = "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0NTYifQ" + "." + "dozjgNryP4J3jVmNHl0w"
CIPHERTEXT = "AQICAH" + "hB4vR9dT2m" * 16 + "=="
EXAMPLE_SECRET = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("CERT", "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIE", "private key"),
        ("CERT", "-----BEGIN PRIVATE " + "KEY-----", "private key"),
        ("CERT", "-----BEGIN PGP PRIVATE " + "KEY BLOCK-----\n\nlQ", "private key"),
        ("X", ACCESS_KEY, "AWS access key"),
        ("X", f"aws_access_key_id_{ACCESS_KEY}", "AWS access key"),
        ("X", f"--token={GITHUB} --verbose", "GitHub token"),
        ("X", GITLAB, "GitLab token"),
        ("X", f"//registry.npmjs.org/:_authToken={NPM}", "npm token"),
        ("X", SLACK, "Slack token"),
        ("X", WEBHOOK, "Slack webhook"),
        ("X", STRIPE, "Stripe key"),
        ("X", GOOGLE, "Google API key"),
        ("X", SENDGRID, "SendGrid key"),
        ("X", f"Bearer {WEB_TOKEN}", "JSON web token"),
        # A name that says where a secret is does not make one that stands there harmless.
        ("TOKEN_URL", "https://joe:hunter2@example.com/", IN_AN_ADDRESS),
        ("DATABASE", "postgres://app:s3cr3t@db:5432/app", IN_AN_ADDRESS),
        ("CACHE", "redis://:s3cr3t@cache:6379/0", IN_AN_ADDRESS),
        ("DATABASE", "postgres://${USER}:s3cr3t@db", IN_AN_ADDRESS),
        ("DATABASES", "postgres://a:${PW}@db,postgres://a:s3cr3t@db", IN_AN_ADDRESS),
        ("DATABASE", "Server=db;User Id=app;Password=s3cr3t;Encrypt=true", IN_A_CONNECTION),
        ("DATABASE", "Server=db; pwd = s3cr3t", IN_A_CONNECTION),
        ("DATABASE", "jdbc:postgresql://db/app?user=app&password=s3cr3t", IN_A_CONNECTION),
        ("STORAGE", "AccountName=a;AccountKey=" + "b3BlbiBzZXNhbWU=" + ";", IN_A_CONNECTION),
        ("DB_PASSWORD", "correct horse battery staple", BY_NAME),
        ("DB_PASSWORD", "hunter2", BY_NAME),
        ("dbPassword", "abc123", BY_NAME),
        ("DBPassword", "abc123", BY_NAME),
        ("PGPASSWORD", "abc123", BY_NAME),
        ("spring.datasource.password", "Summer24", BY_NAME),
        ("--db-passwd", "p4ss/w0rd", BY_NAME),
        ("MYSQL_PWD", "12345678", BY_NAME),
        ("DB_PASSWORD_2", "hunter2", BY_NAME),
        ("API_TOKEN", RANDOM, BY_NAME),
        ("MyAPIKey", "hq3-kk29-zz81", BY_NAME),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzZZq1Lmno", BY_NAME),
        ("SECRET_KEY_BASE", RANDOM, BY_NAME),
        ("SIGNING_KEY", RANDOM, BY_NAME),
        ("JWT_SIGNING_KEY", "0f" * 4 + "9a3c51d7e8b24f60", BY_NAME),
        ("ENCRYPTION_KEY", "1c5d8f3e-72b4-4a9d-8e61-5f0b2a7c9d34", BY_NAME),
        ("encryptionKey", RANDOM, BY_NAME),
    ],
)
def test_a_secret_is_found(name: str, value: str, kind: str) -> None:
    assert kind_of(name, value) == kind
    assert secrets_in({name: value}) == [{"Name": name, "Kind": kind}]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", "debug"),
        ("BUILD", RANDOM),
        ("DB_PASSWORD", ""),
        ("DB_PASSWORD", "abcdef"),
        ("DB_PASSWORD", "a1"),
        ("DB_PASSWORD", "****"),
        ("DB_PASSWORD", "changeme"),
        ("DB_PASSWORD", "<your password>"),
        ("DB_PASSWORD", "${DB_PASSWORD}"),
        ("DB_PASSWORD", "$DB_PASSWORD"),
        ("DB_PASSWORD", "%DB_PASSWORD%"),
        ("DB_PASSWORD", "{{resolve:secretsmanager:billing:SecretString:password}}"),
        ("DB_PASSWORD", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:billing-AbCdEf"),
        ("DB_PASSWORD", CIPHERTEXT),
        ("SIGNING_KEY", CIPHERTEXT),
        ("DB_PASSWORD", "/billing/prod/db-password"),
        ("DB_PASSWORD", "/run/secrets/db_password"),
        ("API_KEY", "billing-prod/api-key"),
        ("ApiKey", "Prod/Billing/ApiKey-v2"),
        ("API_TOKEN", "https://auth.example.com/oauth2/token"),
        ("USE_TOKEN", "true"),
        ("MAX_TOKENS", "4096"),
        ("PASSWORD_POLICY", "Min12Chars-AndSymbols"),
        ("PASSWORD_MIN_LENGTH", "twelve-12"),
        ("PASSWORD_RESET_HINT", "Ask Joe at extension 42"),
        ("TOKEN_TTL", "PT15M30S-or-so"),
        ("TOKEN_EXPIRES_IN", "3600-seconds"),
        ("TOKEN_ISSUER", "auth.example.com/v2"),
        ("SECRET_NAME", "billing-Prod-12"),
        ("SECRETS_MANAGER_REGION", "eu-west-1"),
        ("TOKENIZERS_PARALLELISM", "Enabled-4"),
        ("PASS_THROUGH", "Allowed-1"),
        ("KMS_KEY_ID", "1c5d8f3e-72b4-4a9d-8e61-5f0b2a7c9d34"),
        ("KMS_KEY", "1c5d8f3e-72b4-4a9d-8e61-5f0b2a7c9d34"),
        ("ENCRYPTION_KEY_ARN", RANDOM),
        ("ENCRYPTION_KEY", "alias/billing-prod-2024"),
        ("SSH_PUBLIC_KEY", RANDOM),
        ("PUBLIC_KEY", RANDOM),
        ("NEXT_PUBLIC_API_KEY", RANDOM),
        ("PARTITION_KEY", "customerId#orderId2024"),
        ("SIGNING_KEY", "billing-signing-key-2024"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", EXAMPLE_SECRET),
        ("X", "AKIA" + "A" * 30),
        ("DATABASE", "postgres://app:${DB_PASSWORD}@db:5432/app"),
        ("DATABASE", "postgres://app:$(pw)@db"),
        ("DATABASE", "postgres://app:$DB_PASSWORD@db"),
        ("DATABASE", "postgres://app:<password>@db"),
        ("DATABASE", "postgres://app:{{resolve:ssm-secure:pw}}@db"),
        ("DATABASE", "postgres://app@db:5432/app"),
        ("SITE", "https://example.com:8443?mail=joe@example.com"),
        ("DATABASE", "Server=db;Password=${DB_PASSWORD};Encrypt=true"),
        ("DATABASE", "Server=db;Password=;Integrated Security=true"),
        ("CERT", "-----BEGIN PUBLIC KEY-----"),
        ("CERT", "-----BEGIN PGP PUBLIC KEY BLOCK-----"),
    ],
)
def test_what_is_no_secret_wakes_nobody(name: str, value: str) -> None:
    assert kind_of(name, value) is None
    assert secrets_in({name: value}) == []


@pytest.mark.parametrize("name", [NPM, f"HEADER_{ACCESS_KEY}", "redis://:s3cr3t@cache"])
def test_a_name_that_is_a_secret_is_not_told(name: str) -> None:
    (found,) = secrets_in({name: "1"})

    assert found == {"Name": "(a name)", "Kind": kind_of(name, "1")}


def test_a_name_that_has_its_value_in_it_is_not_told() -> None:
    assert secrets_in({f"{RANDOM}_PASSWORD": RANDOM}) == [{"Name": "(a name)", "Kind": BY_NAME}]


def test_what_is_found_comes_in_the_order_of_names() -> None:
    found = secrets_in({"Z_TOKEN": RANDOM, "B": "debug", "A_TOKEN": RANDOM})

    assert [each["Name"] for each in found] == ["A_TOKEN", "Z_TOKEN"]


HOLDERS = [
    *[(name, "{}") for name in ("db_password", "api_token", "signing_key")],
    *[("address", each) for each in ("redis://:{}@cache", "postgres://app:{}@db")],
    ("connection", "server=db;password={};"),
    *[("form", each) for each in ("ghp_{}", "npm_{}", "AKIA{}", "xoxb-{}")],
    *[("", each) for each in ("redis://:{}@cache", "npm_{}", "AKIA{}", "password={}")],
]


@pytest.mark.parametrize(("name", "form"), HOLDERS)
@given(secret=st.text(string.ascii_uppercase + string.digits, min_size=6, max_size=40))
def test_no_part_of_a_secret_is_in_the_answer(name: str, form: str, secret: str) -> None:
    held = form.format(secret)

    told = json.dumps(secrets_in({name: held} if name else {held: "on"}))

    assert [secret[at : at + 4] for at in range(len(secret) - 3) if secret[at : at + 4] in told] == []


@given(st.dictionaries(st.text(), st.text()))
def test_any_text_is_answered(variables: dict[str, str]) -> None:
    assert len(secrets_in(variables)) <= len(variables)


@pytest.mark.parametrize("once", ["eyJ.", "a://b:", "pwd=", "-----BEGIN ", "A/a-1.", "xoxb-", "a.", "_pass", " "])
def test_a_long_text_is_answered(once: str) -> None:
    """With bounds that were forgotten, this would not end today."""
    secrets_in({once * 20_000: "", "signing_key": once * 20_000})


@pytest.mark.parametrize(
    "name",
    [
        *("/shop/prod/db/password", "/shop/prod/DB_PASSWORD", "dbPassword", "api-key", "/github/app/private-key"),
        *("/ci/npm/token", "/x/credentials", "/x/oauth/client_secret", "/x/password_2", "/x/secret/"),
    ],
)
def test_a_name_says_that_a_secret_is_kept_under_it(name: str) -> None:
    assert is_called_a_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "/", "/shop/db/host", "/shop/secrets/log-level", "/shop/db/password-arn", "/shop/token/lifetime"),
        *("/x/public_key", "/x/secret-name", "/cdk-bootstrap/hnb659fds/version", "/x/passthrough", "/x/sort_key"),
    ],
)
def test_a_name_that_says_where_a_secret_is_or_something_else_does_not(name: str) -> None:
    assert not is_called_a_secret(name)
