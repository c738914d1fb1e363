//! A Rust crate, built by cargo into a static library with fat link-time optimisation.

use std::ffi::OsString;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cargo_metadata::{Artifact, Message, Metadata, MetadataCommand, Package, PackageId, Target};

use super::objects::{self, Object};
use super::project::How;
use super::settings::Settings;
use crate::cli::BuildOptions;
use crate::error::Error;
use crate::process;
use crate::terminal::Terminal;

/// One package of a workspace.
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) target_folder: PathBuf,
    pub(crate) settings: Settings,
    manifest: PathBuf,
    id: PackageId,
    options: BuildOptions,
    compiler: Vec<OsString>,
}

impl Crate {
    /// Asks cargo about the manifest, and chooses the package.
    pub(crate) fn read(manifest: &Path, how: How<'_>, terminal: &Terminal) -> Result<Self, Error> {
        let options = how.options;
        let metadata = metadata(manifest, options, terminal)?;
        let package = choose(&metadata, manifest, options.package.as_deref())?;
        let name = package.name.to_string();
        if !package.targets.iter().any(is_library) {
            return Err(Error::NoLibrary { package: name });
        }
        let settings = Settings::read(&package.metadata)
            .map_err(|reason| Error::BadSettings { package: name.clone(), reason: reason.to_string() })?;
        let manifest = package.manifest_path.clone().into_std_path_buf();
        Ok(Self {
            name,
            folder: manifest.parent().map(Path::to_owned).unwrap_or_default(),
            target_folder: metadata.target_directory.clone().into_std_path_buf(),
            settings,
            manifest,
            id: package.id.clone(),
            options: options.clone(),
            compiler: how.compiler.to_vec(),
        })
    }

    /// Has cargo build the static library, and takes the objects out of it.
    pub(crate) fn compile(&self, terminal: &Terminal) -> Result<Vec<Object>, Error> {
        let archive = self.cargo_rustc(terminal)?;
        let bytes = std::fs::read(&archive).map_err(Error::unreadable(&archive))?;
        Ok(objects::on_demand(objects::from_archive(&archive, &bytes)?))
    }

    fn cargo_rustc(&self, terminal: &Terminal) -> Result<PathBuf, Error> {
        let mut command = self.command(terminal);
        terminal.detail("Running", process::line(&command));
        let mut cargo =
            command.stdout(Stdio::piped()).spawn().map_err(|error| process::missing(&command, &error))?;
        let mut archive = None;
        if let Some(messages) = cargo.stdout.take() {
            for message in Message::parse_stream(BufReader::new(messages)).map_while(Result::ok) {
                match message {
                    Message::CompilerArtifact(artifact) if artifact.package_id == self.id => {
                        archive = static_library(&artifact).or(archive);
                    }
                    _ => {}
                }
            }
        }
        let status = cargo.wait().map_err(|error| process::missing(&command, &error))?;
        if !status.success() {
            return Err(Error::CargoFailed { package: self.name.clone(), status: status.to_string() });
        }
        archive.ok_or_else(|| Error::NoArchive { package: self.name.clone() })
    }

    fn command(&self, terminal: &Terminal) -> Command {
        let options = &self.options;
        let mut command = cargo(&self.folder);
        command.args([
            "rustc",
            "--lib",
            "--crate-type",
            "staticlib",
            "--message-format",
            "json-render-diagnostics",
        ]);
        command.arg("--manifest-path").arg(&self.manifest).args(["--color", terminal.color()]);
        // rustc is told by the profile, so that every dependency is built alike; the user's own profile is kept else.
        let profile = self.profile();
        command.args(["--profile", profile]);
        for setting in ["lto=\"fat\"", "panic=\"abort\"", "codegen-units=1", "debug=false", "strip=false"] {
            command.arg("--config").arg(format!("profile.{profile}.{setting}"));
        }
        if let Some(target) = options.target.as_ref().or(self.settings.target.as_ref()) {
            command.arg("--target").arg(whole_specification(target));
        }
        if let Some(jobs) = options.jobs {
            command.args(["--jobs", &jobs.to_string()]);
        }
        if terminal.quiet() {
            command.arg("--quiet");
        }
        if terminal.verbose() {
            command.arg("--verbose");
        }
        command.args(feature_options(options)).args(network_options(options));
        if !self.compiler.is_empty() {
            command.arg("--").args(&self.compiler);
        }
        command
    }

