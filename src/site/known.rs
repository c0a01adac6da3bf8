//! Devices and users that the site's database knows: inline, or in a CSV or Parquet file.

use serde::{Deserialize, Serialize};

use super::entry::{Entry, as_guid};

/// A device of the site's database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Entra device id, lower case.
    pub id: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A user of the site's database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Entra user id, lower case.
    pub id: String,
    /// The user's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// SID on premises, of a user who is in a domain too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

/// What the site's database knows. `None`: not told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Known {
    /// Devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices: Option<Vec<Device>>,
    /// Users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<User>>,
}

impl Known {
    /// True where devices are told and this one is not among them.
    pub fn lacks_device(&self, id: &str) -> bool {
        self.devices.as_ref().is_some_and(|devices| devices.iter().all(|device| device.id != id))
    }

    /// The user of this id, where users are told.
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.as_ref()?.iter().find(|user| user.id == id)
    }

    pub(super) fn read(mut entry: Entry<'_, '_, '_>) -> Self {
        let devices = rows(&mut entry, "devices", |row| Device { id: row.id, name: row.name });
        let users = rows(&mut entry, "users", |row| User { id: row.id, name: row.name, sid: row.sid });
        entry.close();
        Self { devices, users }
    }
}

/// One row of either kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    sid: Option<String>,
}

/// A list of ids, a list of tables, or the path of a file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Path(String),
    Ids(Vec<String>),
    Rows(Vec<Row>),
}

fn rows<T>(entry: &mut Entry<'_, '_, '_>, key: &'static str, made: fn(Row) -> T) -> Option<Vec<T>> {
    /// More of the same kind in one list tell nothing more.
    const TOLD: usize = 5;
    let expected = "a list of ids, a list such as [{ id = \"…\", name = \"…\" }], or the path of a CSV or Parquet file";
    let told: Told = entry.value(key, expected)?;
    let rows = match told {
        Told::Ids(ids) => ids.into_iter().map(|id| Row { id, name: None, sid: None }).collect(),
        Told::Rows(rows) => rows,
        Told::Path(path) => of_file(entry, key, &path)?,
    };
    let mut made_rows = Vec::with_capacity(rows.len());
    let mut wrong = 0;
    for (at, row) in rows.into_iter().enumerate() {
        if let Some(id) = as_guid(&row.id) {
            made_rows.push(made(Row { id, ..row }));
            continue;
        }
        wrong += 1;
        if wrong <= TOLD {
            let sentence = format!("{key}: the id of entry {} is no GUID: '{}'", at + 1, row.id.escape_debug());
            entry.mistake(key, &sentence);
        }
    }
    if wrong > TOLD {
        entry.mistake(key, &format!("{key}: {} more ids are no GUIDs", wrong - TOLD));
    }
    Some(made_rows)
}

fn of_file(entry: &mut Entry<'_, '_, '_>, key: &'static str, path: &str) -> Option<Vec<Row>> {
    let is_parquet = path.rsplit_once('.').is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("parquet"));
    let text = if is_parquet {
        let full = entry.reader.folder.join(path);
        (entry.reader.parquet)(&full).map_err(|why| entry.mistake(key, &format!("{key}: '{path}': {why}"))).ok()?
    } else {
        entry.read_file(key, path)?.text()
    };
    of_csv(&text).map_err(|why| entry.mistake(key, &format!("{key}: '{path}': {why}"))).ok()
}

/// The rows of a CSV file with a header that has `id`, and may have `name` and `sid`. Other columns are passed over.
fn of_csv(text: &str) -> Result<Vec<Row>, String> {
    let text = text.trim_start_matches('\u{feff}');
    let header = text.lines().next().unwrap_or_default().as_bytes();
    let delimiter = [b';', b'\t'].into_iter().find(|delimiter| header.contains(delimiter)).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| error.to_string())?.clone();
    let column = |name: &str| headers.iter().position(|header| header.eq_ignore_ascii_case(name));
    let found = || {
        let names: Vec<String> = headers.iter().map(|header| format!("'{}'", header.escape_debug())).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    };
    let id = column("id").ok_or_else(|| format!("expected a header with a column 'id', found {}", found()))?;
    let (name, sid) = (column("name"), column("sid"));
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let cell = |at: usize| record.get(at).filter(|cell| !cell.is_empty()).map(str::to_owned);
        if let Some(id) = cell(id) {
            rows.push(Row { id, name: name.and_then(cell), sid: sid.and_then(cell) });
        }
    }
    Ok(rows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that cannot go on fails
mod tests {
    use super::of_csv;

    #[test]
    fn a_spreadsheet_of_any_delimiter_is_read() {
        for text in [
            "Name,ID,SID\r\nmeg,c0ffee00-1111-4222-8333-444455556666,S-1-5-21-1\r\n",
            "Name\tID\tSID\r\nmeg\tc0ffee00-1111-4222-8333-444455556666\tS-1-5-21-1\r\n",
            "\u{feff}Name;ID;SID\nmeg; c0ffee00-1111-4222-8333-444455556666 ;S-1-5-21-1\n",
        ] {
            let rows = of_csv(text).unwrap();
            assert_eq!(rows.len(), 1);
            assert_eq!(rows[0].id, "c0ffee00-1111-4222-8333-444455556666");
            assert_eq!(rows[0].sid.as_deref(), Some("S-1-5-21-1"));
        }
        assert!(of_csv("device\nx\n").err().unwrap().contains("'id'"));
    }
}
