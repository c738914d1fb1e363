//! `llext inspect FILE`: what a file holds, and what a load would make of it.

use std::collections::BTreeMap;
use std::fmt;

use object::{Architecture, Object, ObjectKind, ObjectSection, elf as names};
use serde::Serialize;

use crate::cli::Inspect;
use crate::demangle;
use crate::elf::{self, Extension, Import};
use crate::error::{Error, Refusal};
use crate::needs::{self, Need};
use crate::plan::{self, Plan};
use crate::table::Columns;
use crate::terminal::{BAD, FAINT, HEADING, HINT};

/// All that is told about a file.
#[derive(Serialize)]
pub(crate) struct Facts {
    file: String,
    bytes: usize,
    kind: &'static str,
    machine: String,
    bits: u8,
    endian: &'static str,
    sections: Vec<Section>,
    exports: Vec<Export>,
    imports: Vec<Import>,
    needs: Vec<Need>,
    relocations: BTreeMap<String, usize>,
    load: Load,
}

#[derive(Serialize)]
struct Section {
    index: usize,
    name: String,
    r#type: String,
    flags: String,
    size: u64,
    align: u64,
    region: Option<&'static str>,
}

#[derive(Serialize)]
struct Export {
    name: String,
    readable: String,
    section: Option<String>,
    offset: Option<u64>,
}

/// What a load would take, or why it would refuse.
#[derive(Serialize)]
#[serde(untagged)]
enum Load {
    Planned(Plan),
    Refused { refused: Refusal },
}

pub(crate) fn run(arguments: &Inspect) -> Result<Facts, Error> {
    let bytes = elf::read(&arguments.file)?;
    let extension = Extension::parse(&arguments.file.display().to_string(), &bytes)?;
    let load = plan::plan(&bytes).map_or_else(
        |error| Load::Refused { refused: Refusal::of(&Error::of_link(&extension.path, error)) },
        Load::Planned,
    );
    Ok(Facts {
        bytes: bytes.len(),
        kind: kind(&extension),
        machine: machine(&extension),
        bits: if extension.file.is_64() { 64 } else { 32 },
        endian: if extension.file.is_little_endian() { "little" } else { "big" },
        sections: sections(&extension, &plan::regions(&bytes).unwrap_or_default()),
        exports: exports(&extension)?,
        imports: extension.imports(),
        needs: needs::of(&extension.file),
        relocations: extension.relocations(),
        load,
        file: extension.path,
    })
}

fn kind(extension: &Extension<'_>) -> &'static str {
    match extension.file.kind() {
        ObjectKind::Relocatable => "relocatable object",
        ObjectKind::Dynamic => "shared object",
        ObjectKind::Executable => "program",
        _ => "other",
    }
}

fn machine(extension: &Extension<'_>) -> String {
    match extension.file.architecture() {
        Architecture::Unknown => format!("machine {}", extension.machine().0),
        Architecture::X86_64 => "x86-64".to_owned(),
        Architecture::I386 => "x86".to_owned(),
        Architecture::Aarch64 => "arm64".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn sections(extension: &Extension<'_>, regions: &[Option<&'static str>]) -> Vec<Section> {
    let region = |section: &object::Section<'_, '_>| match extension.file.kind() {
        ObjectKind::Relocatable => regions.get(section.index().0).copied().flatten(),
        // A shared object lies in memory as it was linked.
        _ => elf::is_allocated(section).then_some("image"),
    };
    let tell = |section: object::Section<'_, '_>| Section {
        index: section.index().0,
        name: String::from_utf8_lossy(section.name_bytes().unwrap_or_default()).into_owned(),
        r#type: section_type(extension, &section),
        flags: letters(elf::flags(&section)),
        size: section.size(),
        align: section.align(),
        region: region(&section),
    };
    extension.file.sections().map(tell).collect()
}

fn section_type(extension: &Extension<'_>, section: &object::Section<'_, '_>) -> String {
    let kind = elf::section_type(section);
    let name = names::machine_names(extension.machine()).sht.name(kind);
    name.map_or_else(|| format!("{:#x}", kind.0), |name| name.trim_start_matches("SHT_").to_owned())
}

/// The flags as readelf abbreviates them.
fn letters(flags: names::SectionFlags) -> String {
    let all = [
        (names::SHF_WRITE, 'W'),
        (names::SHF_ALLOC, 'A'),
        (names::SHF_EXECINSTR, 'X'),
        (names::SHF_MERGE, 'M'),
        (names::SHF_STRINGS, 'S'),
        (names::SHF_TLS, 'T'),
        (names::SHF_COMPRESSED, 'C'),
        (names::SHF_GNU_RETAIN, 'R'),
    ];
    all.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, letter)| letter).collect()
}

