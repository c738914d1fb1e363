//! The host tool of llext.
fn main() {}
