//! From sources to the file of one case.

use std::path::{Path, PathBuf};

use super::case::{Case, How, Kind};
use super::source::Source;
use super::tools::run;
use crate::error::{Result, bail};
use crate::project;

/// Makes the case's file in `folder`.
pub(super) fn build(case: &Case, folder: &Path) -> Result<PathBuf> {
    let mut objects = Vec::new();
    for (index, source) in case.sources.iter().enumerate() {
        let object = format!("{index}.o");
        compile(case, source, &object, folder)?;
        objects.push(object);
    }
    let (linker, options): (&[&str], &[&str]) = match &case.kind {
        Kind::Object => return Ok(folder.join("0.o")),
        Kind::Partial(linker) => (linker, &["-r"]),
        Kind::Shared(linker) => (linker, SHARED),
    };
    let words = options.iter().map(|word| (*word).to_owned()).chain(objects);
    let words: Vec<String> = words.chain(["-o".to_owned(), "made".to_owned()]).collect();
    run(linker, &words, folder)?;
    Ok(folder.join("made"))
}

const SHARED: &[&str] = &["-shared", "-z", "max-page-size=4096", "--hash-style=both"];

fn compile(case: &Case, source: &Source, object: &str, folder: &Path) -> Result<()> {
    let (path, own) = source.file(folder)?;
    let (program, flags): (&[&str], &[&str]) = match &case.how {
        How::C { compiler, model } => (compiler.program, model.flags),
        How::Rust { target, model } => return rustc(&path, target, model, case.level, object, folder),
    };
    let mut words: Vec<String> = ["-w", "-ffreestanding", "-c"].map(str::to_owned).to_vec();
    words.push(format!("-{}", case.level));
    words.push(format!("-I{}", project::root().join("include").display()));
    if let Kind::Shared(_) = case.kind {
        words.push("-DSHARED".to_owned());
    }
    words.extend(flags.iter().map(|flag| (*flag).to_owned()).chain(own));
    let Some(path) = path.to_str() else { bail!("{} is not UTF-8", path.display()) };
    words.extend([path.to_owned(), "-o".to_owned(), object.to_owned()]);
    run(program, &words, folder)
}

fn rustc(path: &Path, target: &str, model: &str, level: &str, object: &str, folder: &Path) -> Result<()> {
    let Some(path) = path.to_str() else { bail!("{} is not UTF-8", path.display()) };
    let level = level.trim_start_matches('O');
    let words = [
        "--edition=2024",
        "--crate-type=lib",
        "--emit=obj",
        "-Cpanic=abort",
        "-Ccodegen-units=1",
        "--target",
        target,
        &format!("-Crelocation-model={model}"),
        &format!("-Copt-level={level}"),
        path,
        "-o",
        object,
    ];
    run(&["rustc"], &words.map(str::to_owned), folder)
}
