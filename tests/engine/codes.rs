//! Codes: their numbers against the Windows SDK, and what a code as written can mean.

use std::collections::{BTreeMap, BTreeSet};

use cmgtrail::error::Error;
use cmgtrail::knowledge::{Codes, Component, FailureRole, Knowledge, Reading};
use windows_sys::Win32::Foundation;
use windows_sys::Win32::Networking::{WinHttp, WinInet, WinSock};
use windows_sys::Win32::Security::Cryptography;
use windows_sys::Win32::System::Rpc;

/// The numbers of a component's codes by their names, as far as a header of the SDK names them.
fn numbers(component: Component) -> BTreeMap<&'static str, u32> {
    let codes = Codes::builtin().all().iter().filter(|code| code.component == component);
    codes
        .filter(|code| !UNNAMED.contains(&code.name.as_str()))
        .map(|code| (code.name.as_str(), code.number().unwrap()))
        .collect()
}

/// Names that the `windows-sys` crate does not have, each with the number that its document gives.
const UNNAMED: [&str; 6] = [
    "STATUS_NO_SUCH_LOGON_SESSION",
    "STATUS_NO_SUCH_USER",
    "STATUS_WRONG_PASSWORD",
    "STATUS_LOGON_FAILURE",
    "FUSION_E_REF_DEF_MISMATCH",
    "NTE_BAD_KEYSET, wrapped",
];

macro_rules! sdk {
    ($($module:ident: $($name:ident)*;)*) => {
        BTreeMap::from([$($((stringify!($name), $module::$name as u32)),*),*])
    };
}

