//! Extensions in this process: loaded with what they need, known until they are gone, unloaded; and told of.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use llext::host::CAPACITY;
use llext::loader::Need;
use llext::lock::StdRawMutex;
use llext::memory::Linux;
use llext::registry::MAX_NAME;
use llext::source::{File, ReadError};
use llext::{ExtensionPanic, Host, Plugin};
use llext_link::Error as LinkError;
use serde::Serialize;

use super::invoke::flush;
use crate::demangle::{demangle, printable};
use crate::elf::{self, Extension};
use crate::error::Error;
use crate::needs;
use crate::terminal::Terminal;

type Weak<'h> = llext::Weak<'h, Linux, StdRawMutex, CAPACITY>;

/// The host, and what was loaded into it.
pub(crate) struct Session<'h> {
    pub(crate) host: &'h Host,
    terminal: &'h Terminal,
    /// Files that come before those beside the one that needs them.
    given: Vec<PathBuf>,
    residents: RefCell<Vec<Resident<'h>>>,
}

/// An extension from its load until it is gone.
#[derive(Clone)]
pub(crate) struct Resident<'h> {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) weak: Weak<'h>,
}

/// One load, for people and for programs.
#[derive(Serialize)]
pub(crate) struct Loaded {
    name: String,
    file: PathBuf,
    /// Who needs it, if it was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    needed_by: Option<String>,
    /// Whether it was not there before.
    first: bool,
    uses: u32,
    regions: Vec<Region>,
    exports: usize,
    imports: usize,
    relocations: usize,
}

#[derive(Serialize)]
pub(crate) struct Region {
    part: String,
    address: String,
    bytes: usize,
}

/// How a handle is given up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unload {
    Now,
    Later,
    Within(std::time::Duration),
}

/// What remains after a handle was given up.
#[derive(Serialize)]
pub(crate) struct Given {
    pub(crate) name: String,
    pub(crate) uses: u32,
    /// Every extension that went, itself and those that only it kept.
    pub(crate) unloaded: Vec<String>,
}

/// What the loads that one load causes find out.
#[derive(Default)]
struct Findings {
    loaded: RefCell<Vec<Loaded>>,
    /// Of the innermost load that failed.
    failure: RefCell<Option<Error>>,
}

impl Findings {
    /// Keeps the first failure: the others follow from it.
    fn fail(&self, error: Error) {
        self.failure.borrow_mut().get_or_insert(error);
    }
}

impl<'h> Session<'h> {
    pub(crate) fn new(host: &'h Host, given: &[PathBuf], terminal: &'h Terminal) -> Self {
        Self { host, terminal, given: given.to_vec(), residents: RefCell::default() }
    }

    /// Loads a file, and before it what it needs; tells and returns all that was loaded.
    pub(crate) fn load(&self, name: &str, path: &Path) -> Result<(Plugin<'h>, Vec<Loaded>), Error> {
        let findings = Findings::default();
        let loaded = self.load_for(None, name, path, &findings);
        flush();
        match loaded {
            Ok(plugin) => Ok((plugin, findings.loaded.take())),
            Err(error) => {
                self.tell_gone();
                let failure = findings.failure.take();
                Err(failure.unwrap_or_else(|| Error::of_load(&path.display().to_string(), error, Vec::new())))
            }
        }
    }

