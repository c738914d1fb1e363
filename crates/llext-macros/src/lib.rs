//! The attribute macros of llext and llext-sdk.
