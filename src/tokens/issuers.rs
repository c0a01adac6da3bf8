//! Who issues the tokens a CMG sees, as a table.
//!
//! Sources: Entra "Access token claims reference" and "Authentication in national clouds"; Configuration Manager
//! "Token-based authentication for CMG". Azure Government's v1.0 tokens carry the public cloud's issuer.

use std::borrow::Cow;

/// Version of an Entra token, which the resource asks for, not the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

impl Version {
    /// As the claim `ver` has it.
    pub const fn claim(self) -> &'static str {
        match self {
            Self::V1 => "1.0",
            Self::V2 => "2.0",
        }
    }

    /// The one it is not.
    pub const fn other(self) -> Self {
        match self {
            Self::V1 => Self::V2,
            Self::V2 => Self::V1,
        }
    }
}

/// One way in which an Entra cloud writes its issuer: `prefix`, the tenant's GUID, `suffix`.
struct Template {
    cloud: &'static str,
    version: Version,
    prefix: &'static str,
    suffix: &'static str,
}

impl Template {
    /// What stands in the tenant's place of an issuer written in this way.
    fn tenant<'i>(&self, issuer: &'i str) -> Option<&'i str> {
        issuer.strip_prefix(self.prefix)?.strip_suffix(self.suffix)
    }
}

const fn template(cloud: &'static str, version: Version, prefix: &'static str) -> Template {
    let suffix = match version {
        Version::V1 => "/",
        Version::V2 => "/v2.0",
    };
    Template { cloud, version, prefix, suffix }
}

/// Issuer of version 1.0 of two clouds, which such tokens do not tell apart.
const SHARED: &str = "https://sts.windows.net/";

const TEMPLATES: [Template; 9] = [
    template("public", Version::V1, SHARED),
    template("public", Version::V2, "https://login.microsoftonline.com/"),
    template("us-government", Version::V1, SHARED),
    template("us-government", Version::V2, "https://login.microsoftonline.us/"),
    template("china", Version::V1, "https://sts.chinacloudapi.cn/"),
    template("china", Version::V2, "https://login.partner.microsoftonline.cn/"),
    template("china", Version::V2, "https://login.chinacloudapi.cn/"),
    template("germany (closed 2021)", Version::V1, "https://sts.microsoftonline.de/"),
    template("germany (closed 2021)", Version::V2, "https://login.microsoftonline.de/"),
];

/// How a Configuration Manager site writes its issuer, a GUID after it.
const SITE_ISSUER: &str = "urn:sccm:oauth2:";

/// What a site's tokens have as audience.
pub(crate) const SITE_AUDIENCE: &str = "urn:sccm:service";

/// What an issuer's text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Issuer<'a> {
    Entra { cloud: &'static str, version: Version, tenant: &'a str },
    Site { hierarchy: &'a str },
}

/// Recognises an issuer written exactly as its issuer writes it.
pub(crate) fn recognise(issuer: &str) -> Option<Issuer<'_>> {
    let site = issuer.strip_prefix(SITE_ISSUER).filter(|rest| is_guid(rest));
    site.map(|hierarchy| Issuer::Site { hierarchy }).or_else(|| {
        TEMPLATES.iter().find_map(|template| {
            let tenant = template.tenant(issuer)?;
            let cloud = if template.prefix == SHARED { "public or us-government" } else { template.cloud };
            let known = Issuer::Entra { cloud, version: template.version, tenant };
            is_guid(tenant).then_some(known)
        })
    })
}

/// Says in which way an issuer that is not recognised differs from one that would be.
pub(crate) fn near_miss(issuer: &str) -> Option<&'static str> {
    let lower = issuer.trim().to_ascii_lowercase();
    if recognise(&format!("{issuer}/")).is_some() {
        Some("it lacks the slash at its end that a v1.0 issuer has")
    } else if issuer.strip_suffix('/').is_some_and(|cut| recognise(cut).is_some()) {
        Some("it has a slash too many at its end")
    } else if recognise(&lower).is_some() {
        Some("it differs in case or in white space around it")
    } else if lower.strip_prefix("http://").is_some_and(|rest| recognise(&format!("https://{rest}")).is_some()) {
        Some("it begins with http instead of https")
    } else if is_sign_in_address(issuer) {
        Some("where the tenant's GUID belongs it has a word for many tenants, or a domain: an address to sign in at")
    } else {
        None
    }
}

/// True for an issuer of Entra but for its tenant, which is no GUID: `common`, `organizations`, a domain. Clients sign
/// in at such addresses; no token names one as its issuer.
pub(crate) fn is_sign_in_address(issuer: &str) -> bool {
    let is_no_tenant = |tenant: &str| !tenant.is_empty() && !tenant.contains(['/', '{']) && !is_guid(tenant);
    TEMPLATES.iter().filter_map(|template| template.tenant(issuer)).any(is_no_tenant)
}

