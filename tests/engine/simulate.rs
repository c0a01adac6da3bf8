//! The simulator: what it writes is what it says it wrote, and what the engine makes of it.

use std::collections::BTreeMap;

use cmgtrail::simulate::{Fault, Plan, Simulated, in_memory};

fn plan(seed: u64, faults: &[&str]) -> Plan {
    let faults = faults.iter().map(|fault| Fault::parse(fault).unwrap()).collect();
    Plan { clients: 6, hours: 4.0, seed, faults, ..Plan::default() }
}

fn files(simulated: &Simulated) -> BTreeMap<&str, &[u8]> {
    simulated.files.iter().map(|file| (file.path.as_str(), file.bytes.as_slice())).collect()
}

#[test]
fn the_same_plan_gives_the_same_bytes_and_another_seed_others() {
    let (one, two, other) = (in_memory(&plan(1, &[])), in_memory(&plan(1, &[])), in_memory(&plan(2, &[])));
    let (one, two, other) = (one.unwrap(), two.unwrap(), other.unwrap());
    assert_eq!(files(&one), files(&two));
    let json = |simulated: &Simulated| serde_json::to_string(&simulated.truth).unwrap();
    assert_eq!(json(&one), json(&two));
    assert_ne!(files(&one), files(&other));
}

#[test]
fn write_one_out() {
    let Ok(out) = std::env::var("CMGTRAIL_SIMULATE_OUT") else { return };
    let faults = std::env::var("CMGTRAIL_SIMULATE_FAULTS").unwrap_or_default();
    let faults: Vec<&str> = faults.split(',').filter(|fault| !fault.is_empty()).collect();
    let seed = std::env::var("CMGTRAIL_SIMULATE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let summary = in_memory(&plan(seed, &faults)).unwrap().write(std::path::Path::new(&out)).unwrap();
    println!("{summary:?}");
}
