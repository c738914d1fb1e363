//! Does what lines say, and holds the handles.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use llext::{Host, Plugin};
use serde::Serialize;

use super::command::{Asked, Command, parse};
use super::report::{Facts, List, Place, Row, Symbol, Symbols};
use super::tree::{Node, Tree};
use crate::error::{Error, Refusal};
use crate::run::call::{Argument, Call};
use crate::run::invoke::perform;
use crate::run::session::{Loaded, Region, Resident, Session, Unload, name_of, part_name};
use crate::terminal::{self, Report, Terminal};

/// The extensions of a session, and the handles that it took.
pub(super) struct Performer<'h> {
    session: Session<'h>,
    held: Vec<Plugin<'h>>,
    terminal: &'h Terminal,
    refused: usize,
}

/// What a load is to programs.
#[derive(Serialize)]
struct Loads {
    loaded: Vec<Loaded>,
}

impl<'h> Performer<'h> {
    pub(super) fn new(host: &'h Host, given: &[PathBuf], terminal: &'h Terminal) -> Self {
        let session = Session::new(host, given, terminal);
        Self { session, held: Vec::new(), terminal, refused: 0 }
    }

    /// How many lines were refused.
    pub(super) fn refused(&self) -> usize {
        self.refused
    }

    /// Does what a line says; a break after the last.
    pub(super) fn perform(&mut self, line: &str) -> ControlFlow<()> {
        let done = match parse(line) {
            Ok(Asked::Nothing) => Ok(()),
            Ok(Asked::Help(text)) => terminal::print(format_args!("{text}")),
            Ok(Asked::Command(Command::Quit)) => return ControlFlow::Break(()),
            Ok(Asked::Command(command)) => self.obey(command),
            Err(error) => Err(error),
        };
        self.report(done);
        ControlFlow::Continue(())
    }

    /// Loads a file under its own name or another one.
    pub(super) fn load(&mut self, file: &Path, name: Option<&str>) {
        let done = self.try_load(file, name);
        self.report(done);
    }

    /// Unloads everything, in an order that works.
    pub(super) fn end(&mut self) {
        let (_, errors) = self.session.unload_all(&mut self.held);
        errors.into_iter().for_each(|error| self.report(Err(error)));
    }

    fn report(&mut self, done: Result<(), Error>) {
        let Err(error) = done else { return };
        self.refused += 1;
        if self.terminal.json() {
            // A reader that has gone away misses nothing.
            let _ = self.terminal.show_line(&serde_json::json!({ "error": Refusal::of(&error) }));
        }
        self.terminal.complain_of(&error);
    }

    fn obey(&mut self, command: Command) -> Result<(), Error> {
        match command {
            Command::List { json } => self.show(&self.list(), json),
            Command::Info { name, json } => self.show(&self.facts(&name)?, json),
            Command::Deps { name, json } => self.show(&self.tree(name.as_deref())?, json),
            Command::Symbols { name, json } => self.show(&self.symbols(&name)?, json),
            Command::Find { address, json } => self.show(&self.place(&address)?, json),
            Command::Load { file, alias } => self.try_load(&file, alias.get(1).map(String::as_str)),
            Command::Unload { name, later, within } => {
                let within = within.map(|milliseconds| Unload::Within(Duration::from_millis(milliseconds)));
                let how = within.unwrap_or(if later { Unload::Later } else { Unload::Now });
                let given = self.session.unload_called(&name, &mut self.held, how)?;
                if self.terminal.json() { self.terminal.show_line(&given) } else { Ok(()) }
            }
            Command::Call { function, arguments, returns } => {
                let (name, function) = function.rsplit_once('.').ok_or_else(|| Error::BadCommand {
                    line: function.clone(),
                    reason: "expected NAME.FUNCTION".to_owned(),
                })?;
                let words: Vec<String> = std::iter::once(function.to_owned()).chain(arguments).collect();
                match Call::parse(&words, returns)? {
                    Some(call) => self.show(&perform(&call, &self.session.find(name)?)?, false),
                    None => Ok(()),
                }
            }
            Command::Quit => Ok(()),
        }
    }

