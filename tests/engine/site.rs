//! Site descriptions: what is read, and every mistake with its line.

use std::path::Path;

use cmgtrail::error::Error;
use cmgtrail::site::{Held, Mode, Site};

use crate::pki::{Authority, Wanted, lay};

fn parse(text: &str) -> Result<Site, Vec<String>> {
    Site::parse(text, Path::new(env!("CARGO_MANIFEST_DIR")), &|_| Err("no Parquet here".to_owned()))
}

#[test]
fn the_old_form_still_names_the_gateways() {
    let site = parse("[cmg]\nnames = [\"cmg.contoso.com\", \"two.contoso.com\"]\n").unwrap();
    assert_eq!(site.cmg.names, ["cmg.contoso.com", "two.contoso.com"]);
    assert!(site.clients.is_empty() && site.tenants.is_none());
}

/// A description with a mistake on each line that says so; the number of the line is the mark's own.
const WRONG: &str = r#"[site]
crl_chek = true
[[tenant]]
id = "contoso.com"
[[tenant]]
name = "no id"
[cmg]
certificate = "not-there.pem"
state = "asleep"
[cmg.roles]
"mp09" = 72057594037927941
[[management_point]]
name = "mp01"
mode = "ssl"
[[management_point]]
name = "MP01"
[[client]]
name = "PC1"
clock_offset_seconds = "five minutes"
user = "none"
user_id = "0d9e8c7b-6a5f-4e3d-8c2b-1a0f9e8d7c6b"
[[client]]
name = "pc1"
[client.network]
tls = ["1.4"]
[colour]
"#;

#[test]
fn every_mistake_is_told_at_once_and_with_its_line() {
    let mistakes = parse(WRONG).unwrap_err();
    let expected = [
        (2, "site: unknown key 'crl_chek'; did you mean 'crl_check'?"),
        (4, "tenant: id: expected a GUID such as"),
        (5, "tenant: 'id' is missing"),
        (8, "cmg: certificate: cannot read the file 'not-there.pem'"),
        (9, "cmg: state: expected 'running', 'stopped' or 'stopped-by-traffic-limit', found the text 'asleep'"),
        (11, "cmg, roles: 'mp09' has role id 72057594037927941, but there is no [[management_point]] of that name"),
        (14, "management_point 'mp01': mode: expected 'http', 'enhanced-http' or 'https', found the text 'ssl'"),
        (15, "management_point: there is another one named 'MP01'"),
        (19, "client 'PC1': clock_offset_seconds: expected a number of seconds, found the text 'five minutes'"),
        (21, "client 'PC1': user_id names a user although user = 'none'"),
        (22, "client: there is another one named 'pc1'"),
        (25, "client 'pc1', network: tls: expected '1.0', '1.1', '1.2' or '1.3', found '1.4'"),
        (26, "unknown key 'colour'"),
    ];
    assert_eq!(mistakes.len(), expected.len(), "{mistakes:#?}");
    for (mistake, (line, words)) in mistakes.iter().zip(expected) {
        assert!(
            mistake.starts_with(&format!("line {line}: {words}")),
            "expected line {line}: {words}\nfound {mistake}"
        );
    }
}

#[test]
fn a_description_that_is_no_toml_is_told_by_its_line_and_the_rest_of_it_too() {
    let mistakes = parse("[cmg]\nnames = [\n[site]\ncrl_chek = true\n").unwrap_err();
    assert!(mistakes.iter().any(|mistake| mistake.contains("not TOML")), "{mistakes:#?}");
}

