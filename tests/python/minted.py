"""Tokens, certificates and the like, made for the tests: an authority of its own, and what it signs."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AT = datetime(2026, 11, 4, 9, 12, 33, tzinfo=timezone.utc)
"""The instant of all examples."""

HOST = "cmg.contoso.com"
AUDIENCE = "https://ConfigMgrService"
TENANT = "c2b8f6d2-51a3-4df9-9c1e-cdd0a1b2ce0a"
DEVICE = "82b5c7ad-f062-4c1e-b062-db0a1b2cac04"
CRL_URL = "http://crl.contoso.com/root.crl"

DSREGCMD = """
+----------------------------------------------------------------------+
| Device State                                                         |
+----------------------------------------------------------------------+

             AzureAdJoined : YES
          EnterpriseJoined : NO
              DomainJoined : NO

+----------------------------------------------------------------------+
| Device Details                                                       |
+----------------------------------------------------------------------+

                  DeviceId : {device}
                Thumbprint : {thumbprint}
 DeviceCertificateValidity : [ 2024-01-11 21:02:50.000 UTC -- 2034-01-11 21:32:50.000 UTC ]
            KeyContainerId : 3a1f0b52-7e1c-4f0e-9d4c-0a1b2c3d4e5f
               KeyProvider : Microsoft Platform Crypto Provider
              TpmProtected : YES
          DeviceAuthStatus : SUCCESS

+----------------------------------------------------------------------+
| Tenant Details                                                       |
+----------------------------------------------------------------------+

                TenantName : Contoso
                  TenantId : {tenant}
"""


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """The key of this name; each test run has others."""
    assert name
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def encode(content: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def number(value: int) -> str:
    """A number as a JWK has it."""
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def jwks() -> dict[str, Any]:
    """The key set of the token's issuer."""
    public = key("tokens").public_key().public_numbers()
    return {"keys": [{"kty": "RSA", "use": "sig", "kid": "K1", "n": number(public.n), "e": number(public.e)}]}


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of an Entra device token."""
    now = int(AT.timestamp())
    good = {
        "aud": AUDIENCE, "iss": f"https://sts.windows.net/{TENANT}/", "iat": now - 600, "nbf": now - 600,
        "exp": now + 3_000, "appid": "9f5b1c0e-8b0d-4a6f-a3e4-0a3e5d6c7b8a", "deviceid": DEVICE, "idtyp": "device",
        "oid": "5f1c9a77-0b7c-4a58-8a55-2a4e6f0a9b11", "tid": TENANT, "ver": "1.0",
    }  # fmt: skip
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def token(signer: str = "tokens", header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A device token, with claims changed or, where None, left out."""
    parts = [{"typ": "JWT", "alg": "RS256", "kid": "K1", **(header or {})}, claims(**changes)]
    signed = ".".join(encode(json.dumps(part).encode()) for part in parts)
    signature = key(signer).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{encode(signature)}"


def name(common: str) -> x509.Name:
    """A name of a common name alone."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@cache
def authority(common: str) -> x509.Certificate:
    """A root."""
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    public = key(common).public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(name(common))
        .issuer_name(name(common))
        .public_key(public)
        .serial_number(1)
        .not_valid_before(AT - timedelta(days=3_000))
        .not_valid_after(AT + timedelta(days=3_000))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key(common), hashes.SHA256())
    )


@cache
def leaf(host: str = HOST, common: str | None = None, issuer: str = "Contoso Root") -> x509.Certificate:
    """The certificate of a CMG, or with another issuer that of a device."""
    return (
        x509.CertificateBuilder()
        .subject_name(name(common or host))
        .issuer_name(authority(issuer).subject)
        .public_key(key("leaf").public_key())
        .serial_number(4_711)
        .not_valid_before(AT - timedelta(days=100))
        .not_valid_after(AT + timedelta(days=265))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.CRLDistributionPoints(
                [x509.DistributionPoint([x509.UniformResourceIdentifier(CRL_URL)], None, None, None)]
            ),
            critical=False,
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key(issuer).public_key()), critical=False)
        .sign(key(issuer), hashes.SHA256())
    )


@cache
def crl(*revoked: int, issuer: str = "Contoso Root") -> x509.CertificateRevocationList:
    """A revocation list."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority(issuer).subject)
        .last_update(AT - timedelta(days=1))
        .next_update(AT + timedelta(days=6))
        .add_extension(x509.CRLNumber(17), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key(issuer).public_key()), critical=False)
    )
    for serial in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(AT - timedelta(days=2))
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key(issuer), hashes.SHA256())


def pem(thing: x509.Certificate | x509.CertificateRevocationList) -> str:
    """PEM text."""
    return thing.public_bytes(Encoding.PEM).decode()


def der(thing: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    """DER."""
    return thing.public_bytes(Encoding.DER)


def device_certificate() -> x509.Certificate:
    """The certificate of a device that is joined to Entra."""
    return leaf("device", common=DEVICE, issuer="MS-Organization-Access")


def dsregcmd(**changes: str) -> str:
    """The output of `dsregcmd /status`."""
    thumbprint = device_certificate().fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - an identifier
    return DSREGCMD.format(**{"device": DEVICE, "tenant": TENANT, "thumbprint": thumbprint, **changes})


def write_all(folder: Path) -> None:
    """The files that the examples of the documentation read."""
    files = {
        "token.txt": token(),
        "keys.json": json.dumps(jwks()),
        "cmg.pem": pem(leaf()),
        "root.pem": pem(authority("Contoso Root")),
        "other-root.pem": pem(authority("Fabrikam Root")),
        "root.crl": pem(crl()),
        "revoked.crl": pem(crl(leaf().serial_number)),
        "device.pem": pem(device_certificate()),
        "dsregcmd.txt": dsregcmd(),
    }
    for file, text in files.items():
        (folder / file).write_text(text)
