//! Where lines come from: a prompt with history and completion, or standard input as it is.

use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;

use llext::Host;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::complete::{Completion, Live, complete};
use crate::error::Error;
use crate::terminal::Terminal;

type Prompt<'h> = Editor<Assistant<'h>, DefaultHistory>;

/// The lines of one session.
pub(super) struct Lines<'h> {
    prompt: Option<Box<Prompt<'h>>>,
    history: Option<PathBuf>,
    terminal: &'h Terminal,
}

impl<'h> Lines<'h> {
    /// From a prompt if somebody sits there.
    pub(super) fn new(host: &'h Host, terminal: &'h Terminal) -> Result<Self, Error> {
        if !io::stdin().is_terminal() {
            return Ok(Self { prompt: None, history: None, terminal });
        }
        let config = Config::builder().completion_type(CompletionType::List).auto_add_history(true).build();
        let mut prompt = Box::new(Prompt::with_config(config).map_err(unavailable)?);
        prompt.set_helper(Some(Assistant { host, files: FilenameCompleter::new() }));
        let history = history_file();
        if let Some(Err(error)) = history.as_ref().map(|file| prompt.load_history(file)) {
            terminal.detail("History", format_args!("not read: {error}"));
        }
        Ok(Self { prompt: Some(prompt), history, terminal })
    }

    /// Whether somebody types them.
    pub(super) fn are_typed(&self) -> bool {
        self.prompt.is_some()
    }

    /// The next line; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<String>, Error> {
        let Some(prompt) = &mut self.prompt else { return next_of_input() };
        loop {
            match prompt.readline("llext> ") {
                Ok(line) => return Ok(Some(line)),
                // Ctrl-C leaves the line, Ctrl-D the prompt.
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => return Ok(None),
                Err(error) => return Err(unavailable(error)),
            }
        }
    }
}

impl Drop for Lines<'_> {
    fn drop(&mut self) {
        let (Some(prompt), Some(file)) = (&mut self.prompt, &self.history) else { return };
        let folder = file.parent().map_or(Ok(()), std::fs::create_dir_all);
        if let Err(error) = folder.map_err(ReadlineError::from).and_then(|()| prompt.save_history(file)) {
            self.terminal.detail("History", format_args!("not kept: {error}"));
        }
    }
}

fn next_of_input() -> Result<Option<String>, Error> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    let read = read.map_err(|reason| Error::Unreadable { path: "standard input".into(), reason })?;
    Ok((read > 0).then_some(line))
}

fn unavailable(error: ReadlineError) -> Error {
    Error::Unavailable { what: "prompt", reason: error.to_string() }
}

/// Where the XDG base directories put it.
fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state"));
    Some(state.or_else(home)?.join("llext").join("history"))
}

/// Completes words of the line.
struct Assistant<'h> {
    host: &'h Host,
    files: FilenameCompleter,
}

impl Assistant<'_> {
    fn live(&self) -> Vec<Live> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let live = |plugin: llext::Plugin<'_>| {
            (plugin.name().to_string(), plugin.exports().map(|(name, _)| text(name)).collect())
        };
        self.host.registry().iter().map(live).collect()
    }
}

impl Completer for Assistant<'_> {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        match complete(&line[..at], &self.live()) {
            Completion::Path => self.files.complete_path(line, at),
            Completion::Words(start, words) => {
                // As in a shell: what can be nothing else is complete.
                let end = if words.len() == 1 { " " } else { "" };
                let pair = |word: String| Pair { replacement: word.clone() + end, display: word };
                Ok((start, words.into_iter().map(pair).collect()))
            }
        }
    }
}

impl Hinter for Assistant<'_> {
    type Hint = String;
}

impl Highlighter for Assistant<'_> {}
impl Validator for Assistant<'_> {}
impl Helper for Assistant<'_> {}