#[test]
fn paths_begin_at_the_folder_of_the_description() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("pc1")).unwrap();
    std::fs::write(folder.path().join("pc1/join.txt"), " AzureAdJoined : YES\n DomainJoined : NO\n").unwrap();
    std::fs::write(folder.path().join("users.csv"), "id;sid\n0d9e8c7b-6a5f-4e3d-8c2b-1a0f9e8d7c6b;S-1-5-21-1-2-3-4\n")
        .unwrap();
    let text = "[known]\nusers = \"users.csv\"\n[[management_point]]\nname = \"mp01\"\nmode = \"enhanced-http\"\n\
                [[client]]\nname = \"PC1\"\ndsregcmd = \"pc1/join.txt\"\nwpj_certificate = \"none\"\n";
    let path = folder.path().join("site.toml");
    std::fs::write(&path, text).unwrap();
    let site = Site::read(&path).unwrap();
    assert_eq!(site.clients[0].joined_by_dsregcmd(), Some(true));
    assert_eq!(site.clients[0].wpj_certificate, Some(Held::Nothing));
    assert_eq!(site.management_points[0].mode, Some(Mode::EnhancedHttp));
    assert_eq!(site.known.users.as_ref().unwrap()[0].sid.as_deref(), Some("S-1-5-21-1-2-3-4"));

    std::fs::write(&path, format!("{text}join = \"registered\"\n")).unwrap();
    let Err(Error::Site { mistakes, .. }) = Site::read(&path) else { panic!("a join that contradicts is no mistake") };
    assert!(mistakes[0].starts_with("line 10: client 'PC1': join says"), "{mistakes:#?}");
}

#[test]
fn parquet_is_read_by_whoever_can() {
    let text = "[known]\ndevices = \"fleet.parquet\"\n";
    let refused = parse(text).unwrap_err();
    assert!(refused[0].starts_with("line 2: known: devices: 'fleet.parquet': no Parquet here"), "{refused:#?}");
    let read = |path: &Path| {
        assert!(path.ends_with("fleet.parquet"));
        Ok("id,name\n82c0ffee-f062-4d11-b062-db12ac04d5aa,PC042\n".to_owned())
    };
    let site = Site::parse(text, Path::new("."), &read).unwrap();
    assert_eq!(site.known.devices.unwrap()[0].name.as_deref(), Some("PC042"));
}

#[test]
fn what_all_clients_share_is_told_once() {
    let text = "[client_defaults]\nos_build = 19045\nuser = \"entra\"\n[client_defaults.network]\nhealthy = true\n\
                [[client]]\nname = \"PC1\"\n[[client]]\nname = \"PC2\"\nuser = \"none\"\nnetwork = { dns = false }\n";
    let site = parse(text).unwrap();
    assert_eq!(site.clients[0].os_build, Some(19_045));
    assert_eq!(site.clients[0].network.dns, Some(true));
    assert_eq!(site.clients[1].network.dns, Some(false));
    assert_eq!(site.clients[1].network.port_443, Some(true));
    assert_ne!(site.clients[0].user, site.clients[1].user);
}

#[test]
fn a_description_is_written_as_it_is_read() {
    let text = "[site]\ncode = \"PS1\"\ncrl_check = false\n[[tenant]]\nid = \"7a4f0c1e-3b55-4c0d-9f10-2f6d1c8e5a01\"\n\
                [cmg]\nnames = [\"cmg.contoso.com\"]\nroot = \"public\"\n[cmg.roles]\n\"mp01\" = 72057594037927941\n\
                [[management_point]]\nname = \"mp01\"\n[[crl]]\nurl = \"http://crl.contoso.com/a.crl\"\nfrom = \"internet\"\n\
                [[client]]\nname = \"PC1\"\nccmsetup = 'ccmsetup.exe /NoCRLCheck \"/mp:x y\"'\n\
                network = { dns = true, inspection = \"none\" }\n";
    let site = parse(text).unwrap();
    let written = site.to_toml().unwrap();
    assert_eq!(parse(&written).unwrap(), site, "{written}");
}

#[test]
fn a_description_of_another_encoding_is_read_or_told_by_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.toml");
    let text = "[site]\ncode = \"PS1\"\n";
    let utf_16: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for bytes in [utf_16, [b"\xef\xbb\xbf", text.as_bytes()].concat()] {
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(Site::read(&path).unwrap().options.code.as_deref(), Some("PS1"));
    }
    std::fs::write(&path, b"[site]\n[[tenant]]\nname = \"Caf\xe9\"\n").unwrap();
    let Err(Error::Site { mistakes, .. }) = Site::read(&path) else { panic!("Windows-1252 is taken for UTF-8") };
    assert_eq!(mistakes, ["line 3: it is not UTF-8 text; save the file as UTF-8"]);
}

