//! Runs cases in child processes, so that a crash is one case's failure and not the end of the run.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::case::Case;
use super::options::CHILD;

/// What came of one case: nothing to say, or what is wrong.
pub(crate) type Verdict = Result<(), String>;

/// How long one case may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The verdicts of all cases, in their order; `folder` is for files between the processes.
pub(crate) fn run(cases: &[Case<'_>], folder: &Path) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    while verdicts.len() < cases.len() {
        let rest = &cases[verdicts.len()..];
        let (done, end) = in_child(rest, folder);
        let next = rest.get(done.len()).cloned();
        verdicts.extend(done);
        verdicts.extend(next.map(|case| alone(case, &end, folder)));
    }
    verdicts
}

/// The verdict of a case that ended its process, from another process that runs nothing else.
fn alone(case: Case<'_>, end: &str, folder: &Path) -> Verdict {
    match in_child(&[case], folder) {
        (mut done, _) if !done.is_empty() => {
            done.remove(0).and(Err(format!("only after other cases: {end}")))
        }
        (_, end) => Err(end),
    }
}

/// The verdicts a child reached, and how it ended.
fn in_child(cases: &[Case<'_>], folder: &Path) -> (Vec<Verdict>, String) {
    let files = Files::new(folder);
    let text: String = cases.iter().map(|case| case.write() + "\n").collect();
    let outcome =
        files.prepare(&text).and_then(|()| files.start()).and_then(|mut child| files.wait(&mut child));
    let end = match outcome {
        Ok(Some(status)) => format!("process ended by itself: {status}{}", files.last_words()),
        Ok(None) => format!("nothing happened for {} seconds", PATIENCE.as_secs()),
        Err(error) => format!("no process to run in: {error}"),
    };
    (files.verdicts(), end)
}

/// The files between a child and its parent; they go when this goes.
struct Files {
    cases: PathBuf,
    results: PathBuf,
    errors: PathBuf,
}

impl Files {
    fn new(folder: &Path) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let file = |kind: &str| folder.join(format!("{}-{number}.{kind}", std::process::id()));
        Self { cases: file("cases"), results: file("results"), errors: file("errors") }
    }

    fn prepare(&self, cases: &str) -> std::io::Result<()> {
        fs::write(&self.cases, cases)?;
        fs::write(&self.results, "")
    }

    fn start(&self) -> std::io::Result<Child> {
        Command::new(std::env::current_exe()?)
            .arg(CHILD)
            .args([&self.cases, &self.results])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&self.errors)?)
            .spawn()
    }

    /// The child's status; `None` when it had to be stopped.
    fn wait(&self, child: &mut Child) -> std::io::Result<Option<ExitStatus>> {
        let mut progress = (0, Instant::now());
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            let written = fs::metadata(&self.results)?.len();
            if written != progress.0 {
                progress = (written, Instant::now());
            } else if progress.1.elapsed() > PATIENCE {
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// A line each: empty when all was well.
    fn verdicts(&self) -> Vec<Verdict> {
        let text = fs::read_to_string(&self.results).unwrap_or_default();
        let verdict = |line: &str| if line.is_empty() { Ok(()) } else { Err(line.to_owned()) };
        text.lines().map(verdict).collect()
    }

    /// What a panic said, on one line.
    fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.errors).unwrap_or_default();
        let words = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("note:"));
        words.map(|line| format!("; {line}")).collect()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for path in [&self.cases, &self.results, &self.errors] {
            // One that was never made need not go.
            let _ = fs::remove_file(path);
        }
    }
}
