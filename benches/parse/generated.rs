//! Logs like a busy client's: about 210 bytes a record, some of many lines.

use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::path::Path;

/// Messages and their shares.
pub type Messages = &'static [(u32, &'static str)];

/// Chatter of a client that has nothing to do with authentication, and a hundredth that has.
pub const CHATTER: Messages = &[
    (
        30,
        "Scan of catalogue entry {11111111-2222-3333-4444-55555555NNNN} took 15 ms, 0 of 12 rules were due, the next one is in 3600 seconds",
    ),
    (
        25,
        "CStateMsgManager: message with TopicType NNNN and TopicId {11111111-2222-3333-4444-55555555NNNN} was written to WMI",
    ),
    (
        20,
        "Inventory: Query = SELECT __CLASS, __PATH, __RELPATH, Name, Version FROM Win32Reg_AddRemovePrograms NNNN; Timeout = 600 secs.",
    ),
    (
        16,
        "Update (Site_{AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEENNNN}/SUM_{11111111-2222-3333-4444-55555555NNNN}) Progress: Status = ciStateInstalled, PercentComplete = 0, Result = 0x0",
    ),
    (
        8,
        "instance of CCM_Scheduler_History\n{\n\tActivationMessageSent = TRUE;\n\tFirstEvalTime = \"\";\n\tScheduleID = \"{00000000-0000-0000-0000-00000000NNNN}\";\n\tUserSID = \"Machine\";\n};\n",
    ),
    (
        1,
        "[CCMHTTP] ERROR: URL=https://mp.contoso.com/ccm_system/request, Port=443, Options=31, Code=12007, Text=ERROR_WINHTTP_NAME_NOT_RESOLVED",
    ),
];

/// A busy `CcmMessaging.log`: messages and how often each stands, of a hundred. They prove speed, not knowledge.
pub const MESSAGING: Messages = &[
    (
        24,
        "Sending remote sync message '{11111111-2222-3333-4444-55555555NNNN}' to host 'mp.contoso.com' endpoint 'MP_LocationManager'. Flags 0x204, sender account S-1-5-18",
    ),
    (22, "Supplied sender token is null. Using GetUserTokenFromSid to find sender's token."),
    (
        18,
        "OutgoingMessage(Queue='mp_[http]mp_policymanager', ID={AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEENNNN}): Delivered successfully to host 'mp.contoso.com'.",
    ),
    (14, "CCM_STATE_MESSAGE handler: nothing to do for NNNN"),
    (
        12,
        "Message '{11111111-2222-3333-4444-55555555NNNN}' got reply message '{99999999-2222-3333-4444-55555555NNNN}' to endpoint 'LS_ReplyLocations'",
    ),
    (
        8,
        "Raising event:\n\ninstance of CCM_CcmHttp_Status\n{\n\tClientID = \"GUID:E3870B32-AED3-43EC-BF35-F4C55EEENNNN\";\n\tHostName = \"mp.contoso.com\";\n\tHRESULT = \"0x00000000\";\n\tProcessID = 1860;\n\tStatusCode = 0;\n\tThreadID = 2576;\n};\n",
    ),
    (
        1,
        "[CCMHTTP] ERROR: URL=https://mp.contoso.com/ccm_system/request, Port=443, Options=31, Code=12007, Text=ERROR_WINHTTP_NAME_NOT_RESOLVED",
    ),
    (1, "Policy body of NNNN compiled"),
];

const FILES: &[&str] = &["messagequeueproc_outgoing.cpp:171", "event.cpp:706", "ccmhttpget.cpp:1801", "util.cpp:2212"];

/// Writes about `bytes` bytes of log, the same at every run.
pub fn write(path: &Path, bytes: u64, messages: Messages) -> Result<()> {
    if path.metadata().is_ok_and(|about| about.len() >= bytes) {
        return Ok(());
    }
    let mut out = BufWriter::new(File::create(path)?);
    let (mut seed, mut written, mut clock) = (42_u64, 0, 0_u64);
    while written < bytes {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        clock += seed >> 54;
        let record = record(messages, seed >> 33, clock);
        written += record.len() as u64;
        out.write_all(record.as_bytes())?;
    }
    out.flush()
}

fn record(messages: Messages, random: u64, clock: u64) -> String {
    let mut share = (random % 100) as u32;
    let chosen = messages.iter().find(|(weight, _)| {
        let hit = share < *weight;
        share = share.saturating_sub(*weight);
        hit
    });
    let message = chosen.map_or(messages[0].1, |(_, text)| text).replace("NNNN", &format!("{:04X}", random % 65_536));
    let (day, rest) = (clock / 86_400_000 % 28 + 1, clock % 86_400_000);
    format!(
        "<![LOG[{message}]LOG]!><time=\"{:02}:{:02}:{:02}.{:03}+300\" date=\"10-{day:02}-2026\" component=\"CcmMessaging\" context=\"\" type=\"1\" thread=\"{}\" file=\"{}\">\r\n",
        rest / 3_600_000,
        rest / 60_000 % 60,
        rest / 1000 % 60,
        rest % 1000,
        1000 + random % 40 * 4,
        FILES[(random % 4) as usize],
    )
}
