//! repl, at a terminal: what is typed, completed and remembered.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::Place;

/// The tool at a terminal of its own.
struct Terminal {
    keys: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
    child: Child,
}

impl Terminal {
    fn new(place: &Place, arguments: &[&str]) -> Self {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let name = ptsname(&keys, Vec::new()).unwrap();
        let end = || {
            let file = File::options().read(true).write(true).open(Path::new(name.to_str().unwrap()));
            Stdio::from(file.unwrap())
        };
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llext"));
        command.args(arguments).current_dir(place.path("")).stdin(end()).stdout(end()).stderr(end());
        command.env("TERM", "xterm").env("XDG_STATE_HOME", place.path("state")).env("NO_COLOR", "1");
        let child = command.spawn().unwrap();
        let keys = File::from(keys);
        let (mut output, (send, screen)) = (keys.try_clone().unwrap(), channel());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Reading fails when the tool has gone.
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                if send.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { keys, screen, seen: String::new(), child }
    }

    /// Waits until the screen shows a text, and forgets all up to it.
    fn shows(&mut self, text: &str) {
        while !self.seen.contains(text) {
            let bytes = self.screen.recv_timeout(Duration::from_secs(60));
            let bytes = bytes.unwrap_or_else(|_| panic!("{text:?} does not come: {:?}", self.seen));
            self.seen += &String::from_utf8_lossy(&bytes);
        }
        self.seen = self.seen.split_off(self.seen.find(text).unwrap() + text.len());
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    fn ends(mut self) -> i32 {
        self.child.wait().unwrap().code().unwrap()
    }
}

#[test]
fn keys_complete_and_recall_lines() {
    let place = Place::new();
    place.build_each(&[("base", "int base(void) { return 40; }\nint other(int a) { return a; }\n")]);
    let mut terminal = Terminal::new(&place, &["repl"]);
    terminal.shows("llext> ");
    terminal.types("loa\tbase.l\t\r");
    terminal.shows("Loaded base (");
    terminal.shows("llext> ");
    terminal.types("ca\tbase.o\t7\r");
    terminal.shows("other(7) = 7");
    terminal.shows("llext> ");
    // Ctrl-C leaves a line, the arrow upwards brings the last one back.
    terminal.types("unload ba\x03");
    terminal.shows("llext> ");
    terminal.types("\x1b[A\r");
    terminal.shows("other(7) = 7");
    terminal.shows("llext> ");
    terminal.types("fly\r");
    terminal.shows("error[E0745]");
    terminal.shows("llext> ");
    terminal.types("\x04");
    terminal.shows("Unloaded base");
    // Somebody who saw the refusal needs no exit status.
    assert_eq!(terminal.ends(), 0);

    let mut terminal = Terminal::new(&place, &["repl", "base.llext"]);
    terminal.shows("llext> ");
    terminal.types("\x1b[A\x1b[A\r");
    terminal.shows("other(7) = 7");
    terminal.types("quit\r");
    terminal.shows("Unloaded base");
    assert_eq!(terminal.ends(), 0);
}