    fn profile(&self) -> &str {
        match &self.options.profile {
            Some(profile) => profile,
            None if self.options.release => "release",
            None => "dev",
        }
    }
}

/// A target's specification file is named from the current folder, but cargo runs in the crate's.
fn whole_specification(target: &str) -> OsString {
    let file = Path::new(target);
    match file.canonicalize() {
        Ok(whole) if file.extension().is_some_and(|extension| extension == "json") => whole.into(),
        _ => target.into(),
    }
}

fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(process::from_environment("CARGO", "cargo"));
    // cargo and rustup look for their configuration from the current folder upwards.
    command.current_dir(folder);
    command
}

fn metadata(manifest: &Path, options: &BuildOptions, terminal: &Terminal) -> Result<Metadata, Error> {
    let manifest = manifest.canonicalize().map_err(Error::unreadable(manifest))?;
    let mut query = MetadataCommand::new();
    query.manifest_path(&manifest).no_deps().other_options(network_options(options));
    if let Some(folder) = manifest.parent() {
        query.current_dir(folder);
    }
    let command = query.cargo_command();
    terminal.detail("Running", process::line(&command));
    query.exec().map_err(|error| match error {
        cargo_metadata::Error::Io(error) => process::missing(&command, &error),
        cargo_metadata::Error::CargoMetadata { stderr } => Error::MetadataFailed {
            path: manifest.display().to_string(),
            reason: stderr.trim_end().to_owned(),
        },
        other => Error::MetadataFailed { path: manifest.display().to_string(), reason: other.to_string() },
    })
}

/// The package that was named, or the manifest's own, or the only one there is.
fn choose<'m>(metadata: &'m Metadata, manifest: &Path, name: Option<&str>) -> Result<&'m Package, Error> {
    let packages = metadata.workspace_packages();
    let names = || packages.iter().map(|package| package.name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(name) = name {
        let found = packages.iter().find(|package| package.name == name);
        return found
            .copied()
            .ok_or_else(|| Error::UnknownPackage { name: name.to_owned(), packages: names() });
    }
    let manifest = manifest.canonicalize().map_err(Error::unreadable(manifest))?;
    let own = packages.iter().find(|package| package.manifest_path.as_std_path() == manifest);
    match (own, packages.as_slice()) {
        (Some(package), _) | (None, [package]) => Ok(package),
        _ => Err(Error::AmbiguousPackage { packages: names() }),
    }
}

fn is_library(target: &Target) -> bool {
    target.is_lib() || target.is_rlib() || target.is_staticlib() || target.is_cdylib() || target.is_dylib()
}

fn static_library(artifact: &Artifact) -> Option<PathBuf> {
    let libraries = artifact.filenames.iter().filter(|file| file.extension() == Some("a"));
    libraries.map(|file| file.clone().into_std_path_buf()).next()
}

fn feature_options(options: &BuildOptions) -> Vec<String> {
    let features = &options.features;
    let mut words: Vec<String> =
        features.features.iter().map(|feature| format!("--features={feature}")).collect();
    words.extend(features.all_features.then(|| "--all-features".to_owned()));
    words.extend(features.no_default_features.then(|| "--no-default-features".to_owned()));
    words
}

fn network_options(options: &BuildOptions) -> Vec<String> {
    let wishes = [("--locked", options.locked), ("--offline", options.offline), ("--frozen", options.frozen)];
    wishes.iter().filter(|(_, wished)| *wished).map(|(word, _)| (*word).to_owned()).collect()
}