#[test]
fn a_thing_of_the_wrong_kind_is_told_once_whatever_it_holds() {
    let text = "client = 5\nsite = \"PS1\"\n[cmg]\nnames = \"a.contoso.com\"\nnames = \"b.contoso.com\"\n[known]\n\
                devices = [1, 2]\n";
    let mistakes = parse(text).unwrap_err();
    let expected = [
        "line 1: client: expected [[client]], found the number 5",
        "line 2: site: expected a table, found the text 'PS1'",
        "line 5: not TOML: duplicate key 'names'",
        "line 7: known: devices: expected a list of ids",
    ];
    assert_eq!(mistakes.len(), expected.len(), "{mistakes:#?}");
    for (mistake, expected) in mistakes.iter().zip(expected) {
        assert!(mistake.starts_with(expected), "{mistake}");
    }
    let many = format!("[known]\nusers = [{}]\n", "\"meg\", ".repeat(1_000));
    let mistakes = parse(&many).unwrap_err();
    assert_eq!(mistakes.len(), 6, "{mistakes:#?}");
    assert!(mistakes.iter().any(|mistake| mistake.ends_with("users: 995 more ids are no GUIDs")), "{mistakes:#?}");
}

#[test]
#[cfg(unix)]
fn a_device_that_never_ends_is_no_file() {
    let mistakes = parse("[[client]]\nname = \"PC1\"\ndsregcmd = \"/dev/zero\"\n").unwrap_err();
    assert!(mistakes[0].contains("it is a device or a pipe"), "{mistakes:#?}");
}

/// A value of the wrong form on each line that says so.
const UNUSABLE: &str = r#"[cmg]
names = [
    "https://cmg.contoso.com/",
    "*.contoso.com",
    "",
    "cmg.contoso.com",
]
certificate = "text.txt"
tls = []
[[crl]]
url = "crl.contoso.com"
[[client]]
name = "PC1"
ccmsetup = "banana"
dsregcmd = "text.txt"
tokens = { device = "text.txt" }
[[client]]
name = "PC2"
ccmsetup = 'ccmsetup.exe /nocrlcheckk CCMHOSTNAM=cmg.contoso.com SMSSITECODE=PS1'
"#;

#[test]
fn values_are_looked_at_as_well_as_keys() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("text.txt"), "Dear colleague,\nit works now.\n").unwrap();
    let mistakes = Site::parse(UNUSABLE, folder.path(), &|_| Err(String::new())).unwrap_err();
    let expected = [
        (3, "cmg: names: expected a host name such as 'cmg.contoso.com', found 'https://cmg.contoso.com/'; leave"),
        (4, "cmg: names: expected a host name such as 'cmg.contoso.com', found '*.contoso.com'; a wildcard"),
        (5, "cmg: names: the text is empty"),
        (8, "cmg: certificate: 'text.txt' does not hold a certificate"),
        (9, "cmg: tls: the list names no version"),
        (11, "crl 'crl.contoso.com': url: expected an address such as"),
        (14, "client 'PC1': ccmsetup: expected switches such as '/NoCRLCheck'"),
        (15, "client 'PC1': dsregcmd: 'text.txt' does not hold the output of 'dsregcmd /status'"),
        (16, "client 'PC1', tokens: device: 'text.txt' does not hold a token"),
        (19, "client 'PC2': ccmsetup: unknown property 'CCMHOSTNAM'; did you mean 'CCMHOSTNAME'?"),
        (19, "client 'PC2': ccmsetup: unknown switch '/nocrlcheckk'; did you mean '/NoCRLCheck'?"),
    ];
    assert_eq!(mistakes.len(), expected.len(), "{mistakes:#?}");
    for (line, words) in expected {
        let wanted = format!("line {line}: {words}");
        assert!(mistakes.iter().any(|mistake| mistake.starts_with(&wanted)), "{wanted}\n{mistakes:#?}");
    }
}