#[test]
#[allow(clippy::cast_sign_loss)] // HRESULTs are signed there and unsigned in logs
fn numbers_are_those_of_the_windows_sdk() {
    let winhttp = sdk! { WinHttp:
        ERROR_WINHTTP_TIMEOUT ERROR_WINHTTP_INVALID_URL ERROR_WINHTTP_UNRECOGNIZED_SCHEME
        ERROR_WINHTTP_NAME_NOT_RESOLVED ERROR_WINHTTP_INVALID_OPTION ERROR_WINHTTP_LOGIN_FAILURE
        ERROR_WINHTTP_OPERATION_CANCELLED ERROR_WINHTTP_INCORRECT_HANDLE_STATE ERROR_WINHTTP_CANNOT_CONNECT
        ERROR_WINHTTP_CONNECTION_ERROR ERROR_WINHTTP_RESEND_REQUEST ERROR_WINHTTP_SECURE_CERT_DATE_INVALID
        ERROR_WINHTTP_SECURE_CERT_CN_INVALID ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED
        ERROR_WINHTTP_SECURE_INVALID_CA ERROR_WINHTTP_SECURE_CERT_REV_FAILED ERROR_WINHTTP_HEADER_NOT_FOUND
        ERROR_WINHTTP_INVALID_SERVER_RESPONSE ERROR_WINHTTP_REDIRECT_FAILED ERROR_WINHTTP_SECURE_CHANNEL_ERROR
        ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT
        ERROR_WINHTTP_SECURE_INVALID_CERT ERROR_WINHTTP_SECURE_CERT_REVOKED ERROR_WINHTTP_SECURE_FAILURE
        ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE
        ERROR_WINHTTP_AUTODETECTION_FAILED ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY
        ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED_PROXY
        ERROR_WINHTTP_SECURE_FAILURE_PROXY;
    };
    let wininet = sdk! { WinInet:
        ERROR_INTERNET_TIMEOUT ERROR_INTERNET_NAME_NOT_RESOLVED ERROR_INTERNET_CANNOT_CONNECT
        ERROR_INTERNET_CONNECTION_ABORTED ERROR_INTERNET_CONNECTION_RESET ERROR_INTERNET_SEC_CERT_DATE_INVALID
        ERROR_INTERNET_SEC_CERT_CN_INVALID ERROR_INTERNET_CLIENT_AUTH_CERT_NEEDED ERROR_INTERNET_INVALID_CA
        ERROR_INTERNET_SEC_CERT_REV_FAILED ERROR_HTTP_INVALID_SERVER_RESPONSE
        ERROR_INTERNET_SECURITY_CHANNEL_ERROR ERROR_INTERNET_SEC_INVALID_CERT ERROR_INTERNET_SEC_CERT_REVOKED
        ERROR_INTERNET_DECODING_FAILED;
    };
    let mut win32 = sdk! { Foundation:
        ERROR_FILE_NOT_FOUND ERROR_PATH_NOT_FOUND ERROR_ACCESS_DENIED ERROR_NOT_ENOUGH_MEMORY ERROR_INVALID_DATA
        ERROR_SHARING_VIOLATION ERROR_BAD_NETPATH ERROR_NETNAME_DELETED ERROR_BAD_NET_NAME
        ERROR_INVALID_PARAMETER ERROR_DISK_FULL ERROR_SEM_TIMEOUT ERROR_INSUFFICIENT_BUFFER ERROR_MOD_NOT_FOUND
        ERROR_PROC_NOT_FOUND ERROR_ALREADY_EXISTS ERROR_FILENAME_EXCED_RANGE ERROR_MORE_DATA WAIT_TIMEOUT
        ERROR_OPERATION_ABORTED ERROR_NO_TOKEN ERROR_SERVICE_DOES_NOT_EXIST ERROR_SERVICE_NOT_ACTIVE
        ERROR_NOT_FOUND ERROR_CANCELLED ERROR_CONNECTION_REFUSED ERROR_NETWORK_UNREACHABLE
        ERROR_HOST_UNREACHABLE ERROR_CONNECTION_ABORTED ERROR_NO_LOGON_SERVERS ERROR_NO_SUCH_LOGON_SESSION
        ERROR_PRIVILEGE_NOT_HELD ERROR_LOGON_FAILURE ERROR_NO_SUCH_DOMAIN ERROR_TIME_SKEW ERROR_TIMEOUT
        ERROR_INSTALL_USEREXIT ERROR_INSTALL_FAILURE ERROR_INSTALL_ALREADY_RUNNING
        ERROR_INSTALL_PACKAGE_OPEN_FAILED ERROR_INVALID_COMMAND_LINE ERROR_SUCCESS_REBOOT_INITIATED
        ERROR_SUCCESS_REBOOT_REQUIRED;
    };
    win32.extend(sdk! { Rpc: RPC_S_SERVER_UNAVAILABLE; WinSock:
        WSAEACCES WSAENETUNREACH WSAECONNABORTED WSAECONNRESET WSAETIMEDOUT WSAECONNREFUSED WSAEHOSTUNREACH
        WSAHOST_NOT_FOUND WSATRY_AGAIN WSANO_DATA;
    });
    let ntstatus = sdk! { Foundation:
        STATUS_ACCESS_VIOLATION STATUS_ACCESS_DENIED STATUS_OBJECT_NAME_NOT_FOUND STATUS_NO_LOGON_SERVERS
        STATUS_NO_TOKEN STATUS_IO_TIMEOUT STATUS_UNEXPECTED_NETWORK_ERROR STATUS_TIME_DIFFERENCE_AT_DC
        STATUS_NOT_FOUND STATUS_CONNECTION_REFUSED STATUS_NETWORK_UNREACHABLE STATUS_HOST_UNREACHABLE
        STATUS_SMARTCARD_WRONG_PIN STATUS_SMARTCARD_NO_KEY_CONTAINER STATUS_SMARTCARD_NO_CERTIFICATE
        STATUS_SMARTCARD_NO_KEYSET;
    };
    let sspi = sdk! { Foundation:
        SEC_E_UNSUPPORTED_FUNCTION SEC_E_TARGET_UNKNOWN SEC_E_INTERNAL_ERROR SEC_E_INVALID_TOKEN
        SEC_E_LOGON_DENIED SEC_E_UNKNOWN_CREDENTIALS SEC_E_NO_CREDENTIALS SEC_E_NO_AUTHENTICATING_AUTHORITY
        SEC_E_INCOMPLETE_MESSAGE SEC_E_WRONG_PRINCIPAL SEC_E_TIME_SKEW SEC_E_UNTRUSTED_ROOT
        SEC_E_ILLEGAL_MESSAGE SEC_E_CERT_UNKNOWN SEC_E_CERT_EXPIRED SEC_E_ALGORITHM_MISMATCH
        SEC_E_CERT_WRONG_USAGE SEC_E_ISSUING_CA_UNTRUSTED SEC_E_REVOCATION_OFFLINE_C SEC_E_MUTUAL_AUTH_FAILED
        SEC_I_CONTINUE_NEEDED SEC_I_CONTEXT_EXPIRED SEC_I_INCOMPLETE_CREDENTIALS SEC_I_RENEGOTIATE;
    };
    let crypt = sdk! { Foundation:
        NTE_BAD_SIGNATURE NTE_BAD_KEY_STATE NTE_NO_KEY NTE_PERM NTE_NOT_FOUND NTE_BAD_KEYSET NTE_KEYSET_NOT_DEF
        NTE_SILENT_CONTEXT NTE_INVALID_PARAMETER NTE_NOT_SUPPORTED NTE_INTERNAL_ERROR NTE_DEVICE_NOT_READY
        CRYPT_E_NOT_FOUND CRYPT_E_SELF_SIGNED CRYPT_E_REVOKED CRYPT_E_NO_REVOCATION_DLL
        CRYPT_E_NO_REVOCATION_CHECK CRYPT_E_REVOCATION_OFFLINE CRYPT_E_NOT_IN_REVOCATION_DATABASE
        TRUST_E_CERT_SIGNATURE TRUST_E_BASIC_CONSTRAINTS TRUST_E_NOSIGNATURE CERT_E_EXPIRED
        CERT_E_VALIDITYPERIODNESTING CERT_E_ROLE CERT_E_PATHLENCONST CERT_E_CRITICAL CERT_E_PURPOSE
        CERT_E_ISSUERCHAINING CERT_E_MALFORMED CERT_E_UNTRUSTEDROOT CERT_E_CHAINING TRUST_E_FAIL CERT_E_REVOKED
        CERT_E_UNTRUSTEDTESTROOT CERT_E_REVOCATION_FAILURE CERT_E_CN_NO_MATCH CERT_E_WRONG_USAGE
        TRUST_E_EXPLICIT_DISTRUST CERT_E_UNTRUSTEDCA CERT_E_INVALID_POLICY CERT_E_INVALID_NAME;
    };
    let hresult = sdk! { Foundation:
        E_NOTIMPL E_NOINTERFACE E_POINTER E_ABORT E_FAIL E_UNEXPECTED REGDB_E_CLASSNOTREG
        CO_E_SERVER_EXEC_FAILURE TPM_E_PCP_DEVICE_NOT_READY;
    };
    let secure_failure = sdk! { WinHttp:
        WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CERT
        WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA
        WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID
        WINHTTP_CALLBACK_STATUS_FLAG_CERT_WRONG_USAGE WINHTTP_CALLBACK_STATUS_FLAG_SECURITY_CHANNEL_ERROR;
    };
    let cert_trust = sdk! { Cryptography:
        CERT_TRUST_IS_NOT_TIME_VALID CERT_TRUST_IS_NOT_TIME_NESTED CERT_TRUST_IS_REVOKED
        CERT_TRUST_IS_NOT_SIGNATURE_VALID CERT_TRUST_IS_NOT_VALID_FOR_USAGE CERT_TRUST_IS_UNTRUSTED_ROOT
        CERT_TRUST_REVOCATION_STATUS_UNKNOWN CERT_TRUST_IS_CYCLIC CERT_TRUST_INVALID_EXTENSION
        CERT_TRUST_INVALID_POLICY_CONSTRAINTS CERT_TRUST_INVALID_BASIC_CONSTRAINTS
        CERT_TRUST_INVALID_NAME_CONSTRAINTS CERT_TRUST_HAS_NOT_SUPPORTED_NAME_CONSTRAINT
        CERT_TRUST_HAS_NOT_DEFINED_NAME_CONSTRAINT CERT_TRUST_HAS_NOT_PERMITTED_NAME_CONSTRAINT
        CERT_TRUST_HAS_EXCLUDED_NAME_CONSTRAINT CERT_TRUST_IS_PARTIAL_CHAIN CERT_TRUST_CTL_IS_NOT_TIME_VALID
        CERT_TRUST_CTL_IS_NOT_SIGNATURE_VALID CERT_TRUST_CTL_IS_NOT_VALID_FOR_USAGE
        CERT_TRUST_HAS_WEAK_SIGNATURE CERT_TRUST_IS_OFFLINE_REVOCATION CERT_TRUST_NO_ISSUANCE_CHAIN_POLICY
        CERT_TRUST_IS_EXPLICIT_DISTRUST CERT_TRUST_HAS_NOT_SUPPORTED_CRITICAL_EXT;
    };
    assert_eq!(numbers(Component::Winhttp), winhttp);
    assert_eq!(numbers(Component::Wininet), wininet);
    assert_eq!(numbers(Component::Win32), win32);
    assert_eq!(numbers(Component::Ntstatus), ntstatus);
    assert_eq!(numbers(Component::Sspi), sspi);
    assert_eq!(numbers(Component::Crypt), crypt);
    assert_eq!(numbers(Component::Hresult), hresult);
    assert_eq!(numbers(Component::SecureFailure), secure_failure);
    assert_eq!(numbers(Component::CertTrust), cert_trust);
}

