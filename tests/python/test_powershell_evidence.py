"""What Export-CmgTrailEvidence writes: zip files of its shape, made here, are read as the bundles that they are.

Names, stores, logs and expressions are those of the module's source.
"""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

import cmgtrail
import minted
import powershell_source as source
from conftest import ROOT, case_names, logs_of

EVIDENCE: dict[str, Any] = source.data("Evidence.psd1")
ROLES: dict[str, dict[str, Any]] = EVIDENCE["Roles"]
PRIVATE = source.MODULE / "Private"
NOT_COLLECTED = {"CMGService", "CMGContentService", "CMGHttpHandler", "CMGSetup"}
"""Logs of the gateway: the site server has its copies of them, whose names begin with CMG-."""
NAMES = {
    "SMS_CLOUD_SERVICES_MANAGER": "CloudMgr",
    "SMS_DISCOVERY_DATA_MANAGER": "ddm",
    "SMS_MP_FILE_DISPATCH_MANAGER": "mpfdm",
    "TSManager": "smsts",
}
"""Files of components that go by another name."""


def _entry(part: str, of: str = "") -> str:
    return EVIDENCE["Entries"][part].replace("{0}", of)


def _zip(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def _folder(role: str, log: str) -> str:
    """The folder of the bundle that a log goes to."""
    into = [place["Into"] for place in ROLES[role]["Folders"]]
    for kind, logs in {"ccmsetup": "ccmsetup", "iis": "u_ex"}.items():
        if kind in into and log.lower().startswith(logs):
            return kind
    return into[0]


def _bundle(folder: Path, machine: str = "PC042") -> Path:
    """A bundle of the demo's client, with all parts."""
    home = f"client-{machine}"
    parts = {
        _entry("RootStore"): minted.pem(minted.authority("Fabrikam Root")),
        _entry("IntermediateStore"): minted.pem(minted.authority("MS-Organization-Access")),
        _entry("DisallowedStore"): minted.pem(minted.authority("Untrusted Root")),
        _entry("JoinStatus"): minted.dsregcmd().replace("\n", "\r\n"),
        _entry("PresentedChain", minted.HOST): minted.pem(minted.leaf()) + minted.pem(minted.authority("Contoso Root")),
        _entry("FetchList"): json.dumps(
            [{"url": minted.CRL_URL, "fetched": True, "detail": "HTTP 200", "at": "2026-11-04T09:30:00.000Z"}]
        ),
        _entry(
            "Clock"
        ): "machine clock, UTC: 2026-11-04T09:30:00.123Z\r\n\r\nw32tm /stripchart\r\n09:30:00, +00.5s\r\n",
        _entry("Account"): f"{machine}, 2026-11-04T09:30:00.123Z\r\ncollected: client-PC042/wpj.cer\r\n",
    }
    entries = {f"{home}/{name}": text.encode() for name, text in parts.items()}
    entries[f"{home}/{_entry('DeviceCertificate')}"] = minted.der(minted.device_certificate())
    entries[f"{home}/{_entry('RevocationList', '1')}"] = minted.der(minted.crl())
    for log in logs_of("root-missing-mask-8").rglob("*.log"):
        entries[f"{home}/{_folder('client', log.stem)}/{log.name}"] = log.read_bytes()
    return _zip(folder / f"cmgtrail-{machine}-2026-11-04T093000Z.zip", entries)


def test_every_part_is_known_for_what_it_is(tmp_path: Path) -> None:
    trail = cmgtrail.read(_bundle(tmp_path))
    found = {Path(one["path"]).as_posix().partition("client-PC042/")[2]: one for one in trail.artefacts}
    parts = {name: one["part"] for name, one in found.items()}
    assert parts == {
        _entry("RootStore"): "root-store",
        _entry("IntermediateStore"): "intermediate-store",
        _entry("DisallowedStore"): "disallowed-store",
        _entry("DeviceCertificate"): "device-certificate",
        _entry("JoinStatus"): "join-status",
        _entry("PresentedChain", minted.HOST): "presented",
        _entry("RevocationList", "1"): "revocation-list",
        _entry("FetchList"): "fetch-list",
    }
    assert {one["host"] for name, one in found.items() if not name.startswith("crls/")} == {"PC042"}
    assert [(one.component, one.host, one.role, one.gaps) for one in trail.sources if one.records] == [
        ("ccmsetup", "PC042", "client", 0)
    ]
    # Clock and account are for people.
    assert [one.path.partition("/")[2] for one in trail.sources if not one.records] == [
        _entry("Clock"),
        _entry("Account"),
    ]


def test_the_account_of_a_bundle_is_used(tmp_path: Path) -> None:
    """The chain was presented and its root is not in the store: what was likely is certain."""
    (finding, *_) = cmgtrail.read(_bundle(tmp_path)).findings
    (without, *_) = cmgtrail.read(logs_of("root-missing-mask-8")).findings
    assert (without.failure, without.confidence) == ("cmg-root-ca-missing", "likely")
    assert (finding.failure, finding.confidence) == ("cmg-root-ca-missing", "certain")


def test_bundles_of_several_machines_are_read_together(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    for machine in ["PC042", "PC043"]:
        _bundle(tmp_path / "all", machine)
    trail = cmgtrail.read(tmp_path / "all")
    assert {flow.client.host for flow in trail.flows} == {"PC042", "PC043"}


WORDS = {"mp": "management-point", "cp": "connection-point", "site": "site-server"} | {role: role for role in ROLES}
"""What the folders of the corpus begin with, and what the collector says."""


def _as_collected(case: str, folder: Path) -> Path | None:
    """The logs of a case as the collector lays them; None where they are not all in folders of such machines."""
    entries: dict[str, bytes] = {}
    for path in logs_of(case).rglob("*"):
        place = path.relative_to(logs_of(case))
        if path.is_dir():
            continue
        machine = re.fullmatch(rf"({'|'.join(WORDS)})-(.+)", place.parts[0])
        if not machine or place.parts[0] == place.name:
            return None
        role = WORDS[machine[1]]
        rest = place.relative_to(place.parts[0]).as_posix()
        into = f"{_folder(role, path.stem)}/" if rest.lower().endswith((".log", ".lo_")) and "/" not in rest else ""
        entries[f"{role}-{machine[2]}/{into}{rest}"] = path.read_bytes()
    return _zip(folder / f"{case}.zip", entries)


def test_the_folders_of_a_bundle_change_no_answer(tmp_path: Path) -> None:
    compared = 0
    for case in case_names():
        collected = _as_collected(case, tmp_path)
        if collected is None:
            continue
        there, here = cmgtrail.read(logs_of(case)), cmgtrail.read(collected)
        assert [(one.failure, one.confidence) for one in here.findings] == [
            (one.failure, one.confidence) for one in there.findings
        ], case
        assert [flow.id for flow in here.flows] == [flow.id for flow in there.flows], case
        compared += 1
    assert compared >= 20


# -- Logs ------------------------------------------------------------------------------------------------------------


def _name_form(role: str) -> re.Pattern[str]:
    """Get-LogNameForm, by the strings in its source."""
    body = source.text(source.functions()["Get-LogNameForm"].node)
    before, after = re.findall(r"'(\\A\(\?:|\)\(\?:.*)'", body)
    assert "[regex]::Escape($_) -replace '\\\\\\*', '.+'" in body
    names = "|".join(re.escape(name).replace(r"\*", ".+") for name in ROLES[role]["Logs"])
    return re.compile(before + names + after.replace(r"\z", r"\Z"), re.IGNORECASE)


@pytest.mark.parametrize(
    ("role", "name", "taken"),
    [
        ("client", "ccmsetup.log", True),
        ("client", "CCMSETUP-20261104-081231.log", True),
        ("client", "CcmAad.lo_", True),
        ("client", "ccmsetup.log.txt", False),
        ("client", "AppEnforce.log", False),
        ("client", "ccmsetup-ccmeval.log", False),
        ("management-point", "MP_RegistrationManager-20261104-081231.log", True),
        ("management-point", "u_ex261104.log", True),
        ("management-point", "CCM_STS.log", True),
        ("management-point", "MP_.log", False),
        ("connection-point", "SMS_CLOUD_PROXYCONNECTOR.lo_", True),
        ("site-server", "CMG-contoso-ProxyService_IN_0-CMGService.log", True),
        ("site-server", "hman.log", False),
    ],
)
def test_logs_and_their_rollovers_are_taken(role: str, name: str, taken: bool) -> None:
    assert bool(_name_form(role).match(name)) is taken


def _known_logs() -> set[str]:
    """The logs that the built-in messages are written in."""
    found: set[str] = set()
    for path in (ROOT / "src" / "knowledge" / "builtin" / "messages").glob("*.toml"):
        for names in re.findall(r"^logs = \[(.*?)\]", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE):
            found |= set(re.findall(r'"([^"]+)"', names))
    return found


def test_all_logs_that_say_anything_are_collected() -> None:
    known = _known_logs()
    assert len(known) > 15
    collected = [_name_form(role) for role in ROLES]
    names = {**NAMES, "IIS": "u_ex261104"}
    missing = {log for log in known if not any(form.match(f"{names.get(log, log)}.log") for form in collected)}
    assert missing <= NOT_COLLECTED
    assert _name_form("site-server").match("CMG-x-ProxyService_IN_0-CMGService.log")


def test_the_roles_are_those_of_the_function() -> None:
    parameters = source.functions()["Export-CmgTrailEvidence"].parameters
    assert set(parameters["Role"].values) == set(ROLES)
    plan = source.text(source.functions()["Get-EvidencePlan"].node)
    parts = set(re.findall(r"Name = '(\w+)'", plan))
    assert set(parameters["Exclude"].values) == parts | {"RevocationLists"}
    for command in re.findall(r"Command = '([\w-]+)'", plan):
        assert command in source.functions()


def test_every_name_is_written_by_a_part() -> None:
    used = set(EVIDENCE["Stores"])
    for path in source.files(".ps1"):
        for name in re.findall(r"New-Evidence -Name '(\w+)'", path.read_text("ascii")):
            used.add(name)
    assert used == set(EVIDENCE["Entries"])


# -- Certificates ----------------------------------------------------------------------------------------------------


def _addresses(certificate: x509.Certificate) -> list[str]:
    """Find-CrlAddress, by the expression in its source."""
    body = (PRIVATE / "EvidenceCertificates.ps1").read_text("ascii")
    form = re.search(r"\$script:CrlAddressForm = '(.*)'", body)
    assert form
    python = form[1].replace("(?<short>", "(?P<short>").replace("(?<long>", "(?P<long>")
    extension = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints)
    text = extension.value.public_bytes().decode("latin-1")
    found = []
    for match in re.finditer(python, text):
        length = ord((match["short"] or "") + (match["long"] or ""))
        found.append(text[match.end() : match.end() + length])
    return found


@pytest.mark.parametrize(
    "addresses",
    [
        [minted.CRL_URL],
        ["http://a/1.crl", "HTTPS://b.contoso.com/CertEnroll/Contoso%20CA.crl"],
        ["ldap:///CN=Contoso,CN=CDP,CN=Public%20Key%20Services,DC=contoso?certificateRevocationList", "http://a/x.crl"],
        ["http://crl.contoso.com/" + "a" * 100 + ".crl", "http://crl.contoso.com/" + "b" * 180 + ".crl"],
        ["http://crl.contoso.com/" + "c" * 104, "http://crl.contoso.com/" + "c" * 105],
    ],
)
def test_addresses_of_revocation_lists_are_found(addresses: list[str]) -> None:
    points = [
        x509.DistributionPoint([x509.UniformResourceIdentifier(address) for address in addresses], None, None, None)
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(minted.name("cmg"))
        .issuer_name(minted.name("cmg"))
        .public_key(minted.key("leaf").public_key())
        .serial_number(7)
        .not_valid_before(minted.AT)
        .not_valid_after(minted.AT.replace(year=2030))
        .add_extension(x509.CRLDistributionPoints(points), critical=False)
        .sign(minted.key("leaf"), minted.hashes.SHA256())
    )
    assert _addresses(certificate) == addresses


@pytest.mark.parametrize(
    ("issuer", "is_join"),
    [
        # As Entra writes it: one part of four values.
        ("DC=net + DC=windows + CN=MS-Organization-Access + OU=82dbaca4-3e81-46ca-9c73-0950c1eaca97", True),
        ("CN=MS-Organization-Access + OU=82dbaca4-3e81-46ca-9c73-0950c1eaca97 + DC=windows + DC=net", True),
        ("DC=net+DC=windows+OU=82dbaca4-3e81-46ca-9c73-0950c1eaca97+CN=MS-Organization-Access", True),
        ("CN=MS-Organization-Access", True),
        ("CN=MS-Organization-Access, DC=windows, DC=net, OU=82dbaca4-3e81-46ca-9c73-0950c1eaca97", True),
        ("OU=82dbaca4-3e81-46ca-9c73-0950c1eaca97, DC=windows, DC=net, CN=MS-Organization-Access", True),
        ("OU=82dbaca4-3e81-46ca-9c73-0950c1eaca97,CN=MS-Organization-Access,DC=windows", True),
        ('O="Contoso, Ltd. + ""Sons""", CN=MS-Organization-Access', True),
        ("CN=MS-Organization-P2P-Access [2026]", False),
        ("CN=MS-Organization-P2P-Access [2024] + OU=82dbaca4-3e81-46ca-9c73-0950c1eaca97", False),
        ("CN=MS-Organization-Access-Fake", False),
        ("CN=MS-Organization-Access Contoso Fake", False),
        ("CN=Fake MS-Organization-Access", False),
        ("DC=net + CN=MS-Organization-Access Contoso Fake + DC=windows", False),
        ("O=CN=MS-Organization-Access", False),
        ('O="CN=MS-Organization-Access"', False),
        ('CN=Fake, O="a, CN=MS-Organization-Access, b"', False),
        ('CN=Fake, O="a ""quoted"" + CN=MS-Organization-Access + b"', False),
        ("OCN=MS-Organization-Access", False),
        ("OU=MS-Organization-Access", False),
        ("", False),
    ],
)
def test_the_certificate_of_the_join_is_told_by_its_issuer(issuer: str, is_join: bool) -> None:
    body = (PRIVATE / "EvidenceCertificates.ps1").read_text("ascii")
    assert "$certificate.Issuer -notmatch $script:JoinIssuerForm" in body
    form = re.search(r"\$script:JoinIssuerForm = '(.*)'", body)
    assert form
    # -match knows no case.
    assert bool(re.search(form[1].replace(r"\z", r"\Z"), issuer, re.IGNORECASE)) is is_join


def test_no_private_key_is_touched() -> None:
    everything = "\n".join(path.read_text("ascii") for path in source.sources())
    for word in ["PrivateKey", "Export(", "PFX", "Pkcs12", "Export-PfxCertificate", "Invoke-Expression", "iex "]:
        assert word not in everything
