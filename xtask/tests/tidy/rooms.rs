//! Rooms: the modules of a crate in the order in which they may use each other.

use crate::code::{code, is_word, line};
use crate::files::File;

/// A crate, its rooms from first to last, and the helpers that any room may use.
struct House {
    name: &'static str,
    rooms: &'static [&'static str],
    helpers: &'static [&'static str],
}

const ORDER: &[House] = &[
    House {
        name: "llext-link",
        rooms: &["error", "addr", "elf", "arch", "symbol", "veneer", "layout", "relocate", "whole"],
        helpers: &[],
    },
    House {
        name: "llext",
        rooms: &["source", "memory", "image", "export", "lifecycle", "registry", "call", "loader", "host"],
        helpers: &["digest", "error", "lock", "native", "sync"],
    },
];

pub(crate) fn order(files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter_map(|file| Some((file, house_of(file)?)))
        .flat_map(|(file, house)| house.check(file))
        .collect()
}

fn house_of(file: &File) -> Option<&'static House> {
    let (name, _) = file.in_crate().filter(|(_, path)| *path != "lib.rs")?;
    ORDER.iter().find(|house| house.name == name)
}

impl House {
    fn check(&self, file: &File) -> Vec<String> {
        let own = room_of(file);
        if self.helpers.contains(&own) {
            return Vec::new();
        }
        let Some(position) = self.position(own) else {
            return vec![format!("{}: `{own}` has no place in the order of rooms", file.path)];
        };
        let code = code(&file.text);
        let uses = uses(&code, &file.path).into_iter();
        let wrong = uses.filter_map(|(at, used)| Some((at, self.objection(position, used)?)));
        wrong.map(|(at, why)| format!("{}:{}: {why}", file.path, line(&code, at))).collect()
    }

    fn position(&self, room: &str) -> Option<usize> {
        self.rooms.iter().position(|name| *name == room)
    }

    fn objection(&self, own: usize, used: &str) -> Option<String> {
        match self.position(used) {
            Some(other) if other > own => Some(format!("`{}` uses `{used}`, a later room", self.rooms[own])),
            Some(_) => None,
            None if self.helpers.contains(&used) || used == "Error" => None,
            None => Some(format!("`crate::{used}` hides the room it comes from")),
        }
    }
}

fn room_of(file: &File) -> &str {
    let (_, path) = file.in_crate().expect("only files of houses are asked for");
    path.split(['/', '.']).next().unwrap_or(path)
}

/// Every name that stands directly below the crate's root, and where; macros are no rooms.
fn uses<'a>(code: &'a str, path: &str) -> Vec<(usize, &'a str)> {
    let folders = path.split_once("/src/").map_or(0, |(_, below)| below.matches('/').count());
    let is_mod = path.ends_with("/mod.rs");
    let root = "super::".repeat(folders + 1 - usize::from(is_mod && folders > 0));
    let mut uses = names_after(code, "crate::");
    uses.extend(names_after(code, "llext::")); // what macros write goes by the crate's name
    uses.extend(
        names_after(code, &root)
            .into_iter()
            .filter(|(_, name)| ORDER.iter().any(|house| house.rooms.contains(name))),
    );
    uses
}

fn names_after<'a>(code: &'a str, prefix: &str) -> Vec<(usize, &'a str)> {
    let starts = code.match_indices(prefix).filter(|(at, _)| !continues_a_path(code, *at));
    let names =
        starts.flat_map(|(at, _)| names(&code[at + prefix.len()..]).into_iter().map(move |name| (at, name)));
    names.filter(|(_, name)| !name.is_empty()).collect()
}

fn continues_a_path(code: &str, at: usize) -> bool {
    code[..at].bytes().next_back().is_some_and(|byte| is_word(byte) || byte == b':')
}

/// The name at the start, or the names of a `{list}` there.
fn names(rest: &str) -> Vec<&str> {
    let Some(list) = rest.strip_prefix('{') else {
        let name = word(rest);
        let is_macro = rest[name.len()..].starts_with('!');
        return if is_macro { Vec::new() } else { vec![name] };
    };
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (at, byte) in list.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth > 0 => depth -= 1,
            b',' | b'}' if depth == 0 => {
                names.push(word(list[start..at].trim()));
                start = at + 1;
                if byte == b'}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> &str {
    if text.starts_with('*') {
        return "*";
    }
    &text[..text.bytes().take_while(|byte| is_word(*byte)).count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(path: &str, text: &str) -> Vec<String> {
        order(&[File::planted(&format!("crates/llext-link/src/{path}"), text)])
    }

    #[test]
    fn an_earlier_room_is_free_to_use() {
        assert!(
            link("layout.rs", "use crate::{addr::Extent, elf::{self, Section}};\ncrate::error_table! {}")
                .is_empty()
        );
        assert!(link("elf/header.rs", "use super::symbol; use crate::Error; // crate::layout").is_empty());
    }

    #[test]
    fn a_later_room_is_found_however_it_is_named() {
        for planted in [
            "use crate::layout::Layout;",
            "use crate::{addr, layout::{self, Layout}};",
            "fn f() -> crate::layout::Layout {}",
            "use super::layout;",
            "fn f() -> llext::layout::Layout {}",
        ] {
            let found = link("addr.rs", &format!("\n{planted}"));
            assert_eq!(
                found,
                ["crates/llext-link/src/addr.rs:2: `addr` uses `layout`, a later room"],
                "{planted}"
            );
        }
        assert_eq!(link("elf/header.rs", "use super::super::arch;").len(), 1);
        assert_eq!(link("elf/mod.rs", "use super::arch;").len(), 1);
    }

    #[test]
    fn a_way_round_the_rooms_is_found() {
        assert_eq!(link("addr.rs", "use crate::Layout;").len(), 1);
        assert_eq!(link("addr.rs", "use crate::*;").len(), 1);
    }

    #[test]
    fn a_new_room_needs_a_place() {
        assert_eq!(link("util.rs", "").len(), 1);
        assert!(link("lib.rs", "pub use relocate::apply;").is_empty());
        assert!(order(&[File::planted("crates/llext/src/native.rs", "use crate::loader;")]).is_empty());
    }
}
