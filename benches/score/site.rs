//! Random sites: how many clients for how long, which faults, how wrong the clocks.

use std::path::PathBuf;

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::simulate::{Fault, FaultKind, Noise, OutputFile, Plan, Scope, Share, faults};
use fastrand::Rng;

/// Faults that are no two faults: each gives the site an option that is the other's opposite, or hides the other.
const NOT_TOGETHER: [[&str; 2]; 7] = [
    ["crl-unreachable", "crl-check-restored-after-bootstrap"],
    ["crl-unreachable", "cmg-certificate-revoked"],
    ["crl-unreachable", "connector-chain-revocation-offline"],
    ["no-entra-user-signed-in", "device-token-not-enabled"],
    ["user-not-discovered", "device-token-not-enabled"],
    ["no-entra-user-signed-in", "user-not-discovered"],
    ["client-chain-incomplete-on-cmg", "client-revocation-misconfigured"],
];

/// The plan of a random site: one in five is healthy, two in five have a fault of the site, most one to three kinds of
/// faults of some clients.
pub fn plan(seed: u64) -> Plan {
    let mut random = Rng::with_seed(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let clients = random.usize(8..=30);
    let mut plan = Plan {
        clients,
        hours: random.f64().mul_add(5.0, 3.0),
        seed,
        skew_seconds: [0, 60, 300, 900][random.usize(..4)],
        retries: random.bool(),
        noise: if random.bool() { Noise::Bytes(1_000_000) } else { Noise::None },
        ..Plan::default()
    };
    if random.f64() < 0.2 {
        return plan;
    }
    let some = if random.f64() < 0.4 { draw(&mut plan, Scope::Site, Share::Usual, &mut random) } else { false };
    for _ in 0..random.usize(usize::from(!some)..=3) {
        let share = Share::Clients(random.usize(1..=2));
        draw(&mut plan, Scope::Client, share, &mut random);
    }
    plan
}

/// Adds a fault that goes with those that are there.
fn draw(plan: &mut Plan, scope: Scope, share: Share, random: &mut Rng) -> bool {
    let goes = |kind: &FaultKind| {
        plan.faults.iter().all(|there| {
            let pair = [there.kind.id, kind.id];
            let clash = |two: &[&str; 2]| pair == *two || pair == [two[1], two[0]];
            there.kind.id != kind.id && !NOT_TOGETHER.iter().any(clash)
        })
    };
    let kinds: Vec<&'static FaultKind> = faults().filter(|kind| kind.scope == scope && goes(kind)).collect();
    let Some(kind) = kinds.get(random.usize(..kinds.len().max(1))) else { return false };
    plan.faults.push(Fault { kind, share });
    true
}

/// Reads files as the engine reads a folder; `None` where no record is left.
pub fn read<'f>(files: impl Iterator<Item = &'f OutputFile>) -> Option<Trail> {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path: PathBuf = folder.path().join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.bytes).unwrap();
    }
    Trail::read(&[folder.path().to_owned()], ReadOptions::default(), &Silent).ok()
}
