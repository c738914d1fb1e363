//! What a load would make of a file, as far as the file alone tells: the linker's own planning, on paper.

use llext_link::Error;
use llext_link::addr::{Extent, Part, Window};
use llext_link::arch::{self, Arch};
use llext_link::elf::header::{Header, Kind};
use llext_link::elf::relocation::Relocations;
use llext_link::elf::section::{self, Role, Scan, Section};
use llext_link::elf::segment::{self, Segment};
use llext_link::elf::symbol::Symbols;
use llext_link::elf::{Elf32Be, Elf32Le, Elf64Be, Elf64Le, Format};
use llext_link::layout::{self, Extra, Layout};
use llext_link::symbol::{Resolve, View};
use llext_link::veneer::{Count, Counted, Needs, Slot};
use serde::Serialize;

/// What memory a load takes.
#[derive(Debug, Serialize)]
pub(crate) struct Plan {
    pub(crate) parts: Vec<PartSize>,
    /// Far-call stubs, when everything from outside is far away.
    pub(crate) stubs: u32,
    /// Slots of the global offset table.
    pub(crate) got_slots: u32,
    /// All parts, bytes.
    pub(crate) total: u64,
}

/// One reservation of memory.
#[derive(Debug, Serialize)]
pub(crate) struct PartSize {
    pub(crate) part: &'static str,
    pub(crate) bytes: u32,
    pub(crate) align: u32,
}

/// EI_CLASS and EI_DATA choose the format, which checks them again with all else.
macro_rules! as_its_format {
    ($bytes:ident, $of:ident) => {
        match ($bytes.get(4), $bytes.get(5)) {
            (Some(1), Some(2)) => $of::<Elf32Be>($bytes),
            (Some(2), Some(2)) => $of::<Elf64Be>($bytes),
            (Some(1), _) => $of::<Elf32Le>($bytes),
            _ => $of::<Elf64Le>($bytes),
        }
    };
}

/// Plans a load of the file.
pub(crate) fn plan(bytes: &[u8]) -> Result<Plan, Error> {
    as_its_format!(bytes, plan_as)
}

/// The region of each section of a relocatable file, by its index; none for those that are not loaded. This takes no
/// knowledge of the processor.
pub(crate) fn regions(bytes: &[u8]) -> Result<Vec<Option<&'static str>>, Error> {
    as_its_format!(bytes, regions_as)
}

fn header_of<F: Format>(bytes: &[u8]) -> Result<Header, Error> {
    let mut header = Header::parse::<F>(bytes, bytes.len() as u64)?;
    header.complete::<F>(header.first_section().of(bytes).unwrap_or_default())?;
    Ok(header)
}

fn plan_as<F: Format>(bytes: &[u8]) -> Result<Plan, Error> {
    let header = header_of::<F>(bytes)?;
    let arch =
        Arch::find(&header).ok_or(Error::WrongMachine { found: header.machine, expected: native() })?;
    arch.check(&header)?;
    match header.kind {
        Kind::Relocatable => plan_relocatable::<F>(&header, arch, bytes),
        Kind::Shared => plan_shared::<F>(&header, arch, bytes),
    }
}

fn regions_as<F: Format>(bytes: &[u8]) -> Result<Vec<Option<&'static str>>, Error> {
    let header = header_of::<F>(bytes)?;
    let (sections, _) = scan_sections::<F>(&header, bytes)?;
    Ok(sections.iter().map(|section| region(section.role())).collect())
}

