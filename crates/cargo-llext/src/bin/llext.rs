//! `llext`: the same tool under its short name.

fn main() -> std::process::ExitCode {
    cargo_llext::main()
}
