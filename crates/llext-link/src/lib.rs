//! The pure half of llext.
#![no_std]
#![forbid(unsafe_code)]
