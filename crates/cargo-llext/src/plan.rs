//! What a load would make of a file, as far as the file alone tells: the linker's own planning, on paper.

use llext_link::Error;
use llext_link::addr::{Part, Window};
use llext_link::arch::{self, Arch};
use llext_link::elf::Format;
use llext_link::elf::header::{Header, Kind};
use llext_link::elf::section::Role;
use llext_link::elf::segment::{self, Segment};
use llext_link::layout::{self, Extra, Layout};
use llext_link::whole::{self, Object};
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
    pub(crate) part: String,
    pub(crate) bytes: u32,
    pub(crate) align: u32,
}

/// EI_CLASS and EI_DATA choose the format, which checks them again with all else.
macro_rules! as_its_format {
    ($bytes:ident, $of:path $(, $more:expr)?) => {
        match ($bytes.get(4), $bytes.get(5)) {
            (Some(1), Some(2)) => { use $of as of; of::<llext_link::elf::Elf32Be>(&$bytes $(, $more)?) }
            (Some(2), Some(2)) => { use $of as of; of::<llext_link::elf::Elf64Be>(&$bytes $(, $more)?) }
            (Some(1), _) => { use $of as of; of::<llext_link::elf::Elf32Le>(&$bytes $(, $more)?) }
            _ => { use $of as of; of::<llext_link::elf::Elf64Le>(&$bytes $(, $more)?) }
        }
    };
}
pub(crate) use as_its_format;

/// Plans a load of the file.
pub(crate) fn plan(bytes: &[u8]) -> Result<Plan, Error> {
    as_its_format!(bytes, plan_as)
}

/// The region of each section of a relocatable file, by its index; none for those that are not loaded. This takes no
/// knowledge of the processor.
pub(crate) fn regions(bytes: &[u8]) -> Result<Vec<Option<&'static str>>, Error> {
    as_its_format!(bytes, regions_as)
}

fn plan_as<F: Format>(bytes: &[u8]) -> Result<Plan, Error> {
    let header = whole::read_header::<F>(bytes)?;
    let arch =
        Arch::find(&header).ok_or(Error::WrongMachine { found: header.machine, expected: native() })?;
    arch.check(&header)?;
    match header.kind {
        Kind::Relocatable => plan_relocatable::<F>(arch, bytes),
        Kind::Shared => plan_shared::<F>(&header, arch, bytes),
        Kind::Linked => plan_linked::<F>(&header, bytes),
    }
}

fn regions_as<F: Format>(bytes: &[u8]) -> Result<Vec<Option<&'static str>>, Error> {
    let header = whole::read_header::<F>(bytes)?;
    let (sections, _) = whole::read_sections::<F>(&header, bytes)?;
    Ok(sections.iter().map(|section| region(section.role())).collect())
}

fn plan_relocatable<F: Format>(arch: &Arch, bytes: &[u8]) -> Result<Plan, Error> {
    let mut object = Object::<F>::open(bytes, Some(arch))?;
    // Every name is provided, and nothing is near; at an odd address, as that of Thumb code.
    let resolved = object.resolve(&mut |_, found| found.fill(Some(1)), &mut |_| {})?;
    let whole::Plan { layout, needs, .. } = object.plan(&resolved, Window::ALL, Extra::default())?;
    Ok(Plan::new(&layout, needs.stubs, needs.got))
}

/// It takes what its segments take.
fn plan_linked<F: Format>(header: &Header, bytes: &[u8]) -> Result<Plan, Error> {
    let headers = header.segments.of(bytes).unwrap_or_default();
    let segments = segment::scan_linked::<F>(header, headers)?.parts;
    let layout =
        Layout { sizes: segments.map(|segment| segment.size()), aligns: [1; 4], ..Layout::default() };
    Ok(Plan::new(&layout, 0, 0))
}

fn plan_shared<F: Format>(header: &Header, arch: &Arch, bytes: &[u8]) -> Result<Plan, Error> {
    let headers = header.segments.of(bytes).unwrap_or_default();
    let mut segments = vec![Segment::default(); header.segment_count as usize];
    let span = segment::scan::<F>(header, headers, &mut segments)?;
    let layout = layout::plan_shared(arch, span.size, span.align, Extra::default())?;
    Ok(Plan::new(&layout, 0, 0))
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
    fn new(layout: &Layout, stubs: u32, got_slots: u32) -> Self {
        let sizes = Part::ALL.into_iter().map(|part| PartSize {
            part: part.to_string(),
            bytes: layout.size(part),
            align: layout.aligns.get(part as usize).copied().unwrap_or(1),
        });
        let parts: Vec<_> = sizes.filter(|part| part.bytes > 0).collect();
        let total = parts.iter().map(|part| u64::from(part.bytes)).sum();
        Self { parts, stubs, got_slots, total }
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