fn exports(extension: &Extension<'_>) -> Result<Vec<Export>, Error> {
    let tell = |export: elf::Export| Export {
        readable: demangle::demangle(&export.name),
        section: export.spot.and_then(|spot| extension.section_name(spot.section)),
        offset: export.spot.map(|spot| spot.offset),
        name: export.name,
    };
    Ok(extension.exports()?.into_iter().map(tell).collect())
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, kind, machine, bits, endian, bytes, .. } = self;
        writeln!(
            f,
            "{HEADING}{file}{HEADING:#}: {kind}, {machine}, {bits}-bit {endian}-endian, {bytes} bytes"
        )?;
        self.write_sections(f)?;
        self.write_symbols(f)?;
        if !self.relocations.is_empty() {
            let mut columns = Columns::new(&["type", ">count"]);
            for (name, count) in &self.relocations {
                columns.row([name.clone(), count.to_string()]);
            }
            heading(f, "relocations", self.relocations.values().sum())?;
            write!(f, "{columns}")?;
        }
        write!(f, "\n{}", self.load)
    }
}

fn heading(f: &mut fmt::Formatter<'_>, what: &str, count: usize) -> fmt::Result {
    writeln!(f, "\n{HEADING}{what}{HEADING:#} {FAINT}{count}{FAINT:#}")
}

impl Facts {
    fn write_sections(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut columns = Columns::new(&[">index", "name", "type", "flags", ">size", ">align", "region"]);
        for section in &self.sections {
            columns.row([
                section.index.to_string(),
                demangle::printable(&section.name),
                section.r#type.clone(),
                section.flags.clone(),
                section.size.to_string(),
                section.align.to_string(),
                section.region.unwrap_or("-").to_owned(),
            ]);
        }
        heading(f, "sections", self.sections.len())?;
        write!(f, "{columns}")
    }

    fn write_symbols(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        heading(f, "exports", self.exports.len())?;
        for export in &self.exports {
            write!(f, "  {}", demangle::both(&export.name))?;
            match (&export.section, export.offset) {
                (Some(section), Some(offset)) => {
                    writeln!(f, " {FAINT}{}+{offset:#x}{FAINT:#}", demangle::printable(section))?;
                }
                _ => writeln!(f)?,
            }
        }
        heading(f, "imports", self.imports.len())?;
        for import in &self.imports {
            writeln!(f, "  {}{}", demangle::both(&import.name), if import.weak { " (weak)" } else { "" })?;
        }
        if !self.needs.is_empty() {
            heading(f, "needs", self.needs.len())?;
        }
        self.needs.iter().try_for_each(|need| writeln!(f, "  {need}"))
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Planned(plan) => {
                writeln!(f, "{HEADING}a load takes{HEADING:#} {FAINT}{} bytes{FAINT:#}", plan.total)?;
                let mut columns = Columns::new(&["part", ">bytes", ">align"]);
                for part in &plan.parts {
                    columns.row([part.part.clone(), part.bytes.to_string(), part.align.to_string()]);
                }
                write!(f, "{columns}")?;
                writeln!(f, "  with at most {} far-call stubs and {} GOT slots", plan.stubs, plan.got_slots)
            }
            Self::Refused { refused } => {
                writeln!(f, "{BAD}a load refuses it{BAD:#} {}: {}", refused.code, refused.message)?;
                writeln!(f, "  {HINT}cure{HINT:#}: {}", refused.cure)
            }
        }
    }
}
