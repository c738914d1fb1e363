//! `cargo llext`: the host tool of llext as a cargo subcommand.

fn main() -> std::process::ExitCode {
    cargo_llext::main()
}