/// [MS-ERREF] section 2.3.1; corerror.h; the low word of `NTE_BAD_KEYSET`, 0x80090016.
#[test]
fn numbers_without_a_constant_are_those_of_their_documents() {
    let number = |name: &str| Codes::builtin().number(name);
    assert_eq!(number("STATUS_NO_SUCH_LOGON_SESSION"), Some(0xC000_005F));
    assert_eq!(number("STATUS_NO_SUCH_USER"), Some(0xC000_0064));
    assert_eq!(number("STATUS_WRONG_PASSWORD"), Some(0xC000_006A));
    assert_eq!(number("STATUS_LOGON_FAILURE"), Some(0xC000_006D));
    assert_eq!(number("FUSION_E_REF_DEF_MISMATCH"), Some(0x8013_1040));
    #[allow(clippy::cast_sign_loss)]
    let keyset = Foundation::NTE_BAD_KEYSET as u32;
    assert_eq!(number("NTE_BAD_KEYSET, wrapped").unwrap() & 0x0FFF_FFFF, keyset & 0x0FFF_FFFF);
}

/// The log catalogue, section 2.11: `WinHTTP` codes with the low words of their HRESULTs, and the codes of the client.
#[test]
fn codes_of_the_log_catalogue_are_known() {
    let pairs = [
        (12002, 0x2EE2),
        (12007, 0x2EE7),
        (12029, 0x2EFD),
        (12030, 0x2EFE),
        (12037, 0x2F05),
        (12044, 0x2F0C),
        (12045, 0x2F0D),
        (12057, 0x2F19),
        (12157, 0x2F7D),
        (12170, 0x2F8A),
        (12175, 0x2F8F),
    ];
    for (code, low) in pairs {
        let of_code = names(&explain(&code.to_string(), Some(Component::Winhttp)));
        assert_eq!(of_code.len(), 1, "{code}");
        assert_eq!(names(&explain(&format!("0x8007{low:04X}"), Some(Component::Winhttp))), of_code, "{code}");
    }
    for code in [
        "0x87D00231",
        "0x87D0027E",
        "0x87D00215",
        "0x87D00269",
        "0x87D00293",
        "0x87D00295",
        "0x87D00239",
        "0x87D00241",
        "0x87D00242",
        "0x87D00454",
        "0x87D00455",
        "0x80092012",
        "0x80092013",
        "0x800B010A",
        "0x800703F0",
        "0xD0090016",
        "0x80131040",
        "0x80004005",
    ] {
        assert!(!explain(code, None).is_empty(), "{code}");
    }
}

