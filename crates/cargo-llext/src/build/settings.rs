//! `[package.metadata.llext]`: what a crate says about the extension it becomes.

use std::path::PathBuf;

use serde::Deserialize;

/// The settings; a key nobody knows is an error, because it is a slip of the pen.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The target triple to build for when the command line names none.
    pub(crate) target: Option<String>,
    /// What the extension must find its imports in: a host as `llext check --against` takes it.
    pub(crate) interface: Option<PathBuf>,
    /// Names that must be among the exports.
    #[serde(default)]
    pub(crate) exports: Vec<String>,
}

impl Settings {
    /// Reads the table out of a package's metadata; none there means the defaults.
    pub(crate) fn read(metadata: &serde_json::Value) -> Result<Self, serde_json::Error> {
        metadata.get("llext").map_or_else(|| Ok(Self::default()), Self::deserialize)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_keys_are_read_and_others_refused() {
        let table = json!({ "llext": { "target": "t", "interface": "host.elf", "exports": ["a"] } });
        let settings = Settings::read(&table).unwrap();
        assert_eq!((settings.target.as_deref(), settings.exports.len()), (Some("t"), 1));
        assert!(Settings::read(&json!(null)).unwrap().exports.is_empty());
        assert!(Settings::read(&json!({ "llext": { "export": [] } })).is_err());
    }
}
