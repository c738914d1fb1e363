//! `llext new NAME`: a project that builds and runs as it is.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::{Language, New};
use crate::error::Error;
use crate::terminal::Terminal;

const MANIFEST: &str = include_str!("../templates/rust/manifest.toml");
const RUST: &str = include_str!("../templates/rust/lib.rs");
const C: &str = include_str!("../templates/c/extension.c");
const IGNORE: &str = include_str!("../templates/gitignore");

/// Where the SDK lies when this tool was built from a checkout; beside an installed tool there is nothing.
const SDK_OF_CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../llext-sdk");

/// The files that were made.
#[derive(Serialize)]
pub(crate) struct Made {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

pub(crate) fn run(arguments: &New, terminal: &Terminal) -> Result<Made, Error> {
    let folder = &arguments.path;
    let name = checked_name(folder)?;
    if folder.exists() {
        return Err(Error::AlreadyThere { path: folder.display().to_string() });
    }
    let files = match arguments.lang {
        Language::Rust => rust_files(&name, folder, arguments.sdk.as_deref())?,
        Language::C => vec![(format!("src/{name}.c"), C.to_owned())],
    };
    let mut made = Made { folder: folder.clone(), files: Vec::new() };
    for (file, text) in files.into_iter().chain([(".gitignore".to_owned(), IGNORE.to_owned())]) {
        let path = folder.join(&file);
        write(&path, &text)?;
        made.files.push(file.into());
    }
    terminal.status(
        "Created",
        format_args!("extension `{name}`; try `llext run {} --call add 1 2`", folder.display()),
    );
    Ok(made)
}

/// The last part of the path, when it can name a crate.
fn checked_name(folder: &Path) -> Result<String, Error> {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let bad = |reason| Err(Error::BadName { name: name.clone(), reason });
    match name.chars().next() {
        None => return bad("it is empty"),
        Some(first) if !first.is_ascii_alphabetic() => return bad("it does not begin with a letter"),
        Some(_) => {}
    }
    if let Some(odd) = name.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_')) {
        return bad(if odd.is_ascii() {
            "it holds something else than letters, digits, - and _"
        } else {
            "it is not ASCII"
        });
    }
    match name.as_str() {
        "test" | "core" | "std" | "alloc" | "proc_macro" => bad("rustc has a crate of that name"),
        _ => Ok(name),
    }
}

fn rust_files(name: &str, folder: &Path, sdk: Option<&Path>) -> Result<Vec<(String, String)>, Error> {
    let manifest = MANIFEST
        .replace("{name}", name)
        .replace("{sdk}", &sdk_dependency(sdk)?)
        .replace("{workspace}", if is_in_workspace(folder) { "\n[workspace]" } else { "" });
    let manifest = format!("{}\n", manifest.trim_end());
    Ok(vec![("Cargo.toml".to_owned(), manifest), ("src/lib.rs".to_owned(), RUST.to_owned())])
}

/// The SDK that was named, the checkout's, or the published one of this version.
fn sdk_dependency(named: Option<&Path>) -> Result<String, Error> {
    let is_crate = |path: &Path| path.join("Cargo.toml").is_file();
    let path = match named {
        Some(path) if !is_crate(path) => return Err(Error::NoSdk { path: path.display().to_string() }),
        Some(path) => path,
        None if is_crate(Path::new(SDK_OF_CHECKOUT)) => Path::new(SDK_OF_CHECKOUT),
        None => return Ok(format!("\"{}\"", env!("CARGO_PKG_VERSION"))),
    };
    let whole = path.canonicalize().map_err(Error::unreadable(path))?;
    // A JSON string is a TOML string too.
    Ok(format!("{{ path = {} }}", serde_json::Value::from(whole.display().to_string())))
}

/// Whether a crate around the new one would claim it: then it must be a workspace of its own.
fn is_in_workspace(folder: &Path) -> bool {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    whole.ancestors().skip(1).any(|ancestor| ancestor.join("Cargo.toml").is_file())
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::unwritable(folder))?;
    }
    std::fs::write(path, text).map_err(Error::unwritable(path))
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.iter().try_for_each(|file| writeln!(f, "{}", self.folder.join(file).display()))
    }
}
