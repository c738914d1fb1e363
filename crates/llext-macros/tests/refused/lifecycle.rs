use llext_macros::{fini, init};

#[init(early)]
fn option() {}

#[init]
fn parameter(_: u32) {}

#[init]
fn generic<T>() {}

#[init]
async fn later() {}

#[init]
unsafe fn dangerous() {}

#[fini]
fn result() -> i32 {
    0
}

#[fini]
static NOT_A_FUNCTION: u8 = 0;

fn main() {}
