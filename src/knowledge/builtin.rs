//! The knowledge files that ship with the crate.

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("builtin/", $name)))),*]
    };
}

/// Name and text of each file, in the order in which they are read.
pub(crate) const FILES: [(&str, &str); 34] = files![
    "endpoints.toml",
    "messages/client-install.toml",
    "messages/client-http.toml",
    "messages/client-token.toml",
    "messages/client-location.toml",
    "messages/client-registration.toml",
    "messages/cmg.toml",
    "messages/connection-point.toml",
    "messages/management-point.toml",
    "messages/site.toml",
    "messages/iis.toml",
    "failures/a-certificate-and-tls.toml",
    "failures/b-reaching-the-cmg.toml",
    "failures/c-entra-token.toml",
    "failures/d-refused-by-the-cmg.toml",
    "failures/e-channel-to-the-cmg.toml",
    "failures/f-connection-point-and-mp.toml",
    "failures/g-token-service-and-identity.toml",
    "failures/h-registration.toml",
    "failures/i-content-and-location.toml",
    "codes/aadsts.toml",
    "codes/ccm.toml",
    "codes/cert-trust.toml",
    "codes/crypt.toml",
    "codes/hresult.toml",
    "codes/idx.toml",
    "codes/iis.toml",
    "codes/mise.toml",
    "codes/ntstatus.toml",
    "codes/secure-failure.toml",
    "codes/sspi.toml",
    "codes/win32.toml",
    "codes/winhttp.toml",
    "codes/wininet.toml",
];
