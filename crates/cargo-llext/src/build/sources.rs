//! C, C++ and assembly sources, compiled by the system's compiler; objects and archives are taken as they are.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::objects::{self, Object};
use super::parallel;
use super::project::How;
use super::settings::Settings;
use crate::cli::BuildOptions;
use crate::error::Error;
use crate::process;
use crate::terminal::Terminal;

/// The header that C extensions include, as it was when this tool was built.
const HEADER: &str = include_str!("../../include/llext/extension.h");

/// What every C and C++ source is compiled with, before the user's own flags.
const FLAGS: [&str; 5] = ["-c", "-O2", "-ffunction-sections", "-fdata-sections", "-DLL_EXTENSION_BUILD"];

/// The files of an extension written in C.
pub(crate) struct Sources {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) settings: Settings,
    files: Vec<PathBuf>,
    includes: Vec<PathBuf>,
    target: Option<String>,
    jobs: usize,
    compiler: Vec<OsString>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    C,
    Cpp,
    Object,
    Archive,
}

/// Where compiling reads the project's header from and writes to.
struct Place<'a> {
    scratch: &'a Path,
    include: &'a Path,
}

impl Sources {
    /// All sources of a folder and of its `src`.
    pub(crate) fn from_folder(folder: &Path, how: How<'_>) -> Result<Self, Error> {
        let files = files_in(folder)?;
        let whole = folder.canonicalize().map_err(Error::unreadable(folder))?;
        if files.is_empty() {
            return Err(Error::NotAProject { path: folder.display().to_string() });
        }
        let includes = ["include", "src", "."].map(|part| whole.join(part)).to_vec();
        let name = name_of(&whole);
        Self::new(name, whole, files, includes, how)
    }

    /// The files that were named; the first gives the extension its name.
    pub(crate) fn from_files(files: &[PathBuf], how: How<'_>) -> Result<Self, Error> {
        for file in files {
            std::fs::metadata(file).map_err(Error::unreadable(file))?;
            kind(file).ok_or_else(|| Error::UnknownSource { path: file.display().to_string() })?;
        }
        let name = files.first().map(|first| name_of(first)).unwrap_or_default();
        Self::new(name, PathBuf::from("."), files.to_vec(), Vec::new(), how)
    }

    fn new(
        name: String,
        folder: PathBuf,
        files: Vec<PathBuf>,
        includes: Vec<PathBuf>,
        how: How<'_>,
    ) -> Result<Self, Error> {
        if let Some(option) = option_for_crates(how.options) {
            return Err(Error::NotForSources { option: option.to_owned() });
        }
        let usual = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            name,
            folder,
            settings: Settings::default(),
            files,
            includes,
            target: how.options.target.clone(),
            jobs: how.options.jobs.map_or(usual, usize::from).max(1),
            compiler: how.compiler.to_vec(),
        })
    }

    /// Compiles what needs compiling, and gathers the objects.
    pub(crate) fn compile(
        &self,
        scratch: &Path,
        output: &Path,
        terminal: &Terminal,
    ) -> Result<Vec<Object>, Error> {
        std::fs::create_dir_all(scratch).map_err(Error::unwritable(scratch))?;
        let place = Place { scratch, include: &write_header(output)? };
        let bar = terminal.progress("Compiling", self.files.len() as u64);
        let results = parallel::map(&self.files, self.jobs, |file| {
            bar.set_message(file.display().to_string());
            let objects = self.objects_of(file, &place, terminal);
            bar.inc(1);
            objects
        });
        bar.finish_and_clear();
        let objects: Vec<Vec<Object>> = results.into_iter().collect::<Result<_, _>>()?;
        Ok(objects.into_iter().flatten().chain(self.compiler_library(terminal)?).collect())
    }

    fn objects_of(&self, file: &Path, place: &Place<'_>, terminal: &Terminal) -> Result<Vec<Object>, Error> {
        let compiled = match kind(file) {
            Some(kind @ (Kind::C | Kind::Cpp)) => self.compile_one(file, kind, place, terminal)?,
            _ => file.to_owned(),
        };
        let bytes = std::fs::read(&compiled).map_err(Error::unreadable(&compiled))?;
        if kind(file) == Some(Kind::Archive) {
            return objects::from_archive(file, &bytes);
        }
        Ok(vec![Object::new(file.display().to_string(), bytes)])
    }

    fn compile_one(
        &self,
        file: &Path,
        kind: Kind,
        place: &Place<'_>,
        terminal: &Terminal,
    ) -> Result<PathBuf, Error> {
        let object = place.scratch.join(object_name(file));
        let mut command = self.compiler(kind);
        command.args(FLAGS).arg("-I").arg(place.include);
        for folder in &self.includes {
            command.arg("-I").arg(folder);
        }
        command.args(flags_from_environment(kind)).args(&self.compiler);
        command.arg("-o").arg(&object).arg(file);
        let status = process::run(&mut command, terminal)?;
        if status.success() {
            return Ok(object);
        }
        let (source, program) = (file.display().to_string(), process::name(&command));
        Err(Error::CompilerFailed { source, program, status: status.to_string() })
    }

    /// CC or CXX as make knows them, for a target CC_target as the cc crate does.
    fn compiler(&self, kind: Kind) -> Command {
        let (variable, usual) = if kind == Kind::Cpp { ("CXX", "c++") } else { ("CC", "cc") };
        let specific =
            self.target.as_ref().map(|target| format!("{variable}_{}", target.replace(['-', '.'], "_")));
        let named =
            specific.and_then(std::env::var_os).unwrap_or_else(|| process::from_environment(variable, usual));
        let named = named.to_string_lossy();
        let mut words = named.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or(usual));
        command.args(words);
        command
    }

    /// The compiler's own helper routines (libgcc or compiler-rt): sources may call them without naming them.
    fn compiler_library(&self, terminal: &Terminal) -> Result<Vec<Object>, Error> {
        let mut command = self.compiler(Kind::C);
        command.args(flags_from_environment(Kind::C)).args(&self.compiler).arg("-print-libgcc-file-name");
        let named = process::output(&mut command, terminal)?.stdout;
        let path = PathBuf::from(String::from_utf8_lossy(&named).trim());
        Ok(if path.is_file() { vec![Object::library(path)] } else { Vec::new() })
    }
}

