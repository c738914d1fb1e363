use llext_macros::export;

#[export]
fn no_abi() {}

#[export]
extern "C-unwind" fn other_abi() {}

#[export]
extern "C" fn generic<T>(_: *const T) {}

#[export]
extern "C" fn generic_length<const N: usize>(_: &[u8; N]) {}

#[export]
extern "C" fn generic_argument(_: impl Copy) {}

struct Board;

impl Board {
    #[export]
    extern "C" fn method(&self) {}
}

#[export]
async extern "C" fn later() {}

#[export]
struct NotAnItem;

#[export(alias = "a")]
extern "C" fn unknown_option() {}

#[export(name = "")]
extern "C" fn no_name() {}

#[export(name = "a\0b")]
extern "C" fn nul_in_name() {}

fn main() {}