fn explain(code: &str, component: Option<Component>) -> Vec<Reading> {
    Codes::builtin().explain(code, component).unwrap_or_else(|error| panic!("{code}: {error}"))
}

fn names(readings: &[Reading]) -> Vec<String> {
    readings.iter().map(|reading| reading.code.name.clone()).collect()
}

#[test]
fn a_code_is_understood_however_it_is_written() {
    let transient = [
        "0x87d00231",
        "0X87D00231",
        "87D00231",
        "87d00231",
        "-2016411087",
        "2278556209",
        "0xFFFFFFFF87D00231",
        "'0x87d00231'.",
        " (0x87D00231) ",
    ];
    for written in transient {
        assert_eq!(names(&explain(written, None)), ["Transient error"], "{written}");
    }
    for (written, expected) in [
        ("AADSTS50020", "UserUnauthorized"),
        ("aadsts500011", "InvalidResourceServicePrincipalNotFound"),
        ("IDX10223", "The token is expired"),
        ("IDX10223:", "The token is expired"),
        ("MISE12034", "MiseAuthenticationTicketProviderException"),
        ("CERT_E_CHAINING", "CERT_E_CHAINING"),
        ("cert_e_chaining", "CERT_E_CHAINING"),
        ("800B010A", "CERT_E_CHAINING"),
        ("-2146762486", "CERT_E_CHAINING"),
        ("0x00090320", "SEC_I_INCOMPLETE_CREDENTIALS"),
        ("2F8F", "ERROR_WINHTTP_SECURE_FAILURE"),
    ] {
        assert_eq!(names(&explain(written, None)).first().map(String::as_str), Some(expected), "{written}");
    }
}

