//! Where one message of a client ends and its next begins, when the line that says so is lost.

#![allow(clippy::unwrap_used)] // a test says by panicking what went wrong

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::stage::Outcome;

const GATEWAY: &str = "gw.adatum.example";
const PATH: &str = "CCM_Proxy_ServerAuth/72057594037927951/ccm_system_tokenauth/request";

/// A line of the client at a second after nine o'clock.
type Line = (u32, u32, String);

fn sends(second: u32, thread: u32, id: u8) -> [Line; 2] {
    let message = format!(
        "Sending remote sync message '{{0A9CE1F4-1D35-4D2A-9B60-0000000000{id:02X}}}' to host \
         '{GATEWAY}/CCM_Proxy_MutualAuth/72057594037927951' endpoint 'MP_PolicyManager'. Flags 0x200, sender account empty"
    );
    let request = format!(
        "SMS CCM 5.0: Host={GATEWAY}, Path=/{PATH}, Port=443, Protocol=https, CcmTokenAuth=1, Flags=0x1314, Options=0xe0"
    );
    [(second, thread, message), (second, thread, request)]
}

fn replied(second: u32, thread: u32, id: u8) -> Line {
    let message = format!(
        "Message '{{0A9CE1F4-1D35-4D2A-9B60-0000000000{id:02X}}}' got reply message \
         '{{5E0A0B61-77C5-4E0E-8B43-1F0AB1D0C0{id:02X}}}' to endpoint 'direct:MP_PolicyManager:reply'"
    );
    (second, thread, message)
}

fn timed_out(second: u32, thread: u32) -> Line {
    let error = format!(
        "[CCMHTTP] ERROR: URL=https://{GATEWAY}/{PATH}, Port=443, Options=224, Code=12002, Text=ERROR_WINHTTP_TIMEOUT"
    );
    (second, thread, error)
}

/// How the flows of such a client ended, in order of their start.
fn outcomes(lines: &[Line]) -> Vec<Outcome> {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("client-LT-204");
    std::fs::create_dir(&target).unwrap();
    let mut text = String::new();
    for (second, thread, message) in lines {
        let (minute, second) = (second / 60, second % 60);
        let line = format!(
            "<![LOG[{message}]LOG]!><time=\"09:{minute:02}:{second:02}.000+000\" date=\"11-24-2026\" \
             component=\"CcmMessaging\" context=\"\" type=\"1\" thread=\"{thread}\" file=\"ccmhttp.cpp:1\">\r\n"
        );
        text += &line;
    }
    std::fs::write(target.join("CcmMessaging.log"), text).unwrap();
    let trail = Trail::read(&[folder.path().to_owned()], ReadOptions::default(), &Silent).unwrap();
    trail.flows.iter().map(|flow| flow.outcome).collect()
}

#[test]
fn a_message_whose_reply_is_lost_ends_before_the_next_that_comes_later_than_it_can() {
    let lost = [&sends(0, 11, 1)[..], &sends(45, 12, 2), &[replied(46, 12, 2)]].concat();
    assert_eq!(outcomes(&lost), [Outcome::Completed, Outcome::Completed]);
}

#[test]
fn a_message_that_is_still_under_way_is_of_the_same_flow_as_the_next() {
    let soon = [&sends(0, 11, 1)[..], &sends(5, 12, 2), &[replied(6, 12, 2), replied(8, 11, 1)]].concat();
    assert_eq!(outcomes(&soon), [Outcome::Completed]);
}

#[test]
fn a_message_that_times_out_late_has_not_completed_before() {
    let late = [&sends(0, 11, 1)[..], &sends(45, 12, 2), &[timed_out(60, 11)]].concat();
    assert!(!outcomes(&late).contains(&Outcome::Completed));
}

#[test]
fn where_answers_are_known_to_come_soon_no_message_is_waited_for_longer() {
    let mut lines: Vec<Line> = Vec::new();
    for number in 0..120 {
        lines.extend(sends(10 * u32::from(number), 100 + u32::from(number), number));
        lines.push(replied(10 * u32::from(number) + 2, 100 + u32::from(number), number));
    }
    let lost = [&sends(1200, 501, 130)[..], &sends(1215, 502, 131), &[replied(1216, 502, 131)]].concat();
    lines.extend(lost);
    assert_eq!(outcomes(&lines).len(), 122);
}