#[test]
fn what_the_defaults_tell_contradicts_a_client_as_well() {
    let text = "[client_defaults]\nuser = \"none\"\n[[client]]\nname = \"PC1\"\nuser_id = \"82c0ffee-f062-4d11-b062-db12ac04d5aa\"\n\
                [[client]]\nname = \"PC2\"\n";
    let mistakes = parse(text).unwrap_err();
    assert_eq!(
        mistakes,
        ["line 5: client 'PC1': user_id names a user although user = 'none' says that nobody is signed in"]
    );
    // What they contradict by themselves is told once.
    let defaults = "[client_defaults]\nuser = \"none\"\nuser_id = \"82c0ffee-f062-4d11-b062-db12ac04d5aa\"\n[[client]]\nname = \"PC1\"\n";
    assert_eq!(parse(defaults).unwrap_err().len(), 1);
}

#[test]
fn a_file_of_another_kind_is_a_mistake_of_the_description_and_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::root("Fabrikam Root", "");
    let device = authority.issue(&Wanted::device("PC1"));
    let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";
    lay(
        folder.path(),
        &[
            ("key.pem", key.to_owned()),
            ("list.pem", authority.list(&[], 5)),
            ("token.pem", "eyJhIjoxfQ.eyJhIjoxfQ.".to_owned()),
            ("device.pem", device),
        ],
    );
    // A PKCS#12 file begins with its version, 3 (RFC 7292, section 4); a certificate whose end is cut off is one still.
    std::fs::write(folder.path().join("cmg.pfx"), [0x30, 7, 2, 1, 3, 0x30, 2, 5, 0]).unwrap();
    std::fs::write(folder.path().join("cut.cer"), [0x30, 0x82, 3, 1, 0x30, 0x82, 2]).unwrap();
    let text = "[cmg]\ncertificate = \"cmg.pfx\"\nroot = \"key.pem\"\n[[crl]]\nurl = \"http://a.example/a.crl\"\nfile = \"device.pem\"\n\
                [[client]]\nname = \"PC1\"\nwpj_certificate = \"cmg.pfx\"\npki_certificate = \"list.pem\"\nroots = \"token.pem\"\n\
                [[client]]\nname = \"PC2\"\npki_certificate = \"cut.cer\"\n";
    let mistakes = Site::parse(text, folder.path(), &|_| Err(String::new())).unwrap_err();
    let expected = [
        (2, "PKCS#12"),
        (3, "private key"),
        (6, "it is a certificate"),
        (9, "PKCS#12"),
        (10, "it is a revocation list"),
        (11, "a token"),
    ];
    assert_eq!(mistakes.len(), expected.len(), "{mistakes:#?}");
    for (line, words) in expected {
        let told = mistakes.iter().find(|mistake| mistake.starts_with(&format!("line {line}: ")));
        assert!(
            told.is_some_and(|told| told.contains("does not hold") && told.contains(words)),
            "{line} {words}: {mistakes:#?}"
        );
    }
}

