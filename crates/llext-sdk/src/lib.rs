//! What an extension written in Rust builds against.
#![no_std]