/// Whether a folder, or its `src`, holds sources.
pub(crate) fn are_in(folder: &Path) -> bool {
    files_in(folder).is_ok_and(|files| !files.is_empty())
}

/// Whether a file is named as what a compiler for C or C++ takes.
pub(crate) fn is_source(file: &Path) -> bool {
    matches!(kind(file), Some(Kind::C | Kind::Cpp))
}

fn kind(file: &Path) -> Option<Kind> {
    match file.extension().and_then(OsStr::to_str)? {
        "c" | "s" | "S" => Some(Kind::C),
        "cc" | "cpp" | "cxx" => Some(Kind::Cpp),
        "o" => Some(Kind::Object),
        "a" => Some(Kind::Archive),
        _ => None,
    }
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for folder in [folder.to_owned(), folder.join("src")] {
        if !folder.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&folder).map_err(Error::unreadable(&folder))? {
            let path = entry.map_err(Error::unreadable(&folder))?.path();
            if is_source(&path) && path.is_file() {
                files.push(path);
            }
        }
    }
    // The order in which a file system lists them must not decide the order of the link.
    files.sort();
    Ok(files)
}

fn name_of(path: &Path) -> String {
    let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
    name.unwrap_or(OsStr::new("extension")).to_string_lossy().into_owned()
}

/// One object per source, also for sources of one name in different folders.
fn object_name(file: &Path) -> String {
    let part = |c: char| if c.is_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '+' };
    format!("{}.o", file.to_string_lossy().chars().map(part).collect::<String>())
}

fn flags_from_environment(kind: Kind) -> Vec<String> {
    let variable = if kind == Kind::Cpp { "CXXFLAGS" } else { "CFLAGS" };
    let flags = std::env::var(variable).unwrap_or_default();
    flags.split_whitespace().map(str::to_owned).collect()
}

fn write_header(output: &Path) -> Result<PathBuf, Error> {
    let include = output.join("include");
    let header = include.join("llext").join("extension.h");
    std::fs::create_dir_all(include.join("llext")).map_err(Error::unwritable(&include))?;
    std::fs::write(&header, HEADER).map_err(Error::unwritable(&header))?;
    Ok(include)
}

fn option_for_crates(options: &BuildOptions) -> Option<&'static str> {
    let features = &options.features;
    [
        ("--package", options.package.is_some()),
        ("--profile", options.profile.is_some()),
        ("--features", !features.features.is_empty()),
        ("--all-features", features.all_features),
        ("--no-default-features", features.no_default_features),
    ]
    .into_iter()
    .find_map(|(option, given)| given.then_some(option))
}