#[test]
fn what_cannot_be_true_together_is_told_by_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let entra = Authority::root("MS-Organization-Access", "");
    let root = Authority::root("Fabrikam Root", "");
    let issuing = root.under("Fabrikam Issuing", "");
    let device = "82c0ffee-f062-4d11-b062-db12ac04d5aa";
    lay(
        folder.path(),
        &[
            ("wpj.pem", entra.issue(&Wanted { to: 3_000, ..Wanted::device(device) })),
            ("root.pem", root.pem.clone()),
            ("other.pem", Authority::root("Somebody Else", "").pem.clone()),
            ("issuing.pem", issuing.pem.clone()),
            ("cmg.pem", issuing.issue(&Wanted::service(&["cmg.fabrikam.com"]))),
            ("join.txt", "AzureAdJoined : YES\nDeviceId : 11111111-f062-4d11-b062-db12ac04d5aa\nTenantId : 7a4f0c1e-3b55-4c0d-9f10-2f6d1c8e5a01\n".to_owned()),
        ],
    );
    let parse = |text: &str| Site::parse(text, folder.path(), &|_| Err(String::new()));
    let wrong = "[site]\ncode = \"PS12\"\nversion = 26\n[cmg]\ncertificate = [\"issuing.pem\", \"cmg.pem\"]\n\
                 root = \"issuing.pem\"\n[[client]]\nname = \"PC1\"\nos_build = 10\njoin = \"domain\"\n\
                 wpj_certificate = \"wpj.pem\"\ndevice_id = \"99999999-f062-4d11-b062-db12ac04d5aa\"\n[[client]]\n\
                 name = \"PC2\"\ndsregcmd = \"join.txt\"\ntenant = \"99999999-f062-4d11-b062-db12ac04d5aa\"\n\
                 device_id = \"11111111-F062-4d11-b062-db12ac04d5aa\"\n";
    let expected = [
        "line 2: site: code: expected three letters or digits, such as 'PS1', found 'PS12'",
        "line 3: site: version: expected a version such as 2603, year and month of its release, found 26",
        "line 5: cmg: certificate: the first certificate, in 'issuing.pem', is an authority; name the CMG's own first",
        "line 6: cmg: root: 'issuing.pem' is no root; it was issued by 'CN=Fabrikam Root'",
        "line 9: client 'PC1': os_build: expected a build number such as 19045, found 10",
        "line 10: client 'PC1': join says that Entra does not know the device",
        "line 12: client 'PC1': device_id is 99999999-f062-4d11-b062-db12ac04d5aa, and the join certificate says 82c0ffee",
        "line 16: client 'PC2': tenant is 99999999-f062-4d11-b062-db12ac04d5aa, and the dsregcmd output says 7a4f0c1e",
    ];
    let mistakes = parse(wrong).unwrap_err();
    assert_eq!(mistakes.len(), expected.len(), "{mistakes:#?}");
    for (mistake, expected) in mistakes.iter().zip(expected) {
        assert!(mistake.starts_with(expected), "{mistake}");
    }
    let ends_elsewhere = "[cmg]\ncertificate = [\"cmg.pem\", \"issuing.pem\", \"root.pem\"]\nroot = \"other.pem\"\n";
    let mistakes = parse(ends_elsewhere).unwrap_err();
    assert_eq!(
        mistakes,
        ["line 3: cmg: root: 'other.pem' is not the root that ends the chain, which is in 'root.pem'"]
    );
    // Unusual, and possible: an intermediate left out, a leaf alone, a Windows of before 10.
    for fine in [
        "[cmg]\ncertificate = \"cmg.pem\"\nroot = \"other.pem\"\n[[client]]\nname = \"OLD\"\nos_build = 9600\n",
        "[site]\ncode = \"0a1\"\nversion = 1511\n[cmg]\ncertificate = [\"cmg.pem\", \"issuing.pem\"]\nroot = \"root.pem\"\n",
        "[[client]]\nname = \"PC1\"\njoin = \"registered\"\nwpj_certificate = \"wpj.pem\"\n",
    ] {
        parse(fine).unwrap_or_else(|wrong| panic!("{fine} {wrong:#?}"));
    }
}

#[test]
fn a_line_that_is_no_toml_is_told_once() {
    let mistakes = parse("[site]\ncode = FAB\ncrl_chek = true\n").unwrap_err();
    let expected = [
        "line 2: not TOML: a text stands in quotes: code = \"FAB\"",
        "line 3: site: unknown key 'crl_chek'; did you mean 'crl_check'?",
    ];
    assert_eq!(mistakes, expected);
}

/// What is written in haste, and what the parser would say of it in words of its own.
#[test]
fn what_is_no_toml_is_told_once_in_words_of_who_wrote_it() {
    let backslash = "in double quotes a backslash begins an escape; put the text into single quotes: 'C:\\…'";
    for (text, expected) in [
        (
            "[[client]]\nname = 'A'\nccmsetup = \"C:\\Users\\x\\ccmsetup.exe\"\nroots = [\"C:\\certs\\root.pem\"]\nfoo = 1\n",
            vec![
                format!("line 3: not TOML: {backslash}"),
                format!("line 4: not TOML: {backslash}"),
                "line 5: client 'A': unknown key 'foo'".to_owned(),
            ],
        ),
        (
            "[site]\ncrl_check = True\nuser_discovery = off\n",
            vec![
                "line 2: not TOML: true and false stand in small letters, without quotes: crl_check = true".to_owned(),
                "line 3: not TOML: true and false stand in small letters, without quotes: user_discovery = false"
                    .to_owned(),
            ],
        ),
        (
            "[[client]]\nname = \u{201c}PC1\u{201d}\njoin = 'x'\n",
            vec![
                "line 2: not TOML: curly quotes, as of a word processor, are none here; write straight ones".to_owned(),
            ],
        ),
        (
            "[site\ncode = 'PS1'\n[[client]]\nname = 'A'\n",
            vec!["line 1: not TOML: unclosed table, expected `]`".to_owned()],
        ),
    ] {
        let mistakes = parse(text).unwrap_err();
        assert!(mistakes.starts_with(&expected), "{mistakes:#?}");
        assert!(
            mistakes.iter().filter(|mistake| mistake.contains("not TOML")).count() <= expected.len(),
            "{mistakes:#?}"
        );
        assert!(mistakes.iter().all(|mistake| !mistake.contains("expected [[client]]")), "{mistakes:#?}");
    }
}

