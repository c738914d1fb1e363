//! The same file linked by GNU ld or LLD at the same addresses.
//!
//! Where the linker makes no stubs for far calls, what is branched to from afar is said to lie at our stub: then every
//! branch must come out alike, and that the stub leads to the target is seen by following it.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use object::{Object, ObjectSection, SectionFlags, SectionKind, elf};

use super::copy;
use super::image::Image;
use super::ours::{Ours, Placed};
use super::target::Linker;
use super::tools;
use super::view::View;
use crate::error::Result;

/// Links `copy` in `folder`.
pub(super) fn link(linker: &Linker, copy: &[u8], view: &View, ours: &Ours, folder: &Path) -> Result<Image> {
    fs::write(folder.join("copy.o"), copy)?;
    fs::write(folder.join("script.x"), script(view, ours, linker))?;
    let words = ["--static", "-e", "0", "--no-check-sections", "-T", "script.x", "copy.o"];
    let words = linker.options.iter().chain(&words).chain(&["-o", "linked"]);
    let words: Vec<String> = words.map(|word| (*word).to_owned()).collect();
    tools::run(linker.program, &words, folder)?;
    read(&fs::read(folder.join("linked"))?)
}

/// A script that places every section where we did. Where stubs may follow code, all code is one output section.
fn script(view: &View, ours: &Ours, linker: &Linker) -> String {
    let mut sections: Vec<&Placed> = ours.sections.iter().filter(|section| section.size > 0).collect();
    sections.sort_by_key(|section| section.address);
    let (code, alone): (Vec<&Placed>, Vec<&Placed>) =
        sections.into_iter().partition(|section| linker.makes_stubs && section.code);
    let mut text = "SECTIONS {\n".to_owned();
    if let Some(first) = code.first() {
        let _ = writeln!(text, "  .code {:#x} : {{", first.address);
        for section in &code {
            let offset = section.address - first.address;
            let _ = writeln!(text, "    . = {offset:#x}; *({})", copy::name(section.index));
        }
        text += "  }\n";
    }
    let place = |section: &Placed| (section.address, copy::name(section.index));
    let mut alone: Vec<(u64, String)> = alone.into_iter().map(place).collect();
    alone.push((ours.got, linker.got.to_owned()));
    alone.sort();
    for (address, name) in alone {
        let _ = writeln!(text, "  {name} {address:#x} : {{ *({name}) }}");
    }
    // What a load leaves out would otherwise lie where the tables do.
    let is_placed = |index: usize| ours.sections.iter().any(|placed| placed.index == index);
    for section in view.sections.iter().filter(|section| !is_placed(section.index)) {
        let _ = writeln!(text, "  /DISCARD/ : {{ *({}) }}", copy::name(section.index));
    }
    let [_, _, end] = ours.ends;
    let tables = end.next_multiple_of(0x1000) + 0x1000;
    let _ = writeln!(text, "  .tables {tables:#x} : {{ *(.got) *(.got.plt) *(.igot) *(.igot.plt) }}");
    text + "  .plt : { *(.plt) *(.iplt) }\n  .rel : { *(.rel.*) *(.rela.*) *(.relr.*) }\n}\n"
}

fn read(bytes: &[u8]) -> Result<Image> {
    let file = object::File::parse(bytes)?;
    let mut image = Image::default();
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else { continue };
        if sh_flags.contains(elf::SHF_ALLOC) && section.kind() != SectionKind::UninitializedData {
            image.add(section.address(), section.data()?.to_vec());
        }
    }
    Ok(image)
}
