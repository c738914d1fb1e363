//! Compiles the extensions of the target `registry`.

use std::env;
use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=subjects/extension.c");
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    for kind in 0..3 {
        let mut cc = Command::new("cc");
        cc.args(["-O1", "-c", "subjects/extension.c", &format!("-DKIND={kind}"), "-o"]);
        let status = cc.arg(folder.join(format!("extension{kind}.o"))).status().expect("a C compiler");
        assert!(status.success(), "extension.c, KIND {kind}");
    }
}
