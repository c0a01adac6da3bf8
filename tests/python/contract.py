"""A document as the contract has it, written by hand from the contract, every nullable field once null."""

from __future__ import annotations

from typing import Any

AT = "2026-11-04T09:12:33.120Z"


def document() -> dict[str, Any]:
    """One of everything."""
    return {
        "schema": 1,
        "version": "0.1.0",
        "traffic": True,
        "sources": [
            {
                "path": "client-PC042/ccmsetup.log", "format": "ccm", "component": "ccmsetup", "host": "PC042",
                "role": "client", "bytes": 100, "records": 3, "gaps": 0, "gap_bytes": 0, "from": AT, "to": AT,
                "time": "known", "files": ["client-PC042/ccmsetup.log"],
            },
            {
                "path": "notes.txt", "format": None, "component": None, "host": None, "role": None, "bytes": 3,
                "records": 0, "gaps": 1, "gap_bytes": 3, "from": None, "to": None, "time": "unknown",
                "files": ["notes.txt"],
            },
        ],
        "clocks": [
            {"host": "MP01", "reference": "PC042", "offset_seconds": -312.5, "uncertainty_seconds": 1.5, "pairs": 4}
        ],
        "flows": [
            {
                "id": "f-1", "kind": "install", "attempts": 1, "started": AT, "ended": None, "outcome": "failed",
                "client": {"host": "PC042", "device_id": None, "user_id": None, "client_id": None, "tenant_id": None},
                "broke_at": "cmg-connection",
                "stages": [
                    {
                        "stage": "aad-token", "status": "passed", "inferred": False, "reason": None, "at": AT,
                        "evidence": [{"source": "client-PC042/ccmsetup.log", "line": 1}],
                    },
                    {
                        "stage": "mp-validate", "status": "unseen", "inferred": False, "at": None, "evidence": [],
                        "reason": "CCM_STS.log of the management point would show it",
                    },
                ],
                "events": [
                    {
                        "attempt": 1, "stage": "aad-token", "mark": "ok", "at": AT, "line": 1,
                        "source": "client-PC042/ccmsetup.log",
                        "join": {"by": ["log"], "confidence": "certain", "distance_seconds": None, "rivals": 0},
                    }
                ],
                "candidate_ranges": [
                    {
                        "attempt": 1, "source": "mp-MP01/CCM_STS.log", "line": 3, "last_line": 90, "candidates": 14,
                        "to": {"source": "client-PC042/ccmsetup.log", "line": 1},
                    }
                ],
            }
        ],
        "findings": [
            {
                "failure": "cmg-root-ca-missing", "severity": "error", "confidence": "likely", "hypothesis": False,
                "stage": "cmg-connection", "scope": "client", "title": "", "explanation": "", "remedy": "",
                "verify": "", "reference": "", "rule": "builtin",
                "evidence": [{"source": "client-PC042/ccmsetup.log", "line": 1, "text": "a line"}],
                "missing": [
                    {"what": "", "machine": None, "from": None, "to": AT, "separates": ["crl-unreachable"], "how": ""}
                ],
                "consequences": ["0x87D00231"], "flows": ["f-1"], "clients": 1, "first_seen": AT, "last_seen": None,
            }
        ],
        "artefacts": [
            {
                "path": "client-PC042/presented/cmg.pem", "kind": "certificate", "part": "presented", "host": "pc042",
                "at": AT,
                "report": {
                    "kind": "certificate-chain", "valid": False, "facts": {},
                    "checks": [
                        {
                            "id": "expired", "status": "failed", "decides": True, "subject": "CN=cmg.contoso.com",
                            "expected": None, "found": None, "explanation": "", "reference": None,
                            "windows": {
                                "hresults": ["CERT_E_EXPIRED"], "codes": [0x800B0101], "trust_status": 1,
                                "winhttp_flags": 1,
                            },
                        }
                    ],
                },
            },
            {
                "path": "notes.cer", "kind": "certificate", "part": None, "host": None, "at": None,
                "report": {"kind": "certificate", "valid": None, "facts": {}, "checks": []},
            },
        ],
    }  # fmt: skip
