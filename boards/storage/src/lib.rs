//! Extensions on file systems: what a firmware needs between llext and the crates that read them.
#![no_std]

pub mod fat;
pub mod littlefs;
pub mod strings;
