//! Running the tool in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use serde_json::Value;
use tempfile::TempDir;

/// A folder for one test, gone with it.
pub(crate) struct Place(TempDir);

/// What the tool said, and how it ended.
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    /// Writes a file, and the folders it lies in.
    pub(crate) fn write(&self, file: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        path
    }

    /// A script that stands in for a program.
    #[cfg(unix)]
    pub(crate) fn script(&self, file: &str, lines: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.write(file, format!("#!/bin/sh\n{lines}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The tool, to be run here.
    pub(crate) fn tool(&self) -> Command {
        let mut command = assert_cmd::cargo::cargo_bin_cmd!("llext");
        command.current_dir(self.0.path());
        // One place for all crates the tests build: the SDK's dependencies are compiled once.
        command.env("CARGO_TARGET_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/crates"));
        for variable in ["CFLAGS", "CXXFLAGS", "CC", "CXX", "NO_COLOR", "CLICOLOR_FORCE"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs the tool with words separated by blanks.
    pub(crate) fn run(&self, line: &str) -> Said {
        Said::of(self.tool().args(line.split_whitespace()).assert())
    }

    /// Runs the tool with words separated by blanks, and these lines on standard input.
    pub(crate) fn tell(&self, line: &str, input: &str) -> Said {
        Said::of(self.tool().args(line.split_whitespace()).write_stdin(input).assert())
    }

    /// Builds extensions of C sources, each a file here.
    pub(crate) fn build_each(&self, sources: &[(&str, &str)]) {
        for (name, source) in sources {
            self.write(&format!("{name}.c"), source);
            self.done(&format!("build {name}.c -o {name}.llext"));
        }
    }

    /// Runs the tool, which must do what is asked.
    pub(crate) fn done(&self, line: &str) -> Said {
        self.run(line).expect(0)
    }

    /// Runs the tool, which must refuse with this code, by text and by object alike.
    pub(crate) fn refused(&self, line: &str, code: &str) -> Said {
        self.run(line).refused(code);
        let said = self.run(&format!("{line} --json")).refused(code);
        let object = said.json();
        let error = if object["error"].is_object() { &object["error"] } else { &object["load"]["refused"] };
        assert_eq!(error["code"], code, "{object:#}");
        assert!(error["cure"].as_str().is_some_and(|cure| !cure.is_empty()));
        said
    }

    /// The object that the tool prints.
    pub(crate) fn json(&self, line: &str) -> Value {
        self.done(&format!("{line} --json")).json()
    }
}

impl Said {
    pub(crate) fn of(assert: Assert) -> Self {
        let output = assert.get_output();
        Self {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub(crate) fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, status, "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self
    }

    /// Ended as a refusal does: status 1, the code, the cure.
    pub(crate) fn refused(self, code: &str) -> Self {
        let said = self.expect(1);
        assert!(said.err.contains(&format!("error[{code}]: ")), "expected {code}:\n{}", said.err);
        assert!(said.err.contains("\n  cure: "), "{}", said.err);
        said
    }

    /// Standard output as one JSON object and nothing else.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}:\n{}", self.out))
    }
}

/// The JSON object of each line.
pub(crate) fn objects(out: &str) -> Vec<Value> {
    let object = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}:\n{line}"));
    out.lines().map(object).collect()
}

/// The words after a verb of the tool's status lines, in their order.
pub(crate) fn statuses<'s>(said: &'s str, verb: &str) -> Vec<&'s str> {
    said.lines().filter_map(|line| line.trim_start().strip_prefix(verb)?.strip_prefix(' ')).collect()
}

/// The strings of a JSON array.
pub(crate) fn strings(array: &Value) -> Vec<&str> {
    array.as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect()
}

/// The names in a JSON array of objects.
pub(crate) fn names(array: &Value) -> Vec<&str> {
    array.as_array().unwrap().iter().map(|value| value["name"].as_str().unwrap()).collect()
}

/// The project's own SDK.
pub(crate) fn sdk() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../llext-sdk").canonicalize().unwrap()
}
