//! Installing packages on Debian and Ubuntu, as root or with a `sudo` that asks nothing.

use std::process::Command;

use super::needs::{Need, Package};
use crate::error::Result;
use crate::process::{find, output, run, succeeds};

/// Installs the packages of these needs. Where that cannot be done, says so and succeeds.
pub(super) fn install(needs: &[&Need]) -> Result<()> {
    if find("apt-get").is_none() {
        println!("setup: this is no Debian or Ubuntu: please install these by the system's own means");
        return Ok(());
    }
    let Some(become_root) = become_root() else {
        println!("setup: not root, and no sudo without a password: please run");
        println!(
            "    sudo apt-get update && sudo apt-get install {}",
            sorted(names_to_type(needs)).join(" ")
        );
        return Ok(());
    };
    run(root(become_root).args(["apt-get", "update", "-q"]))?;
    let packages = sorted(offered_packages(needs));
    if packages.is_empty() {
        return Ok(());
    }
    run(root(become_root).args(INSTALL).args(packages))
}

const INSTALL: [&str; 9] = [
    "DEBIAN_FRONTEND=noninteractive",
    "apt-get",
    "install",
    "-y",
    "-q",
    "--no-install-recommends",
    "-oDpkg::Use-Pty=0",
    "-oDPkg::Lock::Timeout=300",
    "-oAcquire::Retries=3",
];

/// What stands before `env` to run a command as root, if anything can.
fn become_root() -> Option<&'static [&'static str]> {
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id == "0");
    if root {
        return Some(&["env"]);
    }
    succeeds(Command::new("sudo").args(["-n", "true"])).then_some(&["sudo", "-n", "env"])
}

fn root(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

/// The packages that this distribution offers, after an update of its lists.
fn offered_packages(needs: &[&Need]) -> Vec<String> {
    let mut names = Vec::new();
    for package in needs.iter().flat_map(|need| need.packages) {
        match offered(package) {
            Some(name) => names.push(name),
            None => println!("setup: this distribution offers no {}", prefix(package)),
        }
    }
    names
}

/// The packages for a person to install; lists that were never updated know none, so plain names stand in.
fn names_to_type(needs: &[&Need]) -> Vec<String> {
    let packages = needs.iter().flat_map(|need| need.packages);
    packages.map(|package| offered(package).unwrap_or_else(|| prefix(package).to_owned())).collect()
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

fn prefix(package: &Package) -> &'static str {
    match package {
        Package::Named(name) | Package::Newest(name) | Package::GccPart(name) => name,
    }
}

fn offered(package: &Package) -> Option<String> {
    match package {
        Package::Named(name) => search(name, "").pop(),
        Package::Newest(prefix) => newest(search(prefix, "-[0-9]+")),
        Package::GccPart(part) => {
            let depends = output(Command::new("apt-cache").args(["depends", "gcc"])).ok()?;
            search(&format!("{}-{part}", versioned_gcc(&depends)?), "").pop()
        }
    }
}

/// The versioned package that the package `gcc` stands for.
fn versioned_gcc(depends: &str) -> Option<&str> {
    let mut names = depends.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    names.find(|name| name.strip_prefix("gcc-").is_some_and(|version| version.parse::<u32>().is_ok()))
}

fn newest(names: Vec<String>) -> Option<String> {
    names.into_iter().max_by_key(|name| name.rsplit('-').next()?.parse::<u32>().ok())
}

/// The packages whose whole name is `name` followed by what the pattern matches.
fn search(name: &str, pattern: &str) -> Vec<String> {
    let expression = format!("^{}{pattern}$", name.replace('+', "\\+"));
    let found = output(Command::new("apt-cache").args(["search", "--names-only", &expression]));
    let found = found.unwrap_or_default();
    found.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gcc_stands_for_one_of_its_versions() {
        let depends =
            "gcc\n  Depends: cpp\n  Depends: gcc-12-base\n  Depends: gcc-12\n  Suggests: gcc-multilib\n";
        assert_eq!(versioned_gcc(depends), Some("gcc-12"));
        assert_eq!(versioned_gcc("gcc\n  Depends: cpp\n"), None);
    }

    #[test]
    fn the_highest_number_is_the_newest() {
        let names = ["clang-9", "clang-22", "clang-14"].map(str::to_owned);
        assert_eq!(newest(names.to_vec()).as_deref(), Some("clang-22"));
    }
}
