//! Watches over the process that runs the cases: a crash or a hang is told with the cases that were under way.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use crate::options::{PARTS, PROGRESS};

/// How long one case may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where each thread writes which case it is at.
pub(crate) struct Progress(File);

impl Progress {
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        File::options()
            .write(true)
            .open(path)
            .map(Self)
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Thread `worker` begins with a case, or has no more.
    pub(crate) fn at(&self, worker: usize, case: Option<usize>) {
        let number = case.map_or(0, |case| case as u64 + 1);
        // Without this, a crash would only go unnamed.
        let _ = self.0.write_all_at(&number.to_le_bytes(), 8 * worker as u64);
    }
}

/// Runs this program again with `arguments`, for one part; true when it found nothing wrong.
pub(crate) fn over(part: &str, arguments: &[String], folder: &Path) -> Result<bool, String> {
    let path = folder.join(format!("{}.progress", std::process::id()));
    let options: Vec<_> = arguments.iter().filter(|word| !PARTS.contains(&word.as_str())).collect();
    let run = || {
        fs::write(&path, [])?;
        let program = std::env::current_exe()?;
        let mut child = Command::new(program).args(&options).arg(part).arg(PROGRESS).arg(&path).spawn()?;
        wait(part, &mut child, &path)
    };
    let result = run().map_err(|error| format!("{}: {error}", path.display()));
    // It may never have been made.
    let _ = fs::remove_file(&path);
    result
}

fn wait(part: &str, child: &mut Child, path: &Path) -> std::io::Result<bool> {
    let (mut seen, mut since) = (Vec::new(), Vec::new());
    loop {
        let cases = under_way(path)?;
        if let Some(status) = child.try_wait()? {
            if status.code().is_none() {
                tell(part, &format!("the process ended by {status}"), &cases);
            }
            return Ok(status.success());
        }
        since.resize(cases.len(), Instant::now());
        seen.resize(cases.len(), 0);
        for index in 0..cases.len() {
            if cases[index] != seen[index] || cases[index] == 0 {
                (seen[index], since[index]) = (cases[index], Instant::now());
            } else if since[index].elapsed() > PATIENCE {
                child.kill()?;
                child.wait()?;
                tell(part, &format!("no end after {} seconds", PATIENCE.as_secs()), &cases[index..=index]);
                return Ok(false);
            }
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// The number of each thread's case, and one more; 0 for none.
fn under_way(path: &Path) -> std::io::Result<Vec<u64>> {
    let bytes = fs::read(path)?;
    Ok(bytes
        .chunks_exact(8)
        .map(|number| u64::from_le_bytes(number.try_into().expect("eight bytes")))
        .collect())
}

fn tell(part: &str, what: &str, cases: &[u64]) {
    println!("FAIL: {what}");
    for case in cases.iter().filter(|case| **case > 0) {
        println!("  repeat with {part} --case {}", case - 1);
    }
}