/// True where a signing key published for `key_issuer` may sign for `token_issuer`.
///
/// The published issuer is a template (`{tenantid}`) or one tenant's. It is always written in the v2.0 form, so a
/// v1.0 token's issuer is compared by cloud and tenant, as Microsoft's own validators do.
pub(crate) fn key_may_sign(key_issuer: &str, token_issuer: &str, tenant: Option<&str>) -> bool {
    let key_issuer = with_tenant(key_issuer, tenant);
    key_issuer.eq_ignore_ascii_case(token_issuer) || is_v2_form(&key_issuer, token_issuer)
}

/// Fills `{tenantid}` or `{tid}` in with a tenant that is one.
pub(crate) fn with_tenant<'i>(template: &'i str, tenant: Option<&str>) -> Cow<'i, str> {
    match tenant {
        Some(tenant) if template.contains('{') && is_guid(tenant) => {
            Cow::Owned(template.replace("{tenantid}", tenant).replace("{tid}", tenant))
        }
        _ => Cow::Borrowed(template),
    }
}

/// True where one is the v2.0 form of the other, which is of v1.0: the same tenant in the same cloud.
pub(crate) fn is_v2_form(v2: &str, v1: &str) -> bool {
    fn tenant<'i>(template: &Template, issuer: &'i str, version: Version) -> Option<&'i str> {
        template.tenant(issuer).filter(|_| template.version == version)
    }
    TEMPLATES.iter().filter_map(|template| Some((template.cloud, tenant(template, v1, Version::V1)?))).any(
        |(cloud, old)| {
            let mut same_cloud = TEMPLATES.iter().filter(|template| template.cloud == cloud);
            same_cloud
                .any(|template| tenant(template, v2, Version::V2).is_some_and(|new| new.eq_ignore_ascii_case(old)))
        },
    )
}

/// True for 8-4-4-4-12 hexadecimal digits.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

    #[test]
    fn recognises_each_cloud_and_version() {
        for (issuer, cloud, version) in [
            (format!("https://sts.windows.net/{TENANT}/"), "public or us-government", Version::V1),
            (format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "public", Version::V2),
            (format!("https://login.microsoftonline.us/{TENANT}/v2.0"), "us-government", Version::V2),
            (format!("https://sts.chinacloudapi.cn/{TENANT}/"), "china", Version::V1),
            (format!("https://login.partner.microsoftonline.cn/{TENANT}/v2.0"), "china", Version::V2),
        ] {
            assert_eq!(recognise(&issuer), Some(Issuer::Entra { cloud, version, tenant: TENANT }), "{issuer}");
        }
        let site = format!("urn:sccm:oauth2:{TENANT}");
        assert_eq!(recognise(&site), Some(Issuer::Site { hierarchy: TENANT }));
    }

    #[test]
    fn is_exact_and_explains_near_misses() {
        let v1 = format!("https://sts.windows.net/{TENANT}");
        assert_eq!(recognise(&v1), None);
        assert!(near_miss(&v1).is_some_and(|why| why.contains("lacks the slash")));
        assert!(near_miss(&format!("HTTPS://STS.windows.net/{TENANT}/")).is_some_and(|why| why.contains("case")));
        assert_eq!(recognise("https://sts.windows.net/common/"), None);
        assert!(near_miss("https://sts.windows.net/common/").is_some_and(|why| why.contains("sign in")));
        assert!(near_miss("https://login.microsoftonline.com/{tenantid}/v2.0").is_none(), "a template is no address");
        assert_eq!(recognise(&format!("https://evil.example/?https://sts.windows.net/{TENANT}/")), None);
    }

    #[test]
    fn binds_a_key_to_the_tenant_and_the_cloud() {
        let v1 = format!("https://sts.windows.net/{TENANT}/");
        let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
        assert!(key_may_sign(template, &v1, Some(TENANT)));
        assert!(key_may_sign(template, &format!("https://login.microsoftonline.com/{TENANT}/v2.0"), Some(TENANT)));
        let consumers = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
        assert!(!key_may_sign(consumers, &v1, Some(TENANT)));
        assert!(key_may_sign("https://login.microsoftonline.us/{tenantid}/v2.0", &v1, Some(TENANT)));
        assert!(!key_may_sign("{tenantid}", "anything", Some("anything")), "only a GUID is a tenant");
        let china = "https://login.partner.microsoftonline.cn/{tenantid}/v2.0";
        assert!(!key_may_sign(china, &v1, Some(TENANT)));
    }
}