#[test]
fn a_blank_beside_the_sign_of_a_command_line_is_told_by_that_name() {
    let blank = |name: &str, whole: &str| {
        let sign = if name.starts_with('/') { ':' } else { '=' };
        format!("a blank stands beside the '{sign}' of '{name}'; write '{whole}', without any")
    };
    for (line, told) in [
        (
            "CCMHOSTNAME = cmg.contoso.com/x SMSSITECODE=PS1",
            vec![blank("CCMHOSTNAME", "CCMHOSTNAME=cmg.contoso.com/x")],
        ),
        ("SMSSITECODE =PS1", vec![blank("SMSSITECODE", "SMSSITECODE=PS1")]),
        ("SMSSITECODE= PS1 /NoCRLCheck", vec![blank("SMSSITECODE", "SMSSITECODE=PS1")]),
        ("/mp: https://cmg.contoso.com/x", vec![blank("/mp", "/mp:https://cmg.contoso.com/x")]),
        ("SMSSITECODE = PS1 SMSMP= mp01", vec![blank("SMSMP", "SMSMP=mp01"), blank("SMSSITECODE", "SMSSITECODE=PS1")]),
        (
            "CCMHOSTNAM = cmg.contoso.com",
            vec![
                blank("CCMHOSTNAM", "CCMHOSTNAM=cmg.contoso.com"),
                "unknown property 'CCMHOSTNAM'; did you mean 'CCMHOSTNAME'?".to_owned(),
            ],
        ),
        ("CCMSETUPCMD=\"SMSSITECODE = PS1\"", vec![blank("SMSSITECODE", "SMSSITECODE=PS1")]),
    ] {
        let mistakes = parse(&format!("[[client]]\nname = 'PC1'\nccmsetup = 'ccmsetup.exe {line}'\n")).unwrap_err();
        let expected: Vec<String> =
            told.iter().map(|words| format!("line 3: client 'PC1': ccmsetup: {words}")).collect();
        assert_eq!(mistakes, expected, "{line}");
    }
}

#[test]
fn command_lines_as_they_are_used_are_no_mistakes() {
    for line in [
        "CCMSETUPCMD=\"/NoCRLCheck CCMHOSTNAME=cmg.contoso.com/CCM_Proxy_MutualAuth/1 SMSSITECODE=PS1\"",
        r"C:\Program Files\Deploy\ccmsetup.exe /mp:https://cmg.contoso.com /UsePKICert /NoCRLCheck SMSMP=mp01 CCMHTTPPORT=80",
        r#"msiexec /i "C:\my files\ccmsetup.msi" /qn /l*v c:\x.log SMSSITECODE=AUTO"#,
        "ccmsetup /source:\\\\server\\share /BITSPriority:HIGH /ExcludeFeatures:ClientUI /someday:new CCMFIRSTCERT=1",
        "/regtoken:a.b.c",
        "ccmsetup.exe CCMCERTSEL=\"SubjectAttr:OU = Computers\" AADTENANTNAME=Contoso AADCLIENTAPPID= AADRESOURCEURI=https://a",
        "ccmsetup.exe AADCLIENTAPPID= /NoCRLCheck SMSMP=",
        "SMSSITECODE=\u{201c}PS1\u{201d} and so on",
    ] {
        let text = format!("[[client]]\nname = 'PC1'\nccmsetup = '{line}'\n");
        parse(&text).unwrap_or_else(|wrong| panic!("{line}: {wrong:#?}"));
    }
}