    fn load_for(
        &self,
        need: Option<&Need<'_, 'h, Linux, StdRawMutex, CAPACITY>>,
        name: &str,
        path: &Path,
        findings: &Findings,
    ) -> Result<Plugin<'h>, llext::Error> {
        let file = File::open(path).map_err(|error| {
            let os = error.raw_os_error().unwrap_or(0);
            findings.fail(Error::unreadable(path)(error));
            ReadError::Failed { os }
        })?;
        let mut details = Vec::new();
        let mut hear =
            |name: &[u8]| details.push(format!("missing: {}", demangle(&String::from_utf8_lossy(name))));
        let mut load_needed = |need: &Need<'_, 'h, Linux, StdRawMutex, CAPACITY>| {
            let found = self.file_for(need, path).ok_or(LinkError::MissingDependency {
                name: llext::error::Name::new(need.name().as_bytes()),
            })?;
            self.load_for(Some(need), &name_of(&found), &found, findings)
        };
        let loader = match need {
            Some(need) => need.loader(self.host.exports()),
            None => self.host.loader(),
        };
        let loader = loader.search_live(true).on_missing(&mut hear).on_needed(&mut load_needed);
        // SAFETY: whoever asks to run a file vouches for it, and for what it needs.
        let loaded = unsafe { loader.on_panic(panicked).load(name, file) };
        let needed_by = need.map(|need| need.needed_by().to_owned());
        let plugin = loaded.inspect_err(|error| {
            details.extend(needed_by.iter().map(|user| format!("needed by: {}", printable(user))));
            findings.fail(Error::of_load(&path.display().to_string(), *error, details));
        })?;
        self.settle(&plugin, path, needed_by, findings);
        Ok(plugin)
    }

    /// Remembers and tells what a load has led to.
    fn settle(&self, plugin: &Plugin<'h>, path: &Path, needed_by: Option<String>, findings: &Findings) {
        if plugin.is_first() {
            self.residents.borrow_mut().push(Resident {
                name: plugin.name().to_string(),
                file: path.to_owned(),
                weak: plugin.downgrade(),
            });
        } else if needed_by.is_some() {
            // It was there already, under another name than it is needed by.
            return;
        }
        let loaded = Loaded::of(plugin, path, needed_by);
        loaded.tell(self.terminal);
        findings.loaded.borrow_mut().push(loaded);
    }

    /// The file that is needed: one that was named, else one beside the file that needs it.
    fn file_for(&self, need: &Need<'_, 'h, Linux, StdRawMutex, CAPACITY>, path: &Path) -> Option<PathBuf> {
        let is_meant = |file: &&PathBuf| {
            let called = [file.file_name(), file.file_stem()].contains(&Some(need.name().as_ref()));
            called || soname_of(file).is_some_and(|soname| soname == need.name())
        };
        let given = self.given.iter().find(is_meant).cloned();
        given.or_else(|| need.file_in(path.parent().unwrap_or(Path::new(""))))
    }

    /// Gives a handle up and tells what went; or why nothing did, with the handle.
    fn unload(&self, plugin: Plugin<'h>, how: Unload) -> Result<Given, (Plugin<'h>, Error)> {
        let name = plugin.name().to_string();
        let given = match how {
            Unload::Now => plugin.unload(),
            Unload::Later => Ok(plugin.unload_later()),
            Unload::Within(timeout) => plugin.unload_within(timeout),
        };
        flush();
        let uses = given.map_err(|refused| {
            let users = refused.handle.dependents();
            let details = users.map(|user| format!("needed by: {}", printable(&user.to_string()))).collect();
            (refused.handle, Error::of_load(&name, refused.error, details))
        })?;
        let unloaded = self.tell_gone();
        if uses > 0 {
            let remain = if uses == 1 { "use remains" } else { "uses remain" };
            self.terminal.status("Released", format_args!("{} ({uses} {remain})", printable(&name)));
        } else if !unloaded.contains(&name) {
            let when = "it goes with the last that needs it";
            self.terminal.status("Leaving", format_args!("{} ({when})", printable(&name)));
        }
        Ok(Given { name, uses, unloaded })
    }

    /// A handle of what is called `name`, if it is live.
    pub(crate) fn find(&self, name: &str) -> Result<Plugin<'h>, Error> {
        if let Some(plugin) = self.host.find(name) {
            return Ok(plugin);
        }
        let residents = self.residents.borrow();
        let leaving = residents.iter().find(|resident| resident.name == name);
        Err(match leaving.and_then(|resident| resident.weak.upgrade().err()) {
            Some(error) => Error::of_load(name, error, Vec::new()),
            None => Error::NotLive { name: name.to_owned() },
        })
    }

    /// Gives up the youngest of the held handles of what is called `name`; or asks with another one, for an extension that
    /// was loaded because others need it.
    pub(crate) fn unload_called(
        &self,
        name: &str,
        held: &mut Vec<Plugin<'h>>,
        how: Unload,
    ) -> Result<Given, Error> {
        let place = held.iter().rposition(|plugin| plugin.name().as_bytes() == name.as_bytes());
        let plugin = match place {
            Some(place) => held.remove(place),
            None => self.find(name)?,
        };
        self.unload(plugin, how).map_err(|(plugin, error)| {
            if let Some(place) = place {
                held.insert(place, plugin);
            }
            error
        })
    }

    /// Gives all handles up, last loaded first; what others need waits until they are gone. What cannot go stays, and why.
    pub(crate) fn unload_all(&self, plugins: &mut Vec<Plugin<'h>>) -> (Vec<String>, Vec<Error>) {
        let mut unloaded = Vec::new();
        loop {
            let (mut kept, mut errors) = (Vec::new(), Vec::new());
            let before = plugins.len();
            while let Some(plugin) = plugins.pop() {
                match self.unload(plugin, Unload::Now) {
                    Ok(given) => unloaded.extend(given.unloaded),
                    Err((plugin, error)) => {
                        kept.push(plugin);
                        errors.push(error);
                    }
                }
            }
            kept.reverse();
            *plugins = kept;
            if plugins.is_empty() || plugins.len() == before {
                return (unloaded, errors);
            }
        }
    }

    /// Tells which extensions are gone since this was last asked.
    fn tell_gone(&self) -> Vec<String> {
        let is_gone = |resident: &mut Resident<'h>| matches!(resident.weak.enter(), Err(llext::Error::Died));
        let mut residents = self.residents.borrow_mut();
        let gone = residents.extract_if(.., is_gone).map(|resident| resident.name);
        // What needs others goes before them, and was loaded after them.
        let mut gone: Vec<String> = gone.collect();
        gone.reverse();
        gone.iter().for_each(|name| self.terminal.status("Unloaded", printable(name)));
        gone
    }

    /// What was loaded and is not gone, in load order.
    pub(crate) fn residents(&self) -> Vec<Resident<'h>> {
        self.residents.borrow().clone()
    }
}

