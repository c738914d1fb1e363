//! Keeps the process and its pools together at low addresses, as a board's are.

fn main() {
    println!("cargo::rustc-link-arg-bins=-no-pie");
}