#[test]
fn a_number_is_read_by_component_and_all_readings_are_told() {
    assert_eq!(names(&explain("12175", None)), ["ERROR_WINHTTP_SECURE_FAILURE", "ERROR_INTERNET_DECODING_FAILED"]);
    assert_eq!(names(&explain("12175", Some(Component::Winhttp))), ["ERROR_WINHTTP_SECURE_FAILURE"]);
    assert_eq!(names(&explain("12175", Some(Component::Wininet))), ["ERROR_INTERNET_DECODING_FAILED"]);
    assert_eq!(names(&explain("0x80072F8F", Some(Component::Wininet))), ["ERROR_INTERNET_DECODING_FAILED"]);
    assert!(explain("12175", Some(Component::Ccm)).is_empty());
    let both = explain("12034", None);
    assert_eq!(names(&both), ["MiseAuthenticationTicketProviderException"]);
    assert_eq!(both[0].how.as_deref(), Some("12034 is MISE12034"));
}

/// winerror.h: `HRESULT_FROM_WIN32`, `HRESULT_FROM_NT`; ntstatus.h: `FACILITY_NTWIN32`.
#[test]
fn what_wraps_another_code_is_unwrapped_and_says_so() {
    for (written, component, name, how) in [
        ("0x80070005", Component::Win32, "ERROR_ACCESS_DENIED", "0x80070005 is the HRESULT of error 5"),
        ("0x800703F0", Component::Win32, "ERROR_NO_TOKEN", "0x800703F0 is the HRESULT of error 1008"),
        ("0xD0000022", Component::Ntstatus, "STATUS_ACCESS_DENIED", "0xD0000022 is the HRESULT of NTSTATUS 0xC0000022"),
        (
            "0xD0090016",
            Component::Ntstatus,
            "NTE_BAD_KEYSET, wrapped",
            "0xD0090016 is the HRESULT of NTSTATUS 0xC0090016",
        ),
        ("0xC0070005", Component::Win32, "ERROR_ACCESS_DENIED", "0xC0070005 wraps error 5 as an NTSTATUS"),
    ] {
        let readings = explain(written, None);
        assert_eq!((readings[0].code.component, readings[0].code.name.as_str()), (component, name), "{written}");
        assert_eq!(readings[0].how.as_deref(), Some(how));
    }
    assert_eq!(explain("0xC0000022", None)[0].how, None);
}

#[test]
fn a_row_of_iis_is_read_part_by_part() {
    assert_eq!(names(&explain("500.19.126", None)), ["ERROR_MOD_NOT_FOUND", "The configuration is not valid"]);
    assert_eq!(names(&explain("500 19 126", Some(Component::Iis))), ["The configuration is not valid"]);
    assert_eq!(names(&explain("403.7.0", None)), ["Client certificate required"]);
    assert_eq!(names(&explain("403.7", None)), ["Client certificate required"]);
    assert_eq!(names(&explain("503", None)), ["Service unavailable"]);
    // A substatus that is not known says what the status says.
    assert_eq!(names(&explain("401.0.0", None)), ["Unauthorized"]);
    // IIS writes an HRESULT as a decimal number: 2148074254 is 0x8009030E.
    assert_eq!(
        names(&explain("401.2.2148074254", None)),
        ["SEC_E_NO_CREDENTIALS", "Logon failed due to server configuration"]
    );
}

