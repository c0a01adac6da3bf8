//! Follows Configuration Manager clients through a Cloud Management Gateway (CMG).
//!
//! The engine reads the logs of clients, gateway, connection point and management point, follows each
//! authentication from machine to machine, and says where it stopped, why, and what to do, with the lines that
//! prove it.
//!
//! A [`record::Record`] is one log record as read. [`knowledge::Knowledge`] turns records into
//! [`events::Event`]s; [`flows`] lays the events of one client's purpose side by side; [`diagnosis`] turns a flow
//! that broke into a [`finding::Finding`]. [`engine::Trail`] holds them all.
//!
//! The engine reads no clock, no network and no configuration file: time, keys, trust anchors and knowledge come in
//! as arguments. A broken line is data, never an error; [`error::Error`] is for what stops the work.

pub mod error;
pub mod finding;
pub mod record;
pub mod report;
pub mod stage;
pub mod time;

pub mod input;

pub mod columns;
pub mod formats;
pub mod knowledge;
pub mod site;

pub mod certs;
pub mod tokens;

pub mod events;

pub mod flows;

pub mod artefacts;

pub mod workflow;

pub mod diagnosis;

pub mod preflight;

pub mod engine;

pub mod tables;

#[cfg(feature = "simulate")]
pub mod simulate;

#[cfg(feature = "python")]
mod python;
