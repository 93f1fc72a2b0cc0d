"""ministack, an emulator of AWS, as a process of its own: on this machine's loopback and nowhere else."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.bundle import lambda_python

# A 12-digit access key is the number of the account that calls.
ACCOUNT, REGION = "123456789012", "eu-west-1"


@dataclass(frozen=True)
class Emulator:
    """Where it listens, and the certificate it shows if it speaks TLS."""

    url: str
    certificate: Path | None

    @property
    def environment(self) -> dict[str, str]:
        """What makes an SDK or a command line talk to it, as the root of the account, whatever else is configured."""
        trust = str(self.certificate) if self.certificate else ""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "emulated",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1,localhost",
        } | ({"AWS_CA_BUNDLE": trust, "NODE_EXTRA_CA_CERTS": trust} if trust else {})

    @cache  # noqa: B019  # a client takes 0.1 s to make, and the emulator lives as long as the session
    def client(self, service: str) -> Any:
        return self._client(service, ACCOUNT, "emulated", None)

    def client_of(self, service: str, credentials: dict[str, Any]) -> Any:
        """A client with the temporary credentials of a role."""
        key, secret = credentials["AccessKeyId"], credentials["SecretAccessKey"]
        return self._client(service, key, secret, credentials["SessionToken"])

    def _client(self, service: str, key: str, secret: str, token: str | None) -> Any:
        return botocore.session.Session().create_client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            verify=str(self.certificate) if self.certificate else None,
            config=Config(retries={"total_max_attempts": 1}),
        )


@contextmanager
def emulator(folder: Path, *, as_aws: bool = False) -> Iterator[Emulator]:
    """Start one, and leave no process of it behind.

    `as_aws` makes it speak TLS only, enforce what roles and resource policies allow, take events from CloudTrail, and
    run functions on Lambda's Python where the machine has it.
    """
    port = _free_port()
    certificate = _certificate(folder) if as_aws else None
    settings = _settings(folder, port) | (_enforcing(certificate) if certificate else {})
    program = [str(Path(__file__).with_name("as_aws.py")), functions_python()] if as_aws else ["-m", "ministack"]
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *program],
            env=settings,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
        )
        try:
            url = f"{'https' if as_aws else 'http'}://127.0.0.1:{port}"
            _await(process, url, certificate, folder / "emulator.log")
            yield Emulator(url, certificate)
        finally:
            _end(process)


def functions_python() -> str:
    """A Python without this checkout's packages: Lambda's version where there is one, else the one we were made of."""
    ours = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    return lambda_python() or str(ours)


def _settings(folder: Path, port: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "INFO",
        "MINISTACK_REGION": REGION,
    }


def _enforcing(certificate: Path) -> dict[str, str]:
    return {
        "AUTH": "true",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(certificate),
        "MINISTACK_SSL_KEY": str(certificate.with_suffix(".key")),
        # The functions that it starts must trust it too.
        "AWS_CA_BUNDLE": str(certificate),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _certificate(folder: Path) -> Path:
    """A certificate for the loopback address, good for a day, that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "emulator")])
    today = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.DNSName("*.localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(hours=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "emulator.crt"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    path.with_suffix(".key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def _await(process: subprocess.Popen[bytes], url: str, certificate: Path | None, log: Path) -> None:
    trust = ssl.create_default_context(cafile=certificate) if certificate else None
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_ministack/health", context=trust, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise RuntimeError(f"the emulator did not start:\n{log.read_text()[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and the functions that it started, which are of its group; nothing that it holds is worth keeping."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