impl Loaded {
    fn of(plugin: &Plugin<'_>, path: &Path, needed_by: Option<String>) -> Self {
        // The load has read it: should it be gone by now, there is nothing to tell of imports.
        let bytes = elf::read(path).unwrap_or_default();
        let file = Extension::parse(&path.display().to_string(), &bytes).ok();
        Self {
            name: plugin.name().to_string(),
            file: path.to_owned(),
            needed_by,
            first: plugin.is_first(),
            uses: plugin.uses(),
            regions: Region::all(plugin),
            exports: plugin.exports().count(),
            imports: file.as_ref().map_or(0, |file| file.imports().len()),
            relocations: file.as_ref().map_or(0, |file| file.relocations().values().sum()),
        }
    }

    /// Says where an extension lies and how much there is of it.
    fn tell(&self, terminal: &Terminal) {
        let Self { exports, imports, relocations, uses, .. } = self;
        let name = printable(&self.name);
        if !self.first {
            return terminal.status("Loaded", format_args!("{name} again (uses {uses})"));
        }
        let user = self.needed_by.as_ref().map(|user| format!(", needed by {}", printable(user)));
        let user = user.unwrap_or_default();
        terminal.status(
            "Loaded",
            format_args!("{name} (exports {exports}, imports {imports}, relocations {relocations}{user})"),
        );
        self.regions.iter().for_each(|region| terminal.note(region));
    }
}

impl Region {
    /// Where an extension lies.
    pub(crate) fn all(extension: &llext::registry::Extension<Linux, StdRawMutex, CAPACITY>) -> Vec<Self> {
        let region = |region: llext::registry::Region| Self {
            part: part_name(region.part),
            address: format!("{:#x}", region.address),
            bytes: region.size,
        };
        extension.regions().map(region).collect()
    }
}

impl std::fmt::Display for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:<9} {:>14} {:>8} bytes", self.part, self.address, self.bytes)
    }
}

/// What a part is called here.
pub(crate) fn part_name(part: llext::memory::Part) -> String {
    format!("{part:?}").to_lowercase()
}

/// What a file calls itself, if it can be read.
fn soname_of(path: &Path) -> Option<String> {
    let bytes = elf::read(path).ok()?;
    needs::soname(&Extension::parse(&path.display().to_string(), &bytes).ok()?.file)
}

/// The file's name without its ending, as much of it as a name may have.
pub(crate) fn name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let end = (0..=stem.len().min(MAX_NAME)).rev().find(|end| stem.is_char_boundary(*end));
    stem[..end.unwrap_or(0)].to_owned()
}

fn panicked(panic: &ExtensionPanic<'_>) -> ! {
    let (extension, file) = (panic.extension.to_string(), panic.file.to_owned());
    if let Some(terminal) = Terminal::of_process() {
        terminal.refuse(&Error::Panicked { extension, file, line: panic.line });
    }
    std::process::exit(1)
}
