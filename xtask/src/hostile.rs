//! `cargo xtask hostile`: hostile files and failing surroundings, for every architecture that the linker knows.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::error::Result;
use crate::process::{find, output, run};
use crate::project;
use crate::setup::missing_linker;

/// One build of the program.
pub(crate) struct Build {
    /// The architecture whose files it makes and links.
    pub(crate) arch: &'static str,
    /// The machine it runs on: one with words of the same size.
    target: &'static str,
    /// Whether what it loads can run there.
    runs: bool,
    /// What makes its extensions.
    tools: &'static [&'static str],
}

pub(crate) const BUILDS: &[Build] = &[
    Build { arch: "x86_64", target: "x86_64-unknown-linux-gnu", runs: true, tools: &["gcc"] },
    Build {
        arch: "aarch64",
        target: "x86_64-unknown-linux-gnu",
        runs: false,
        tools: &["aarch64-linux-gnu-gcc"],
    },
    Build { arch: "arm", target: "i686-unknown-linux-gnu", runs: false, tools: &["arm-none-eabi-gcc"] },
    Build {
        arch: "riscv",
        target: "i686-unknown-linux-gnu",
        runs: false,
        tools: &["riscv64-unknown-elf-gcc", "riscv64-linux-gnu-ld"],
    },
];

/// Each branch that is taken adds one to a count: so work is counted, not timed.
const COUNTING: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
                        -Cllvm-args=-sanitizer-coverage-trace-pc-guard";

/// All builds, one after the other; `arguments` go to each. Whether none failed.
pub(crate) fn all(arguments: &[OsString]) -> bool {
    let mut held = true;
    for build in BUILDS {
        if let Some(missing) = build.missing() {
            println!("left out: {}: {missing}", build.arch);
        } else if let Err(error) = build.run(arguments) {
            println!("failed: {}: {error}", build.arch);
            held = false;
        }
    }
    held
}

impl Build {
    /// What is not there to make and run it.
    pub(crate) fn missing(&self) -> Option<String> {
        if (std::env::consts::ARCH, std::env::consts::OS) != ("x86_64", "linux") {
            return Some("this takes Linux on x86-64".to_owned());
        }
        if let Some(missing) = self.tools.iter().find(|tool| find(tool).is_none()) {
            return Some(format!("{missing} is missing"));
        }
        let libdir =
            output(Command::new("rustc").args(["--print", "target-libdir", "--target", self.target]));
        if !libdir.is_ok_and(|folder| std::path::Path::new(&folder).is_dir()) {
            return Some(format!("there is no Rust for {}", self.target));
        }
        missing_linker(self.target)
    }

    /// Builds it and runs it.
    pub(crate) fn run(&self, arguments: &[OsString]) -> Result<()> {
        let mut cargo = self.cargo_run();
        cargo.arg("--").args(arguments).arg("--folder").arg(folder().join("files"));
        run(cargo.arg("--extensions").arg(project::target().join("extensions")))
    }

    /// With counting, debug assertions and overflow checks.
    fn cargo_run(&self) -> Command {
        let mut flags = COUNTING.to_owned();
        if !self.runs {
            flags += &format!(" --cfg=llext_arch --cfg=llext_arch=\"{}\"", self.arch);
        }
        let mut cargo = project::cargo();
        // One folder: macros, and what builds them, have no such flags and are built once.
        cargo.env("RUSTFLAGS", flags).env("CARGO_TARGET_DIR", folder().join("build"));
        cargo.args([
            "run",
            "--quiet",
            "--package=llext-hostile",
            "--profile=hostile",
            "--target",
            self.target,
        ]);
        cargo
    }
}

fn folder() -> PathBuf {
    project::target().join("hostile")
}