fn plan_relocatable<F: Format>(header: &Header, arch: &Arch, bytes: &[u8]) -> Result<Plan, Error> {
    let (mut sections, scan) = scan_sections::<F>(header, bytes)?;
    let tables = scan.finish(&sections)?;
    let part = |extent: Extent| extent.of(bytes).unwrap_or_default();
    arch.check_attributes::<F>(part(tables.attributes))?;
    let symbols = Symbols::<F>::new(part(tables.symbols), part(tables.strings), part(tables.extended))?;

    let mut values = vec![F::Word::default(); symbols.len() as usize];
    let exports_globals = !sections.iter().any(|section| section.role() == Role::Exports);
    let view =
        View { kind: header.kind, symbols, sections: &sections, names: part(tables.names), exports_globals };
    let mut resolve = Resolve::default();
    // Every name is provided, and nothing is near; at an odd address, as that of Thumb code.
    resolve.step(&view, &mut values, u32::MAX, &mut |_, found| found.fill(Some(1)), &mut |_| {})?;

    let mut needs = Needs::new(Window::ALL, &sections);
    let mut slots = vec![Slot::default(); values.len()];
    for table in sections.iter().filter(|section| matches!(section.role(), Role::Rel | Role::Rela)) {
        needs.begin(table.target());
        let mut count = Count { arch, symbols, values: &values, slots: &mut slots, needs: &mut needs };
        let relocations = Relocations::new(table.role(), part(table.extent()));
        // A slot for each symbol is lent from the start.
        let (Counted::Done | Counted::WantsSlots) = count.batch(relocations)?;
    }
    let layout = layout::plan::<F>(&mut sections, arch, &resolve.tally, &needs, Extra::default())?;
    Ok(Plan::new(&layout, &needs))
}

fn plan_shared<F: Format>(header: &Header, arch: &Arch, bytes: &[u8]) -> Result<Plan, Error> {
    let headers = header.segments.of(bytes).unwrap_or_default();
    let mut segments = vec![Segment::default(); header.segment_count as usize];
    let span = segment::scan::<F>(header, headers, &mut segments)?;
    let layout = layout::plan_shared(arch, span.size, span.align, Extra::default())?;
    Ok(Plan::new(&layout, &Needs::new(Window::ALL, &[])))
}

fn scan_sections<F: Format>(header: &Header, mut bytes: &[u8]) -> Result<(Vec<Section>, Scan), Error> {
    let mut sections = vec![Section::default(); header.section_count as usize];
    let mut scan = Scan::default();
    while !scan.step::<F, _>(header, &mut bytes, &mut sections, u32::MAX)? {}
    section::apply_names(&mut sections, scan.tables.names.of(bytes).unwrap_or_default())?;
    section::connect(&mut sections)?;
    Ok((sections, scan))
}

/// The machine this tool itself runs on, for messages.
fn native() -> u16 {
    let is_ours = |arch: &&Arch| arch.name == std::env::consts::ARCH;
    arch::all().find(is_ours).map_or(0, |arch| arch.machine)
}

fn region(role: Role) -> Option<&'static str> {
    Some(match role {
        Role::Ignored | Role::Note | Role::Rel | Role::Rela => return None,
        Role::Text => "text",
        Role::Rodata => "rodata",
        Role::Exports => "exports",
        Role::Preinit => "preinit",
        Role::Init => "init",
        Role::Fini => "fini",
        Role::Data => "data",
        Role::Bss => "bss",
    })
}

impl Plan {
    fn new(layout: &Layout, needs: &Needs) -> Self {
        let names = ["image", "code", "constants", "data"];
        let sizes = Part::ALL.iter().zip(names).map(|(part, name)| PartSize {
            part: name,
            bytes: layout.size(*part),
            align: layout.aligns.get(*part as usize).copied().unwrap_or(1),
        });
        let parts: Vec<_> = sizes.filter(|part| part.bytes > 0).collect();
        let total = parts.iter().map(|part| u64::from(part.bytes)).sum();
        Self { parts, stubs: needs.stubs, got_slots: needs.got, total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_loaded_lies_in_no_region() {
        for role in [Role::Ignored, Role::Note, Role::Rel, Role::Rela] {
            assert_eq!(region(role), None, "{role:?}");
        }
        assert_eq!(region(Role::Rodata), Some("rodata"));
    }
}
