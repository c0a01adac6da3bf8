"""Public suites through the Python face: the same counts as in the Rust tests, so that nothing is lost on the way."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cryptography_vectors
import pytest

import cmgtrail
from conftest import ROOT

PKITS = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
SHARED = Path(os.environ.get("CMGTRAIL_TEST_DATA", ROOT.parent / "shared")) / "conformance"


def test_pkits_without_policies() -> None:
    leaves = sorted(path for path in (PKITS / "certs").glob("*EE.crt") if path.name.startswith(("Valid", "Invalid")))
    authorities = [path for path in (PKITS / "certs").glob("*.crt") if not path.name.endswith("EE.crt")]
    anchor = PKITS / "certs" / "TrustAnchorRootCertificate.crt"
    authorities = sorted(path.read_bytes() for path in authorities if path != anchor)
    lists = [path.read_bytes() for path in sorted((PKITS / "crls").iterdir())]
    matched = counted = 0
    for leaf in leaves:
        if "polic" in leaf.name.lower():
            continue
        report = cmgtrail.validate_chain(
            leaf, roots=anchor, intermediates=authorities, crls=lists, revocation="chain", profile="rfc5280",
            at="2024-06-01T00:00:00Z",
        )  # fmt: skip
        expected = leaf.name.startswith("Valid")
        counted += 1
        matched += (report.valid is True) == expected
        assert expected or report.valid is not True, f"false accept: {leaf.name}"
    assert (matched, counted) == (158, 161)


def test_limbo() -> None:
    suite = SHARED / "limbo-core.json"
    if not suite.exists():
        pytest.skip(f"{suite} is not there; set CMGTRAIL_TEST_DATA to the folder that holds conformance/")
    matched = 0
    for case in json.loads(suite.read_text("utf-8"))["testcases"]:
        peer = case["expected_peer_name"]
        report = cmgtrail.validate_chain(
            case["peer_certificate"],
            roots=case["trusted_certs"],
            intermediates=case["untrusted_intermediates"],
            crls=case["crls"],
            host=peer["value"] if peer else None,
            purpose="server" if case["validation_kind"] == "SERVER" else "client",
            at=case["validation_time"] or "2026-11-22T00:00:00Z",
            max_depth=case["max_chain_depth"],
            profile="webpki",
        )
        matched += report.valid is (case["expected_result"] == "SUCCESS")
    assert matched == 196
