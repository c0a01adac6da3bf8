//! What cannot be true together across the tables of a site description.

use super::Site;
use super::Tenant;
use super::client::Client;
use super::entry::Reader;
use super::servers::{ManagementPoint, PublishedList};

type Placed<T> = Vec<(usize, T)>;

/// The lists of a description, each entry with the byte at which it begins.
pub(super) struct Lists {
    pub tenants: Option<Placed<Tenant>>,
    pub points: Placed<ManagementPoint>,
    pub crls: Placed<PublishedList>,
    pub clients: Placed<Client>,
}

/// Notes names that stand twice, and roles of management points that there are not.
pub(super) fn check(site: &Site, lists: &Lists, roles_at: &[(String, usize)], reader: &mut Reader<'_, '_>) {
    let Lists { tenants, points, crls, clients } = lists;
    if let Some(tenants) = tenants {
        unique("tenant", tenants, |tenant| &tenant.id, reader);
    }
    unique("management_point", points, |point| &point.name, reader);
    unique("crl", crls, |list| &list.url, reader);
    unique("client", clients, |client| &client.name, reader);
    let place = |name: &str| roles_at.iter().find(|(role, _)| role == name).map_or(0, |(_, at)| *at);
    let mut seen: Vec<(u64, &str)> = Vec::new();
    for (name, id) in &site.cmg.roles {
        if points.iter().all(|(_, point)| !point.name.eq_ignore_ascii_case(name)) {
            let sentence =
                format!("cmg, roles: '{name}' has role id {id}, but there is no [[management_point]] of that name");
            reader.mistakes.add(place(name), &sentence);
        }
        match seen.iter().find(|(other, _)| other == id) {
            Some((_, other)) => {
                let sentence = format!("cmg, roles: '{name}' and '{other}' have the same role id {id}");
                reader.mistakes.add(place(name), &sentence);
            }
            None => seen.push((*id, name)),
        }
    }
}

/// Every name stands once, without regard to case.
fn unique<T>(kind: &str, entries: &Placed<T>, name: impl Fn(&T) -> &str, reader: &mut Reader<'_, '_>) {
    let mut seen = std::collections::BTreeSet::new();
    for (at, entry) in entries {
        if !seen.insert(name(entry).to_ascii_lowercase()) {
            reader.mistakes.add(*at, &format!("{kind}: there is another one named '{}'", name(entry)));
        }
    }
}