#[test]
fn a_mask_is_read_bit_by_bit_where_it_is_asked_as_one() {
    let mask = |code: &str| explain(code, Some(Component::SecureFailure));
    let short =
        |readings: &[Reading]| readings.iter().map(|reading| reading.code.short_name().to_owned()).collect::<Vec<_>>();
    assert_eq!(short(&mask("0x80000009")), ["CERT_REV_FAILED", "INVALID_CA", "SECURITY_CHANNEL_ERROR"]);
    assert_eq!(short(&mask("8")), ["INVALID_CA"]);
    assert_eq!(mask("0x9")[1].how.as_deref(), Some("bit 0x8 of the mask 0x9"));
    assert!(mask("0x109").is_empty(), "a bit that nobody knows");
    assert_eq!(
        short(&explain("0x1000040", Some(Component::CertTrust))),
        ["REVOCATION_STATUS_UNKNOWN", "IS_OFFLINE_REVOCATION"]
    );
    // 8 as a number is an error of Windows.
    assert_eq!(names(&explain("8", None)), ["ERROR_NOT_ENOUGH_MEMORY"]);
}

#[test]
fn what_is_not_known_has_no_reading_and_what_is_no_code_is_refused() {
    for unknown in ["0x87D09999", "12999", "AADSTS1", "NO_SUCH_SYMBOL", "499.1", "0x12345678"] {
        assert!(explain(unknown, None).is_empty(), "{unknown}");
    }
    for bad in ["", "  ", "0x", "0x123456789", "--5", "-3000000000", "12 monkeys", "99999999999", "0xXYZ", "?"] {
        let refused = Codes::builtin().explain(bad, None);
        assert!(matches!(refused, Err(Error::Argument { .. })), "{bad}: {refused:?}");
    }
}

#[test]
fn every_code_has_its_words_and_points_to_failures_that_there_are() {
    let mut ids = BTreeSet::new();
    let mut written = BTreeSet::new();
    for code in Codes::builtin().all() {
        assert!(ids.insert(&code.id), "{} is there twice", code.id);
        assert!(written.insert((code.component, code.written())), "{} is there twice", code.written());
        for sentence in [&code.says, &code.means] {
            assert!(sentence.ends_with('.') && sentence.len() > 10, "{}: {sentence}", code.id);
        }
        for failure in &code.failures {
            assert!(Knowledge::builtin().failure(failure).is_some(), "{}: {failure}", code.id);
        }
    }
    assert!(ids.len() > 300, "{}", ids.len());
    for component in Component::ALL {
        assert!(Codes::builtin().all().iter().any(|code| code.component == component), "{}", component.id());
    }
}

/// The catalogue, "Discriminators", 6.
#[test]
fn codes_that_any_failure_ends_in_are_symptoms() {
    for code in ["0x87D00231", "0x87D0027E", "0x87D00454", "0x87D00455", "12175"] {
        assert_eq!(explain(code, None)[0].code.role, FailureRole::Symptom, "{code}");
    }
}

/// The same line of a German, a French, a Japanese and an English Windows: only the words differ.
#[test]
fn codes_in_a_text_are_known_whatever_its_language() {
    for text in [
        "An attempt was made to reference a token that does not exist. (Error: 800703F0; Source: Windows)",
        "Es wurde versucht, auf ein Token zu verweisen, das nicht vorhanden ist. (Error: 800703F0; Source: Windows)",
        "Tentative de référence à un jeton qui n’existe pas. (Error: 800703F0; Source: Windows)",
        "存在しないトークンを参照しようとしました。 (Error: 800703F0; Source: Windows)",
    ] {
        assert_eq!(names(&Codes::builtin().named_in(text)), ["ERROR_NO_TOKEN"], "{text}");
    }
    let named = |text: &str| names(&Codes::builtin().named_in(text));
    assert_eq!(
        named("Port=443, Options=224, Code=12175, Text=ERROR_WINHTTP_SECURE_FAILURE"),
        ["ERROR_WINHTTP_SECURE_FAILURE"]
    );
    assert_eq!(named("Failed, 0x87d00231, again 0x87D00231 and 0x800b010a."), ["Transient error", "CERT_E_CHAINING"]);
    // Parts of a GUID, a thumbprint, a size and a process number are no codes.
    assert!(named("GUID:80070005-0001-0001-0001-000080070005 12175 8007000580070005 pid 12029").is_empty());
}

/// Flows look at the bits of a mask more often than a table of words should be asked.
#[test]
fn flows_and_codes_know_the_same_bits_of_a_mask() {
    let codes = Codes::builtin().all().iter().filter(|code| code.component == Component::SecureFailure);
    let bits: BTreeMap<&str, u32> = codes.map(|code| (code.short_name(), code.number().unwrap())).collect();
    assert_eq!(bits, BTreeMap::from(cmgtrail::flows::requests::SECURE_FLAGS));
}
