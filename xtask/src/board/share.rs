//! What the library takes of firmware, as the linker's map tells it: GNU ld's manual, "Printing map files".

/// What of the map is about what was linked, after what was left out.
const LINKED: &str = "\nLinker script and memory map\n";
/// A member of the library, as a part of a section is followed by where it comes from.
const MEMBER: &str = "libllext.a(";

/// Bytes of code and constants that come of the library.
pub(super) fn of_library(map: &str) -> u64 {
    let (_, linked) = map.split_once(LINKED).unwrap_or_default();
    let mut section = "";
    let mut sum = 0;
    for line in linked.lines() {
        // A long name has a line of its own.
        if let Some(name) = line.strip_prefix(" .") {
            section = name.split(['.', ' ']).next().unwrap_or_default();
        }
        if line.contains(MEMBER) && ["text", "rodata"].contains(&section) {
            sum += size(line).unwrap_or_default();
        }
    }
    sum
}

/// The second of two numbers, the first of which is an address.
fn size(line: &str) -> Option<u64> {
    let size = line.split_whitespace().filter_map(|word| word.strip_prefix("0x")).nth(1)?;
    u64::from_str_radix(size, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "
 .text.unused   0x00000000      0x100 /a/libllext.a(one.o)

Linker script and memory map

 .text          0x00001000        0x8 main.o
 .text.llext_load
                0x00001008       0x10 /a folder/libllext.a(one.o)
                0x00001008                llext_load
 .rodata.names  0x00002000      0x0a0 /a/libllext.a(one.o)
 .data          0x20000000      0x800 /a/libllext.a(one.o)
 .text          0x00001018        0x2 /a/libllext.a(two.o)
 .rodata.str1.4
                0x000020a0       0x40 /a/libother.a(one.o)
";

    #[test]
    fn code_and_constants_of_the_library_are_counted_and_nothing_else() {
        assert_eq!(of_library(MAP), 0x10 + 0xa0 + 2);
        assert_eq!(of_library("no map"), 0);
    }
}
