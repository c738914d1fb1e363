//! `cargo xtask capi [TARGET]`: libllext.a, the API of LLEXT in C; and its suite, a program in C against it.

mod extensions;
mod frames;
pub(crate) mod package;
mod rows;
mod suite;

use std::fs;
use std::path::PathBuf;

use crate::error::{Result, bail};
use crate::process::run;
use crate::project;
use crate::setup::bare::{self, Compiler};

pub(crate) use rows::SUITES;

/// What the library is built for in the tests, besides the suites' targets. The phase `bare-targets` checks all others.
pub(crate) const TARGETS: [&str; 1] = ["thumbv7m-none-eabi"];

/// A way to build the library.
#[derive(Clone, Copy)]
pub(crate) struct Build {
    profile: &'static str,
    features: &'static str,
    /// Whether files may be LZ4 frames.
    lz4: bool,
}

impl Build {
    /// For firmware, and for a program that gives a heap.
    pub(crate) const BARE: Self =
        Self { profile: "capi", features: "panic-handler,slid,shared,messages", lz4: false };
    /// The same, and the log hears numbers instead of messages.
    pub(crate) const TERSE: Self = Self { features: "panic-handler,slid,shared", ..Self::BARE };
    /// With the standard library: it has files, and memory of the process's. Its own objects are not optimised with ours.
    pub(crate) const HOSTED: Self =
        Self { profile: "release", features: "std,slid,shared,messages", lz4: false };
    /// The same with all that is checked at run time.
    const CHECKED: Self = Self { profile: "dev", ..Self::HOSTED };

    /// The same with files that are LZ4 frames.
    pub(crate) const fn with_lz4(self) -> Self {
        Self { lz4: true, ..self }
    }

    fn is_hosted(self) -> bool {
        self.features == Self::HOSTED.features
    }

    fn folder(self) -> &'static str {
        if self.profile == "dev" { "debug" } else { self.profile }
    }
}

/// Builds the library, and says where it lies.
pub(crate) fn library(target: &str, build: Build) -> Result<PathBuf> {
    let Some(compiler) = Compiler::find(target) else { bail!("there is no Rust for {target}") };
    let mut cargo = compiler.cargo()?;
    cargo.args(["rustc", "--package=llext-capi", "--crate-type=staticlib", "--target", target]);
    cargo.args(["--profile", build.profile, "--no-default-features", "--features", build.features]);
    if build.lz4 {
        cargo.args(["--features", "lz4"]);
    }
    run(&mut cargo)?;
    let made = bare::folder().join(target).join(build.folder()).join("libllext_capi.a");
    let folder = project::target().join("capi").join(target).join(build.folder());
    fs::create_dir_all(&folder)?;
    fs::copy(made, folder.join("libllext.a"))?;
    Ok(folder.join("libllext.a"))
}

/// Lays the library down for one target.
pub(crate) fn lay_down(target: &str, build: Build) -> Result<()> {
    println!("{}", library(target, build)?.display());
    Ok(())
}
