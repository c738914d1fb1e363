//! The tool from the outside: each command, each refusal, its output for people and for programs, its exit status.

mod build;
mod check;
mod cli;
mod cmake;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod discarded;
#[cfg(target_os = "linux")]
mod fault;
mod fixture;
mod inspect;
mod krate;
mod link;
mod needs;
mod new;
#[cfg(target_os = "linux")]
mod prompt;
mod readme;
mod repl;
mod run;
mod several;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod slid;
mod support;
