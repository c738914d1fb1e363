//! Loads native code at run time.
#![no_std]
