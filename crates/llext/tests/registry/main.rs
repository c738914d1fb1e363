//! The registry as a specification: who uses an extension, who keeps it, what runs when, and what bad use gets.
//!
//! The sources are C, compiled here, and run.
#![cfg(all(feature = "std", target_os = "linux", target_arch = "x86_64"))]

mod arena;
mod calls;
mod calls_later;
#[path = "../common/mod.rs"]
mod common;
mod dependencies;
mod endings;
mod faults;
mod graphs;
mod groups;
mod instances;
#[cfg(feature = "reset")]
mod instantiate;
mod intruders;
mod kit;
mod lifecycle;
mod locks;
mod names;
mod needs;
mod needs_directory;
mod objects;
mod recursion;
mod steps;
mod storm;
mod surroundings;
mod uses;
mod visits;
mod waiting;
mod watched;
