"""Tokens and chains per second, beside the Python libraries that verify them, in the same run on one thread each.

`make bench`, or `python benches/peers.py`. Rounds of all alternate; a ratio is the median of the ratios of the rounds,
which a busy machine disturbs least. PyJWT and joserfc verify and check the claims; cmgtrail makes all its checks and
explains them. pyca/cryptography verifies a chain; cmgtrail walks all paths and explains each check.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

# One thread for everybody, before the engine makes its threads.
os.environ["RAYON_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))

import joserfc.jwk
import joserfc.jwt
import jwt
import pyarrow as pa
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

import cmgtrail
import minted
from minted import AT, AUDIENCE, HOST, TENANT

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 7
TOKENS = 2_000
CHAINS = 500


def rate(count: int, work: Callable[[], object]) -> float:
    """How many a second."""
    begun = time.perf_counter()
    work()
    return count / (time.perf_counter() - begun)


def compare(title: str, count: int, runs: dict[str, Callable[[], object]]) -> None:
    """Runs all in turn, and prints medians and each one's ratio to the others."""
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, work in runs.items():
            rates[name].append(rate(count, work))
    print(f"{title}, median of {ROUNDS} rounds, per second")
    ours = [name for name in runs if name.startswith("cmgtrail")]
    theirs = [name for name in runs if name not in ours]
    for name, seen in rates.items():
        print(f"  {name:<44} {statistics.median(seen):>9,.0f}")
    for our in ours:
        for their in theirs:
            ratio = statistics.median(a / b for a, b in zip(rates[our], rates[their], strict=True))
            print(f"  {our} to {their}: {ratio:.2f}")


def tokens() -> None:
    """Different tokens of one signer; all of them valid."""
    # The peers take no instant: these tokens are valid now.
    now = int(time.time())
    times = {"iat": now - 60, "nbf": now - 60, "exp": now + 3_600}
    texts = [minted.token(uti=f"{number:022}", **times) for number in range(TOKENS)]
    column = pa.array(texts)
    public = minted.key("tokens").public_key()
    jose_key = joserfc.jwk.RSAKey.import_key(minted.jwks()["keys"][0])
    claims = joserfc.jwt.JWTClaimsRegistry(aud={"essential": True, "value": AUDIENCE}, exp={"essential": True})
    at = datetime.fromtimestamp(now, AT.tzinfo)
    keys = minted.jwks()

    def pyjwt() -> None:
        for text in texts:
            jwt.decode(text, public, algorithms=["RS256"], audience=AUDIENCE)

    def jose() -> None:
        for text in texts:
            claims.validate(joserfc.jwt.decode(text, jose_key, algorithms=["RS256"]).claims)

    def one_by_one() -> None:
        for text in texts:
            report = cmgtrail.validate_token(text, keys=keys, audience=AUDIENCE, tenants=TENANT, at=at)
            assert report.valid

    def as_column() -> None:
        verdicts = cmgtrail.validate_tokens(column, keys=keys, audience=AUDIENCE, tenants=TENANT, at=at)
        assert verdicts.counts == (TOKENS, 0, 0)

    runs = {"PyJWT": pyjwt, "joserfc": jose, "cmgtrail, a report each": one_by_one, "cmgtrail, a column": as_column}
    compare(f"{TOKENS:,} tokens of {len(texts[0])} bytes, RS256", TOKENS, runs)


def chains() -> None:
    """A leaf and its root, with the name checked."""
    leaf, root = minted.leaf(), minted.authority("Contoso Root")
    presented, roots = minted.der(leaf), minted.der(root)

    def pyca() -> None:
        for _ in range(CHAINS):
            store = Store([x509.load_der_x509_certificate(roots)])
            verifier = PolicyBuilder().store(store).time(AT).build_server_verifier(x509.DNSName(HOST))
            verifier.verify(x509.load_der_x509_certificate(presented), [])

    def ours() -> None:
        for _ in range(CHAINS):
            assert cmgtrail.validate_chain(presented, roots=roots, host=HOST, at=AT).valid

    compare(
        f"{CHAINS:,} chains of a leaf and its root, RSA 2048", CHAINS, {"pyca/cryptography": pyca, "cmgtrail": ours}
    )


if __name__ == "__main__":
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    tokens()
    chains()