    /// Shows a result as text, or as JSON if that is wanted of all results or of this one.
    fn show(&self, report: &impl Report, json: bool) -> Result<(), Error> {
        if json || self.terminal.json() {
            self.terminal.show_line(report)
        } else {
            terminal::print(format_args!("{report}"))
        }
    }

    fn try_load(&mut self, file: &Path, name: Option<&str>) -> Result<(), Error> {
        let usual = name_of(file);
        let (plugin, loaded) = self.session.load(name.unwrap_or(&usual), file)?;
        self.held.push(plugin);
        if self.terminal.json() { self.terminal.show_line(&Loads { loaded }) } else { Ok(()) }
    }

    fn list(&self) -> List {
        List { extensions: self.session.residents().iter().filter_map(row).collect() }
    }

    fn facts(&self, name: &str) -> Result<Facts, Error> {
        let residents = self.session.residents();
        let plugin = self.session.find(name)?;
        let own = residents.iter().find(|resident| resident.name == name);
        let row = own.and_then(row).ok_or_else(|| Error::NotLive { name: name.to_owned() })?;
        let needs = plugin.dependencies().map(|name| name.to_string()).collect();
        // The handle that looks is not counted.
        let row = Row { uses: row.uses.saturating_sub(1), ..row };
        Ok(Facts { row, needs, regions: Region::all(&plugin), exports: plugin.exports().count() })
    }

    fn tree(&self, name: Option<&str>) -> Result<Tree, Error> {
        let node = |plugin: Plugin<'_>| Node {
            name: plugin.name().to_string(),
            needs: plugin.dependencies().map(|name| name.to_string()).collect(),
            needed_by: plugin.dependents().map(|name| name.to_string()).collect(),
        };
        let nodes = self.session.host.registry().iter().map(node).collect();
        match name {
            Some(name) => self.session.find(name).map(|_| Tree::of_one(nodes, name)),
            None => Ok(Tree::of_all(nodes)),
        }
    }

    fn symbols(&self, name: &str) -> Result<Symbols, Error> {
        let plugin = self.session.find(name)?;
        let mut exports: Vec<(&[u8], usize)> = plugin.exports().collect();
        exports.sort_by_key(|(_, address)| *address);
        let symbol = |(name, address): (&[u8], usize)| Symbol {
            name: String::from_utf8_lossy(name).into_owned(),
            address: format!("{address:#x}"),
        };
        Ok(Symbols { name: name.to_owned(), symbols: exports.into_iter().map(symbol).collect() })
    }

    fn place(&self, text: &str) -> Result<Place, Error> {
        let address = Argument::number(text)?;
        let nothing = || Error::NothingThere { address: text.to_owned() };
        let found = self.session.host.registry().find_at(address).ok_or_else(nothing)?;
        let extension = found.enter().map_err(|_| nothing())?;
        let within = |start: usize, size: usize| address.wrapping_sub(start) < size;
        let region =
            extension.regions().find(|region| within(region.address, region.size)).ok_or_else(nothing)?;
        let before = |(_, at): &(&[u8], usize)| (region.address..=address).contains(at);
        let symbol = extension.exports().filter(before).max_by_key(|(_, at)| *at);
        Ok(Place {
            address: format!("{address:#x}"),
            extension: extension.name().to_string(),
            part: part_name(region.part),
            offset: address - region.address,
            symbol: symbol.map(|(name, _)| String::from_utf8_lossy(name).into_owned()),
            symbol_offset: symbol.map(|(_, at)| address - at),
        })
    }
}

/// What is told of an extension in short; nothing once it is gone.
fn row(resident: &Resident<'_>) -> Option<Row> {
    let (name, file) = (resident.name.clone(), resident.file.clone());
    match resident.weak.upgrade() {
        Ok(plugin) => Some(Row {
            name,
            state: "live",
            // The handle that looks is not counted.
            uses: plugin.uses().saturating_sub(1),
            needed_by: plugin.dependents().map(|name| name.to_string()).collect(),
            bytes: plugin.regions().map(|region| region.size).sum(),
            file,
        }),
        Err(llext::Error::Busy { .. }) => {
            Some(Row { name, state: "leaving", uses: 0, needed_by: Vec::new(), bytes: 0, file })
        }
        Err(_) => None,
    }
}
