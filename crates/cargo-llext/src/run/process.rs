//! The run itself: this process is the host.

use std::path::PathBuf;

use llext::{Host, Plugin};
use serde::Serialize;

use super::call::{Call, Outcome};
use super::fault;
use super::invoke::perform;
use super::session::{Loaded, Session, Unload, name_of};
use super::symbols::TOOL;
use crate::Ended;
use crate::error::{Error, Refusal};
use crate::terminal::{self, Terminal};

/// What to do with the files.
pub(super) struct Plan {
    pub(super) files: Vec<PathBuf>,
    pub(super) call: Option<Call>,
    /// Names of extensions to unload before all others.
    pub(super) unload: Vec<String>,
    pub(super) no_libc: bool,
}

/// All that a run did, for programs.
#[derive(Default, Serialize)]
struct Story {
    loaded: Vec<Loaded>,
    #[serde(flatten)]
    outcome: Option<Outcome>,
    unloaded: Vec<String>,
    /// The first unload that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Refusal>,
}

impl Story {
    fn refused(&mut self, error: &Error, terminal: &Terminal) {
        terminal.complain_of(error);
        self.error.get_or_insert_with(|| Refusal::of(error));
    }
}

/// A host of what this process offers, which stays, and tells of faults.
pub(crate) fn host(no_libc: bool) -> Result<&'static Host, Error> {
    let host = if no_libc { Host::without_libc(&TOOL) } else { Host::new(&TOOL) };
    let host = Box::leak(Box::new(host.map_err(|error| Error::of_load("host", error, Vec::new()))?));
    // Without it a fault only goes unexplained.
    let _ = host.report_faults(fault::tell);
    Ok(host)
}

/// Loads the files in order, calls a function of the last one, and unloads them in reverse.
pub(super) fn run(plan: &Plan, terminal: &Terminal) -> Result<Ended, Error> {
    if terminal.json() {
        // Extensions may print: programs that read our object must not read that.
        terminal.keep_results_apart()?;
    }
    let host = host(plan.no_libc)?;
    let session = Session::new(host, &plan.files, terminal);
    let (mut plugins, mut story) = (Vec::new(), Story::default());
    if let Err(error) = load_and_call(plan, &session, &mut plugins, &mut story, terminal) {
        // What was loaded goes as it would have gone, and says so.
        let (_, errors) = session.unload_all(&mut plugins);
        errors.iter().for_each(|error| terminal.complain_of(error));
        return Err(error);
    }
    for name in &plan.unload {
        match session.unload_called(name, &mut plugins, Unload::Now) {
            Ok(given) => story.unloaded.extend(given.unloaded),
            Err(error) => story.refused(&error, terminal),
        }
    }
    let (unloaded, errors) = session.unload_all(&mut plugins);
    story.unloaded.extend(unloaded);
    errors.iter().for_each(|error| story.refused(error, terminal));
    // Every extension is gone, unless an error says which is not.
    if terminal.json() {
        terminal.show_json(&story)?;
    }
    Ok(if story.error.is_some() { Ended::Refused } else { Ended::Done })
}

/// What can fail before anything is unloaded.
fn load_and_call<'h>(
    plan: &Plan,
    session: &Session<'h>,
    plugins: &mut Vec<Plugin<'h>>,
    story: &mut Story,
    terminal: &Terminal,
) -> Result<(), Error> {
    for file in &plan.files {
        let (plugin, loaded) = session.load(&name_of(file), file)?;
        story.loaded.extend(loaded);
        plugins.push(plugin);
    }
    // From here on all constructors have run.
    if let (Some(call), Some(last)) = (&plan.call, plugins.last()) {
        let outcome = perform(call, last)?;
        if !terminal.json() {
            terminal::print(format_args!("{outcome}"))?;
        }
        story.outcome = Some(outcome);
    }
    Ok(())
}
