//! Runs cases on a board: all in one run of the emulator, and the rest in another where a case stops the board.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::script::{Case, Verdict};
use crate::error::{Result, bail};
use crate::process;

/// How long one run of the emulator may take.
const LIMIT: Duration = Duration::from_secs(240);

/// A board with the suite's firmware, and the pool it is told to make.
pub(super) struct Machine<'a> {
    /// The emulator with the firmware, and whatever else it takes.
    pub(super) command: &'a (dyn Fn() -> Command + Sync),
    pub(super) pool: &'static str,
    /// For files of this run alone.
    pub(super) folder: PathBuf,
}

impl Machine<'_> {
    /// The verdicts of all cases, in their order.
    pub(super) fn run(&self, cases: &[&Case]) -> Result<Vec<Verdict>> {
        let mut verdicts = Vec::new();
        while verdicts.len() < cases.len() {
            let rest = &cases[verdicts.len()..];
            let (transcript, end) = self.once(rest)?;
            let (done, begun) = judge(rest, &transcript)?;
            verdicts.extend(done);
            if verdicts.len() < cases.len() {
                let end = end.err().map_or("it ended early".to_owned(), |error| error.to_string());
                verdicts.push(Err(format!("the board stopped: {begun:?}; {end}")));
            }
        }
        Ok(verdicts)
    }

    /// What the board said, and how the emulator ended.
    fn once(&self, cases: &[&Case]) -> Result<(String, Result<()>)> {
        fs::create_dir_all(&self.folder)?;
        fs::write(self.folder.join("script"), script(self.pool, cases))?;
        let transcript = self.folder.join("transcript");
        let mut command = (self.command)();
        command.current_dir(&self.folder).stdout(File::create(&transcript)?);
        let end = process::run_within(&mut command, LIMIT);
        Ok((read(&transcript)?, end))
    }
}

fn read(path: &Path) -> Result<String> {
    Ok(String::from_utf8_lossy(&fs::read(path)?).replace('\r', ""))
}

fn script(pool: &str, cases: &[&Case]) -> String {
    let mut lines = vec![format!("pool {pool}"), "memory".to_owned()];
    for (number, case) in cases.iter().enumerate() {
        lines.push(format!("case {number}"));
        lines.extend(case.commands().map(str::to_owned));
    }
    lines.join("\n") + "\n"
}

/// The verdicts of the cases that were finished, and the last words of one that was not.
fn judge<'t>(cases: &[&Case], transcript: &'t str) -> Result<(Vec<Verdict>, Vec<&'t str>)> {
    let lines: Vec<&str> = transcript.lines().collect();
    let Some(memory) = lines.first().filter(|line| line.starts_with("= 0 in use")) else {
        bail!("the board did not begin: {:?}", lines.first())
    };
    let begun: Vec<&[&str]> = lines[1..].split(|line| line.starts_with("case ")).skip(1).collect();
    let mut verdicts = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let Some(answers) = begun.get(index) else { return Ok((verdicts, Vec::new())) };
        let answers = match (answers.split_last(), begun.len() - index) {
            (Some((&"done", answers)), 1) => answers,
            (_, 1) => return Ok((verdicts, last_words(answers))),
            _ => answers,
        };
        verdicts.push(case.judge(answers, memory));
    }
    Ok((verdicts, Vec::new()))
}

fn last_words<'t>(lines: &[&'t str]) -> Vec<&'t str> {
    lines[lines.len().saturating_sub(3)..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMORY: &str = "= 0 in use, 8 and 8 free";

    fn case() -> Case {
        Case::told("a".to_owned(), vec![("unload 0".to_owned(), "! Died")], &[])
    }

    #[test]
    fn a_board_that_stops_is_told_from_one_that_is_done() {
        let (one, two) = (case(), case());
        let whole = format!("{MEMORY}\ncase 0\n! 429 Died\n{MEMORY}\ncase 1\n! 429 Died\n{MEMORY}\n");
        let all = format!("{whole}done\n");
        let done = judge(&[&one, &two], &all).unwrap();
        assert_eq!(done, (vec![Ok(()), Ok(())], vec![]));
        let stopped = judge(&[&one, &two], &whole).unwrap();
        assert_eq!(stopped, (vec![Ok(())], vec!["! 429 Died", MEMORY]));
        assert_eq!(judge(&[&one], MEMORY).unwrap(), (vec![], vec![]));
        assert!(judge(&[&one], "there is no script\n").is_err());
    }

    #[test]
    fn a_script_begins_with_its_pool_and_the_memory_there_is() {
        let script = script("unified", &[&case()]);
        assert_eq!(script, "pool unified\nmemory\ncase 0\nunload 0\nmemory\n");
    }
}
